//! The message in the status line, and what a second press of a key confirms.

use crate::model::time::Time;

/// How long a notice stays in the status line, and how long a second press counts as a
/// confirmation.
const NOTICE_MS: i64 = 4000;

/// What a second press would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirm {
    Quit,
    Interrupt,
}

/// A message in the status line.
#[derive(Debug, Clone)]
struct Notice {
    text: String,
    until: Time,
}

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Notices {
    notice: Option<Notice>,
    confirm: Option<(Confirm, Time)>,
}

impl Notices {
    /// Shows a message for a while.
    pub(super) fn show(&mut self, text: String, now: Time) {
        self.notice = Some(Notice {
            text,
            until: now.plus_millis(NOTICE_MS),
        });
    }

    /// Takes the message away; true if there was one.
    pub(super) fn clear(&mut self) -> bool {
        self.notice.take().is_some()
    }

    /// Takes away what has been there for long enough.
    pub(super) fn tick(&mut self, now: Time) {
        self.notice.take_if(|notice| notice.until <= now);
        self.confirm.take_if(|(_, until)| *until <= now);
    }

    /// The message; may hold text from outside.
    pub(super) fn text(&self) -> Option<&str> {
        self.notice.as_ref().map(|notice| notice.text.as_str())
    }

    /// When the message goes.
    pub(super) fn until(&self) -> Option<Time> {
        self.notice.as_ref().map(|notice| notice.until)
    }

    /// True at the second press within the time of a notice; at the first shows the notice.
    pub(super) fn is_confirmed(&mut self, what: Confirm, notice: &str, now: Time) -> bool {
        if self.confirm.is_some_and(|(asked, _)| asked == what) {
            return true;
        }
        self.confirm = Some((what, now.plus_millis(NOTICE_MS)));
        self.show(notice.to_owned(), now);
        false
    }
}
