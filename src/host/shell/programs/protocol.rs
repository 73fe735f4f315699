//! What is said between the console and `programs.sh`. What all scripts have in common is in
//! [`protocol`](crate::host::shell::protocol).
//!
//! | request | answers |
//! |---|---|
//! | `run WORDS` | none, and the end only behind `stop`; what the program prints waits. Each word has `=` before it, so that none is empty |
//! | `next MOST` | while a program runs: `piece + bytes`, so many at most; none at all when everything was read |
//! | `stop` | none: the program is over |
//!
//! What a program prints ends with a line of its own, `TOKEN:exit STATUS`. Where the program was
//! killed with its shell, that line is missing.

use crate::host::shell::protocol::{DESCRIBE, escape};

/// The answer with a piece of what a program prints.
pub(super) const PIECE: &str = "piece";

/// A request to `programs.sh`.
#[derive(Debug)]
pub(super) enum ProgramsRequest<'a> {
    /// Say what the host is.
    Describe,
    /// Run a program.
    Run(&'a [String]),
    /// Send so many bytes of what it prints, at most.
    Next(usize),
    /// End it.
    Stop,
}

impl ProgramsRequest<'_> {
    /// The line that the script reads.
    pub(super) fn encode(&self) -> String {
        match self {
            Self::Describe => format!("{DESCRIBE}\n"),
            Self::Run(words) => {
                let words = words.iter().map(|word| escape(word.as_bytes()));
                let words: String = words.map(|word| format!(" ={word}")).collect();
                format!("run{words}\n")
            }
            Self::Next(most) => format!("next {most}\n"),
            Self::Stop => "stop\n".to_owned(),
        }
    }
}

/// What the line behind a program's output begins with, in a shell with this token.
pub(super) fn exit_mark(token: &str) -> String {
    format!("{token}:exit ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_of_plain_words_whatever_a_program_is_given() {
        let words = ["sh", "", "a  b\n", "$(id)"].map(str::to_owned);
        let line = ProgramsRequest::Run(&words).encode();
        assert_eq!(
            line,
            "run =sh = =a\\0040\\0040b\\0012 =\\0044\\0050id\\0051\n"
        );
    }
}
