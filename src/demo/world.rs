//! The story that the logs tell: visitors, requests that run from proxy to service to database
//! under one id, jobs, housekeeping, and now and then an incident that can be read across all
//! hosts.
//!
//! Everything that happens is an event with a time; events lie in one heap until their time has
//! come, so that each file is written in the order of its stamps. The generator is seeded and takes
//! the time from its caller: the same seed and times tell the same story. Writing it down is left
//! to `writer`.
//!
//! Here: the clock, the heap, rates and incidents. Requests are in [`traffic`], the rest in
//! [`chores`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use self::incident::Incident;
use super::cast::{Cast, HostRole, LineForm};
use super::lines;

mod chores;
mod incident;
mod incident_lines;
mod traffic;

/// Events are thought up for so many milliseconds at a time.
const STEP_MS: i64 = 100;

/// A caller that was away for longer (a laptop that slept) gets this much of what it missed, not
/// all of it.
const MAX_BACKLOG_MS: i64 = 10 * 60 * 1000;

/// Requests per second at each proxy, on average.
const REQUESTS: f64 = 9.0;

/// Jobs per second at each worker.
const JOBS: f64 = 4.0;

/// Lines of housekeeping per second on each host.
const CHORES: f64 = 0.7;

/// Fleets larger than this have less to do per host, so that the whole stays within a few percent
/// of one core.
const FULL_RATE_HOSTS: f64 = 80.0;

/// The least share of the full rate.
const MIN_RATE: f64 = 0.6;

/// The past is told with fewer words than the present.
const HISTORY_RATE: f64 = 0.4;

/// The world of one fleet.
pub(super) struct DemoWorld {
    rng: StdRng,
    zone: TimeZone,
    forms: Vec<LineForm>,
    webs: Vec<DemoHost>,
    apis: Vec<DemoHost>,
    dbs: Vec<DemoHost>,
    workers: Vec<DemoHost>,
    ahead: BinaryHeap<Reverse<WorldEvent>>,
    clock_ms: i64,
    told: u64,
    rate: f64,
    incident: Option<Incident>,
    next_incident_ms: Option<i64>,
}

/// A host and its files.
#[derive(Debug, Clone)]
struct DemoHost {
    name: String,
    files: Vec<(LineForm, usize)>,
    /// What it owes of requests or jobs, as a fraction.
    owed: f64,
    owed_chores: f64,
}

/// A line that will have been written at its time. Ordered by time, then by when it was thought up.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct WorldEvent {
    at_ms: i64,
    number: u64,
    file: usize,
    /// Before the stamp.
    head: String,
    /// After the stamp; may hold further lines.
    tail: String,
}

impl DemoWorld {
    pub(super) fn new(cast: &Cast, seed: u64) -> Self {
        let files = cast.members.iter().flat_map(|member| &member.files);
        let size = cast.members.len().max(1) as f64;
        Self {
            rng: StdRng::seed_from_u64(seed),
            zone: TimeZone::system(),
            forms: files.map(|file| file.form).collect(),
            webs: hosts_of(cast, HostRole::Web),
            apis: hosts_of(cast, HostRole::Api),
            dbs: hosts_of(cast, HostRole::Db),
            workers: hosts_of(cast, HostRole::Worker),
            ahead: BinaryHeap::new(),
            clock_ms: 0,
            told: 0,
            rate: (FULL_RATE_HOSTS / size).clamp(MIN_RATE, 1.0),
            incident: None,
            next_incident_ms: None,
        }
    }

    /// Starts the story at a moment, or skips a part of it.
    pub(super) fn skip_to(&mut self, at_ms: i64) {
        self.clock_ms = self.clock_ms.max(at_ms);
    }

