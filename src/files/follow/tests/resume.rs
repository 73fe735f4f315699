//! The program is killed and started again, whatever happens to the files meanwhile.

use super::*;
use crate::model::cursor::Cursor;
use crate::model::host::HostId;
use crate::model::line::{ByteSpan, FleetLine, Line, LineOrder};
use crate::model::read_position::PrintedPositions;
use crate::model::source::SourceId;
use crate::model::time::{Time, TimeSource};

/// Runs of the program, one after the other.
struct Runs {
    host: Host,
    follower: Follower,
    printed: PrintedPositions,
    out: Vec<String>,
    /// What the last lines are stamped with.
    time: Time,
}

impl Runs {
    fn start(mut host: Host, text: &str) -> Self {
        host.create(LOG);
        host.append(LOG, text);
        let mut follower = Follower::default();
        follower.add(0, LOG.into(), StartAt::Start);
        let mut runs = Self {
            host,
            follower,
            printed: PrintedPositions::default(),
            out: Vec::new(),
            time: Time(0),
        };
        runs.settle();
        runs.print(usize::MAX);
        runs
    }

    fn settle(&mut self) {
        settle(&mut self.host, &mut self.follower);
    }

    /// Prints so many of the lines and gaps that were told, and forgets the others.
    fn print(&mut self, most: usize) {
        let mut left = most;
        for outcome in self.follower.take_outcomes() {
            let FollowOutcome::Pieces(_, file, pieces) = outcome else {
                continue;
            };
            for piece in pieces.into_iter().take(left) {
                left -= 1;
                match piece {
                    FilePiece::Line { offset, bytes, .. } => {
                        self.out.push(String::from_utf8_lossy(&bytes).into_owned());
                        let cursor = Cursor { file, offset };
                        let (host, source, time_from) = (HostId(0), SourceId(0), TimeSource::Stamp);
                        let (time, stamp, raw) = (self.time, ByteSpan::default(), bytes);
                        let continues = false;
                        let record = FleetLine {
                            host,
                            source,
                            order: LineOrder::InOrder,
                            content: Line {
                                time,
                                time_from,
                                cursor,
                                continues,
                                dialect: None,
                                stamp,
                                raw,
                                stored: None,
                            },
                        };
                        self.printed.line(&record, Time(i64::MAX));
                    }
                    FilePiece::Gap { reason, .. } => {
                        self.printed.gap();
                        self.out.push(format!("gap: {}", reason.as_str()));
                    }
                }
            }
        }
    }

    /// Ends the run, of whose lines so many were printed since the last time, and begins another.
    fn restart(&mut self, most: usize) {
        self.print(most);
        (self.host.watches, self.host.order) = Default::default();
        self.follower = Follower::default();
        let reached: Vec<_> = self.printed.reached().cloned().collect();
        self.follower.resume(0, LOG.into(), &reached);
    }

    /// What was printed since the last time.
    fn told(&mut self) -> Vec<String> {
        self.settle();
        self.print(usize::MAX);
        std::mem::take(&mut self.out)
    }
}

