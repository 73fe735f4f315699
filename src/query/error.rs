//! Why a text is not a query, in one line and as a picture with a caret under the place.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use crate::model::text::SafeText;

/// Why a text is not a query, with the place where it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct QueryError {
    /// The bytes of the text that are wrong; empty where something is missing.
    pub span: Range<usize>,
    /// Where that begins, in characters from 1.
    pub column: usize,
    /// What is wrong and what would be valid.
    pub message: String,
}

/// Cells of the picture, so that a terminal of 80 columns does not break its lines.
const PICTURE_CELLS: usize = 72;

/// Cells before the caret that are shown of a longer query.
const BEFORE_CELLS: usize = 40;

impl QueryError {
    /// At these bytes of a text, which are moved to where characters begin.
    pub(super) fn new(text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = floor(text, span.start);
        let end = floor(text, span.end.max(start));
        Self {
            span: start..end,
            column: text[..start].chars().count() + 1,
            message: message.into(),
        }
    }

    /// Two lines: the text, or the part of it around the place, and carets under what is wrong.
    #[must_use]
    pub fn picture(&self, text: &str) -> String {
        let start = floor(text, self.span.start);
        let end = floor(text, self.span.end);
        let before = SafeText::new(&text[..start]).width();
        let wrong = SafeText::new(&text[start..end.max(start)]).width();
        let whole = SafeText::new(text);
        let is_long = whole.width() > PICTURE_CELLS;
        let skipped = if is_long {
            before.saturating_sub(BEFORE_CELLS)
        } else {
            0
        };
        let head = if skipped > 0 { "…" } else { "" };
        let shown = whole.slice_cells(skipped, PICTURE_CELLS);
        let goes_on = skipped + PICTURE_CELLS < whole.width();
        let tail = if goes_on { "…" } else { "" };
        let at = before - skipped;
        let indent = " ".repeat(2 + head.width() + at);
        let room = PICTURE_CELLS + 1 - at.min(PICTURE_CELLS);
        let carets = "^".repeat(wrong.clamp(1, room));
        format!("  {head}{shown}{tail}\n{indent}{carets}")
    }
}

/// The last place at or before a byte where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_place() {
        let text = "größe level>=wran x";
        let error = QueryError::new(text, 15..19, "no");
        assert_eq!(
            error.picture(text),
            "  größe level>=wran x\n               ^^^^"
        );
        assert_eq!(error.to_string(), "no at column 14");
        assert_eq!(QueryError::new("a", 1..1, "no").picture("a"), "  a\n   ^");
    }

    #[test]
    fn of_a_long_query_the_part_around_the_place_is_shown() {
        let text = format!("{} ( {}", "x".repeat(200), "y".repeat(200));
        let error = QueryError::new(&text, 201..202, "no");
        let picture = error.picture(&text);
        let (shown, carets) = picture.split_once('\n').expect("two lines");
        assert_eq!(
            shown.chars().nth(carets.chars().count() - 1),
            Some('('),
            "{picture}"
        );
        assert!(shown.width() < 80 && shown.ends_with('…'), "{picture}");
    }
}
