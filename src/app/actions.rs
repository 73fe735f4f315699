//! The one table of what the operator can do: name, keys, description. From it come the keymap, the
//! help, the `:` commands and their completion.

use super::keys::{Key, parse_keys};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is described, for the operator, in ACTIONS"
)]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Left,
    Right,
    LineStart,
    Page,
    Follow,
    Freeze,
    FreezeAll,
    Detail,
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
    Mark,
    Filter,
    ToggleFilters,
    Clear,
    GoTo,
    Fill,
    Hosts,
    Sources,
    Wrap,
    CopyLine,
    CopyRecord,
    ShowTime,
    ShowHost,
    ShowSource,
    ShowRaw,
    Utc,
    SplitRight,
    SplitDown,
    FocusLeft,
    FocusDown,
    FocusUp,
    FocusRight,
    NextPane,
    PreviousPane,
    Wider,
    Narrower,
    Taller,
    Shorter,
    Equal,
    Zoom,
    Close,
    Only,
    HostList,
    OnlyHost,
    ToggleHost,
    AllHosts,
    Reconnect,
    Answer,
    Command,
    Set,
    Theme,
    Hints,
    Help,
    Redraw,
    Suspend,
    Interrupt,
    Quit,
    QuitNow,
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
    /// Under which heading it stands in the help.
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
    ($($group:ident $scope:ident { $($action:ident $name:literal $([$argument:literal])? ($($key:literal)*) $doc:literal;)* })*) => {
        /// Everything that the operator can do, in the order of the help.
        pub const ACTIONS: &[ActionInfo] = &[$($(ActionInfo {
            action: Action::$action,
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
        Down "down" ("j" "<down>") "line down";
        Up "up" ("k" "<up>") "line up";
        PageDown "page-down" ("<pgdn>") "page down";
        PageUp "page-up" ("<pgup>" "b" "<C-b>") "page up";
        HalfDown "half-down" ("<C-d>") "half a page down";
        HalfUp "half-up" ("<C-u>") "half a page up";
        Top "top" ("g" "<home>") "to the oldest line read; again: of all";
        Bottom "bottom" ("G" "<end>") "to the newest line, and follow";
    }
    Move Log {
        Page "page" ("<space>") "page down, as in less";
        Left "left" ("h" "<left>") "scroll left";
        Right "right" ("l" "<right>") "scroll right";
        GoTo "at" ["TIME"] ("t") "go to a time: 03:14, yesterday 03:14, 2h";
        LineStart "line-start" ("0") "scroll back to the start of the lines";
    }
    Find Log {
        Search "search" ["QUERY"] ("/") "search; matches are highlighted";
        NextHit "next" ("n") "next match";
        PreviousHit "previous" ("N") "previous match";
        NextError "next-error" ("e") "next error";
        PreviousError "previous-error" ("E") "previous error";
        NextWarning "next-warning" ("w") "next warning or error";
        PreviousWarning "previous-warning" ("W") "previous warning or error";
        Filter "filter" ["QUERY"] ("&") "show only lines that match";
        ToggleFilters "toggle-filters" ("<C-f>") "filters of this pane off and on";
        Clear "clear" () "remove filter, search and choice of hosts";
        Hosts "hosts" ["NAME…"] () "only these hosts; without NAME, all";
        Sources "sources" ["NAME…"] () "only these sources; without NAME, all";
        Bookmark "bookmark" ("m") "bookmark this line";
        NextBookmark "next-bookmark" ("]") "next bookmark";
        PreviousBookmark "previous-bookmark" ("[") "previous bookmark";
    }
    Log Log {
        Follow "follow" ("f" "F") "follow the newest lines";
        Freeze "freeze" ("p") "freeze this pane; lines are kept";
        Fill "fill" ("r") "on a gap: read the missing bytes again";
        CopyLine "copy" ("y") "copy the text of the line";
        CopyRecord "copy-record" ("Y") "copy the record with host, source, time";
        Mark "mark" ("M") "draw a line under what has come so far";
        Wrap "wrap" ("z" "<A-z>") "wrap long lines";
        ShowTime "show-time" ("xt") "times: full, short, off";
        ShowHost "show-host" ("xh") "host names on and off";
        ShowSource "show-source" ("xs") "source names on and off";
        ShowRaw "raw" ("xr") "lines as they are, with stamps and JSON";
    }
    Log All {
        Detail "detail" ("<ret>") "the whole record; of a host, all we know";
        FreezeAll "freeze-all" ("P") "freeze all panes, or let all go on";
        Utc "utc" ("xu") "times in UTC or local";
    }
    Panes All {
        SplitRight "vsplit" ("<C-w>v") "split, side by side";
        SplitDown "split" ("<C-w>s") "split, one above the other";
        NextPane "next-pane" ("<tab>" "<C-w>w") "next pane";
        PreviousPane "previous-pane" ("<S-tab>" "<C-w>p") "previous pane";
        FocusLeft "focus-left" ("<C-w>h" "<C-w><left>") "pane to the left";
        FocusDown "focus-down" ("<C-w>j" "<C-w><down>") "pane below";
        FocusUp "focus-up" ("<C-w>k" "<C-w><up>") "pane above";
        FocusRight "focus-right" ("<C-w>l" "<C-w><right>") "pane to the right";
        Wider "wider" ("<C-w><gt>") "wider";
        Narrower "narrower" ("<C-w><lt>") "narrower";
        Taller "taller" ("<C-w>+") "taller";
        Shorter "shorter" ("<C-w>-") "shorter";
        Equal "equalise" ("<C-w>=") "all panes the same size";
        Zoom "zoom" ("<C-w>z") "this pane alone, and back";
        Close "close" ("<C-w>c" "<C-w>q") "close this pane";
        Only "only" ("<C-w>o") "close all other panes";
    }
    Hosts All {
        HostList "host-list" ("<f2>") "to the host list; there, hides it";
        AllHosts "all-hosts" ("a") "show all hosts in the pane";
    }
    Hosts Hosts {
        OnlyHost "only-host" ("o") "only this host in the pane; again: all";
        ToggleHost "toggle-host" ("<space>") "add or remove this host in the pane";
        Reconnect "reconnect" ["NAME…"] ("r") "dial the host now; without NAME, all down";
    }
    General All {
        Command "command" (":") "type a command; Tab completes";
        Answer "answer" ("!") "answer the question of a host";
        Theme "theme" ["NAME"] () "dark, light, high-contrast, none or your own";
        Set "set" ["OPTION"] () "wrap, hints, utc, shorttime … Tab lists them";
        Hints "hints" ("<f3>") "key hints on and off";
        Help "help" ("?" "<f1>") "this help";
        Redraw "redraw" ("<C-l>") "draw the screen anew";
        Suspend "suspend" ("<C-z>") "suspend; fg in the shell comes back";
        Interrupt "interrupt" ("<C-c>") "stop what is running; twice: quit";
        Quit "back" ("q") "close what is open; at the root: quit";
        QuitNow "quit" () "quit";
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
