//! `ESC [ … m`, "select graphic rendition": the one escape sequence of a log line that is not shown
//! but kept as a look. Strict: whatever is not wholly understood is no such sequence, and shown
//! like any other.
//!
//! Sources: ECMA-48 (8.3.117), ITU T.416 for the colours with colons, xterm's ctlseqs for those
//! with semicolons, which the standard does not know and most programs write.

use super::look::{TextColour, TextLook};

/// The longest sequence that is taken for one. Two colours in full with every attribute have some
/// 60 bytes.
pub(super) const MAX_BYTES: usize = 80;

/// `38:2:SPACE:R:G:B`: no field has more parts.
const MAX_PARTS: usize = 6;

/// Length of a sequence at the beginning of the bytes, and the look after it.
pub(super) fn sequence(bytes: &[u8], before: TextLook) -> Option<(usize, TextLook)> {
    let rest = bytes.strip_prefix(b"\x1b[")?;
    let rest = rest.get(..MAX_BYTES - 2).unwrap_or(rest);
    let end = rest
        .iter()
        .position(|b| !b.is_ascii_digit() && !b";:".contains(b))?;
    (rest[end] == b'm').then(|| Some((end + 3, applied(&rest[..end], before)?)))?
}

/// The look after parameters, `None` where one of them is not known.
fn applied(parameters: &[u8], before: TextLook) -> Option<TextLook> {
    let mut look = before;
    let mut fields = parameters.split(|b| *b == b';');
    while let Some(field) = fields.next() {
        if field.contains(&b':') {
            with_parts(field, &mut look)?;
            continue;
        }
        match number(field)?.unwrap_or(0) {
            code @ (38 | 48 | 58) => {
                let mut next = || number(fields.next()?)?;
                let colour = match next()? {
                    5 => TextColour::of_palette(next()?),
                    2 => TextColour::Rgb(next()?, next()?, next()?),
                    _ => return None,
                };
                set_colour(code, colour, &mut look);
            }
            code => simple(code, &mut look)?,
        }
    }
    Some(look)
}

/// A parameter without parts.
fn simple(code: u8, look: &mut TextLook) -> Option<()> {
    match code {
        0 => *look = TextLook::default(),
        1 => look.bold = true,
        2 => look.dim = true,
        3 => look.italic = true,
        4 | 21 => look.underlined = true,
        7 => look.reversed = true,
        22 => (look.bold, look.dim) = (false, false),
        23 => look.italic = false,
        24 => look.underlined = false,
        27 => look.reversed = false,
        30..=37 => look.fg = Some(TextColour::Basic(code - 30)),
        39 => look.fg = None,
        40..=47 => look.bg = Some(TextColour::Basic(code - 40)),
        49 => look.bg = None,
        90..=97 => look.fg = Some(TextColour::Basic(code - 90 + 8)),
        100..=107 => look.bg = Some(TextColour::Basic(code - 100 + 8)),
        // Known, and not followed: blinking, concealed and crossed-out text, fonts, frames,
        // overlines, ideogram marks, the colour of underlines, raised and lowered text.
        5 | 6 | 8 | 9 | 10..=20 | 25 | 26 | 28 | 29 | 50..=55 | 59..=65 | 73..=75 => {}
        _ => return None,
    }
    Some(())
}

/// A parameter with parts of its own: `4:3`, `38:5:208`, `48:2::255:128:0`, `38:2:255:128:0`.
fn with_parts(field: &[u8], look: &mut TextLook) -> Option<()> {
    let mut parts = [None; MAX_PARTS];
    let mut count = 0;
    for part in field.split(|b| *b == b':') {
        *parts.get_mut(count)? = number(part)?;
        count += 1;
    }
    match (parts[0]?, &parts[1..count]) {
        (4, [Some(kind @ 0..=5)]) => look.underlined = *kind > 0,
        (code @ (38 | 48 | 58), [Some(5), Some(n)]) => {
            set_colour(code, TextColour::of_palette(*n), look);
        }
        (
            code @ (38 | 48 | 58),
            [Some(2), Some(r), Some(g), Some(b)] | [Some(2), _, Some(r), Some(g), Some(b)],
        ) => {
            set_colour(code, TextColour::Rgb(*r, *g, *b), look);
        }
        _ => return None,
    }
    Some(())
}