    /// Tells everything that happens before `until_ms`, in order, as (number of the file, line or
    /// lines).
    pub(super) fn advance(&mut self, until_ms: i64, tell: &mut dyn FnMut(usize, &str)) {
        self.skip_to(until_ms - MAX_BACKLOG_MS);
        let backlog_from = until_ms - self.clock_ms;
        while self.clock_ms < until_ms {
            let from = self.clock_ms;
            let to = (from + STEP_MS).min(until_ms);
            let history = backlog_from > 10 * STEP_MS && until_ms - to > 10 * STEP_MS;
            self.think_up(from, to, if history { HISTORY_RATE } else { 1.0 });
            self.clock_ms = to;
            self.tell_until(to, tell);
        }
    }

    fn think_up(&mut self, from: i64, to: i64, share: f64) {
        let seconds = (to - from) as f64 / 1000.0 * self.rate * share;
        self.incidents(from, to);
        for web in 0..self.webs.len() {
            let owed = seconds * REQUESTS * tide(from, web);
            for at in self.due(HostRole::Web, web, owed, from, to) {
                self.request(web, at);
            }
        }
        for worker in 0..self.workers.len() {
            let owed = seconds * JOBS * tide(from, worker + 7);
            for at in self.due(HostRole::Worker, worker, owed, from, to) {
                self.job(worker, at);
            }
        }
        self.all_chores(seconds * CHORES, from, to);
    }

    /// The moments at which a player does what it owes by now.
    fn due(&mut self, role: HostRole, index: usize, more: f64, from: i64, to: i64) -> Vec<i64> {
        // As uneven as visitors are: the same on average, from nothing to three times as much.
        let more = more
            * self.rng.random_range(0.0..2.0)
            * if self.rng.random_bool(0.1) { 1.9 } else { 0.9 };
        let players = if role == HostRole::Web {
            &mut self.webs
        } else {
            &mut self.workers
        };
        let owed = &mut players[index].owed;
        *owed += more;
        let count = owed.floor();
        *owed -= count;
        (0..count as usize)
            .map(|_| self.rng.random_range(from..to))
            .collect()
    }

    fn tell_until(&mut self, to: i64, tell: &mut dyn FnMut(usize, &str)) {
        let mut line = String::new();
        while self
            .ahead
            .peek()
            .is_some_and(|Reverse(event)| event.at_ms < to)
        {
            let Some(Reverse(event)) = self.ahead.pop() else {
                return;
            };
            line.clear();
            line.push_str(&event.head);
            lines::stamp(&mut line, self.forms[event.file], event.at_ms, &self.zone);
            line.push_str(&event.tail);
            tell(event.file, &line);
        }
    }

    /// A line with its stamp in front.
    fn write(&mut self, at_ms: i64, file: usize, tail: String) {
        self.write_around(at_ms, file, String::new(), tail);
    }

    fn write_around(&mut self, at_ms: i64, file: usize, head: String, tail: String) {
        // Nothing is written into the past: the files are in order.
        let at_ms = at_ms.max(self.clock_ms);
        self.told += 1;
        self.ahead.push(Reverse(WorldEvent {
            at_ms,
            number: self.told,
            file,
            head,
            tail,
        }));
    }

    /// One of several, each as likely.
    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.rng.random_range(0..of.len())]
    }

    /// A time as services take it: mostly near `base`, with a long tail.
    fn latency(&mut self, base: f64) -> f64 {
        let spread: f64 = self.rng.random_range(0.0..1.0);
        base * (0.6 + 0.5 * spread + 4.0 * spread.powi(24))
    }
}

/// The hosts with a role. Files are numbered over all hosts.
fn hosts_of(cast: &Cast, role: HostRole) -> Vec<DemoHost> {
    let mut numbers = 0..;
    let mut hosts = Vec::new();
    for member in &cast.members {
        let forms = member.files.iter().map(|file| file.form);
        let files = forms.zip(&mut numbers).collect();
        if member.role == role {
            hosts.push(DemoHost {
                name: member.name.clone(),
                files,
                owed: 0.0,
                owed_chores: 0.0,
            });
        }
    }
    hosts
}

