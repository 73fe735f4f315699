//! The console on logs that are older than its start: every line once and in order, up to the first
//! of the oldest generation and back to the live end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::inventory::{Inventory, write_log_here};
use crate::support::pty::Pty;
use crate::support::sshd::Sshd;

const PAGE_UP: &str = "\x1b[5~";
const PAGE_DOWN: &str = "\x1b[6~";

/// Seconds after 13:00:00, as a stamp.
fn line(serial: u32) -> String {
    let (hours, minutes, seconds) = (serial / 3600, serial / 60 % 60, serial % 60);
    format!(
        "2026-11-20T{:02}:{minutes:02}:{seconds:02}Z INFO serial={serial:06} of the day\n",
        8 + hours
    )
}

fn text(serials: std::ops::Range<u32>) -> String {
    serials.map(line).collect()
}

/// A live log with two rotated generations, the oldest compressed: serials from 1 up to three times
/// `each`.
fn generations(folder: &Path, name: &str, each: u32) -> PathBuf {
    let log = folder.join(name);
    let path = |end: &str| folder.join(format!("{name}{end}"));
    std::fs::write(path(".2"), text(1..each + 1)).expect("write the oldest");
    assert!(
        Command::new("gzip")
            .arg(path(".2"))
            .status()
            .expect("gzip")
            .success()
    );
    std::fs::write(path(".1"), text(each + 1..2 * each + 1)).expect("write the one before");
    std::fs::write(&log, text(2 * each + 1..3 * each + 1)).expect("write the live one");
    log
}

fn there(sshd: &Sshd, log: &Path) -> PathBuf {
    Inventory::default()
        .following("there", sshd, log)
        .write(&sshd.path(""))
}

/// The serials on the screen, from the top.
fn serials(screen: &str) -> Vec<u32> {
    let number = |line: &str| line.split("serial=").nth(1)?.get(..6)?.parse().ok();
    screen.lines().filter_map(number).collect()
}

/// Presses a key again and again until the screen is as wished; says which serials were seen. Every
/// screen shows lines that follow each other.
fn press_until(
    screen: &mut Pty,
    key: &str,
    what: &str,
    done: impl Fn(&str) -> bool,
) -> BTreeSet<u32> {
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut seen = BTreeSet::new();
    loop {
        let shown = screen.screen();
        let numbers = serials(&shown);
        let follow = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(
            follow,
            "lines that do not follow each other: {numbers:?}\n{shown}"
        );
        seen.extend(&numbers);
        if done(&shown) {
            return seen;
        }
        assert!(
            Instant::now() < deadline,
            "{what}: it did not come to that; seen {} lines\n{shown}",
            seen.len()
        );
        screen.keys(key);
        // Until other lines are shown: a key more while this one's lines are still being read goes
        // a page too far.
        let waits = Instant::now() + Duration::from_secs(5);
        let unmoved = |shown: &str| serials(shown) == numbers && !done(shown);
        while unmoved(&screen.screen()) && Instant::now() < waits {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn up_and_down(inventory: &Path, last: u32) {
    let mut screen = Pty::console(inventory, (120, 30));
    screen.wait_for(&format!("serial={last:06}"));
    let all: BTreeSet<u32> = (1..=last).collect();
    let begin =
        |shown: &str| shown.contains("the logs begin here") && shown.contains("serial=000001");
    let up = press_until(&mut screen, PAGE_UP, "the first line", begin);
    assert_eq!(
        all.difference(&up).collect::<Vec<_>>(),
        Vec::<&u32>::new(),
        "missing on the way up"
    );
    let down = press_until(&mut screen, PAGE_DOWN, "following", |shown| {
        shown.contains("following")
    });
    assert_eq!(
        all.difference(&down).collect::<Vec<_>>(),
        Vec::<&u32>::new(),
        "missing on the way down"
    );
    screen.kill();
}

#[test]
fn scrolling_to_the_oldest_generation_and_back_shows_every_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = generations(folder.path(), "app.log", 700);
    up_and_down(&write_log_here(folder.path(), &log), 2100);
}

#[test]
fn the_same_over_a_real_connection() {
    let sshd = Sshd::start();
    let folder = sshd.path("logs");
    std::fs::create_dir(&folder).expect("a folder");
    let log = generations(&folder, "app.log", 700);
    up_and_down(&there(&sshd, &log), 2100);
}

#[test]
fn a_time_is_gone_to_and_a_match_is_found_that_the_console_never_had() {
    let sshd = Sshd::start();
    let folder = sshd.path("logs");
    std::fs::create_dir(&folder).expect("a folder");
    let log = generations(&folder, "app.log", 700);
    let mut screen = Pty::console(&there(&sshd, &log), (120, 30));
    screen.wait_for("serial=002100");
    screen.keys(":at 2026-11-20T08:20:34Z\r");
    screen.wait_for("serial=001234");
    screen.wait_for("history");
    screen.keys("G");
    screen.wait_for("serial=002100");
    screen.keys("/serial=000123\r");
    screen.wait_until("the match, with its neighbours", |shown| {
        ["serial=000122", "serial=000123", "serial=000124"]
            .iter()
            .all(|serial| shown.contains(serial))
    });
    screen.keys("G");
    screen.wait_for("following");
    screen.kill();
}
