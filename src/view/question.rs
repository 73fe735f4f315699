//! A question of a host to the operator, with what was typed as its answer.

use ratatui::layout::{Position, Rect};

use super::dialog::{DialogLines, Piece, outside};
use super::paint::Shown;
use super::theme::Role;
use crate::app::App;
use crate::model::prompt::OperatorPrompt;

pub(super) fn question_lines(app: &App, question: &OperatorPrompt) -> DialogLines {
    let plain = |text: &str| vec![(outside(text), Role::Popup)];
    let strong = |text: &str| vec![(outside(text), Role::PopupTitle)];
    let keys = |text: &'static str| vec![(Shown::from(text), Role::PopupKey)];
    let mut lines = match question {
        OperatorPrompt::TrustHostKey {
            host,
            address,
            key_type,
            fingerprint,
        } => vec![
            plain(&format!(
                "{host} ({address}) shows a key that is not in known_hosts:"
            )),
            Vec::new(),
            strong(&format!("{key_type} {fingerprint}")),
            Vec::new(),
            plain("Compare it with the key that the host's owner names."),
            Vec::new(),
            keys("y  trust it and store it    n, Esc  refuse"),
        ],
        OperatorPrompt::Passphrase { path, again } => vec![
            plain(&format!(
                "{}passphrase of {path}:",
                if *again { "that was not it; " } else { "" }
            )),
            Vec::new(),
            masked(app, false),
            Vec::new(),
            keys("Enter  use it    Esc  go on without this key"),
        ],
        OperatorPrompt::Secret { host, prompt, echo } => vec![
            plain(&format!("{host} asks: {prompt}")),
            Vec::new(),
            masked(app, *echo),
            Vec::new(),
            keys("Enter  send it    Esc  refuse"),
        ],
    };
    if app.questions().len() > 1 {
        let more = match app.questions().len() - 1 {
            1 => "1 more waits".to_owned(),
            more => format!("{more} more wait"),
        };
        lines.push(vec![(Shown::own(&more), Role::PopupDim)]);
    }
    lines
}

fn masked(app: &App, echo: bool) -> Vec<Piece> {
    let typed = app.questions().typed();
    let shown = if echo {
        outside(typed)
    } else {
        Shown::own(&"•".repeat(typed.chars().count().min(60)))
    };
    vec![
        (Shown::from("› "), Role::PopupKey),
        (shown, Role::PopupTitle),
    ]
}

pub(super) fn answer_cursor(
    app: &App,
    question: &OperatorPrompt,
    rows: usize,
    inner: Rect,
) -> Option<Position> {
    let echo = match question {
        OperatorPrompt::TrustHostKey { .. } => return None,
        OperatorPrompt::Passphrase { .. } => false,
        OperatorPrompt::Secret { echo, .. } => *echo,
    };
    let width: usize = masked(app, echo).iter().map(|(text, _)| text.width()).sum();
    let fits = usize::from(inner.height) >= rows.min(3);
    let x = inner
        .x
        .saturating_add(u16::try_from(width).unwrap_or(u16::MAX))
        .min(inner.right().saturating_sub(1));
    fits.then_some(Position::new(x, inner.y + 2))
        .filter(|at| inner.contains(*at))
}
