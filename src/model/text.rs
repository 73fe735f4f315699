//! Text from strangers, made safe to show. [`SafeText`] is the only text that a widget accepts.
//!
//! What a terminal would obey, hide or draw in a place of its own choice is replaced by something visible, never
//! dropped: two lines that differ look different. The sum of the widths of its characters is the width of the text,
//! on every terminal, because what makes terminals disagree is replaced too: joiners (an emoji family is drawn in two
//! cells by some and in eight by others), variation selectors and skin tones.
//!
//! Raw bytes for copying are left to the record, colours to the view.

use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthChar;

/// Text without a byte that a terminal would obey: control characters, escape sequences, bidi overrides and
/// invisibles are replaced by something visible.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SafeText(String);

/// The longest text that is shown, in bytes. A screen has some 20 KB; the rest is for scrolling sideways. What is
/// longer ends in `…+N B`.
pub const MAX_SHOWN_BYTES: usize = 256 * 1024;

/// Room for the longest `…+N B`.
const NOTE_BYTES: usize = 32;

/// As on nearly every terminal.
const TAB_CELLS: usize = 8;

/// Marks on one letter: the most that a living script needs. More would cover the lines above and below.
const MAX_MARKS: usize = 8;

impl SafeText {
    /// From the bytes of a log line, a file name, an error of a host: anything from outside. One carriage return at
    /// the end is taken for a part of the line end.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let whole = Shown::of(bytes, MAX_SHOWN_BYTES);
        if whole.read == bytes.len() {
            return Self(whole.text);
        }
        let mut start = Shown::of(bytes, MAX_SHOWN_BYTES - NOTE_BYTES);
        // Writing to a string cannot fail.
        let _ = write!(start.text, "…+{} B", bytes.len() - start.read);
        Self(start.text)
    }

    /// From a string that comes from outside or contains something that does.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// The safe text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Cells it takes on a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.0.is_ascii() { self.0.len() } else { self.cells().map(|(_, cells)| cells).sum() }
    }

    /// Its characters with the cells that each takes: 1, 2, or 0 for a mark on the character before.
    pub fn cells(&self) -> impl Iterator<Item = (char, usize)> + '_ {
        self.0.chars().map(|c| (c, cells_of(c)))
    }

    /// What is seen of it through a window of `width` cells, `skip` cells from its beginning. A wide character that
    /// is cut by an edge leaves a blank there, so that everything else keeps its column.
    #[must_use]
    pub fn slice_cells(&self, skip: usize, width: usize) -> Self {
        let end = skip.saturating_add(width);
        if self.0.is_ascii() {
            let len = self.0.len();
            return Self(self.0[skip.min(len)..end.min(len)].to_owned());
        }
        let mut slice = String::new();
        let mut at: usize = 0;
        let mut base_is_shown = false;
        for (c, cells) in self.cells() {
            let after = at + cells;
            if cells > 0 {
                if at >= end {
                    break;
                }
                base_is_shown = at >= skip && after <= end;
                if !base_is_shown && after.min(end) > at.max(skip) {
                    slice.push(' ');
                }
            }
            if base_is_shown {
                slice.push(c);
            }
            at = after;
        }
        Self(slice)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn cells_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Text in the making.
struct Shown {
    text: String,
    /// Bytes of the input that are in `text`.
    read: usize,
    /// Length beyond which `text` does not grow.
    limit: usize,
    /// Cells of `text`.
    cells: usize,
    /// Marks since the last character that has a cell. At the start there is none to carry them.
    marks: usize,
}

impl Shown {
    /// As much of the bytes as fits into `limit` bytes of text.
    fn of(bytes: &[u8], limit: usize) -> Self {
        let text = String::with_capacity(bytes.len().min(limit));
        let mut shown = Self { text, read: 0, limit, cells: 0, marks: MAX_MARKS };
        // Nothing becomes shorter by being shown, so what lies further on cannot fit (and a character cut here is not
        // reached).
        let bytes = bytes.get(..limit + 4).unwrap_or(bytes);
        for chunk in bytes.utf8_chunks() {
            if !shown.valid(chunk.valid()) || !shown.invalid(chunk.invalid()) {
                break;
            }
        }
        shown
    }

    /// False where it did not fit; so for all that follow.
    fn valid(&mut self, text: &str) -> bool {
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.bytes().position(|b| !is_plain(b)).unwrap_or(rest.len());
            if !self.plain(&rest[..plain]) {
                return false;
            }
            rest = &rest[plain..];
            let mut chars = rest.chars();
            if let Some(c) = chars.next()
                && !self.character(c)
            {
                return false;
            }
            rest = chars.as_str();
        }
        true
    }

    fn plain(&mut self, text: &str) -> bool {
        let fits = text.len().min(self.limit - self.text.len());
        self.text.push_str(&text[..fits]);
        self.read += fits;
        self.cells += fits;
        if fits > 0 {
            self.marks = 0;
        }
        fits == text.len()
    }

    fn invalid(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.replaced(1, format_args!("\\x{byte:02X}")))
    }

    fn character(&mut self, c: char) -> bool {
        match c {
            '\t' => self.replaced(1, format_args!("{:1$}", "", TAB_CELLS - self.cells % TAB_CELLS)),
            '\0'..='\x1f' => self.replaced(1, format_args!("{}", picture(c))),
            '\x7f' => self.replaced(1, format_args!("␡")),
            '\u{80}'..='\u{9f}' => self.replaced(2, format_args!("<{:02X}>", u32::from(c))),
            _ if !is_visible(c) => self.code(c),
            _ if cells_of(c) > 0 => {
                self.marks = 0;
                self.push(c)
            }
            _ if self.marks < MAX_MARKS => {
                self.marks += 1;
                self.push(c)
            }
            _ => {
                let fits = self.code(c);
                // The surplus goes on until a character comes that has a cell of its own.
                self.marks = MAX_MARKS;
                fits
            }
        }
    }

    fn push(&mut self, c: char) -> bool {
        if c.len_utf8() > self.limit - self.text.len() {
            return false;
        }
        self.text.push(c);
        self.read += c.len_utf8();
        self.cells += cells_of(c);
        true
    }

    fn code(&mut self, c: char) -> bool {
        self.replaced(c.len_utf8(), format_args!("<U+{:04X}>", u32::from(c)))
    }

    /// Adds what stands for `read` bytes of the input.
    fn replaced(&mut self, read: usize, by: fmt::Arguments<'_>) -> bool {
        let start = self.text.len();
        let _ = self.text.write_fmt(by);
        if self.text.len() > self.limit {
            self.text.truncate(start);
            return false;
        }
        self.read += read;
        self.cells += self.text[start..].chars().map(cells_of).sum::<usize>();
        self.marks = 0;
        true
    }
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// Unicode has a picture for each of the first 32 control characters, in the same order.
fn picture(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or('␦')
}

