//! What every driver does that follows files and samples a host: the same suite for the shell, with
//! real files, and for the model host on which the follower is tested. A further driver is one more
//! [`World`]. The suite for programs is in a file of its own.

mod model;
mod programs;
mod shell;

use std::time::{Duration, Instant};

use super::follow::{DescribeHost, DriverEvent, FollowFiles, HostDriver, SampleMetrics};
use crate::files::follow::{FileObservation, FileUnavailable, FollowOutcome, Follower, StartAt};
use crate::metrics::ProcCounters;
use crate::parse::split::FilePiece;

/// The most of a file that a look brings.
const MOST: usize = 1 << 20;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks after which all has been told that there is.
const LOOKS: usize = 12;

/// A host on which there is one log, and what may happen to it.
trait World {
    type Driver: HostDriver;

    fn driver(&mut self) -> &mut Self::Driver;

    /// The path of the log.
    fn path(&self) -> Vec<u8>;

    /// A pattern that matches the log and its generations.
    fn pattern(&self) -> Vec<u8>;

    /// Writes to the log, which is created where there is none.
    fn append(&mut self, text: &str);

    /// Writes to the newest of its old generations.
    fn append_to_old(&mut self, text: &str);

    /// Rotates it by renaming, and creates the next one.
    fn rename(&mut self);

    /// Rotates it by copying, and cuts it.
    fn copy(&mut self);

    fn remove(&mut self);
}

/// A follower of the log of a world.
struct Followed<W> {
    world: W,
    follower: Follower,
    since: Instant,
}

impl<W: World> Followed<W> {
    fn new(world: W, begin: StartAt) -> Self {
        let mut follower = Follower::default();
        follower.add(0, world.path().into(), begin);
        Self {
            world,
            follower,
            since: Instant::now(),
        }
    }

    /// Looks until all has been told, and takes what was told.
    async fn told(&mut self) -> Vec<String> {
        for _ in 0..LOOKS {
            self.look().await;
        }
        let outcomes = self.follower.take_outcomes();
        outcomes.into_iter().flat_map(told_of).collect()
    }

    /// Passes on what the follower asks for, and then looks at its files.
    async fn look(&mut self) {
        for request in self.follower.take_requests() {
            self.world.driver().request(request);
        }
        self.world.driver().poll(MOST);
        loop {
            match next_event(self.world.driver()).await {
                DriverEvent::Seen(seen) => self.follower.see(&seen, self.since.elapsed()),
                DriverEvent::Polled(_) => break,
                other => panic!("nobody asked for {other:?}"),
            }
        }
        self.follower
            .see(&FileObservation::PollEnded, self.since.elapsed());
    }
}

/// Lines, gaps, and what is wrong.
fn told_of(outcome: FollowOutcome) -> Vec<String> {
    match outcome {
        FollowOutcome::Pieces(_, _, pieces) => pieces.iter().map(piece_text).collect(),
        FollowOutcome::Problem(_, Some(FileUnavailable::Missing)) => vec!["missing".to_owned()],
        FollowOutcome::Problem(_, Some(why)) => vec![format!("{why:?}")],
        _ => Vec::new(),
    }
}

