//! After a host has hung, its paths are suspects: each is touched by a process of its own there, and the shell that
//! follows all files goes near it only when that has been answered. So a dead mount holds up nothing but itself, and
//! nothing piles up on the host: of each folder one path is tried at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::codec;
use super::follow::{Request, Watch};

/// Whether it has been answered is asked this often.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What has not been answered for so long is said to hang.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is not touched yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suspect {
    /// A file, by its watch.
    File(Watch),
    /// A pattern, by its place.
    Pattern(usize),
}

/// All of a connection.
#[derive(Debug)]
pub(super) struct Suspects {
    /// Without it everything is touched at once.
    active: bool,
    held: BTreeMap<Suspect, Held>,
    /// Old generations, by their watch, with that of the live name.
    beside: BTreeMap<Watch, Watch>,
    /// Patterns that have been answered for.
    cleared: BTreeSet<usize>,
}

#[derive(Debug)]
struct Held {
    path: Vec<u8>,
    folder: Vec<u8>,
    requests: Vec<Request>,
    /// A question is under way.
    asked: bool,
    /// When it is to be asked next.
    next: Instant,
    since: Instant,
    told: bool,
}

impl Held {
    fn new(path: &[u8], first: Option<Request>) -> Self {
        let end = path.iter().position(|byte| b"*?[".contains(byte)).unwrap_or(path.len());
        let folder = path[..end].iter().rposition(|&byte| byte == b'/').map_or(&path[..0], |at| &path[..at]);
        let (now, requests) = (Instant::now(), first.into_iter().collect());
        let (path, folder) = (path.to_vec(), folder.to_vec());
        Self { path, folder, requests, asked: false, next: now, since: now, told: false }
    }
}

impl Suspects {
    /// `active` where the host has hung on the connection before.
    pub(super) fn new(active: bool) -> Self {
        Self { active, held: BTreeMap::new(), beside: BTreeMap::new(), cleared: BTreeSet::new() }
    }

    /// The request, if it can be made now.
    pub(super) fn pass(&mut self, request: Request) -> Option<Request> {
        if !self.active {
            return Some(request);
        }
        let live = match &request {
            Request::Watch { watch, path, .. } => {
                self.held.insert(Suspect::File(*watch), Held::new(&path.clone(), Some(request)));
                return None;
            }
            Request::Find { watch, near, .. } => {
                self.beside.insert(*watch, *near);
                *near
            }
            Request::ReadFrom(watch, ..)
            | Request::List(watch)
            | Request::Hole(watch, _)
            | Request::Compare(watch, _)
            | Request::Forget(watch) => self.beside.get(watch).copied().unwrap_or(*watch),
        };
        match self.held.get_mut(&Suspect::File(live)) {
            Some(held) => held.requests.push(request),
            None => return Some(request),
        }
        None
    }

    /// Whether a pattern can be expanded now.
    pub(super) fn passes_pattern(&mut self, number: usize, pattern: &str) -> bool {
        if !self.active || self.cleared.contains(&number) {
            return true;
        }
        self.held.entry(Suspect::Pattern(number)).or_insert_with(|| Held::new(pattern.as_bytes(), None));
        false
    }

    /// Whether a pattern is known to hang.
    pub(super) fn hangs(&self, number: usize) -> bool {
        self.held.get(&Suspect::Pattern(number)).is_some_and(|held| held.told)
    }

    /// Questions that are due.
    pub(super) fn due(&mut self, now: Instant) -> Vec<String> {
        let mut folders = BTreeSet::new();
        let mut lines = Vec::new();
        for (suspect, held) in &mut self.held {
            // The first of each folder goes ahead of the others.
            if folders.insert(held.folder.clone()) && !held.asked && now >= held.next {
                held.asked = true;
                let path = codec::escape(&held.path);
                lines.push(match suspect {
                    Suspect::File(watch) => format!("T w{watch} {path}"),
                    Suspect::Pattern(number) => format!("T p{number} {path} p"),
                });
            }
        }
        lines
    }

    /// When the next question is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let mut folders = BTreeSet::new();
        let ahead = self.held.values().filter(|held| folders.insert(&held.folder));
        ahead.filter(|held| !held.asked).map(|held| held.next).min()
    }

    /// An answer: what can be asked for now.
    pub(super) fn answered(&mut self, name: &str, is_over: bool) -> Vec<Request> {
        let number = name.get(1..).unwrap_or_default();
        let suspect = match name.get(..1) {
            Some("w") => number.parse().ok().map(Suspect::File),
            _ => number.parse().ok().map(Suspect::Pattern),
        };
        let Some(suspect) = suspect else { return Vec::new() };
        if !is_over {
            if let Some(held) = self.held.get_mut(&suspect) {
                (held.asked, held.next) = (false, Instant::now() + ASK_AGAIN);
            }
            return Vec::new();
        }
        if let Suspect::Pattern(number) = suspect {
            self.cleared.insert(number);
        }
        self.held.remove(&suspect).map(|held| held.requests).unwrap_or_default()
    }

    /// Those that have become known to hang, each once.
    pub(super) fn take_hanging(&mut self, now: Instant) -> Vec<Suspect> {
        let is_late = |held: &Held| !held.told && now >= held.since + PATIENCE;
        let late = self.held.iter_mut().filter(|(_, held)| is_late(held));
        late.map(|(suspect, held)| {
            held.told = true;
            *suspect
        })
        .collect()
    }
}
