//! Generations that were there before anything was read, compressed or copied later.

use super::host::{Action, Host, LOG};
use super::*;
use crate::model::cursor::FileId;

/// How a file loses its time of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Not at all.
    Kept,
    /// To microseconds.
    Rounded,
    /// It has the time at which it was compressed.
    Anew,
}

/// A log with old generations before it, the newest two as they are, of which the last lines are
/// followed.
fn with_history(loss: Loss) -> (Host, Follower) {
    with_history_that_begins(loss, "")
}

/// The same of a program that begins each of its logs with this.
fn with_history_that_begins(loss: Loss, head: &str) -> (Host, Follower) {
    let (packs_anew, packs_roughly) = (loss == Loss::Anew, loss == Loss::Rounded);
    let mut host = Host {
        packs: true,
        packs_anew,
        packs_roughly,
        ..Host::default()
    };
    host.create(LOG);
    for turn in 0..4 {
        let text = if head.is_empty() {
            format!("old {turn}\nand so on\n")
        } else {
            head.to_owned()
        };
        host.append(LOG, &text);
        host.rename_and_create();
        if turn < 2 {
            host.act(Action::Pack);
            host.act(Action::Packed);
        }
    }
    host.append(LOG, &format!("{head}a\n"));
    let mut follower = Follower::default();
    follower.add(0, LOG.into(), StartAt::LastLines(1));
    settle(&mut host, &mut follower);
    // It is asked how they begin when there is nothing else to do.
    (4..6).for_each(|second| host.poll(&mut follower, Duration::from_secs(second)));
    assert_eq!(told(&mut follower), ["a"]);
    (host, follower)
}

#[test]
fn what_was_there_before_is_not_told_however_it_is_compressed_or_copied_later() {
    for (loss, looks) in [Loss::Kept, Loss::Rounded, Loss::Anew]
        .into_iter()
        .flat_map(|loss| (0..8).map(move |looks| (loss, looks)))
    {
        let (mut host, mut follower) = with_history(loss);
        for line in ["b\n", "c\n", "d\n"] {
            // The one that is compressed was never read, or is the last that was.
            host.act(Action::Pack);
            host.act(Action::Packed);
            host.rename_and_create();
            host.append(LOG, line);
            (0..looks).for_each(|_| host.poll(&mut follower, Duration::ZERO));
        }
        settle(&mut host, &mut follower);
        assert_eq!(
            told(&mut follower),
            ["b", "c", "d"],
            "{loss:?}, {looks} looks"
        );
    }
    // All of them at once, and one that is copied.
    for copied in [false, true] {
        let (mut host, mut follower) = with_history(Loss::Anew);
        host.rename_and_create();
        host.append(LOG, "b\n");
        settle(&mut host, &mut follower);
        for number in 1..4 {
            let (_, text) = host.files.remove(&format!("log.{number}")).unwrap();
            let name = format!("log.{number}{}", if copied { "" } else { ".gz" });
            host.create(&name);
            host.files.get_mut(&name).unwrap().1 = text;
        }
        host.rename_and_create();
        host.append(LOG, "c\n");
        settle(&mut host, &mut follower);
        assert_eq!(told(&mut follower), ["b", "c"], "copied: {copied}");
    }
}

#[test]
fn an_old_generation_that_is_compressed_anew_hides_neither_a_missed_one_nor_a_gap() {
    for is_last_gone in [false, true] {
        let (mut host, mut follower) = with_history(Loss::Anew);
        host.rename_and_create();
        host.append(LOG, "missed\n");
        if is_last_gone {
            host.files.remove("log.1");
        }
        host.act(Action::Pack);
        host.act(Action::Packed);
        host.rename_and_create();
        let (_, text) = host.files.remove("log.3").unwrap();
        host.create("log.3.gz");
        host.files.get_mut("log.3.gz").unwrap().1 = text;
        host.append(LOG, "b\n");
        settle(&mut host, &mut follower);
        let expected: &[&str] = if is_last_gone {
            &["gap: rotated-away", "missed", "b"]
        } else {
            &["missed", "b"]
        };
        assert_eq!(told(&mut follower), expected);
    }
}

#[test]
fn a_generation_that_begins_as_an_old_one_did_is_told_whatever_became_of_that() {
    let long = "# a banner that a program writes at the top of each of its logs\n".repeat(20);
    for (head, loss) in ["# Version 1.0\n", &long]
        .into_iter()
        .flat_map(|head| [Loss::Kept, Loss::Rounded, Loss::Anew].map(|loss| (head, loss)))
    {
        for removed in [false, true] {
            let (mut host, mut follower) = with_history_that_begins(loss, head);
            // Of the one before nothing but the banner was there.
            host.rename_and_create();
            if removed {
                host.files.remove("log.2");
            } else {
                let (_, text) = host.files.remove("log.2").unwrap();
                host.create("log.2.gz");
                host.files.get_mut("log.2.gz").unwrap().1 = text;
            }
            host.append(LOG, &format!("{head}b\n"));
            host.rename_and_create();
            host.append(LOG, &format!("{head}c\n"));
            host.rename_and_create();
            host.append(LOG, &format!("{head}d\n"));
            settle(&mut host, &mut follower);
            let told: Vec<String> = told(&mut follower)
                .into_iter()
                .filter(|line| line.len() == 1)
                .collect();
            assert_eq!(
                told,
                ["b", "c", "d"],
                "{loss:?}, {} bytes, removed: {removed}",
                head.len()
            );
        }
    }
}

#[test]
fn r53_heads_of_a_host_that_lies_are_few_and_short() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.rename_and_create();
    settle(&mut host, &mut follower);
    let stat = |ino| FileStat {
        id: FileId { dev: 1, ino },
        size: 5,
        changed: 1,
    };
    let lies = (0..100_000)
        .map(|ino| FileHead {
            stat: stat(ino),
            sum: 0,
            length: 1 << 20,
        })
        .collect();
    follower.see(&FileObservation::Heads(host.order[0], lies), Duration::ZERO);
    let many = (0..100_000)
        .map(|ino| FileHead {
            stat: stat(ino),
            sum: 0,
            length: 1,
        })
        .collect();
    follower.see(&FileObservation::Heads(host.order[0], many), Duration::ZERO);
    host.append(LOG, "b\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
    assert!(format!("{follower:?}").matches("Head {").count() <= 8);
}
