//! The program: parses the command line, runs what was typed, and exits. Errors leave here as one
//! line on standard error.

use std::io::{self, Write as _};
use std::process::ExitCode;

use logtrail::cli::parse_args;
use logtrail::commands;

/// Usage or configuration: nothing was connected.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = parse_args(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let code = commands::run(&args).unwrap_or_else(|error| {
        // Our errors include their reasons; with the chain of causes each would appear
        // twice. Standard error may be closed, too.
        let _ = writeln!(io::stderr(), "logtrail-tui: {error}");
        EXIT_USAGE
    });
    ExitCode::from(code)
}
