//! What every driver does that runs programs: the same suite for the shell and for children of this
//! process.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};

use crate::host::driver::line_splitter::{LineSplitter, RawLine};
use crate::host::driver::programs::{ProgramExit, RunPrograms};
use crate::host::shell::ShellPrograms;
use crate::transport::{Connection, LinkError};

/// Longest wait for lines.
const PATIENCE: Duration = Duration::from_secs(20);

/// The suite.
async fn conforms<P: RunPrograms>(programs: &mut P) {
    a_program_gets_its_words_as_they_are(programs).await;
    both_outputs_are_read_and_the_exit_status_is_told(programs).await;
    a_program_that_is_not_there_ends_as_in_a_shell(programs).await;
    nothing_is_the_input_of_a_program(programs).await;
    a_last_line_without_a_line_end_is_told_and_said_to_have_none(programs).await;
    output_is_whole_however_long_it_is(programs).await;
    a_program_that_never_ends_is_stopped(programs).await;
    lines_come_while_the_program_runs(programs).await;
}

async fn a_program_gets_its_words_as_they_are(programs: &mut impl RunPrograms) {
    let words = [
        "", "a  b", "$(id)", "`id`", "*", "'\"\\", "-n", "\\0101", "ü", "a\tb", "=x",
    ];
    let command = [&["printf", "<%s>\n"], &words[..]].concat();
    let expected: Vec<String> = words.iter().map(|word| format!("<{word}>")).collect();
    assert_eq!(run(programs, &command).await, (expected, ended_with(0)));
}

async fn both_outputs_are_read_and_the_exit_status_is_told(programs: &mut impl RunPrograms) {
    let (lines, exit) = run(programs, &["sh", "-c", "echo out; echo err >&2; exit 7"]).await;
    assert_eq!(lines, ["out", "err"]);
    assert_eq!(exit, ended_with(7));
}

async fn a_program_that_is_not_there_ends_as_in_a_shell(programs: &mut impl RunPrograms) {
    let (_, exit) = run(programs, &["no-such-program"]).await;
    assert_eq!(exit.code, Some(127));
}

async fn nothing_is_the_input_of_a_program(programs: &mut impl RunPrograms) {
    assert_eq!(run(programs, &["cat"]).await, (Vec::new(), ended_with(0)));
}

async fn a_last_line_without_a_line_end_is_told_and_said_to_have_none(
    programs: &mut impl RunPrograms,
) {
    let (lines, exit) = run(programs, &["printf", "one\ntwo"]).await;
    assert_eq!(lines, ["one", "two"]);
    assert!(exit.is_unended);
}

async fn output_is_whole_however_long_it_is(programs: &mut impl RunPrograms) {
    programs.take_bytes_read();
    let (lines, exit) = run(programs, &["seq", "100000"]).await;
    let expected: Vec<String> = (1..=100_000).map(|number| number.to_string()).collect();
    assert!(lines == expected, "{} lines", lines.len());
    assert_eq!(exit, ended_with(0));
    assert!(programs.take_bytes_read() >= 588_895, "all were read");
    assert_eq!(programs.take_bytes_read(), 0);
}

async fn lines_come_while_the_program_runs(programs: &mut impl RunPrograms) {
    programs
        .run(&owned(&["sh", "-c", "echo now; exec sleep 1000"]))
        .await
        .expect("it runs");
    let mut lines = Vec::new();
    while lines.is_empty() {
        lines = next(programs).await.expect("it has not ended");
    }
    assert_eq!(lines, ["now"]);
}

async fn a_program_that_never_ends_is_stopped(programs: &mut impl RunPrograms) {
    programs.run(&owned(&["yes"])).await.expect("it runs");
    while !programs.has_more() {
        next(programs).await.expect("it has not ended");
    }
    assert_eq!(stop(programs).await.code, None);
    let (lines, _) = run(programs, &["echo", "the next one"]).await;
    assert_eq!(lines, ["the next one"]);
}

fn ended_with(code: i32) -> ProgramExit {
    ProgramExit {
        code: Some(code),
        is_unended: false,
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Runs a program to its end.
async fn run(programs: &mut impl RunPrograms, words: &[&str]) -> (Vec<String>, ProgramExit) {
    programs.run(&owned(words)).await.expect("it runs");
    let mut lines = Vec::new();
    while let Some(more) = next(programs).await {
        lines.extend(more);
    }
    (lines, stop(programs).await)
}

async fn next(programs: &mut impl RunPrograms) -> Option<Vec<String>> {
    let next = tokio::time::timeout(PATIENCE, programs.next());
    let lines = next.await.expect("in time").expect("a connection")?;
    let text = |line: RawLine| String::from_utf8_lossy(&line.bytes).into_owned();
    Some(lines.into_iter().map(text).collect())
}

async fn stop(programs: &mut impl RunPrograms) -> ProgramExit {
    programs.stop().await.expect("a connection")
}

/// Children of this process.
#[derive(Default)]
struct ChildPrograms {
    child: Option<Child>,
    output: Option<Receiver>,
    splitter: LineSplitter,
    code: Option<i32>,
    last_byte: u8,
    bytes_read: u64,
}

impl RunPrograms for ChildPrograms {
    async fn run(&mut self, words: &[String]) -> Result<(), LinkError> {
        let (output, input) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(input.try_clone().expect("a pipe"))
            .stderr(input)
            .kill_on_drop(true);
        let output = Receiver::from_owned_fd(output.into()).expect("a pipe");
        *self = Self {
            child: command.spawn().ok(),
            output: Some(output),
            last_byte: b'\n',
            bytes_read: self.bytes_read,
            ..Self::default()
        };
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Vec<RawLine>>, LinkError> {
        let mut lines = Vec::new();
        let Some(output) = &mut self.output else {
            return Ok(None);
        };
        let mut piece = Vec::with_capacity(1 << 16);
        if output.read_buf(&mut piece).await.expect("a pipe") > 0 {
            self.bytes_read += piece.len() as u64;
            self.last_byte = piece[piece.len() - 1];
            self.splitter.push(&piece, &mut lines);
            return Ok(Some(lines));
        }
        self.output = None;
        self.splitter.finish(&mut lines);
        self.code = match &mut self.child {
            Some(child) => child.wait().await.expect("it ends").code(),
            None => Some(127),
        };
        Ok(Some(lines))
    }

    fn has_more(&self) -> bool {
        self.output.is_some()
    }

    async fn stop(&mut self) -> Result<ProgramExit, LinkError> {
        self.child = None;
        Ok(ProgramExit {
            code: self.code,
            is_unended: self.last_byte != b'\n',
        })
    }

    fn take_bytes_read(&mut self) -> u64 {
        std::mem::take(&mut self.bytes_read)
    }
}

#[tokio::test]
async fn a_shell_runs_programs_as_every_driver_does() {
    for shell in [&["sh", "-s"][..], &["busybox", "sh", "-s"]] {
        let connection = Connection::by_shell(shell);
        let started = ShellPrograms::start(&connection, false).await;
        conforms(&mut started.expect("a shell")).await;
    }
}

#[tokio::test]
async fn children_of_this_process_run_as_programs_of_every_driver_do() {
    conforms(&mut ChildPrograms::default()).await;
}
