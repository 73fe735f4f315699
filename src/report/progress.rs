//! Progress on stderr while hosts are waited for; gone before the results, and never seen by a
//! pipe.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(120);

const TEMPLATE: &str = "{spinner} {pos}/{len} hosts · {elapsed} · waiting for {msg}";

/// The line that shows progress. Clones are the same line.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// `None`: nothing is ever shown.
    stage: Option<Arc<Mutex<ProgressStage>>>,
}

/// A question may come before the report has begun, and be withdrawn after its end.
#[derive(Debug, Default)]
struct ProgressStage {
    running: bool,
    paused: bool,
}

impl Progress {
    /// On stderr if that is a terminal, otherwise nowhere.
    #[must_use]
    pub fn on_stderr() -> Self {
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
            bar.set_style(
                ProgressStyle::with_template(TEMPLATE)
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            Self {
                bar,
                stage: Some(Arc::default()),
            }
        } else {
            Self::hidden()
        }
    }

    /// Nowhere.
    #[must_use]
    pub fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            stage: None,
        }
    }

    pub(super) fn begin(&self, hosts: usize) {
        self.bar.set_length(hosts as u64);
        self.bar.set_message("all of them");
        self.change(|stage| stage.running = true);
    }

    pub(super) fn now(&self, done: usize, awaited: impl FnOnce() -> String) {
        if self.stage.is_some() {
            self.bar.set_position(done as u64);
            self.bar.set_message(awaited());
        }
    }

    /// Does something with the terminal while the line is away.
    pub(super) fn suspend<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }

    /// Takes the line away until [`Progress::resume`].
    pub(crate) fn pause(&self) {
        self.change(|stage| stage.paused = true);
    }

    pub(crate) fn resume(&self) {
        self.change(|stage| stage.paused = false);
    }

    /// Takes the line away for good.
    pub(super) fn end(&self) {
        self.change(|stage| stage.running = false);
    }

    fn change(&self, change: impl FnOnce(&mut ProgressStage)) {
        let Some(stage) = &self.stage else { return };
        let mut stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut stage);
        if stage.running && !stage.paused {
            let done = self.bar.position();
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.reset();
            self.bar.set_position(done);
            self.bar.enable_steady_tick(TURN);
        } else {
            self.bar.disable_steady_tick();
            self.bar.finish_and_clear();
            // Nothing may draw it now, not even a new position.
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}
