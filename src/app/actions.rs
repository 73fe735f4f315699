//! The one table of what the operator can do: name, keys, description. From it come the keymap, the
//! help, the `:` commands and their completion.

use super::keys::{Key, parse_keys};

/// What can be done, by what does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Moving the cursor, in whatever has the focus.
    Motion(Motion),
    /// What a log pane does.
    Log(LogAction),
    /// How everything is shown.
    View(ViewAction),
    /// How the screen is divided, and what has the focus.
    Layout(LayoutAction),
    /// What is done with the host that has the focus.
    Host(HostAction),
    /// What concerns the program.
    Program(ProgramAction),
    /// What means little without an argument, and so has no key.
    Argument(ArgumentAction),
}

/// Moving the cursor, in whatever has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum Motion {
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Page,
    Top,
    Bottom,
}

/// What a log pane does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum LogAction {
    Left,
    Right,
    LineStart,
    GoTo,
    Search,
    NextHit,
    PreviousHit,
    NextError,
    PreviousError,
    NextWarning,
    PreviousWarning,
    Bookmark,
    NextBookmark,
    PreviousBookmark,
    Filter,
    ToggleFilters,
    Clear,
    Follow,
    Freeze,
    FreezeAll,
    Fill,
    CopyLine,
    CopyRecord,
    Mark,
    AllHosts,
}

/// How everything is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum ViewAction {
    Wrap,
    ShowTime,
    ShowHost,
    ShowSource,
    ShowRaw,
    Utc,
    Hints,
}

/// How the screen is divided, and what has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum LayoutAction {
    SplitRight,
    SplitDown,
    NextPane,
    PreviousPane,
    FocusLeft,
    FocusDown,
    FocusUp,
    FocusRight,
    Wider,
    Narrower,
    Taller,
    Shorter,
    Equal,
    Zoom,
    Close,
    Only,
    HostList,
}

/// What is done with the host that has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum HostAction {
    OnlyHost,
    ToggleHost,
    Reconnect,
}

/// What concerns the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum ProgramAction {
    Detail,
    Command,
    Answer,
    Help,
    Redraw,
    Suspend,
    Interrupt,
    Quit,
    QuitNow,
}

/// What means little without an argument, and so has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum ArgumentAction {
    Hosts,
    Sources,
    Theme,
    Set,
}

/// Where a key has its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everywhere but in prompts.
    All,
    /// In a log pane.
    Log,
    /// In the host list.
    Hosts,
}

/// Headings of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Moving.
    Move,
    /// Searching and filtering.
    Find,
    /// A log pane.
    Log,
    /// Splitting the screen.
    Panes,
    /// The host list.
    Hosts,
    /// The program.
    General,
}

impl Group {
    /// In the order of the help.
    pub const ALL: [Self; 6] = [
        Self::Move,
        Self::Find,
        Self::Log,
        Self::Panes,
        Self::Hosts,
        Self::General,
    ];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Find => "Find",
            Self::Log => "Log",
            Self::Panes => "Panes",
            Self::Hosts => "Host list",
            Self::General => "General",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct ActionInfo {
    /// What it does.
    pub action: Action,
    /// Its name as a `:` command.
    pub name: &'static str,
    /// What the command takes, for the help; empty where it takes nothing.
    pub argument: &'static str,
    /// Key sequences, as [`parse_keys`] reads them. Empty: only as a command.
    pub keys: &'static [&'static str],
    /// Where the keys have this meaning.
    pub scope: Scope,
    /// Its heading in the help.
    pub group: Group,
    /// What it does, for the operator; a few words.
    pub doc: &'static str,
}

impl ActionInfo {
    /// Its key sequences.
    pub fn sequences(&self) -> impl Iterator<Item = Vec<Key>> {
        self.keys.iter().map(|keys| parse_keys(keys))
    }

    /// Its first key, as people write it; its name where it has none.
    #[must_use]
    pub fn key(&self) -> String {
        self.sequences().next().map_or_else(
            || format!(":{}", self.name),
            |keys| super::keys::spell(&keys),
        )
    }

    /// The row of an action.
    #[must_use]
    pub fn of(action: Action) -> Option<&'static Self> {
        ACTIONS.iter().find(|info| info.action == action)
    }
}

