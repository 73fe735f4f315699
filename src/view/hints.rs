//! The keys that the hints name, by what has the focus.

use crate::app::actions::{Action, HostAction, LayoutAction, LogAction, ProgramAction, ViewAction};

/// An action, and what its hint says.
pub(super) type Hint = (Action, &'static str);

/// In the popup of a host.
pub(super) const HOST_HINTS: &[Hint] = &[
    (Action::Host(HostAction::Reconnect), "reconnect"),
    (Action::Host(HostAction::OnlyHost), "only this host"),
    (Action::Program(ProgramAction::Quit), "close"),
];

/// In the popup of a record.
pub(super) const RECORD_HINTS: &[Hint] = &[
    (Action::Log(LogAction::CopyLine), "copy"),
    (Action::Program(ProgramAction::Quit), "close"),
];

/// In the help.
pub(super) const HELP_HINTS: &[Hint] = &[(Action::Program(ProgramAction::Quit), "close")];

/// In the host list.
pub(super) const HOSTS_HINTS: &[Hint] = &[
    (Action::Program(ProgramAction::Detail), "details"),
    (Action::Host(HostAction::OnlyHost), "only"),
    (Action::Host(HostAction::ToggleHost), "add/remove"),
    (Action::Host(HostAction::Reconnect), "reconnect"),
    (Action::Layout(LayoutAction::HostList), "hide"),
    (Action::Layout(LayoutAction::NextPane), "to the log"),
    (Action::Program(ProgramAction::Help), "help"),
];

/// In a log pane where something was searched.
pub(super) const SEARCH_HINTS: &[Hint] = &[
    (Action::Log(LogAction::NextHit), "next"),
    (Action::Log(LogAction::PreviousHit), "previous"),
    (Action::Log(LogAction::Filter), "filter"),
    (Action::Log(LogAction::Follow), "follow"),
    (Action::Program(ProgramAction::Detail), "details"),
    (Action::Program(ProgramAction::Help), "help"),
    (Action::Program(ProgramAction::Quit), "quit"),
];

/// In one of several log panes.
pub(super) const PANES_HINTS: &[Hint] = &[
    (Action::Layout(LayoutAction::NextPane), "next pane"),
    (Action::Layout(LayoutAction::Close), "close"),
    (Action::Log(LogAction::Search), "search"),
    (Action::Log(LogAction::Filter), "filter"),
    (Action::Log(LogAction::Follow), "follow"),
    (Action::Log(LogAction::Freeze), "freeze"),
    (Action::Program(ProgramAction::Help), "help"),
    (Action::Program(ProgramAction::Quit), "quit"),
];

/// In the only log pane.
pub(super) const LOG_HINTS: &[Hint] = &[
    (Action::Log(LogAction::Search), "search"),
    (Action::Log(LogAction::Filter), "filter"),
    (Action::Log(LogAction::PreviousError), "error"),
    (Action::Log(LogAction::Follow), "follow"),
    (Action::Log(LogAction::Freeze), "freeze"),
    (Action::View(ViewAction::Wrap), "wrap"),
    (Action::Layout(LayoutAction::SplitRight), "split"),
    (Action::Layout(LayoutAction::NextPane), "hosts"),
    (Action::Program(ProgramAction::Command), "command"),
    (Action::Program(ProgramAction::Help), "help"),
    (Action::Program(ProgramAction::Quit), "quit"),
];