fn piece_text(piece: &FilePiece) -> String {
    match piece {
        FilePiece::Line { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
        FilePiece::Gap { reason, .. } => format!("gap: {}", reason.as_str()),
    }
}

async fn next_event(driver: &mut impl HostDriver) -> DriverEvent {
    loop {
        driver.flush().await.expect("the host takes it");
        let next = tokio::time::timeout(PATIENCE, driver.next());
        let event = next.await.expect("an answer").expect("a connection");
        if let Some(event) = event {
            return event;
        }
    }
}

/// The suite.
async fn conforms<W: World>(start: impl AsyncFn() -> W) {
    it_begins_with_the_last_lines_and_goes_on_with_new_ones(start().await).await;
    a_renamed_log_is_read_to_its_end_before_the_next(start().await).await;
    a_copied_log_is_read_from_its_copy_first(start().await).await;
    a_log_that_is_gone_is_said_to_be_missing_and_read_when_it_is_back(start().await).await;
    a_pattern_is_expanded_to_the_log_without_its_generations(start().await).await;
    a_host_says_what_it_is_and_is_sampled(start().await).await;
}

async fn it_begins_with_the_last_lines_and_goes_on_with_new_ones<W: World>(mut world: W) {
    world.append("one\ntwo\nthree\nfo");
    let mut followed = Followed::new(world, StartAt::LastLines(2));
    assert_eq!(followed.told().await, ["two", "three"]);
    assert!(followed.follower.is_settled());
    followed.world.append("ur\nfive\n");
    assert_eq!(followed.told().await, ["four", "five"]);
    assert_eq!(followed.told().await, Vec::<String>::new());
}

async fn a_renamed_log_is_read_to_its_end_before_the_next<W: World>(mut world: W) {
    world.append("one\n");
    let mut followed = Followed::new(world, StartAt::Start);
    assert_eq!(followed.told().await, ["one"]);
    followed.world.append("two\n");
    followed.world.rename();
    followed.world.append_to_old("three\n");
    followed.world.append("four\n");
    assert_eq!(followed.told().await, ["two", "three", "four"]);
}

async fn a_copied_log_is_read_from_its_copy_first<W: World>(mut world: W) {
    world.append("one\n");
    let mut followed = Followed::new(world, StartAt::Start);
    assert_eq!(followed.told().await, ["one"]);
    followed.world.append("two\n");
    followed.world.copy();
    followed.world.append("longer than all before\n");
    assert_eq!(followed.told().await, ["two", "longer than all before"]);
}

async fn a_log_that_is_gone_is_said_to_be_missing_and_read_when_it_is_back<W: World>(mut world: W) {
    world.append("one\n");
    let mut followed = Followed::new(world, StartAt::Start);
    assert_eq!(followed.told().await, ["one"]);
    followed.world.remove();
    assert_eq!(followed.told().await, ["missing"]);
    followed.world.append("two\n");
    // What came to it after the last look, nobody can say.
    assert_eq!(followed.told().await, ["gap: rotated-away", "two"]);
}

async fn a_pattern_is_expanded_to_the_log_without_its_generations<W: World>(mut world: W) {
    world.append("one\n");
    world.rename();
    let (pattern, path) = (world.pattern(), world.path());
    let driver = world.driver();
    assert!(driver.expand(7, &pattern), "nothing hangs here");
    let DriverEvent::Expanded(found, _) = next_event(driver).await else {
        panic!("another answer");
    };
    assert_eq!((found.pattern, found.matched, found.any), (7, 1, true));
    assert_eq!(found.files, [path]);
}

async fn a_host_says_what_it_is_and_is_sampled<W: World>(mut world: W) {
    let driver = world.driver();
    driver.describe();
    driver.sample();
    driver.measure_disks();
    let DriverEvent::Described(description) = next_event(driver).await else {
        panic!("the first answer is to the first question");
    };
    assert_eq!(description.facts.os, "linux");
    assert!(!description.facts.hostname.is_empty());
    let DriverEvent::Counters(counters) = next_event(driver).await else {
        panic!("the second answer is to the second question");
    };
    assert_ne!(*counters, ProcCounters::default());
    let DriverEvent::Disks(disks) = next_event(driver).await else {
        panic!("the third answer is to the third question");
    };
    assert!(disks.iter().all(|disk| disk.total_bytes > 0), "{disks:?}");
    while !driver.is_idle() {
        let next = tokio::time::timeout(PATIENCE, driver.next()).await;
        let event = next.expect("the end of the answer").expect("a connection");
        assert!(event.is_none(), "nobody asked for {event:?}");
    }
}

#[tokio::test]
async fn the_model_host_follows_and_samples_as_every_driver_does() {
    conforms(async || model::ModelWorld::default()).await;
}

#[tokio::test]
async fn a_shell_follows_and_samples_as_every_driver_does() {
    conforms(async || shell::ShellWorld::start(&["sh", "-s"]).await).await;
    conforms(async || shell::ShellWorld::start(&["busybox", "sh", "-s"]).await).await;
}