macro_rules! actions {
    ($($group:ident $scope:ident { $($kind:ident($of:ident::$action:ident) $name:literal $([$argument:literal])? ($($key:literal)*) $doc:literal;)* })*) => {
        /// Everything that the operator can do, in the order of the help.
        pub const ACTIONS: &[ActionInfo] = &[$($(ActionInfo {
            action: Action::$kind($of::$action),
            name: $name,
            argument: concat!($($argument)?),
            keys: &[$($key),*],
            scope: Scope::$scope,
            group: Group::$group,
            doc: $doc,
        },)*)*];
    };
}

actions! {
    Move All {
        Motion(Motion::Down) "down" ("j" "<down>") "line down";
        Motion(Motion::Up) "up" ("k" "<up>") "line up";
        Motion(Motion::PageDown) "page-down" ("<pgdn>") "page down";
        Motion(Motion::PageUp) "page-up" ("<pgup>" "b" "<C-b>") "page up";
        Motion(Motion::HalfDown) "half-down" ("<C-d>") "half a page down";
        Motion(Motion::HalfUp) "half-up" ("<C-u>") "half a page up";
        Motion(Motion::Top) "top" ("g" "<home>") "to the oldest line on screen; twice: of all";
        Motion(Motion::Bottom) "bottom" ("G" "<end>") "to the newest line, and follow";
    }
    Move Log {
        Motion(Motion::Page) "page" ("<space>") "page down, as in less";
        Log(LogAction::Left) "left" ("h" "<left>") "scroll left";
        Log(LogAction::Right) "right" ("l" "<right>") "scroll right";
        Log(LogAction::GoTo) "at" ["TIME"] ("t") "go to a time: 03:14, yesterday 03:14, 2h";
        Log(LogAction::LineStart) "line-start" ("0") "scroll back to the start of the lines";
    }
    Find Log {
        Log(LogAction::Search) "search" ["QUERY"] ("/") "search; matches are highlighted";
        Log(LogAction::NextHit) "next" ("n") "next match, onwards as / went";
        Log(LogAction::PreviousHit) "previous" ("N") "next match the other way";
        Log(LogAction::NextError) "next-error" ("e") "next error";
        Log(LogAction::PreviousError) "previous-error" ("E") "previous error";
        Log(LogAction::NextWarning) "next-warning" ("w") "next warning or error";
        Log(LogAction::PreviousWarning) "previous-warning" ("W") "previous warning or error";
        Log(LogAction::Filter) "filter" ["QUERY"] ("&") "show only lines that match";
        Log(LogAction::ToggleFilters) "toggle-filters" ("<C-f>") "filters of this pane off and on";
        Log(LogAction::Clear) "clear" () "remove filter, search and choice of hosts";
        Argument(ArgumentAction::Hosts) "hosts" ["NAME…"] () "only these hosts; without NAME, all";
        Argument(ArgumentAction::Sources) "sources" ["NAME…"] () "only these sources; without NAME, all";
        Log(LogAction::Bookmark) "bookmark" ("m") "bookmark this line";
        Log(LogAction::NextBookmark) "next-bookmark" ("]") "next bookmark";
        Log(LogAction::PreviousBookmark) "previous-bookmark" ("[") "previous bookmark";
    }
    Log Log {
        Log(LogAction::Follow) "follow" ("f" "F") "follow the newest lines";
        Log(LogAction::Freeze) "freeze" ("p") "freeze this pane; lines are kept";
        Log(LogAction::Fill) "fill" ("r") "on a gap: read the missing bytes again";
        Log(LogAction::CopyLine) "copy" ("y") "copy the text of the line";
        Log(LogAction::CopyRecord) "copy-record" ("Y") "copy the record with host, source, time";
        Log(LogAction::Mark) "mark" ("M") "draw a line under what has come so far";
        View(ViewAction::Wrap) "wrap" ("z" "<A-z>") "wrap long lines";
        View(ViewAction::ShowTime) "show-time" ("xt") "times: full, short, off";
        View(ViewAction::ShowHost) "show-host" ("xh") "host names on and off";
        View(ViewAction::ShowSource) "show-source" ("xs") "source names on and off";
        View(ViewAction::ShowRaw) "raw" ("xr") "lines as they are, with stamps and JSON";
    }
    Log All {
        Program(ProgramAction::Detail) "detail" ("<ret>") "the whole record; of a host, all we know";
        Log(LogAction::FreezeAll) "freeze-all" ("P") "freeze all panes, or let all go on";
        View(ViewAction::Utc) "utc" ("xu") "times in UTC or local";
    }
    Panes All {
        Layout(LayoutAction::SplitRight) "vsplit" ("<C-w>v") "split, side by side";
        Layout(LayoutAction::SplitDown) "split" ("<C-w>s") "split, one above the other";
        Layout(LayoutAction::NextPane) "next-pane" ("<tab>" "<C-w>w") "next pane";
        Layout(LayoutAction::PreviousPane) "previous-pane" ("<S-tab>" "<C-w>p") "previous pane";
        Layout(LayoutAction::FocusLeft) "focus-left" ("<C-w>h" "<C-w><left>") "pane to the left";
        Layout(LayoutAction::FocusDown) "focus-down" ("<C-w>j" "<C-w><down>") "pane below";
        Layout(LayoutAction::FocusUp) "focus-up" ("<C-w>k" "<C-w><up>") "pane above";
        Layout(LayoutAction::FocusRight) "focus-right" ("<C-w>l" "<C-w><right>") "pane to the right";
        Layout(LayoutAction::Wider) "wider" ("<C-w><gt>") "wider";
        Layout(LayoutAction::Narrower) "narrower" ("<C-w><lt>") "narrower";
        Layout(LayoutAction::Taller) "taller" ("<C-w>+") "taller";
        Layout(LayoutAction::Shorter) "shorter" ("<C-w>-") "shorter";
        Layout(LayoutAction::Equal) "equalise" ("<C-w>=") "all panes the same size";
        Layout(LayoutAction::Zoom) "zoom" ("<C-w>z") "this pane alone, and back";
        Layout(LayoutAction::Close) "close" ("<C-w>c" "<C-w>q") "close this pane";
        Layout(LayoutAction::Only) "only" ("<C-w>o") "close all other panes";
    }
    Hosts All {
        Layout(LayoutAction::HostList) "host-list" ("<f2>") "to the host list; there, hides it";
        Log(LogAction::AllHosts) "all-hosts" ("a") "show all hosts in the pane";
    }
    Hosts Hosts {
        Host(HostAction::OnlyHost) "only-host" ("o") "only this host in the pane; again: all";
        Host(HostAction::ToggleHost) "toggle-host" ("<space>") "add or remove this host in the pane";
        Host(HostAction::Reconnect) "reconnect" ["NAME…"] ("r") "reconnect now; :reconnect alone: all down";
    }
    General All {
        Program(ProgramAction::Command) "command" (":") "type a command; Tab completes";
        Program(ProgramAction::Answer) "answer" ("!") "answer the question of a host";
        Argument(ArgumentAction::Theme) "theme" ["NAME"] () "dark, light, high-contrast, none or your own";
        Argument(ArgumentAction::Set) "set" ["OPTION"] () "wrap, hints, utc, shorttime … Tab lists them";
        View(ViewAction::Hints) "hints" ("<f3>") "key hints on and off";
        Program(ProgramAction::Help) "help" ("?" "<f1>") "this help";
        Program(ProgramAction::Redraw) "redraw" ("<C-l>") "draw the screen anew";
        Program(ProgramAction::Suspend) "suspend" ("<C-z>") "suspend; fg in the shell comes back";
        Program(ProgramAction::Interrupt) "interrupt" ("<C-c>") "stop what is running; twice: quit";
        Program(ProgramAction::Quit) "back" ("q") "close what is open; at the root: quit";
        Program(ProgramAction::QuitNow) "quit" () "quit";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_actions_occur_once() {
        let names: HashSet<_> = ACTIONS.iter().map(|info| info.name).collect();
        let actions: HashSet<_> = ACTIONS.iter().map(|info| info.action).collect();
        assert_eq!((names.len(), actions.len()), (ACTIONS.len(), ACTIONS.len()));
    }

    #[test]
    fn every_action_has_a_key_or_is_a_command_and_says_what_it_does() {
        for info in ACTIONS {
            assert!(!info.doc.is_empty() && !info.name.is_empty(), "{info:?}");
            assert!(
                info.doc.chars().count() <= 45,
                "{} is described too long for the help",
                info.name
            );
        }
    }

    #[test]
    fn no_key_has_two_meanings_and_none_begins_another() {
        let meet = |a: Scope, b: Scope| a == b || a == Scope::All || b == Scope::All;
        let bound: Vec<_> = ACTIONS
            .iter()
            .flat_map(|info| info.sequences().map(move |keys| (info, keys)))
            .collect();
        for (at, (one, keys)) in bound.iter().enumerate() {
            for (other, longer) in &bound[at + 1..] {
                if meet(one.scope, other.scope) {
                    let clash = keys.starts_with(longer) || longer.starts_with(keys);
                    assert!(!clash, "{} and {} share {keys:?}", one.name, other.name);
                }
            }
        }
    }
}