/// Ends a run that has printed "a", "b", lets something happen, and tells what the next one prints.
fn after(meanwhile: impl FnOnce(&mut Host)) -> Vec<String> {
    let mut runs = Runs::start(Host::default(), "a\nb\n");
    assert_eq!(runs.told(), ["a", "b"]);
    meanwhile(&mut runs.host);
    runs.restart(0);
    runs.told()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_new_run_goes_on_after_what_was_printed() {
    assert_eq!(after(|_| {}), NOTHING);
    assert_eq!(after(|host| host.append(LOG, "c\nd\n")), ["c", "d"]);
}

#[test]
fn a_line_that_was_read_and_not_printed_comes_in_the_next_run() {
    let mut runs = Runs::start(Host::default(), "a\n");
    runs.host.append(LOG, "b\r\n\nc\nd");
    runs.settle();
    runs.restart(2);
    assert_eq!(runs.told(), ["a", "b", "", "c"]);
    runs.restart(0);
    runs.host.append(LOG, "!\n");
    assert_eq!(runs.told(), ["d!"]);
}

#[test]
fn files_that_were_rotated_meanwhile_are_read_in_their_order() {
    let rotated = after(|host| {
        for lines in ["c\n", "d\n", "e\n"] {
            host.append(LOG, lines);
            host.rename_and_create();
        }
    });
    assert_eq!(rotated, ["c", "d", "e"]);
    let copied = after(|host| {
        for lines in ["c\n", "d and more than was there before\n", "e\n"] {
            host.append(LOG, lines);
            host.copy_and_truncate();
        }
        host.append(LOG, "f\n");
    });
    assert_eq!(copied, ["c", "d and more than was there before", "e", "f"]);
}

#[test]
fn a_log_that_was_renamed_and_not_begun_again_is_read_to_its_end() {
    let renamed = after(|host| {
        host.append(LOG, "c\n");
        host.rename_and_create();
        host.files.remove(LOG);
    });
    assert_eq!(renamed, ["c"]);
}

#[test]
fn older_generations_are_not_told_again() {
    let mut runs = Runs::start(Host::default(), "a\n");
    runs.host.rename_and_create();
    runs.host.append(LOG, "b\n");
    runs.host.rename_and_create();
    runs.host.append(LOG, "c\n");
    assert_eq!(runs.told(), ["a", "b", "c"]);
    runs.restart(0);
    assert_eq!(runs.told(), NOTHING);
    runs.host.rename_and_create();
    runs.host.append(LOG, "d\n");
    assert_eq!(runs.told(), ["d"]);
}

#[test]
fn a_generation_that_is_still_written_to_is_read_on_beside_its_successor() {
    let mut runs = Runs::start(Host::default(), "a\n");
    runs.host.rename_and_create();
    runs.host.append(LOG, "c\n");
    assert_eq!(runs.told(), ["a", "c"]);
    runs.host.append("log.1", "b\n");
    runs.host.append(LOG, "d\n");
    runs.restart(0);
    assert_eq!(runs.told(), ["b", "d"]);
}

#[test]
fn a_file_that_is_gone_is_one_gap_and_then_what_came_after_it() {
    let second = 1_000_000_000;
    let mut runs = Runs::start(
        Host {
            unit: 10 * second,
            ..Host::default()
        },
        "a\n",
    );
    runs.host.rename_and_create();
    runs.host.append(LOG, "b\n");
    runs.time = Time(i64::try_from(runs.host.changes as u64 * 10 * second).unwrap());
    assert_eq!(runs.told(), ["a", "b"]);
    runs.restart(0);
    runs.host.files.remove(LOG);
    runs.host.shift();
    runs.host.create("log.1");
    runs.host.append("log.1", "d\n");
    runs.host.create(LOG);
    runs.host.append(LOG, "e\n");
    assert_eq!(
        runs.told(),
        ["gap: rotated-away", "d", "e"],
        "and nothing of the first, which was there before"
    );
    runs.restart(0);
    assert_eq!(runs.told(), NOTHING);
}

#[test]
fn a_file_that_was_cut_off_is_one_gap() {
    let cut = after(|host| {
        host.files.get_mut(LOG).unwrap().1 = b"x\n".to_vec();
        host.touch(1);
    });
    assert_eq!(cut, ["gap: truncated", "x"]);
    let grown = after(|host| {
        host.files.get_mut(LOG).unwrap().1 = b"other and more\n".to_vec();
        host.touch(1);
    });
    assert_eq!(grown, ["gap: truncated", "other and more"]);
}

#[test]
fn a_file_whose_number_was_given_to_another_is_known_by_its_bytes() {
    let reused = after(|host| {
        host.append(LOG, "c\n");
        let (number, bytes) = host.files.remove(LOG).unwrap();
        // Packed, which takes a new number, or copied; and its own is given to its successor.
        host.create("log.1");
        host.files.get_mut("log.1").unwrap().1 = bytes;
        host.free.push(number);
        host.create(LOG);
        host.append(LOG, "d, which is longer than all that was there\n");
    });
    assert_eq!(reused, ["c", "d, which is longer than all that was there"]);
}

#[test]
fn a_file_system_may_have_another_number_after_the_host_was_started_again() {
    let mut runs = Runs::start(Host::default(), "a\nb\n");
    runs.host.dev = 7;
    runs.host.append(LOG, "c\n");
    runs.restart(0);
    assert_eq!(runs.told(), ["a", "b", "c"]);
}

#[derive(Debug, Clone)]
enum Step {
    Turn(Turn),
    /// After so many lines that were not printed yet.
    Kill(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![8 => turn().prop_map(Step::Turn), 2 => (0usize..60).prop_map(Step::Kill)]
}

proptest! {
    #[test]
    fn no_line_is_missing_or_twice_however_often_the_program_is_killed(
        steps in prop::collection::vec(step(), 1..60),
        copies in any::<bool>(),
    ) {
        let mut runs = Runs::start(Host { rotates: Some(copies), ..Host::default() }, "");
        runs.host.act(Action::Append(1));
        runs.settle();
        for step in steps {
            match step {
                // Late lines of files that nobody looks at any more are another matter.
                Step::Turn(Turn::Act(Action::AppendOld(_))) => {}
                Step::Turn(Turn::Act(action)) => runs.host.act(action),
                Step::Turn(Turn::Poll(meanwhile)) => {
                    // Rotations in the middle of a look may be told out of their order, which has
                    // tests of its own.
                    let only_grows = |action: &Option<Action>| matches!(action, None | Some(Action::Append(_)));
                    runs.host.meanwhile = meanwhile.into_iter().filter(only_grows).collect();
                    runs.host.poll(&mut runs.follower, Duration::ZERO);
                    runs.host.meanwhile.clear();
                }
                Step::Turn(Turn::Reconnect) => {
                    (runs.host.watches, runs.host.order) = Default::default();
                    runs.follower.restart();
                }
                Step::Kill(most) => {
                    // Who is killed between a copy and its cut, and again before the next, may
                    // print the copy again.
                    runs.host.cut();
                    runs.print(most.max(1));
                    if runs.printed.reached().next().is_some() {
                        runs.restart(0);
                    }
                }
            }
        }
        runs.host.cut();
        runs.host.act(Action::Allow);
        runs.host.rename_and_create();
        runs.host.act(Action::Append(1));
        runs.settle();
        let (gaps, out): (Vec<_>, Vec<_>) = runs.told().into_iter().partition(|line| line.starts_with("gap"));
        let mut told: Vec<u32> = out.iter().filter_map(|line| number(line)).collect();
        told.sort_unstable();
        let twice: Vec<_> = told.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        prop_assert!(twice.is_empty(), "twice: {:?}", twice);
        // Rotations by copying destroy lines themselves, and of a copy that lacks the last lines
        // the head is not known.
        let missing: Vec<u32> =
            (1..=runs.host.written).filter(|n| !told.contains(n) && !runs.host.destroyed.contains(n)).collect();
        let is_told = if gaps.is_empty() { missing.is_empty() } else { copies };
        prop_assert!(is_told, "{:?} are missing, {:?}", missing, gaps);
    }
}
