//! The command line before clap reads it: what a person means by words that clap would refuse or
//! take for something else.
//!
//! A word of a query may begin with a dash (`search error -healthz`); a misspelt subcommand has words
//! behind it; `help` is asked for as a subcommand. Whatever is an option stays clap's.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, Command, CommandFactory, Parser};

use super::{CliArgs, parse_input};

/// Subcommands whose words are a query.
const QUERIES: [&str; 2] = ["search", "histogram"];

/// Reads a command line, the name of the program first.
///
/// # Errors
/// Of clap: also where help was asked for.
pub fn parse_args(args: impl IntoIterator<Item = OsString>) -> Result<CliArgs, clap::Error> {
    let mut command = CliArgs::command();
    command.build();
    let mut args: Vec<OsString> = args.into_iter().collect();
    let at = subcommand_at(&command, &args);
    let name = at.and_then(|at| args.get(at)?.to_str().map(str::to_owned));
    if name.as_deref() == Some("help") {
        args = with_help_option(args, at.unwrap_or_default());
    }
    let known = name
        .as_deref()
        .and_then(|name| command.find_subcommand(name));
    if let (Some(at), Some(known)) = (at, known)
        && QUERIES.contains(&known.get_name())
    {
        args = with_query_last(known, args, at + 1);
    }
    CliArgs::try_parse_from(args).map_err(|error| match (&name, known) {
        (Some(name), None) => without_words_behind(&command, name, error),
        _ => without_wrong_tip(error),
    })
}

/// Where the subcommand is: the first word that is no option and no value of one.
fn subcommand_at(command: &Command, args: &[OsString]) -> Option<usize> {
    let mut at = 1;
    while at < args.len() {
        match option_words(command, &args[at]) {
            Some(words) => at += words,
            None => return Some(at),
        }
    }
    None
}

/// How many words an option takes, its own among them; `None` where a word is none.
fn option_words(command: &Command, word: &OsStr) -> Option<usize> {
    let word = word.to_str()?;
    if let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) {
        let is_whole = name.contains('=');
        let is_it = |arg: &&Arg| arg.get_long() == Some(name);
        let takes = command.get_arguments().find(is_it).is_some_and(takes_value);
        return Some(if takes && !is_whole { 2 } else { 1 });
    }
    let short = word.strip_prefix('-')?.chars().next()?;
    let rest = &word[1 + short.len_utf8()..];
    let option = command
        .get_arguments()
        .find(|arg| arg.get_short() == Some(short))?;
    match (takes_value(option), rest.is_empty()) {
        (true, true) => Some(2),
        // All of them are numbers; `-Cart` is a word of a query.
        (true, false) => {
            let number = rest.strip_prefix('=').unwrap_or(rest);
            number.bytes().all(|b| b.is_ascii_digit()).then_some(1)
        }
        (false, is_alone) => is_alone.then_some(1),
    }
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// The words of a query behind `--`, where there are several and one of them begins with a dash.
fn with_query_last(command: &Command, args: Vec<OsString>, from: usize) -> Vec<OsString> {
    let (mut options, mut query) = (args[..from].to_vec(), Vec::new());
    let mut at = from;
    while at < args.len() {
        if args[at] == "--" {
            query.extend_from_slice(&args[at + 1..]);
            break;
        }
        let words = option_words(command, &args[at]).unwrap_or(0);
        let end = args.len().min(at + words.max(1));
        let place = if words > 0 { &mut options } else { &mut query };
        place.extend_from_slice(&args[at..end]);
        at = end;
    }
    let is_dashed = |word: &OsString| word.as_encoded_bytes().starts_with(b"-") && word != "-";
    if query.len() < 2 || !query.iter().any(is_dashed) {
        return args;
    }
    options.push("--".into());
    options.append(&mut query);
    options
}

/// `help search` as `search --help`.
fn with_help_option(mut args: Vec<OsString>, at: usize) -> Vec<OsString> {
    args.remove(at);
    args.push("--help".into());
    args
}

/// Of a misspelt subcommand clap refuses the words behind it.
fn without_words_behind(command: &Command, name: &str, error: clap::Error) -> clap::Error {
    let is_word = error
        .get(ContextKind::InvalidArg)
        .is_some_and(|word| !word.to_string().starts_with('-'));
    match parse_input(name) {
        Err(why) if is_word && error.kind() == ErrorKind::UnknownArgument => command
            .clone()
            .error(ErrorKind::InvalidSubcommand, format!("{name:?}: {why}")),
        _ => without_wrong_tip(error),
    }
}

/// The tip to put `--` before a word would make an option a part of the query.
fn without_wrong_tip(mut error: clap::Error) -> clap::Error {
    let is_option = |word: &clap::error::ContextValue| word.to_string().starts_with("--");
    if error.get(ContextKind::InvalidArg).is_some_and(is_option) {
        error.remove(ContextKind::Suggested);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::CliCommand;

    fn parse(line: &str) -> Result<CliArgs, clap::Error> {
        let words = line.split(' ').map(OsString::from);
        parse_args([OsString::from("logtrail-tui")].into_iter().chain(words))
    }

    /// The words of the query.
    fn query(line: &str) -> Vec<String> {
        match parse(line)
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .command
        {
            Some(CliCommand::Search(options)) => options.query,
            Some(CliCommand::Histogram(options)) => options.query,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn words_of_a_query_may_begin_with_a_dash() {
        for (line, expected) in [
            ("search error -healthz", "error -healthz"),
            ("search -healthz error", "-healthz error"),
            (
                "search error -healthz --limit 3 -Cart",
                "error -healthz -Cart",
            ),
            ("search error -C 3 -x", "error -x"),
            ("search error -C3 -x", "error -x"),
            ("search error --since -2h -x", "error -x"),
            (
                "search error -Xmx512m -- --verbose",
                "error -Xmx512m --verbose",
            ),
            ("--hosts a search --json error -x", "error -x"),
            ("histogram error -healthz --bucket 1m", "error -healthz"),
            ("search -- -x", "-x"),
        ] {
            assert_eq!(query(line).join(" "), expected, "{line}");
        }
        let args = parse("search error -A5 -x --hosts b --limit 7").expect("valid");
        let Some(CliCommand::Search(options)) = args.command else {
            panic!("{args:?}");
        };
        assert_eq!((options.after_context, options.limit), (Some(5), Some(7)));
        assert_eq!(options.sourced.selection.hosts, ["b"]);
    }

    #[test]
    fn what_is_no_query_is_refused_in_words_that_help() {
        for (line, expected) in [
            ("serach foo", "did you mean \"search\"?"),
            ("--json serach foo bar", "did you mean \"search\"?"),
            ("--hots prod", "--hosts"),
            ("tail --lines -5", "-5 is not in 0..="),
            ("--once --lines -5", "-5 is not in 0..="),
            (
                "search x --limit -5",
                "invalid value '-5' for '--limit <N>'",
            ),
            ("histogram --by status", "unexpected argument '--by'"),
            ("search x --sicne 2h", "--since"),
        ] {
            let error = parse(line).expect_err(line).to_string();
            assert!(error.contains(expected), "{line}: {error}");
            assert!(!error.contains("'-- -"), "{line}: {error}");
        }
    }

    #[test]
    fn help_is_a_word_too() {
        for (line, expected) in [
            ("help", "Without a subcommand it opens the console"),
            ("help search", "Search all files of the sources"),
            ("search help", ""),
        ] {
            match parse(line) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{line}");
                    assert!(error.to_string().contains(expected), "{line}: {error}");
                }
                Ok(_) => assert_eq!(query(line), ["help"]),
            }
        }
    }
}
