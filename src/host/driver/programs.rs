//! What a driver does that runs programs on a host: one after another, and their lines as they are
//! printed.
//!
//! `host::programs` starts a driver, and from then on needs only this of the host. Which programs
//! there are, and what their lines mean, is left to it.

use std::future::Future;

use super::line_splitter::RawLine;
use crate::transport::LinkError;

/// Runs programs.
pub(crate) trait RunPrograms: Send {
    /// Runs a program: its name and its arguments, which nothing evaluates. Nothing is its input.
    /// The program before it must have been stopped.
    fn run(&mut self, words: &[String]) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// The next lines of both of its outputs, perhaps none; `None` when the program has ended.
    /// Waits for as long as the program is silent. Not cancel-safe.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<RawLine>>, LinkError>> + Send;

    /// Whether more lines wait behind those that have come.
    fn has_more(&self) -> bool;

    /// Ends the program where it still runs, when it prints the next time at the latest. One that may
    /// be silent for long is better ended with the driver.
    fn stop(&mut self) -> impl Future<Output = Result<ProgramExit, LinkError>> + Send;

    /// Bytes read since the last call.
    fn take_bytes_read(&mut self) -> u64;
}

/// How a program has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ProgramExit {
    /// Its exit status, where all of its lines have been read; that of a shell: 127 where there is
    /// no such program, 126 where it may not be run, and for a signal 128 and its number.
    pub(crate) code: Option<i32>,
    /// Its last line has no line end.
    pub(crate) is_unended: bool,
}
