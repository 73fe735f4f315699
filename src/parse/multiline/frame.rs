//! Records with a frame around them: a line of its own at the beginning, which has no stamp and says
//! nothing, and often another at the end.
//!
//! [`RecordFrame`] knows those that their shape tells; [`SeparatorGuess`] finds out others by the
//! company they keep. Everything else about records is left to the joiner.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::parse::bytes::within;

/// What goes on with a record because its frame is not closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordFrame {
    /// ModSecurity's audit log: `--c7036611-A--`, sections of anything, `--c7036611-Z--`.
    Audit,
    /// The alerts of OSSEC and Wazuh: `** Alert 1795179601.1000: - syslog`, then anything.
    Alert,
    /// A line that was found to be followed by a stamp each time, which belongs to it.
    Separator,
    /// An object of JSON that is printed over several lines.
    Object,
    /// The same of XML; the name of the element, as a hash.
    Element(u64),
}

impl RecordFrame {
    /// The frame that a line opens, whatever comes before it.
    pub(super) fn begun_by(line: &[u8]) -> Option<Self> {
        match line.first()? {
            b'-' if is_audit_head(line) => Some(Self::Audit),
            b'*' if line.starts_with(b"** Alert ") => Some(Self::Alert),
            _ => None,
        }
    }

    /// The frame that the first line of a record opens.
    pub(super) fn of_first(line: &[u8]) -> Option<Self> {
        match line.trim_ascii_end() {
            [b'{'] => Some(Self::Object),
            [b'<', b'A'..=b'Z' | b'a'..=b'z', .., b'>'] => {
                let name = element(&line[1..]);
                let is_closed = line.trim_ascii_end().ends_with(b"/>")
                    || memchr::memmem::find(within(line, MAX_TAG), b"</").is_some();
                (!is_closed).then(|| Self::Element(hash(name)))
            }
            _ => Self::begun_by(line),
        }
    }

    /// Whether a line belongs to the record, `lines` of which there are already.
    pub(super) fn holds(self, line: &[u8], lines: u32, stamped: bool) -> bool {
        let is_inside = !matches!(line.first(), Some(b) if !b.is_ascii_whitespace());
        match self {
            Self::Audit | Self::Alert => Self::begun_by(line) != Some(self),
            Self::Separator => lines == 1 && stamped,
            Self::Object => is_inside || self.is_closed_by(line),
            Self::Element(_) => is_inside || !stamped,
        }
    }

    /// Whether a line is the last one of the record.
    pub(super) fn is_closed_by(self, line: &[u8]) -> bool {
        match self {
            Self::Object => line.starts_with(b"}"),
            Self::Element(name) => line
                .strip_prefix(b"</")
                .is_some_and(|rest| hash(element(rest)) == name),
            Self::Separator => true,
            Self::Audit | Self::Alert => false,
        }
    }
}

/// So much of a line is looked through for the end of an element.
const MAX_TAG: usize = 4096;

/// `--c7036611-A--`: the name of the transaction has letters, digits, `@` and `-`.
fn is_audit_head(line: &[u8]) -> bool {
    const MAX_NAME: usize = 64;
    let name = line
        .strip_prefix(b"--")
        .and_then(|rest| rest.trim_ascii_end().strip_suffix(b"-A--"));
    name.is_some_and(|name| {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"@-_".contains(b);
        (6..=MAX_NAME).contains(&name.len()) && name.iter().all(is_name)
    })
}

/// The name of the element that a text begins with.
fn element(text: &[u8]) -> &[u8] {
    let is_name = |b: &&u8| b.is_ascii_alphanumeric() || b"_-.:".contains(b);
    &text[..text.iter().take_while(is_name).count()]
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Finds out which lines of punctuation begin the records of a source: those behind which there is
/// a line with a stamp each time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeparatorGuess {
    /// The shape of the line before, if it may be one.
    last: u64,
    shape: u64,
    /// How often a stamp came behind it.
    times: u8,
}

impl SeparatorGuess {
    /// So often it is no coincidence.
    const ENOUGH: u8 = 2;

    /// Takes the next line; whether it begins a record.
    pub(super) fn is_begin(&mut self, line: &[u8], stamped: bool) -> bool {
        let shape = if stamped { 0 } else { shape_of(line) };
        if self.last != 0 {
            self.judge(stamped);
        }
        self.last = shape;
        shape != 0 && shape == self.shape && self.times >= Self::ENOUGH
    }

    fn judge(&mut self, stamped: bool) {
        if stamped && self.last == self.shape {
            self.times = self.times.saturating_add(1);
        } else if stamped && self.times < Self::ENOUGH {
            self.shape = self.last;
            self.times = 1;
        } else if self.last == self.shape {
            self.times = 0;
        }
    }
}

/// The shape of a line that begins with twice the same mark: its words without those that have
/// digits. 0: it does not.
fn shape_of(line: &[u8]) -> u64 {
    const SHAPE_BYTES: usize = 48;
    let [first, second, ..] = line else { return 0 };
    if first != second || !b"-*=#~+_>".contains(first) || line.starts_with(b"--- End of ") {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    for word in within(line, SHAPE_BYTES).split(|b| b.is_ascii_whitespace() || b"-:".contains(b)) {
        if !word.iter().any(u8::is_ascii_digit) {
            word.hash(&mut hasher);
        }
    }
    hasher.finish().max(1)
}
