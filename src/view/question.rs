//! A question of a host to the operator, with what was typed as its answer.

use ratatui::layout::{Position, Rect};

use super::dialog::{DialogLines, Piece, row, width_of, wrapped};
use super::theme::Role;
use crate::app::App;
use crate::model::prompt::OperatorPrompt;

/// Before what is typed.
const ANSWER_SIGN: &str = "› ";

fn is_sign((text, role): &Piece) -> bool {
    *role == Role::PopupKey && text.to_string() == ANSWER_SIGN
}

/// What it is about.
pub(super) fn question_title(question: &OperatorPrompt) -> &'static str {
    match question {
        OperatorPrompt::TrustHostKey { .. } => " Unknown host key ",
        OperatorPrompt::Passphrase { .. } => " Passphrase of a key ",
        OperatorPrompt::Secret { .. } => " Login ",
    }
}

/// What is asked, in rows of at most so many cells.
pub(super) fn question_lines(app: &App, question: &OperatorPrompt, width: usize) -> DialogLines {
    let is_answer = |line: &Vec<Piece>| line.first().is_some_and(is_sign);
    let lines = all_lines(app, question).into_iter();
    lines
        .flat_map(|line| {
            if is_answer(&line) {
                vec![line]
            } else {
                wrapped(vec![line], width)
            }
        })
        .collect()
}

fn all_lines(app: &App, question: &OperatorPrompt) -> DialogLines {
    let mut lines = match question {
        OperatorPrompt::TrustHostKey {
            host,
            address,
            key_type,
            fingerprint,
        } => vec![
            row(
                Role::Popup,
                format!("{host} ({address}) shows a key that is not in known_hosts:"),
            ),
            Vec::new(),
            row(Role::PopupTitle, format!("{key_type} {fingerprint}")),
            Vec::new(),
            row(
                Role::Popup,
                "Compare it with the key that the host's owner names.",
            ),
            Vec::new(),
            row(Role::PopupKey, "y  trust it and store it    n, Esc  refuse"),
        ],
        OperatorPrompt::Passphrase { path, again } => {
            let again = if *again { "that was not it; " } else { "" };
            let keys = "Enter  use it    Esc  go on without this key";
            typed(
                format!("{again}passphrase of {path}:"),
                masked(app, false),
                keys,
            )
        }
        OperatorPrompt::Secret { host, prompt, echo } => {
            let keys = "Enter  send it    Esc  refuse";
            typed(format!("{host} asks: {prompt}"), masked(app, *echo), keys)
        }
    };
    lines.extend(others(app.questions().len().saturating_sub(1)));
    lines
}

/// A question whose answer is typed.
fn typed(question: String, answer: Vec<Piece>, keys: &'static str) -> DialogLines {
    vec![
        row(Role::Popup, question),
        Vec::new(),
        answer,
        Vec::new(),
        row(Role::PopupKey, keys),
    ]
}

/// How many other questions wait.
fn others(waiting: usize) -> Option<Vec<Piece>> {
    let words = match waiting {
        0 => return None,
        1 => "1 more waits".to_owned(),
        more => format!("{more} more wait"),
    };
    Some(row(Role::PopupDim, words))
}

fn masked(app: &App, echo: bool) -> Vec<Piece> {
    let typed = app.questions().typed();
    let shown = if echo {
        typed.to_owned()
    } else {
        "•".repeat(typed.chars().count().min(60))
    };
    vec![
        (ANSWER_SIGN.into(), Role::PopupKey),
        (shown.into(), Role::PopupTitle),
    ]
}

pub(super) fn answer_cursor(
    app: &App,
    question: &OperatorPrompt,
    lines: &DialogLines,
    inner: Rect,
) -> Option<Position> {
    let echo = match question {
        OperatorPrompt::TrustHostKey { .. } => return None,
        OperatorPrompt::Passphrase { .. } => false,
        OperatorPrompt::Secret { echo, .. } => *echo,
    };
    let width = width_of(&masked(app, echo));
    let row = lines
        .iter()
        .position(|line| line.first().is_some_and(is_sign))?;
    let row = u16::try_from(row).unwrap_or(u16::MAX);
    let x = inner
        .x
        .saturating_add(u16::try_from(width).unwrap_or(u16::MAX))
        .min(inner.right().saturating_sub(1));
    Some(Position::new(x, inner.y.saturating_add(row))).filter(|at| inner.contains(*at))
}
