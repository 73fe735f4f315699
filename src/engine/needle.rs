//! What lines are looked for by: the patterns of a host's `grep`, found as `LC_ALL=C grep` finds
//! them.
//!
//! A NUL in a line counts as the byte 1, for that is what goes to `grep` in its place. Extended
//! regular expressions are understood, except for what POSIX leaves undefined. A query never has
//! that; if one did, every line would be found, which is allowed: the caller checks each line
//! again.

use regex::bytes::{Regex, RegexBuilder};

use crate::query::{GrepPatterns, Prefilter};

use super::pattern::bracket;

/// The most memory that a compiled expression may take; patterns are limited where they are made.
const MAX_COMPILED: usize = 16 << 20;

/// The expression that finds the same lines within a buffer of them; `None` for all lines.
pub(super) fn needle(filter: &Prefilter) -> Option<Regex> {
    let Prefilter::Lines(patterns) = filter else {
        return None;
    };
    let parts: Option<Vec<String>> = patterns
        .list
        .iter()
        .map(|pattern| translated(patterns, pattern))
        .collect();
    let mut builder = RegexBuilder::new(&parts?.join("|"));
    builder
        .unicode(false)
        .multi_line(true)
        .case_insensitive(patterns.either_case)
        .size_limit(MAX_COMPILED);
    builder.build().ok()
}

fn translated(patterns: &GrepPatterns, pattern: &[u8]) -> Option<String> {
    if patterns.fixed {
        return Some(pattern.iter().copied().map(byte).collect());
    }
    ExtendedPattern {
        out: String::new(),
        groups: Vec::new(),
        atom: None,
        repeated: false,
    }
    .translate(pattern)
}

/// One byte of a line.
fn byte(byte: u8) -> String {
    if byte == 1 {
        "[\\x00\\x01]".to_owned()
    } else {
        format!("\\x{byte:02X}")
    }
}

fn set(members: &[bool; 256]) -> String {
    // A line end is in no line.
    let has = |byte: u8| byte != b'\n' && members[usize::from(byte.max(1))];
    let listed: String = (0..=255)
        .filter(|byte| has(*byte))
        .map(|byte| format!("\\x{byte:02X}"))
        .collect();
    if listed.is_empty() {
        "[^\\x00-\\xFF]".to_owned()
    } else {
        format!("[{listed}]")
    }
}

/// A translation under way.
struct ExtendedPattern {
    out: String,
    /// Where each open group begins.
    groups: Vec<usize>,
    /// Where that begins on which a repetition would act.
    atom: Option<usize>,
    /// It is a repetition itself.
    repeated: bool,
}

impl ExtendedPattern {
    fn translate(mut self, mut pattern: &[u8]) -> Option<String> {
        while let Some((&first, rest)) = pattern.split_first() {
            pattern = match first {
                b'\\' => self.quoted(rest)?,
                b'[' => {
                    let (members, rest) = bracket(rest, b"^")?;
                    self.atom(&set(&members));
                    rest
                }
                b'{' => self.counted(rest)?,
                _ => {
                    self.sign(first)?;
                    rest
                }
            };
        }
        self.groups
            .is_empty()
            .then_some(format!("(?:{})", self.out))
    }

    fn sign(&mut self, sign: u8) -> Option<()> {
        match sign {
            b'*' | b'+' | b'?' => self.repeat(&char::from(sign).to_string())?,
            b'(' => {
                self.groups.push(self.out.len());
                self.open("(?:");
            }
            b')' => {
                let start = self.groups.pop()?;
                self.out.push(')');
                self.atom = Some(start);
                self.repeated = false;
            }
            b'|' => self.open("|"),
            b'^' => self.open("^"),
            b'$' => self.open("$"),
            b'.' => self.atom("."),
            other => self.atom(&byte(other)),
        }
        Some(())
    }

    /// Something with nothing behind it to be repeated.
    fn open(&mut self, text: &str) {
        self.out.push_str(text);
        self.atom = None;
        self.repeated = false;
    }

    fn atom(&mut self, text: &str) {
        self.atom = Some(self.out.len());
        self.repeated = false;
        self.out.push_str(text);
    }

    fn quoted<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let (&quoted, rest) = rest.split_first()?;
        if quoted.is_ascii_alphanumeric() || b"<>`'".contains(&quoted) {
            return None;
        }
        self.atom(&byte(quoted));
        Some(rest)
    }

    fn counted<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let end = rest.iter().position(|&byte| byte == b'}')?;
        let count = std::str::from_utf8(&rest[..end]).ok()?;
        let valid =
            count.starts_with(|c: char| c.is_ascii_digit()) && count.matches(',').count() <= 1;
        let valid = valid && count.chars().all(|c| c.is_ascii_digit() || c == ',');
        valid.then(|| self.repeat(&format!("{{{count}}}")))??;
        Some(&rest[end + 1..])
    }

    /// A repetition of a repetition is written as one of a group: `a+?` means something else to the
    /// crate.
    fn repeat(&mut self, sign: &str) -> Option<()> {
        let start = self.atom?;
        if self.repeated {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(sign);
        self.repeated = true;
        Some(())
    }
}
