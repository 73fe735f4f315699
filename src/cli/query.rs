//! The output of `query`: how queries are written.

use std::io::{self, Write};

use crate::query::{LANGUAGE, NOTES};

/// Columns of the examples.
const EXAMPLE: usize = 26;

/// Columns of the text, as of `--help`.
const WIDTH: usize = 100;

/// Prints how queries are written.
///
/// # Errors
/// When the output cannot be written.
pub fn write_query_help(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "A query, for --grep and for the / and & of the console, is terms that must all hold:\n"
    )?;
    for (example, meaning) in LANGUAGE {
        writeln!(out, "  {example:EXAMPLE$}  {meaning}")?;
    }
    for note in NOTES {
        writeln!(out)?;
        write_wrapped(note, out)?;
    }
    writeln!(
        out,
        "\nExample: logtrail-tui --hosts prod --once --grep 'level>=error -healthz since:1h' --explain"
    )
}

fn write_wrapped(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            writeln!(out)?;
            column = 0;
        }
        write!(out, "{}{word}", if column > 0 { " " } else { "" })?;
        column += length + usize::from(column > 0);
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_a_terminal() {
        let mut out = Vec::new();
        write_query_help(&mut out).expect("memory");
        let text = String::from_utf8(out).expect("text");
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(
            text.contains("level>=warn") && text.contains("since:15m"),
            "{text}"
        );
    }
}
