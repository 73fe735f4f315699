//! The kinds of panes, each with its own state.

use super::tree::PaneId;

mod help;
mod host;
mod hosts;
mod log;
mod record;
mod scroll;

pub use help::HelpPane;
pub use host::HostPane;
pub use hosts::HostsPane;
pub use log::{JumpTarget, LogPane, PanePosition, Rows};
pub use record::RecordPane;
pub use scroll::Scroll;

pub(crate) use log::WINDOW_BYTES;

/// A pane on the screen. What is drawn and what takes keys is decided by its kind.
#[derive(Debug, Clone, Copy)]
pub enum Pane<'a> {
    /// Merged lines.
    Log(PaneId, &'a LogPane),
    /// The host list.
    Hosts(&'a HostsPane),
    /// Metrics of the host that is selected in the list.
    Metrics(&'a HostsPane),
    /// Keys and commands.
    Help(&'a HelpPane),
    /// What is known of a host.
    Host(&'a HostPane),
    /// A whole record, or a gap.
    Record(&'a RecordPane),
}

/// A pane that is open above the others.
#[derive(Debug)]
pub enum Popup {
    /// Keys and commands.
    Help(HelpPane),
    /// What is known of a host.
    Host(HostPane),
    /// A whole record, or a gap.
    Record(RecordPane),
}

impl Popup {
    /// The pane that it is.
    #[must_use]
    pub fn pane(&self) -> Pane<'_> {
        match self {
            Self::Help(pane) => Pane::Help(pane),
            Self::Host(pane) => Pane::Host(pane),
            Self::Record(pane) => Pane::Record(pane),
        }
    }

    /// How far it is scrolled.
    #[must_use]
    pub fn scroll(&self) -> &Scroll {
        match self {
            Self::Help(pane) => &pane.scroll,
            Self::Host(pane) => &pane.scroll,
            Self::Record(pane) => &pane.scroll,
        }
    }

    pub(crate) fn scroll_mut(&mut self) -> &mut Scroll {
        match self {
            Self::Help(pane) => &mut pane.scroll,
            Self::Host(pane) => &mut pane.scroll,
            Self::Record(pane) => &mut pane.scroll,
        }
    }
}
