//! What the terminal can do, by what its environment says of it: no terminal is asked, for one that
//! does not answer would hold up the start.

use crate::view::{Depth, Drawing};

/// Beginnings of the `TERM` of terminals with sixteen colours or fewer, and with few signs beyond
/// ASCII: consoles, serial lines, old hardware and what behaves like it.
const SIXTEEN_COLOURS: [&str; 18] = [
    "linux",
    "vt1",
    "vt2",
    "vt3",
    "vt4",
    "vt5",
    "ansi",
    "cons25",
    "cygwin",
    "eterm-color",
    "sun",
    "wy",
    "pcansi",
    "hp",
    "screen.linux",
    "xterm-mono",
    "xterm-color",
    "xterm-16color",
];

/// How many colours a terminal has, and with which signs lines are drawn on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalCapability {
    pub(super) depth: Depth,
    pub(super) drawing: Drawing,
}

impl TerminalCapability {
    /// What the environment says, read by `variable`.
    ///
    /// # Errors
    /// Where the terminal cannot place text on its screen; says what to do.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").ok_or("TERM is not set")?;
        if matches!(term.as_str(), "dumb" | "unknown") {
            return Err(format!("TERM is {term}"));
        }
        let is_basic = SIXTEEN_COLOURS.iter().any(|known| term.starts_with(known));
        let is_basic = is_basic && !term.contains("256color") && !term.contains("direct");
        let has_24_bits =
            set("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
        let depth = match (has_24_bits, is_basic) {
            (true, _) => Depth::True,
            (false, true) => Depth::Sixteen,
            (false, false) => Depth::Indexed,
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let drawing = match locale {
            Some(locale) if !is_utf8(&locale) => Drawing::Ascii,
            _ if is_basic => Drawing::AsciiLines,
            _ => Drawing::Unicode,
        };
        Ok(Self { depth, drawing })
    }
}

/// Whether a locale's letters are UTF-8, as in `en_US.UTF-8`.
fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<(Depth, Drawing), String> {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        TerminalCapability::of(value).map(|known| (known.depth, known.drawing))
    }

    #[test]
    fn a_terminal_without_a_cursor_is_refused() {
        for term in [
            &[][..],
            &[("TERM", "")],
            &[("TERM", "dumb")],
            &[("TERM", "unknown")],
        ] {
            assert!(of(term).expect_err("refused").contains("TERM"), "{term:?}");
        }
        assert!(of(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]).is_err());
    }

    #[test]
    fn consoles_and_serial_lines_have_sixteen_colours_and_ascii_lines() {
        for term in [
            "linux",
            "vt100",
            "vt220",
            "ansi",
            "cons25",
            "xterm-16color",
            "sun-color",
        ] {
            let known = of(&[("TERM", term), ("LANG", "en_US.UTF-8")]);
            assert_eq!(known, Ok((Depth::Sixteen, Drawing::AsciiLines)), "{term}");
        }
        for term in [
            "xterm",
            "xterm-256color",
            "screen",
            "tmux-256color",
            "foot",
            "vt100-256color",
        ] {
            let known = of(&[("TERM", term), ("LC_CTYPE", "C.utf8")]);
            assert_eq!(known, Ok((Depth::Indexed, Drawing::Unicode)), "{term}");
        }
        let known = of(&[("TERM", "xterm"), ("COLORTERM", "24bit")]);
        assert_eq!(known, Ok((Depth::True, Drawing::Unicode)));
    }

    #[test]
    fn the_first_locale_that_is_set_says_which_letters_there_are() {
        let drawing = |variables: &[(&str, &str)]| {
            let all = [&[("TERM", "xterm-256color")], variables].concat();
            of(&all).map(|(_, drawing)| drawing)
        };
        assert_eq!(drawing(&[]), Ok(Drawing::Unicode), "nobody says");
        for locale in ["C", "POSIX", "en_US", "de_DE.ISO-8859-1"] {
            assert_eq!(drawing(&[("LANG", locale)]), Ok(Drawing::Ascii), "{locale}");
        }
        let overruled = [("LC_ALL", "C"), ("LANG", "en_US.UTF-8")];
        assert_eq!(drawing(&overruled), Ok(Drawing::Ascii));
        let empty = [("LC_ALL", ""), ("LANG", "en_US.UTF-8")];
        assert_eq!(drawing(&empty), Ok(Drawing::Unicode));
    }
}
