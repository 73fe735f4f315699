//! The script under every shell there is here, asked by hand.

use crate::host::shell::script_text::PROGRAMS;
use crate::host::shell::tests::{TOKEN, Talk, with_every_shell};

use super::protocol::{ProgramsRequest, exit_mark};
use crate::host::driver::line_splitter::LineSplitter;

/// Runs a program as [`ShellPrograms`](super::ShellPrograms) does, and takes all that it prints.
fn run(talk: &mut Talk, words: &[&str]) -> (Vec<String>, Option<i32>) {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    talk.tell(ProgramsRequest::Run(&words).encode().trim_end());
    let (mut splitter, mut out) = (LineSplitter::new(&exit_mark(TOKEN)), Vec::new());
    while splitter.ended().is_none() {
        let piece = talk.ask_raw("next", "piece");
        splitter.push(&piece, &mut out);
    }
    talk.tell("stop");
    (
        out.iter()
            .map(|line| String::from_utf8_lossy(&line.bytes).into_owned())
            .collect(),
        splitter.ended(),
    )
}

#[test]
fn every_shell_hands_words_on_as_they_are_and_tells_the_exit_status() {
    with_every_shell(|shell, mut command| {
        let mut talk = Talk::start_with(&mut command, "", &PROGRAMS);
        let words = [
            "printf", "<%s>\n", "", "a  b", "$(id)", "`id`", "*", "'\"\\", "-n", "\\0101", "ü",
            "a\tb", "=x",
        ];
        let (lines, code) = run(&mut talk, &words);
        let expected: Vec<String> = words[2..].iter().map(|word| format!("<{word}>")).collect();
        assert_eq!((lines, code), (expected, Some(0)), "{shell}");
        let (lines, code) = run(
            &mut talk,
            &["sh", "-c", "echo out; echo err >&2; printf rest; exit 7"],
        );
        assert_eq!(
            (lines, code),
            (["out", "err", "rest"].map(str::to_owned).to_vec(), Some(7)),
            "{shell}"
        );
        assert_eq!(run(&mut talk, &["no-such-program"]).1, Some(127), "{shell}");
        assert_eq!(
            run(&mut talk, &["cat"]),
            (Vec::new(), Some(0)),
            "{shell}: our requests are not its input"
        );
        let (lines, code) = run(&mut talk, &["seq", "100000"]);
        assert_eq!(
            (lines.len(), lines.last().map(String::as_str), code),
            (100_000, Some("100000"), Some(0)),
            "{shell}"
        );
    });
}

#[test]
fn every_shell_ends_a_program_of_which_no_more_is_wanted() {
    with_every_shell(|shell, mut command| {
        let mut talk = Talk::start_with(&mut command, "", &PROGRAMS);
        talk.tell("run =yes");
        assert!(
            talk.ask_raw("next", "piece").starts_with(b"y\ny\n"),
            "{shell}"
        );
        talk.tell("stop");
        assert_eq!(
            run(&mut talk, &["echo", "next"]),
            (vec!["next".to_owned()], Some(0)),
            "{shell}"
        );
    });
}
