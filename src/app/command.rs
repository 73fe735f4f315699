//! Commands typed at `:`: an action's name and what it takes.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};

use super::App;
use super::actions::{ACTIONS, Action, ActionInfo, ArgumentAction, HostAction, LogAction};
use super::event::Effect;
use super::prompt::{Prompt, PromptCandidate, PromptKind, complete};
use crate::layout::TimeStyle;
use crate::model::host::HostId;

/// The options of `:set`.
const OPTIONS: [&str; 11] = [
    "wrap",
    "nowrap",
    "raw",
    "noraw",
    "hints",
    "nohints",
    "utc",
    "local",
    "time",
    "notime",
    "shorttime",
];
/// The themes that are built in.
const THEMES: [&str; 4] = ["dark", "light", "high-contrast", "none"];
/// What people type who come from other programs.
const ALIASES: [(&str, &str); 7] = [
    ("goto", "at"),
    ("q", "quit"),
    ("qa", "quit"),
    ("q!", "quit"),
    ("sp", "split"),
    ("vs", "vsplit"),
    ("noh", "clear"),
];

impl App {
    /// Does a command line; an empty one is nothing.
    pub(super) fn run_command(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if name.is_empty() {
            return Ok(());
        }
        let info = find(name)?;
        let argument = argument.trim();
        if info.argument.is_empty() && !argument.is_empty() {
            return Err(format!("{name} takes no argument"));
        }
        self.run(info.action, argument)
    }

    fn run(&mut self, action: Action, argument: &str) -> Result<(), String> {
        match action {
            Action::Argument(action) => return self.run_with_argument(action, argument),
            Action::Host(HostAction::Reconnect) => return self.reconnect_named(argument),
            Action::Log(LogAction::Filter) if !argument.is_empty() => {
                return self.set_query(argument);
            }
            Action::Log(LogAction::Search) if !argument.is_empty() => {
                return self.search(argument);
            }
            Action::Log(LogAction::GoTo) if argument.is_empty() => {
                return Err("at: give a time, such as 03:14 or \"yesterday 03:14\"".into());
            }
            Action::Log(LogAction::GoTo) => return self.go_to_time(argument),
            _ => self.dispatch(action, None),
        }
        Ok(())
    }

    /// Does what takes an argument; some of it goes without one.
    pub(super) fn run_with_argument(
        &mut self,
        action: ArgumentAction,
        argument: &str,
    ) -> Result<(), String> {
        match action {
            ArgumentAction::Hosts => self.choose_hosts(argument),
            ArgumentAction::Sources => self.choose_sources(argument),
            ArgumentAction::Set => self.set_option(argument),
            ArgumentAction::Theme if argument.is_empty() => {
                Err("theme: give a name, such as dark or light".into())
            }
            ArgumentAction::Theme => {
                self.effects.push(Effect::Theme(argument.to_owned()));
                Ok(())
            }
        }
    }

    /// What Tab offers in a prompt.
    pub(super) fn completions(&self, prompt: &Prompt) -> Vec<PromptCandidate> {
        if prompt.kind != PromptKind::Command {
            return Vec::new();
        }
        complete(prompt.editor.text(), |command| {
            match find(command).map(|info| info.action) {
                Ok(Action::Argument(action)) => self.arguments(action),
                Ok(Action::Host(HostAction::Reconnect)) => self.host_names(),
                _ => Vec::new(),
            }
        })
    }

    /// What an action takes as its argument.
    fn arguments(&self, action: ArgumentAction) -> Vec<String> {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match action {
            ArgumentAction::Hosts => self.host_names(),
            ArgumentAction::Sources => self.source_names().into_iter().collect(),
            ArgumentAction::Theme => own(&THEMES),
            ArgumentAction::Set => own(&OPTIONS),
        }
    }

    fn host_names(&self) -> Vec<String> {
        self.scrollback
            .hosts()
            .iter()
            .map(|row| row.name.to_string())
            .collect()
    }

    fn choose_hosts(&mut self, patterns: &str) -> Result<(), String> {
        let chosen = self.matching_hosts(patterns)?;
        let scrollback = &self.scrollback;
        if let Some(pane) = self.panes.focused_mut() {
            pane.show_hosts(scrollback, chosen);
        }
        Ok(())
    }

