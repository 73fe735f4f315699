//! Patterns of a POSIX shell, over the bytes of a name: what `*`, `?` and `[…]` match in the C
//! locale.
//!
//! Crates for this take patterns that are text, know braces and `**`, or leave out names that are
//! not UTF-8. `list` walks the folders.

/// True where a part of a path is a pattern; otherwise it is a name.
pub(super) fn is_pattern(part: &[u8]) -> bool {
    part.iter().any(|byte| b"*?[".contains(byte))
}

/// A part that is no pattern within a path that is one, as it is meant: there a backslash quotes.
pub(super) fn unquoted(part: &[u8]) -> Vec<u8> {
    let mut bytes = part.iter();
    let mut plain = Vec::with_capacity(part.len());
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' {
            *bytes.next().unwrap_or(byte)
        } else {
            *byte
        });
    }
    plain
}

/// Whether a name is matched, as in pathname expansion: a dot at its beginning only by a dot.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    (name.first() != Some(&b'.') || pattern.first() == Some(&b'.')) && matches_text(pattern, name)
}

fn matches_text(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // What is left of both behind the last star, where to go on with one more byte for it.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', rest)) = pattern.split_first() {
            star = Some((rest, text));
            pattern = rest;
            continue;
        }
        if pattern.is_empty() && text.is_empty() {
            return true;
        }
        if let (Some(rest), Some((_, behind))) =
            (one(pattern, text.first().copied()), text.split_first())
        {
            pattern = rest;
            text = behind;
            continue;
        }
        let Some((rest, [_, behind @ ..])) = star else {
            return false;
        };
        star = Some((rest, behind));
        pattern = rest;
        text = behind;
    }
}

/// The pattern behind its first part, if that matches this byte.
fn one(pattern: &[u8], byte: Option<u8>) -> Option<&[u8]> {
    let byte = byte?;
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => match bracket(rest, b"!^") {
            Some((set, rest)) => set[usize::from(byte)].then_some(rest),
            None => (byte == b'[').then_some(rest),
        },
        [b'\\', quoted, rest @ ..] => (byte == *quoted).then_some(rest),
        [first, rest @ ..] => (byte == *first).then_some(rest),
        [] => None,
    }
}

/// The bytes that a bracket expression matches, and what follows it; `None` where it does not
/// end. It begins behind its `[`, and with one of `negates` it matches all others.
pub(super) fn bracket<'a>(inside: &'a [u8], negates: &[u8]) -> Option<([bool; 256], &'a [u8])> {
    let negated = inside.first().is_some_and(|first| negates.contains(first));
    let mut rest = &inside[usize::from(negated)..];
    let mut set = [false; 256];
    let mut first = true;
    loop {
        match rest {
            [b']', behind @ ..] if !first => {
                return Some((set.map(|member| member != negated), behind));
            }
            [b'[', b':', named @ ..] if class_end(named).is_some() => {
                let end = class_end(named)?;
                (0..=255_u8)
                    .for_each(|byte| set[usize::from(byte)] |= in_class(&named[..end], byte));
                rest = &named[end + 2..];
            }
            [from, b'-', to, behind @ ..] if *to != b']' => {
                (*from..=*to).for_each(|byte| set[usize::from(byte)] = true);
                rest = behind;
            }
            [byte, behind @ ..] => {
                set[usize::from(*byte)] = true;
                rest = behind;
            }
            [] => return None,
        }
        first = false;
    }
}

fn class_end(named: &[u8]) -> Option<usize> {
    let end = named.windows(2).position(|two| two == b":]")?;
    named[..end]
        .iter()
        .all(u8::is_ascii_lowercase)
        .then_some(end)
}

fn in_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => byte == b' ' || byte == b'\t',
        b"punct" => byte.is_ascii_punctuation(),
        b"cntrl" => byte.is_ascii_control(),
        b"graph" => byte.is_ascii_graphic(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_as_a_shell_does() {
        for (pattern, name, expected) in [
            ("*.log", "a.log", true),
            ("*.log", ".log", false),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("?", "ab", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("[!a]x", "bx", true),
            ("[^a]x", "ax", false),
            ("[]a]x", "]x", true),
            ("[a-c0-2]", "1", true),
            ("[a-]", "-", true),
            ("[[:digit:]]*", "7up", true),
            ("[[:digit:]]*", "up7", false),
            ("[ab", "[ab", true),
            ("*[0-9]", "x10", true),
            ("?.log", "..log", false),
            ("\\*", "*", true),
            ("*.log", "a.log\n", false),
            ("a\nb*", "a\nbc", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
        assert!(matches(b"a?c*", b"a\xffc\xfe") && matches(b"[\xf0-\xff]", b"\xfe"));
    }
}
