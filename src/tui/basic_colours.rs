//! Colours for terminals that have sixteen: the backend writes every colour as one of 256, which
//! such a terminal takes for other things, `5` for blinking.

/// Rewrites the colours in the bytes of a frame: `38;5;9` becomes `91`.
pub(super) fn with_basic_colours(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    let mut rest = frame;
    while let Some(at) = memchr::memmem::find(rest, b"\x1b[") {
        let (before, sequence) = rest.split_at(at);
        out.extend_from_slice(before);
        let is_parameter = |byte: &&u8| byte.is_ascii_digit() || **byte == b';';
        let length = 2 + sequence[2..].iter().take_while(is_parameter).count();
        if sequence.get(length) == Some(&b'm') {
            out.extend_from_slice(b"\x1b[");
            out.extend_from_slice(rewritten(&sequence[2..length]).as_bytes());
        } else {
            out.extend_from_slice(&sequence[..length]);
        }
        rest = &sequence[length..];
    }
    out.extend_from_slice(rest);
    out
}

/// The parameters of a sequence, with colours in the codes of sixteen.
fn rewritten(parameters: &[u8]) -> String {
    let text = String::from_utf8_lossy(parameters);
    let mut parameters = text.split(';');
    let mut codes = Vec::new();
    while let Some(code) = parameters.next() {
        let is_colour = matches!(code, "38" | "48");
        match (is_colour, is_colour.then(|| parameters.next()).flatten()) {
            (true, Some("5")) => {
                let index = parameters.next().and_then(|index| index.parse().ok());
                codes.push(basic_code(code == "48", index.unwrap_or(7)));
            }
            // The theme has no others.
            (true, _) => {}
            (false, _) => codes.push(code.to_owned()),
        }
    }
    codes.join(";")
}

fn basic_code(is_background: bool, index: u8) -> String {
    let base = match index {
        0..8 => 30 + index,
        _ => 82 + index.min(15),
    };
    (base + if is_background { 10 } else { 0 }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_in_the_codes_of_sixteen_and_all_else_stays() {
        for (frame, written) in [
            ("\x1b[38;5;9mred\x1b[39m", "\x1b[91mred\x1b[39m"),
            ("\x1b[1;38;5;2;48;5;0mgo", "\x1b[1;32;40mgo"),
            ("\x1b[48;5;12m", "\x1b[104m"),
            ("\x1b[0m\x1b[2;5Hx\x1b[?25l", "\x1b[0m\x1b[2;5Hx\x1b[?25l"),
            ("ends in \x1b[38;5", "ends in \x1b[38;5"),
            ("", ""),
        ] {
            let bytes = with_basic_colours(frame.as_bytes());
            assert_eq!(String::from_utf8_lossy(&bytes), written);
        }
    }
}