impl DemoHost {
    fn file(&self, form: LineForm) -> Option<usize> {
        self.files
            .iter()
            .find(|(has, _)| *has == form)
            .map(|&(_, file)| file)
    }
}

/// Traffic that comes and goes, each host in its own rhythm: 0.6 to 1.4.
fn tide(at_ms: i64, phase: usize) -> f64 {
    let seconds = at_ms as f64 / 1000.0;
    1.0 + 0.4 * (seconds / 11.0 + phase as f64 * 2.1).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_767_225_600_000;

    fn story(size: usize, seconds: i64, seed: u64) -> Vec<(usize, String)> {
        let mut world = DemoWorld::new(&Cast::new(size), seed);
        let mut told = Vec::new();
        world.skip_to(START);
        world.advance(START + seconds * 1000, &mut |file, line| {
            told.push((file, line.to_owned()));
        });
        told
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert_eq!(story(6, 60, 1), story(6, 60, 1));
        assert_ne!(story(6, 60, 1), story(6, 60, 2));
    }

    #[test]
    fn every_size_tells_something_in_every_file() {
        for size in [1, 2, 3, 6, 13] {
            let files = Cast::new(size).files();
            let told = story(size, 400, 1);
            for file in 0..files {
                assert!(
                    told.iter().any(|(of, _)| *of == file),
                    "size {size}: file {file} of {files} is empty"
                );
            }
        }
    }

    #[test]
    fn stamps_are_in_order_in_every_file() {
        // Year first, so they compare as text; a trace's further lines belong to the first.
        let told = story(6, 300, 1);
        let stamp = |line: &str| match line.strip_prefix("{\"time\":\"") {
            Some(json) => json.get(..23).map(str::to_owned),
            None if line.starts_with("202") => line
                .get(..if line[4..].starts_with('/') { 19 } else { 23 })
                .map(str::to_owned),
            None => None,
        };
        let mut last = std::collections::HashMap::new();
        for (file, line) in &told {
            let Some(stamp) = stamp(line) else { continue };
            if let Some(before) = last.insert(*file, stamp.clone()) {
                assert!(before <= stamp, "file {file}: {before:?} then {line}");
            }
        }
        // Two kinds per proxy are not among them: access and syslog have their month by name.
        assert_eq!(last.len(), 2 + 2 * 2 + 1 + 2, "{last:?}");
    }

    #[test]
    fn an_incident_runs_from_the_database_to_the_proxy() {
        let text: String = story(6, 400, 1)
            .into_iter()
            .map(|(_, line)| line + "\n")
            .collect();
        for part in [
            "still waiting for",
            "SQLTransientConnectionException",
            "\" 504 ",
            "\" 502 ",
            "upstream timed out",
        ] {
            assert!(text.contains(part), "no {part:?} in 400 s");
        }
    }

    #[test]
    fn one_request_can_be_followed_by_its_id() {
        let told = story(3, 60, 1);
        let id = |line: &str| {
            line.split("\"rid\":\"")
                .nth(1)
                .and_then(|rest| rest.get(..12))
                .map(str::to_owned)
        };
        let ids: Vec<String> = told.iter().filter_map(|(_, line)| id(line)).collect();
        let files = |id: &String| {
            let with = told
                .iter()
                .filter(|(_, line)| line.contains(id.as_str()))
                .map(|(file, _)| *file);
            with.collect::<std::collections::BTreeSet<_>>().len()
        };
        assert!(
            ids.iter().any(|id| files(id) >= 3),
            "{} ids, none in three files",
            ids.len()
        );
    }

    #[test]
    fn a_long_sleep_is_not_made_up_for() {
        let mut world = DemoWorld::new(&Cast::new(1), 1);
        world.skip_to(START);
        let mut lines = 0;
        world.advance(START + 24 * 3600 * 1000, &mut |_, _| lines += 1);
        assert!(lines < 10_000, "{lines} lines");
    }
}
