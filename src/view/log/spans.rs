//! Which parts of a line look different: by its level, by what they are, by the colours that the
//! program wrote.

use std::ops::Range;

use ratatui::style::Style;

use crate::model::level::Level;
use crate::model::text::SafeText;
use crate::view::theme::{Role, Theme};

/// A part of a text with its style.
pub(super) type Span = (Range<usize>, Style);

/// The parts of a text before anything is highlighted.
pub(super) fn spans(text: &SafeText, level: Option<Level>, theme: &Theme) -> Vec<Span> {
    let shown = text.as_str();
    let stamp = stamp_length(shown);
    let whole = vec![(0..shown.len(), theme.get(text_role(level)))];
    let stamped = laid_over(whole, std::iter::once(0..stamp), theme.get(Role::LineStamp));
    let keyed = laid_over(
        stamped,
        keys(shown).filter(|key| key.start >= stamp),
        theme.get(Role::LineKey),
    );
    cut(keyed, text.looks(), |own, look| theme.look(own, look))
}

/// Length of a stamp at the beginning of a line, by its look alone: it repeats the time column and
/// is drawn faintly.
fn stamp_length(text: &str) -> usize {
    let month = text
        .as_bytes()
        .get(..3)
        .is_some_and(|word| word.iter().all(u8::is_ascii_alphabetic))
        && text.as_bytes().get(3) == Some(&b' ');
    let start = if month { 3 } else { 0 };
    let rest = &text[start..];
    let digit_or_sign = |c: char| c.is_ascii_digit() || "-:./,+[] TZ".contains(c);
    let length = rest.find(|c| !digit_or_sign(c)).unwrap_or(rest.len());
    let found = &rest[..length];
    let is_stamp =
        found.matches(':').count() >= 2 && found.bytes().filter(u8::is_ascii_digit).count() >= 6;
    if is_stamp {
        start + found.trim_end_matches(['T', 'Z', '[', '-']).len()
    } else {
        0
    }
}

/// Names of fields, with their `=`: what is the same in every line steps back behind what is not.
fn keys(text: &str) -> impl Iterator<Item = Range<usize>> {
    memchr::memchr_iter(b'=', text.as_bytes()).filter_map(|equals| {
        let name = |b: &u8| b.is_ascii_alphanumeric() || b"_-.@/".contains(b);
        let length = text.as_bytes()[..equals]
            .iter()
            .rev()
            .take_while(|b| name(b))
            .count();
        let start = equals - length;
        let begins = start == 0 || text.as_bytes()[start - 1] == b' ';
        (length > 0 && begins).then_some(start..equals + 1)
    })
}

/// Pieces with others over them, both in order and without overlaps among themselves.
pub(super) fn laid_over(
    under: Vec<Span>,
    over: impl IntoIterator<Item = Range<usize>>,
    style: Style,
) -> Vec<Span> {
    let over = over.into_iter().filter(|range| !range.is_empty());
    cut(under, over.map(|range| (range, style)), |_, style| style)
}

/// Pieces cut where others begin and end; what lies within these has the style that is made of its
/// own and of what they have.
fn cut<T: Copy>(
    under: Vec<Span>,
    over: impl Iterator<Item = (Range<usize>, T)>,
    style: impl Fn(Style, T) -> Style,
) -> Vec<Span> {
    let mut over = over.peekable();
    let mut pieces = Vec::with_capacity(under.len());
    for (piece, own) in under {
        let mut at = piece.start;
        while let Some((range, what)) = over
            .peek()
            .filter(|(range, _)| range.start < piece.end)
            .cloned()
        {
            let start = range.start.max(at);
            let end = range.end.min(piece.end);
            pieces.extend([(at..start, own), (start..end, style(own, what))]);
            at = end.max(at);
            if range.end > piece.end {
                break;
            }
            over.next();
        }
        pieces.push((at..piece.end, own));
    }
    pieces.retain(|(range, _)| !range.is_empty());
    pieces
}

/// The letter of a level, and its role.
pub(super) fn letter(level: Option<Level>) -> (&'static str, Role) {
    match level {
        None => (" ", Role::LineNone),
        Some(Level::Trace) => ("T", Role::LevelTrace),
        Some(Level::Debug) => ("D", Role::LevelDebug),
        Some(Level::Info) => ("I", Role::LevelInfo),
        Some(Level::Notice) => ("N", Role::LevelNotice),
        Some(Level::Warn) => ("W", Role::LevelWarn),
        Some(Level::Error) => ("E", Role::LevelError),
        Some(Level::Fatal) => ("F", Role::LevelFatal),
    }
}

fn text_role(level: Option<Level>) -> Role {
    match level {
        None => Role::LineNone,
        Some(Level::Trace) => Role::LineTrace,
        Some(Level::Debug) => Role::LineDebug,
        Some(Level::Info | Level::Notice) => Role::LineInfo,
        Some(Level::Warn) => Role::LineWarn,
        Some(Level::Error) => Role::LineError,
        Some(Level::Fatal) => Role::LineFatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_at_the_beginning_is_recognised_by_its_look() {
        for (line, stamp) in [
            (
                "2026-11-20T13:02:11.123Z INFO up",
                "2026-11-20T13:02:11.123Z ",
            ),
            ("Nov 20 13:02:11 web-1 sshd[1]: x", "Nov 20 13:02:11 "),
            ("10.0.0.1 - - GET /", ""),
            ("ERROR 13:02:11", ""),
            ("", ""),
        ] {
            assert_eq!(
                line[..stamp_length(line)].trim_end(),
                stamp.trim_end(),
                "{line}"
            );
        }
    }

    #[test]
    fn names_of_fields_are_found_and_no_equals_sign_else() {
        let text = "GET /a?b=c id=7 x==y user.name=\"a b=\" =z";
        let found: Vec<_> = keys(text).map(|key| &text[key]).collect();
        assert_eq!(found, ["id=", "x=", "user.name=", "b="]);
    }

    #[test]
    fn pieces_laid_over_others_cut_them_and_cover_everything() {
        let (a, b, c) = (Style::new(), Style::new().bold(), Style::new().dim());
        let pieces = laid_over(vec![(0..4, a), (4..10, b)], [2..6, 8..10], c);
        assert_eq!(
            pieces,
            [(0..2, a), (2..4, c), (4..6, c), (6..8, b), (8..10, c)]
        );
        assert_eq!(
            laid_over(pieces, std::iter::once(0..10), a)
                .iter()
                .map(|(range, _)| range.len())
                .sum::<usize>(),
            10
        );
    }
}