    fn choose_sources(&mut self, patterns: &str) -> Result<(), String> {
        let scrollback = &self.scrollback;
        let chosen = match globs(patterns)? {
            None => None,
            Some(globs) => {
                let found = scrollback
                    .sources()
                    .filter(|(_, row)| globs.iter().any(|glob| glob.is_match(&*row.info.name)));
                let found: BTreeSet<_> = found.map(|(id, _)| id).collect();
                Some(found)
                    .filter(|found| !found.is_empty())
                    .ok_or(format!("no source is named {patterns}"))
                    .map(Some)?
            }
        };
        if let Some(pane) = self.panes.focused_mut() {
            pane.show_sources(scrollback, chosen);
        }
        Ok(())
    }

    fn reconnect_named(&mut self, patterns: &str) -> Result<(), String> {
        let hosts = match self.matching_hosts(patterns)? {
            Some(hosts) => hosts,
            None => self
                .scrollback
                .host_ids()
                .filter(|id| {
                    self.scrollback
                        .host(*id)
                        .is_some_and(|row| !row.status.state.is_up())
                })
                .collect(),
        };
        if hosts.is_empty() {
            return Err("no host is down".into());
        }
        for host in hosts {
            self.effects.push(Effect::Reconnect(host));
        }
        Ok(())
    }

    /// The hosts that any of the patterns names; `None` where there is no pattern.
    fn matching_hosts(&self, patterns: &str) -> Result<Option<BTreeSet<HostId>>, String> {
        let Some(globs) = globs(patterns)? else {
            return Ok(None);
        };
        let named = |id: &HostId| {
            self.scrollback.host(*id).is_some_and(|row| {
                globs.iter().any(|glob| {
                    glob.is_match(row.name.as_str())
                        || row.tags.iter().any(|tag| glob.is_match(tag))
                })
            })
        };
        let found: BTreeSet<_> = self.scrollback.host_ids().filter(named).collect();
        if found.is_empty() {
            Err(format!("no host is named {patterns}"))
        } else {
            Ok(Some(found))
        }
    }

    fn set_option(&mut self, option: &str) -> Result<(), String> {
        match option {
            "wrap" | "nowrap" => self.set_wrap(option == "wrap"),
            "raw" | "noraw" => self.view_options.raw = option == "raw",
            "hints" | "nohints" => self.view_options.hints = option == "hints",
            "utc" | "local" => self.view_options.utc = option == "utc",
            "time" => self.view_options.time = TimeStyle::Full,
            "shorttime" => self.view_options.time = TimeStyle::Short,
            "notime" => self.view_options.time = TimeStyle::Off,
            _ => {
                return Err(format!(
                    "set: no option {option:?}; there are {}",
                    OPTIONS.join(", ")
                ));
            }
        }
        Ok(())
    }

    fn source_names(&self) -> BTreeSet<String> {
        self.scrollback
            .sources()
            .map(|(_, row)| row.info.name.to_string())
            .collect()
    }
}

/// The action of that name. A beginning will do where only one action has it.
fn find(name: &str) -> Result<&'static ActionInfo, String> {
    let name = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, name)| name);
    let exact = ACTIONS.iter().find(|info| info.name == name);
    let begun: Vec<_> = ACTIONS
        .iter()
        .filter(|info| info.name.starts_with(name))
        .collect();
    match (exact, &begun[..]) {
        (Some(info), _) => Ok(info),
        (None, [only]) => Ok(only),
        (None, []) => Err(unknown(name)),
        (None, several) => {
            let names: Vec<_> = several.iter().map(|info| info.name).collect();
            Err(format!("{name:?} could be {}", names.join(", ")))
        }
    }
}

fn unknown(name: &str) -> String {
    let near = ACTIONS
        .iter()
        .max_by(|a, b| similar(a.name, name).total_cmp(&similar(b.name, name)))
        .map_or("help", |near| near.name);
    format!("no command {name:?}; did you mean {near:?}?")
}

fn similar(one: &str, other: &str) -> f64 {
    strsim::jaro_winkler(one, other)
}

/// Shell patterns separated by blanks or commas; `None` where there are none.
fn globs(patterns: &str) -> Result<Option<Vec<GlobMatcher>>, String> {
    let words = patterns.split([' ', ',']).filter(|word| !word.is_empty());
    let globs: Result<Vec<_>, _> = words
        .map(|word| {
            GlobBuilder::new(word)
                .build()
                .map(|glob| glob.compile_matcher())
        })
        .collect();
    match globs {
        Ok(globs) => Ok((!globs.is_empty()).then_some(globs)),
        Err(error) => Err(error.to_string()),
    }
}
