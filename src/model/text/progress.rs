//! Progress bars: lines that a program has written over and over, with a carriage return before
//! each new state.

use std::borrow::Cow;

/// From so many carriage returns on a line is taken for a progress bar. Fewer may be an attempt to
/// hide what comes before them, and are shown with everything around them.
const BAR_FROM: usize = 3;

/// What a terminal would show of a progress bar in the end, behind the number of states before it:
/// `␍×57 100%`. Any other line is returned as it is. For people only; searches, copies and machines
/// get the line.
#[must_use]
pub fn settled(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let returns = memchr::memchr_iter(b'\r', line).count();
    if returns < BAR_FROM {
        return Cow::Borrowed(line);
    }
    let states = || {
        line.split(|b| *b == b'\r')
            .filter(|state| !state.is_empty())
    };
    match states().next_back() {
        Some(last) => {
            Cow::Owned([format!("␍×{} ", states().count() - 1).as_bytes(), last].concat())
        }
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_bar_is_its_last_state() {
        for (line, shown) in [
            ("", ""),
            ("done\r", "done"),
            ("10%\r20%", "10%\r20%"),
            ("evil\rharmless text", "evil\rharmless text"),
            ("10%\r20%\r30%\r40%", "␍×3 40%"),
            ("\r10%\r20%\r30%\r", "␍×2 30%"),
            ("\r\r\r\r", "\r\r\r"),
            ("10%\r\r20%\r\rdone\r", "␍×2 done"),
        ] {
            assert_eq!(settled(line.as_bytes()), shown.as_bytes(), "{line:?}");
        }
    }
}
