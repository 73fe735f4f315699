//! After a host has hung, its paths are suspects: each is touched by a process of its own there,
//! and the shell that follows all files goes near it only when that has been answered. So a dead
//! mount holds up nothing but itself, and nothing piles up on the host: of each folder one path is
//! tried at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::protocol::Suspect;
use crate::files::follow::{FollowRequest, Watch};

/// Whether it has been answered is asked this often.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What has not been answered for so long is said to hang.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is not touched yet, of one connection.
#[derive(Debug)]
pub(crate) struct HangGuard {
    /// Without it everything is touched at once.
    active: bool,
    held: BTreeMap<Suspect, HeldRequests>,
    /// Old generations, by their watch, with that of the live name.
    beside: BTreeMap<Watch, Watch>,
    /// Patterns that have been answered for.
    cleared: BTreeSet<u32>,
}

#[derive(Debug)]
struct HeldRequests {
    path: Vec<u8>,
    folder: Vec<u8>,
    requests: Vec<FollowRequest>,
    /// A question is under way.
    asked: bool,
    /// When it is to be asked next.
    next: Instant,
    since: Instant,
    told: bool,
}

impl HeldRequests {
    fn new(path: &[u8], first: Option<FollowRequest>) -> Self {
        let end = path
            .iter()
            .position(|byte| b"*?[".contains(byte))
            .unwrap_or(path.len());
        let folder = path[..end]
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(&path[..0], |at| &path[..at]);
        let (now, requests) = (Instant::now(), first.into_iter().collect());
        let (path, folder) = (path.to_vec(), folder.to_vec());
        Self {
            path,
            folder,
            requests,
            asked: false,
            next: now,
            since: now,
            told: false,
        }
    }
}

impl HangGuard {
    /// `active` where the host has hung on the connection before.
    pub(crate) fn new(active: bool) -> Self {
        Self {
            active,
            held: BTreeMap::new(),
            beside: BTreeMap::new(),
            cleared: BTreeSet::new(),
        }
    }

    /// The request, if it can be made now.
    pub(crate) fn pass(&mut self, request: FollowRequest) -> Option<FollowRequest> {
        if !self.active {
            return Some(request);
        }
        let live = match &request {
            FollowRequest::Watch { watch, path, .. } => {
                self.held.insert(
                    Suspect::File(*watch),
                    HeldRequests::new(&path.clone(), Some(request)),
                );
                return None;
            }
            FollowRequest::Find { watch, near, .. } => {
                self.beside.insert(*watch, *near);
                *near
            }
            FollowRequest::ReadFrom(watch, ..)
            | FollowRequest::List(watch)
            | FollowRequest::Heads(watch)
            | FollowRequest::Hole(watch, _)
            | FollowRequest::Compare(watch, _)
            | FollowRequest::Forget(watch) => self.beside.get(watch).copied().unwrap_or(*watch),
        };
        match self.held.get_mut(&Suspect::File(live)) {
            Some(held) => held.requests.push(request),
            None => return Some(request),
        }
        None
    }

    /// Whether a pattern can be expanded now.
    pub(crate) fn passes_pattern(&mut self, number: u32, pattern: &[u8]) -> bool {
        if !self.active || self.cleared.contains(&number) {
            return true;
        }
        self.held
            .entry(Suspect::Pattern(number))
            .or_insert_with(|| HeldRequests::new(pattern, None));
        false
    }

