//! The lines with which programs die, as the runtimes of their languages write them.
//!
//! Only what a runtime writes when nothing has caught the failure: a stack trace alone says nothing
//! of what became of the program.

use crate::model::level::Level;
use crate::parse::bytes::within;

/// How such lines begin.
const BEGINNINGS: &[&[u8]] = &[
    // Go.
    b"panic: ",
    b"fatal error: ",
    b"SIGSEGV: ",
    b"unexpected fault address ",
    // Java, Kotlin, Scala.
    b"Exception in thread \"main\" ",
    b"# A fatal error has been detected by the Java Runtime Environment",
    b"Uncaught Kotlin exception: ",
    // .NET.
    b"Unhandled exception. ",
    b"Unhandled Exception: ",
    b"Process terminated. ",
    b"Fatal error. ",
    // Python, Perl, PHP.
    b"Fatal Python error: ",
    b"PHP Fatal error: ",
    // Node, Deno, Dart.
    b"Uncaught ",
    b"error: Uncaught ",
    b"FATAL ERROR: ",
    b"Unhandled exception:",
    // C, C++, and the sanitizers.
    b"terminate called ",
    b"libc++abi: terminating ",
    b"libc++abi.dylib: terminating ",
    b"Segmentation fault",
    b"Bus error",
    b"Aborted (core dumped)",
    b"*** stack smashing detected ***",
    b"double free or corruption",
    b"free(): ",
    b"malloc(): ",
    b"munmap_chunk(): ",
    b"corrupted size vs. prev_size",
    // Swift, OCaml, Nim, Haskell, Elixir, Erlang.
    b"Fatal error: ",
    b"Error: unhandled exception: ",
    b"** (EXIT ",
    b"{\"init terminating in ",
    // The kernel.
    b"Kernel panic - not syncing",
    b"BUG: unable to handle ",
];

/// A crash that a line begins with.
pub(super) fn level(line: &[u8]) -> Option<Level> {
    // This sorts out nearly all lines.
    let first = line.first()?;
    if !b"pftSEuUPFeFTltBA*dcmK#{=".contains(first) {
        return None;
    }
    let head = within(line, 256);
    let begins = BEGINNINGS.iter().any(|of| head.starts_with(of));
    (begins || is_panic_of_thread(head) || is_sanitizer(head)).then_some(Level::Fatal)
}

/// `thread 'main' panicked at src/main.rs:4:10:`, with the number of the thread in newer versions;
/// Zig's `thread 4711 panic: …`.
fn is_panic_of_thread(head: &[u8]) -> bool {
    let Some(name) = head.strip_prefix(b"thread ") else {
        return false;
    };
    match name.first() {
        Some(b'\'' | b'<') => memchr::memmem::find(name, b" panicked at ").is_some(),
        Some(b'0'..=b'9') => memchr::memmem::find(name, b" panic: ").is_some(),
        _ => false,
    }
}

/// `==4711==ERROR: AddressSanitizer: …`
fn is_sanitizer(head: &[u8]) -> bool {
    head.starts_with(b"==") && memchr::memmem::find(head, b"==ERROR: ").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_crash_is_fatal() {
        for line in [
            "thread 'main' panicked at src/main.rs:4:10:",
            "thread 'tokio-runtime-worker' (4711) panicked at src/a.rs:1:2:",
            "thread '<unnamed>' panicked at 'no', src/a.rs:1:2",
            "thread 4711 panic: index out of bounds",
            "fatal error: all goroutines are asleep - deadlock!",
            "Exception in thread \"main\" java.lang.IllegalStateException: no",
            "Unhandled exception. System.InvalidOperationException: no",
            "Fatal Python error: Segmentation fault",
            "terminate called after throwing an instance of 'std::runtime_error'",
            "Segmentation fault (core dumped)",
            "==4711==ERROR: AddressSanitizer: heap-use-after-free",
            "Kernel panic - not syncing: no init found",
            "Uncaught Error: no",
        ] {
            assert_eq!(level(line.as_bytes()), Some(Level::Fatal), "{line}");
        }
    }

    #[test]
    fn talk_of_crashes_is_none() {
        for line in [
            "thread 'main' is waiting",
            "thread pool panicked at nothing",
            "the panic: was over",
            "Exception in thread \"pool-1\" java.lang.Error: no",
            "Traceback (most recent call last):",
            "==> /var/log/error.log <==",
            "",
        ] {
            assert_eq!(level(line.as_bytes()), None, "{line}");
        }
    }
}