fn set_colour(code: u8, colour: TextColour, look: &mut TextLook) {
    match code {
        38 => look.fg = Some(colour),
        48 => look.bg = Some(colour),
        // Of the underline: known, and not followed.
        _ => {}
    }
}

/// Up to three digits; `Some(None)` where there are none, which means the default.
fn number(digits: &[u8]) -> Option<Option<u8>> {
    if digits.is_empty() {
        return Some(None);
    }
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.len() <= 3)?;
    text.parse().ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a sequence makes of text like any other, in short.
    fn read(sequence: &str) -> Option<String> {
        let (length, look) = super::sequence(sequence.as_bytes(), TextLook::default())?;
        assert_eq!(length, sequence.len(), "{sequence:?}");
        let colour = |colour: Option<TextColour>| match colour {
            None => "-".to_owned(),
            Some(TextColour::Basic(n)) => format!("b{n}"),
            Some(TextColour::Indexed(n)) => format!("i{n}"),
            Some(TextColour::Rgb(r, g, b)) => format!("{r}/{g}/{b}"),
        };
        let mut text = format!("{} {}", colour(look.fg), colour(look.bg));
        for (on, letter) in [
            (look.bold, " bold"),
            (look.dim, " dim"),
            (look.italic, " italic"),
            (look.underlined, " underlined"),
            (look.reversed, " reversed"),
        ] {
            text += if on { letter } else { "" };
        }
        Some(text)
    }

    #[test]
    fn sequences_are_read() {
        for (sequence, look) in [
            ("\x1b[m", "- -"),
            ("\x1b[0m", "- -"),
            ("\x1b[;m", "- -"),
            ("\x1b[31m", "b1 -"),
            ("\x1b[01;31m", "b1 - bold"),
            ("\x1b[1;2;3;4;7m", "- - bold dim italic underlined reversed"),
            ("\x1b[1;31;0m", "- -"),
            ("\x1b[1;31;22;39m", "- -"),
            ("\x1b[3;4;7;23;24;27m", "- -"),
            ("\x1b[97;104m", "b15 b12"),
            ("\x1b[41;49m", "- -"),
            ("\x1b[38;5;9m", "b9 -"),
            ("\x1b[38;5;208;1m", "i208 - bold"),
            ("\x1b[48;2;1;2;3;32m", "b2 1/2/3"),
            ("\x1b[38:5:208m", "i208 -"),
            ("\x1b[38:2::255:128:0m", "255/128/0 -"),
            ("\x1b[48:2:255:128:0m", "- 255/128/0"),
            ("\x1b[38:2:7:1:2:3m", "1/2/3 -"),
            ("\x1b[4:3m", "- - underlined"),
            ("\x1b[4;4:0m", "- -"),
            ("\x1b[21m", "- - underlined"),
            ("\x1b[58;5;1;58:2::1:2:3;32m", "b2 -"),
            ("\x1b[5;6;8;9;11;53;31m", "b1 -"),
        ] {
            assert_eq!(read(sequence).as_deref(), Some(look), "{sequence:?}");
        }
    }

    #[test]
    fn what_is_not_wholly_understood_is_none() {
        let long = format!("\x1b[{}m", "1;".repeat(50));
        for sequence in [
            "",
            "\x1b",
            "\x1b[",
            "\x1b[3",
            "\x1b[31",
            "\x1b[31K",
            "\x1b[?31m",
            "\x1b[>4;1m",
            "\x1b[3 1m",
            "\x1b[31\x1b[m",
            "\x1b[0031m",
            "\x1b[256m",
            "\x1b[76m",
            "\x1b[108m",
            "\x1b[38m",
            "\x1b[38;5m",
            "\x1b[38;5;256m",
            "\x1b[38;5;m",
            "\x1b[38;2;1;2m",
            "\x1b[38;3;1m",
            "\x1b[38;5:1m",
            "\x1b[38:5m",
            "\x1b[38:2:1:2m",
            "\x1b[38:2:1:2:3:4:5m",
            "\x1b[:m",
            "\x1b[31:1m",
            "\x1b[4:9m",
            &long,
        ] {
            assert_eq!(read(sequence), None, "{sequence:?}");
        }
    }

    #[test]
    fn a_look_goes_on_until_it_is_changed() {
        let (_, red) = sequence(b"\x1b[31m", TextLook::default()).expect("red");
        let (_, bold) = sequence(b"\x1b[1m...", red).expect("bold");
        assert_eq!((bold.fg, bold.bold), (Some(TextColour::Basic(1)), true));
    }
}
