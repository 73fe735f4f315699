//! Screens for terminals that have few signs or none beyond ASCII.

use ratatui::buffer::Buffer;

/// Which signs a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drawing {
    /// All.
    #[default]
    Unicode,
    /// Letters of all scripts, but lines, bars and marks are drawn with ASCII.
    AsciiLines,
    /// Only ASCII: letters of other scripts are question marks.
    Ascii,
}

/// Signs that the console draws, and what stands for them.
const SIGNS: [(&str, &str); 14] = [
    ("─━╌┄–−·", "-"),
    ("│┃┊", "|"),
    ("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    ("●•◆", "*"),
    ("◐◔", "~"),
    ("○◌", "o"),
    ("✕×", "x"),
    ("◍", "!"),
    ("↑▲", "^"),
    ("↓▼", "v"),
    ("›→", ">"),
    ("‹←", "<"),
    ("…▁▂", "."),
    ("▃▄▅", "="),
];

impl Drawing {
    /// Replaces what the terminal does not have.
    pub fn apply(self, buffer: &mut Buffer) {
        if self == Self::Unicode {
            return;
        }
        for cell in &mut buffer.content {
            if !cell.symbol().is_ascii()
                && let Some(sign) = self.stand_in(cell.symbol())
            {
                cell.set_symbol(sign);
            }
        }
    }

    fn stand_in(self, symbol: &str) -> Option<&'static str> {
        let known = SIGNS.iter().find(|(signs, _)| signs.contains(symbol));
        match (known, symbol) {
            (Some((_, sign)), _) => Some(sign),
            (None, "▆" | "▇" | "█" | "▔") => Some("#"),
            (None, "↻") => Some("@"),
            (None, "±") => Some("+"),
            (None, _) if self == Self::Ascii => Some("?"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(drawing: Drawing, text: &str) -> String {
        let mut buffer = Buffer::with_lines([text]);
        drawing.apply(&mut buffer);
        super::super::styled::text(&buffer)
    }

    #[test]
    fn lines_and_marks_are_drawn_with_ascii_and_letters_stay_where_there_are_some() {
        let text = "╭─ ● é ↑ ▁▄█ › ─╮";
        assert_eq!(drawn(Drawing::Unicode, text).trim_end(), text);
        let lines = drawn(Drawing::AsciiLines, text);
        assert_eq!(lines.trim_end(), "+- * é ^ .=# > -+");
        assert_eq!(drawn(Drawing::Ascii, text).trim_end(), "+- * ? ^ .=# > -+");
        assert!(drawn(Drawing::Ascii, "日本 ok").is_ascii());
    }
}
