//! Signals that the loop hears: those that end it, and the one that suspends it.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM, SIGHUP, SIGINT, SIGQUIT or SIGABRT: leave, and restore the terminal.
    End,
    /// SIGTSTP: give the terminal back for a while.
    Suspend,
}

/// The signals of this process, or in tests none.
pub(super) struct Signals {
    kinds: Option<Kinds>,
}

struct Kinds {
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    abort: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Self> {
        /// SIGTSTP has no name in tokio; its number is the same on every Unix of ours but MIPS.
        const SIGTSTP: i32 = rustix::process::Signal::TSTP.as_raw();
        const SIGABRT: i32 = rustix::process::Signal::ABORT.as_raw();
        Ok(Self {
            kinds: Some(Kinds {
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
                abort: signal(SignalKind::from_raw(SIGABRT))?,
                stop: signal(SignalKind::from_raw(SIGTSTP))?,
            }),
        })
    }

    /// Never a signal.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self { kinds: None }
    }

    /// The next signal. Cancel-safe.
    pub(super) async fn next(&mut self) -> Signal {
        let Some(kinds) = &mut self.kinds else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = kinds.terminate.recv() => Signal::End,
            _ = kinds.hang_up.recv() => Signal::End,
            _ = kinds.interrupt.recv() => Signal::End,
            _ = kinds.quit.recv() => Signal::End,
            _ = kinds.abort.recv() => Signal::End,
            _ = kinds.stop.recv() => Signal::Suspend,
        }
    }
}
