//! Progress on stderr while hosts are waited for; gone before the results, and never seen by a pipe.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(120);

const TEMPLATE: &str = "{spinner} {pos}/{len} hosts · {elapsed} · waiting for {msg}";

/// The line that shows progress. Clones are the same line.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    shown: bool,
}

impl Progress {
    /// On stderr if that is a terminal, otherwise nowhere.
    #[must_use]
    pub fn on_stderr() -> Self {
        if std::io::stderr().is_terminal() {
            Self { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()), shown: true }
        } else {
            Self::hidden()
        }
    }

    /// Nowhere.
    #[must_use]
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), shown: false }
    }

    pub(super) fn begin(&self, hosts: usize) {
        self.bar.set_length(hosts as u64);
        self.bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.bar.set_message("all of them");
        if self.shown {
            self.bar.enable_steady_tick(TURN);
        }
    }

    pub(super) fn now(&self, done: usize, awaited: impl FnOnce() -> String) {
        if self.shown {
            self.bar.set_position(done as u64);
            self.bar.set_message(awaited());
        }
    }

    /// Does something with the terminal while the line is away.
    pub(super) fn suspend<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }

    /// Takes the line away until [`Progress::resume`].
    pub(super) fn pause(&self) {
        if self.shown {
            self.bar.disable_steady_tick();
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    pub(super) fn resume(&self) {
        if self.shown {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(TURN);
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