    /// What is to be tried now, with its path or pattern.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(Suspect, Vec<u8>)> {
        let mut folders = BTreeSet::new();
        let mut due = Vec::new();
        for (suspect, held) in &mut self.held {
            // The first of each folder goes ahead of the others.
            if folders.insert(held.folder.clone()) && !held.asked && now >= held.next {
                held.asked = true;
                due.push((*suspect, held.path.clone()));
            }
        }
        due
    }

    /// When the next question is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let mut folders = BTreeSet::new();
        let ahead = self
            .held
            .values()
            .filter(|held| folders.insert(&held.folder));
        ahead.filter(|held| !held.asked).map(|held| held.next).min()
    }

    /// An answer: what can be asked for now.
    pub(crate) fn answered(&mut self, suspect: Suspect, is_over: bool) -> Vec<FollowRequest> {
        if !is_over {
            if let Some(held) = self.held.get_mut(&suspect) {
                (held.asked, held.next) = (false, Instant::now() + ASK_AGAIN);
            }
            return Vec::new();
        }
        if let Suspect::Pattern(number) = suspect {
            self.cleared.insert(number);
        }
        self.held
            .remove(&suspect)
            .map(|held| held.requests)
            .unwrap_or_default()
    }

    /// Those that have become known to hang, each once.
    pub(crate) fn take_hanging(&mut self, now: Instant) -> Vec<Suspect> {
        let is_late = |held: &HeldRequests| !held.told && now >= held.since + PATIENCE;
        let late = self.held.iter_mut().filter(|(_, held)| is_late(held));
        late.map(|(suspect, held)| {
            held.told = true;
            *suspect
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(number: Watch, path: &str) -> FollowRequest {
        FollowRequest::Watch {
            watch: number,
            chain: number,
            path: path.into(),
            siblings: Box::default(),
        }
    }

    #[test]
    fn without_a_hang_nothing_waits() {
        let mut guard = HangGuard::new(false);
        assert_eq!(guard.pass(watch(1, "/a/x")), Some(watch(1, "/a/x")));
        assert!(guard.passes_pattern(0, b"/a/*"));
        assert_eq!(
            (guard.due(Instant::now()), guard.next_due()),
            (Vec::new(), None)
        );
    }

    #[test]
    fn of_each_folder_one_path_is_tried_at_a_time_and_what_belongs_to_it_waits_with_it() {
        let mut guard = HangGuard::new(true);
        let find = FollowRequest::Find {
            watch: 9,
            near: 1,
            id: crate::model::cursor::FileId::default(),
            offset: 4,
            mark: None,
        };
        for request in [
            watch(1, "/a/x"),
            find.clone(),
            watch(2, "/a/y z"),
            watch(3, "/b/x"),
            FollowRequest::Forget(9),
        ] {
            assert_eq!(guard.pass(request), None);
        }
        assert_eq!(
            guard.pass(FollowRequest::List(7)),
            Some(FollowRequest::List(7))
        );
        let now = Instant::now();
        assert_eq!(
            guard.due(now),
            [
                (Suspect::File(1), b"/a/x".to_vec()),
                (Suspect::File(3), b"/b/x".to_vec())
            ]
        );
        assert_eq!((guard.due(now), guard.next_due()), (Vec::new(), None));
        assert_eq!(guard.answered(Suspect::File(1), false), []);
        assert!(
            guard.due(Instant::now()).is_empty(),
            "not before the time has come"
        );
        assert_eq!(
            guard.due(Instant::now() + ASK_AGAIN),
            [(Suspect::File(1), b"/a/x".to_vec())]
        );
        assert_eq!(
            guard.answered(Suspect::File(1), true),
            [watch(1, "/a/x"), find, FollowRequest::Forget(9)]
        );
        assert_eq!(
            guard.due(Instant::now()),
            [(Suspect::File(2), b"/a/y z".to_vec())]
        );
        assert_eq!(
            guard.pass(FollowRequest::List(1)),
            Some(FollowRequest::List(1)),
            "it has been answered for"
        );
    }

    #[test]
    fn what_is_not_answered_for_long_is_said_once_to_hang() {
        let mut guard = HangGuard::new(true);
        assert_eq!(guard.pass(watch(1, "/a/x")), None);
        assert!(!guard.passes_pattern(0, b"/b/*/x[0-9]"));
        assert_eq!(guard.take_hanging(Instant::now()), []);
        let late = Instant::now() + PATIENCE;
        assert_eq!(
            guard.take_hanging(late),
            [Suspect::File(1), Suspect::Pattern(0)]
        );
        assert_eq!(guard.take_hanging(late), []);
        assert_eq!(
            guard.due(late),
            [
                (Suspect::File(1), b"/a/x".to_vec()),
                (Suspect::Pattern(0), b"/b/*/x[0-9]".to_vec())
            ]
        );
        assert_eq!(guard.answered(Suspect::Pattern(0), true), []);
        assert!(guard.passes_pattern(0, b"/b/*/x[0-9]"));
        assert_eq!(guard.answered(Suspect::File(77), true), []);
    }
}
