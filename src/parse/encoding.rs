//! Text that is not UTF-8: what its bytes say, as UTF-8.
//!
//! UTF-16 is recognised in the bytes themselves, because its line ends have two bytes and nothing
//! else could cut it into lines ([`super::split`]). All other encodings have the line ends of ASCII
//! and look alike, so that only the inventory can tell which it is; lines are then decoded as they
//! are read ([`super::line_reader`]).

use encoding_rs::Encoding;

/// The byte order mark, decoded.
const MARK: char = '\u{feff}';

/// How the text of a source is written, where the inventory says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextEncoding(&'static Encoding);

impl TextEncoding {
    /// By a name that browsers know it by (`latin1`, `windows-1252`, `Shift_JIS`, `EUC-JP`, …).
    /// Source: WHATWG, Encoding Standard, "Names and labels".
    #[must_use]
    pub fn named(label: &str) -> Option<Self> {
        let encoding = Encoding::for_label_no_replacement(label.trim().as_bytes())?;
        Some(Self(encoding))
    }

    /// Its name in that standard.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether each ASCII character is the byte that ASCII has for it, so that text of ASCII only
    /// is found in the bytes.
    #[must_use]
    pub fn keeps_ascii(self) -> bool {
        self.0.is_ascii_compatible()
    }

    /// A line as UTF-8, unless it is that already: programs of one machine often disagree, and what
    /// happens to be UTF-8 is hardly ever another encoding that keeps ASCII. What is not in the
    /// encoding becomes U+FFFD.
    pub(crate) fn text(self, line: &[u8]) -> Option<String> {
        if self.keeps_ascii() && std::str::from_utf8(line).is_ok() {
            return None;
        }
        Some(self.0.decode_without_bom_handling(line).0.into_owned())
    }
}

/// What a sample from the beginning of a file tells of all its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// UTF-8, or a part of it, such as ASCII.
    Utf8,
    /// Its lines do not end in the byte LF, but in two.
    Utf16,
    /// None of these. Which it is cannot be known from the bytes.
    Other,
}

impl TextKind {
    /// Of the first bytes of a file.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        if Utf16::recognise(0, head).is_some() {
            return Self::Utf16;
        }
        match std::str::from_utf8(head) {
            // The last character may be cut.
            Err(error) if error.error_len().is_some() => Self::Other,
            _ => Self::Utf8,
        }
    }
}

/// The two kinds of UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utf16 {
    LittleEndian,
    BigEndian,
}

/// Fewer characters prove nothing.
const MIN_UNITS: usize = 4;

/// So many bytes are looked at.
const SAMPLE: usize = 4096;

impl Utf16 {
    /// By the mark at the beginning of a file, or by bytes at an offset of it: characters of ASCII
    /// have a NUL on one side, always the same.
    pub(crate) fn recognise(offset: u64, bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xfe, ..] if offset == 0 => return Some(Self::LittleEndian),
            [0xfe, 0xff, ..] if offset == 0 => return Some(Self::BigEndian),
            _ => {}
        }
        let bytes = &bytes[..bytes.len().min(SAMPLE)];
        let units = bytes.get(usize::from(offset % 2 == 1)..)?.chunks_exact(2);
        let (mut all, mut little, mut big) = (0, 0, 0);
        for unit in units {
            all += 1;
            match unit {
                [0, 0] => return None,
                [b'\r' | b'\n', 0] | [0, b'\r' | b'\n'] => all -= 1,
                [text, 0] if is_text(*text) => little += 1,
                [0, text] if is_text(*text) => big += 1,
                _ => {}
            }
        }
        let is_most = |count: usize| count >= MIN_UNITS && count * 2 >= all;
        match (little, big) {
            (little, 0) if is_most(little) => Some(Self::LittleEndian),
            (0, big) if is_most(big) => Some(Self::BigEndian),
            _ => None,
        }
    }

    /// The line feed, or another character of ASCII.
    pub(crate) fn unit(self, ascii: u8) -> [u8; 2] {
        match self {
            Self::LittleEndian => [ascii, 0],
            Self::BigEndian => [0, ascii],
        }
    }

    /// A line as UTF-8, without the mark.
    pub(crate) fn decoded(self, line: &[u8]) -> String {
        let encoding = match self {
            Self::LittleEndian => encoding_rs::UTF_16LE,
            Self::BigEndian => encoding_rs::UTF_16BE,
        };
        let text = encoding.decode_without_bom_handling(line).0;
        text.strip_prefix(MARK).unwrap_or(&text).to_owned()
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, kind: Utf16) -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| match kind {
                Utf16::LittleEndian => unit.to_le_bytes(),
                Utf16::BigEndian => unit.to_be_bytes(),
            })
            .collect()
    }

    #[test]
    fn utf_16_is_recognised_by_its_mark_and_anywhere_in_lines_with_ascii() {
        for kind in [Utf16::LittleEndian, Utf16::BigEndian] {
            let bytes = utf16("2026-11-28 03:00:00 注文 12 を受けました\r\n", kind);
            assert_eq!(Utf16::recognise(100, &bytes), Some(kind));
            assert_eq!(Utf16::recognise(101, &bytes[1..]), Some(kind));
            let marked = utf16("\u{feff}注文を受けました", kind);
            assert_eq!(Utf16::recognise(0, &marked), Some(kind));
            assert_eq!(
                Utf16::recognise(2, &marked[2..]),
                None,
                "it could be others"
            );
        }
    }

    #[test]
    fn holes_binary_data_and_other_encodings_are_not_taken_for_it() {
        for bytes in [
            &b"a line\n\0\0\0\0\0\0\0\0\0\0"[..],
            b"",
            b"a",
            b"plain text\nof two lines\n",
            b"a\0b\nand one\n",
            "Überlauf, 注文を受けました\n".as_bytes(),
            b"\x01\0\x02\0\x03\0\x04\0\x05\0",
            b"\n\0\n\0\r\0\n\0\n\0",
            b"\0\0\0\x01\0\0\0\x02",
        ] {
            assert_eq!(Utf16::recognise(10, bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn encodings_are_known_by_the_names_that_browsers_use() {
        let name = |label| TextEncoding::named(label).map(TextEncoding::name);
        assert_eq!(name("latin1"), Some("windows-1252"));
        assert_eq!(name(" Shift_JIS "), Some("Shift_JIS"));
        assert_eq!(name("ebcdic"), None);
        let shift_jis = TextEncoding::named("sjis").expect("known");
        let text = |line| shift_jis.text(line);
        assert_eq!(text(b"\x92\x8d\x95\xb6 ok").as_deref(), Some("注文 ok"));
        assert_eq!(text("注文".as_bytes()), None, "it is UTF-8 already");
        assert_eq!(text(b"plain"), None);
    }
}