/// Whether a character that is not a control shows itself, in its place and with a width that terminals agree on.
fn is_visible(c: char) -> bool {
    match c {
        // Blanks are seen by what stands around them.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => true,
        // Invisible letters and marks.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{ffa0}' => false,
        // Variation selectors.
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => false,
        // Khmer's joiner and two vowels of Kirat Rai: layouts join what they stand between in one cell, terminals do not.
        '\u{17d2}' | '\u{16d67}' | '\u{16d68}' => false,
        // Skin tones.
        '\u{1f3fb}'..='\u{1f3ff}' => false,
        // What the standard library would not print raw in a debug string either: formats (joiners, bidi controls,
        // tags), line separators, private use, noncharacters, unassigned. It would escape marks as well.
        _ => cells_of(c) == 0 && !is_format(c) || c.escape_debug().len() == 1,
    }
}

/// Characters without a cell that are not marks (general category Cf).
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn shown(bytes: &[u8]) -> String {
        SafeText::from_bytes(bytes).to_string()
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        let table: &[(&[u8], &str)] = &[
            (b"plain text ~", "plain text ~"),
            ("größe 日本語".as_bytes(), "größe 日本語"),
            (b"\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
            (b"\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
            (b"a\0b\x08c\x7f", "a␀b␈c␡"),
            ("a\u{9b}31m\u{85}b".as_bytes(), "a<9B>31m<85>b"),
            (b"a\x9b31m", "a\\x9B31m"),
            (b"\xff\xfe\xe2\x82", "\\xFF\\xFE\\xE2\\x82"),
            (b"\xed\xa0\x80", "\\xED\\xA0\\x80"),
            ("user\u{202e}gpj".as_bytes(), "user<U+202E>gpj"),
            ("a\u{200b}b\u{ad}c\u{feff}".as_bytes(), "a<U+200B>b<U+00AD>c<U+FEFF>"),
            ("\u{e0041}\u{2028}\u{2066}".as_bytes(), "<U+E0041><U+2028><U+2066>"),
            ("\u{e000}\u{ffff}\u{10fffe}".as_bytes(), "<U+E000><U+FFFF><U+10FFFE>"),
            ("👨\u{200d}👩".as_bytes(), "👨<U+200D>👩"),
            ("❤\u{fe0f}👍\u{1f3fd}".as_bytes(), "❤<U+FE0F>👍<U+1F3FD>"),
            ("🇩🇪 1\u{a0}000".as_bytes(), "🇩🇪 1\u{a0}000"),
        ];
        for &(bytes, expected) in table {
            assert_eq!(shown(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_carriage_return_is_part_of_the_line_end_only_at_the_end() {
        assert_eq!(shown(b"done\r"), "done");
        assert_eq!(shown(b"10%\r20%\r\r"), "10%␍20%␍");
    }

    #[test]
    fn tabs_go_to_the_next_column_of_eight() {
        assert_eq!(shown(b"a\tb\t\tc"), "a       b               c");
        assert_eq!(shown("日本\tx".as_bytes()), "日本    x");
        assert_eq!(shown(b"\x1b\tx"), "␛       x");
    }

    #[test]
    fn a_letter_carries_eight_marks_and_shows_the_surplus() {
        let flood = format!("a{}b\u{301}", "\u{301}".repeat(10));
        let marks = "\u{301}".repeat(8);
        assert_eq!(SafeText::new(&flood).as_str(), format!("a{marks}<U+0301><U+0301>b\u{301}"));
    }

    #[test]
    fn a_mark_with_no_letter_before_it_does_not_reach_the_cell_of_another_widget() {
        assert_eq!(SafeText::new("\u{301}a\u{301}").as_str(), "<U+0301>a\u{301}");
    }

    #[test]
    fn a_huge_line_says_how_much_of_it_is_not_shown() {
        let text = SafeText::from_bytes(&vec![b'x'; MAX_SHOWN_BYTES + 100]);
        assert!(text.as_str().len() <= MAX_SHOWN_BYTES);
        assert!(text.as_str().ends_with("x…+132 B"), "{}", &text.as_str()[MAX_SHOWN_BYTES - 64..]);
        assert_eq!(SafeText::new(text.as_str()), text);
        assert_eq!(SafeText::from_bytes(&vec![b'x'; MAX_SHOWN_BYTES]).width(), MAX_SHOWN_BYTES);
    }

    #[test]
    fn a_huge_line_that_grows_is_bounded_too() {
        for bytes in [vec![0_u8; MAX_SHOWN_BYTES], vec![0xff; 3 * MAX_SHOWN_BYTES], vec![b'\t'; MAX_SHOWN_BYTES]] {
            let text = SafeText::from_bytes(&bytes);
            assert!(text.as_str().len() <= MAX_SHOWN_BYTES);
            assert!(text.as_str().ends_with(" B"));
            assert_eq!(SafeText::new(text.as_str()), text);
        }
    }

    #[test]
    fn a_window_leaves_a_blank_for_half_a_character() {
        let text = SafeText::new("a日本e\u{301}z");
        let seen = |skip, width| text.slice_cells(skip, width).to_string();
        assert_eq!(seen(0, 99), "a日本e\u{301}z");
        assert_eq!(seen(1, 4), "日本");
        assert_eq!(seen(2, 4), " 本e\u{301}");
        assert_eq!(seen(0, 2), "a ");
        assert_eq!(seen(2, 1), " ");
        assert_eq!(seen(2, 0), "");
        assert_eq!(seen(6, 5), "z");
        assert_eq!(seen(7, 5), "");
        assert_eq!(SafeText::new("hello").slice_cells(1, 3).as_str(), "ell");
        assert_eq!(SafeText::new("hello").slice_cells(usize::MAX, usize::MAX).as_str(), "");
    }

    #[test]
    fn every_character_there_is_becomes_safe_and_stays_as_it_became() {
        for c in '\0'..=char::MAX {
            let text = SafeText::new(&format!("a{c}b"));
            assert_safe(&text);
            assert_eq!(SafeText::new(text.as_str()), text, "{:x}", u32::from(c));
        }
    }

    fn assert_safe(text: &SafeText) {
        let dangerous = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        assert!(!text.as_str().contains(dangerous), "{text:?}");
        // Widgets lay out clusters; terminals lay out characters.
        let clusters: usize = text.as_str().graphemes(true).map(UnicodeWidthStr::width).sum();
        assert_eq!(text.width(), clusters, "{text:?}");
    }

    /// Characters that have something about them, among any others.
    fn odd() -> impl Strategy<Value = String> {
        let special = prop::sample::select("\t\r\n\0\x1b\u{85}\u{300}\u{20dd}\u{200d}\u{fe0f}👍\u{1f3fd}🇩가\u{1100}\u{1161}\u{11a8}\u{94d}क日ﷺ\u{17d2}ក\u{644}\u{627}\u{600}\u{16d63}\u{16d67}".chars().collect::<Vec<_>>());
        prop::collection::vec(prop_oneof![special, any::<char>()], 0..20).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn any_bytes_become_safe(bytes: Vec<u8>) {
            assert_safe(&SafeText::from_bytes(&bytes));
        }

        #[test]
        fn any_text_becomes_safe_and_stays_as_it_became(text in odd()) {
            let safe = SafeText::new(&text);
            assert_safe(&safe);
            prop_assert_eq!(SafeText::new(safe.as_str()), safe);
        }

        #[test]
        fn a_terminal_moves_by_as_many_cells_as_we_count(text in odd()) {
            // The one character that the model of a terminal refuses to print.
            let text = SafeText::new(&text.replace(char::REPLACEMENT_CHARACTER, "?"));
            let size = |cells| std::num::NonZeroU16::new(cells).expect("not zero");
            let mut terminal = vt100::Parser::new(size(1), size(2000), 0);
            terminal.process(text.as_str().as_bytes());
            prop_assert_eq!(usize::from(terminal.screen().cursor_position().1), text.width(), "{:?}", text);
        }

        #[test]
        fn a_window_is_never_wider_than_asked(text in odd(), skip in 0..30_usize, width in 0..30_usize) {
            let text = SafeText::new(&text);
            let seen = text.slice_cells(skip, width);
            prop_assert_eq!(seen.width(), width.min(text.width().saturating_sub(skip)));
            prop_assert_eq!(SafeText::new(seen.as_str()), seen);
        }
    }
}
