//! When a report ends before its hosts do: the operator has had enough, or whoever read the output
//! has gone. The latter shows in a pipe at once, and not only when there is something to print.

use std::future::Future;
use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownReason {
    /// Ctrl-C, or a polite signal.
    Interrupted,
    /// Nobody reads the output any more.
    Unread,
}

impl ShutdownReason {
    /// Nothing to report for an interruption.
    ///
    /// # Errors
    /// Where nobody reads the output any more.
    pub(super) fn unless_unread(self) -> io::Result<()> {
        match self {
            Self::Interrupted => Ok(()),
            Self::Unread => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Tells when it ends.
#[derive(Debug)]
pub struct Shutdown {
    /// Kept, so that an ending that never comes is waited for.
    teller: mpsc::Sender<ShutdownReason>,
    told: mpsc::Receiver<ShutdownReason>,
}

/// A reader who neither reads nor goes holds up the last words; a second after the interruption
/// they are left unsaid.
const LAST_WORDS: Duration = Duration::from_millis(1800);

/// Of a program that was interrupted, by convention of shells.
const EXIT_INTERRUPTED: i32 = 130;

impl Shutdown {
    /// Never.
    #[must_use]
    pub fn never() -> Self {
        let (tell, told) = mpsc::channel(2);
        Self { teller: tell, told }
    }

    /// Watches the signals of this process and its standard output. Needs a runtime.
    #[must_use]
    pub fn of_process() -> Self {
        let shutdown = Self::never();
        let unread = shutdown.teller.clone();
        // Where no thread can be had, the next write finds out.
        let watch = std::thread::Builder::new().name("stdout".into());
        let _ = watch.spawn(move || {
            if wait_for_reader_to_go() {
                let _ = unread.blocking_send(ShutdownReason::Unread);
            }
        });
        let interrupted = shutdown.teller.clone();
        tokio::spawn(async move {
            asked_to_end().await;
            let limit = std::thread::Builder::new().name("end".into());
            let _ = limit.spawn(|| {
                std::thread::sleep(LAST_WORDS);
                std::process::exit(EXIT_INTERRUPTED);
            });
            let _ = interrupted.send(ShutdownReason::Interrupted).await;
        });
        shutdown
    }

    /// Says it.
    #[cfg(test)]
    pub(super) fn tell(&self, why: ShutdownReason) {
        let _ = self.teller.try_send(why);
    }

    /// Waits for it. Cancel-safe.
    pub async fn wait(&mut self) -> ShutdownReason {
        self.told
            .recv()
            .await
            .unwrap_or(ShutdownReason::Interrupted)
    }
}

async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    first(
        asked(SignalKind::interrupt()),
        asked(SignalKind::terminate()),
    )
    .await;
}

async fn first(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
}

/// Blocks until it is known: asked for nothing, `poll` reports of a pipe only that its other end is
/// closed.
fn wait_for_reader_to_go() -> bool {
    let stdout = std::io::stdout();
    loop {
        let mut watched = [PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => {
                let seen = watched[0].revents();
                if seen.intersects(PollFlags::ERR | PollFlags::HUP) {
                    return true;
                }
                if seen.contains(PollFlags::NVAL) {
                    return false;
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}
