//! The real console in a real terminal: what reaches the terminal, how it is given back, and that
//! keys are heard.

use std::io::Write as _;

use rustix::process::Signal;

use crate::support::binary::BINARY;
use crate::support::gated_host::GatedHost;
use crate::support::inventory::{Inventory, write_log_here};
use crate::support::pty::Pty;
use crate::support::sshd::Sshd;
use crate::support::time_limit::Stopwatch;
use crate::support::writer::Writer;

/// What is not one of the sequences that the console itself has use for: cursor, colours, erasing,
/// modes.
fn foreign(bytes: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            [0x1b, b'[', after @ ..] => {
                let end = after
                    .iter()
                    .position(|byte| (0x40..=0x7e).contains(byte))
                    .unwrap_or(after.len() - 1);
                let sequence = &rest[..end + 3];
                if !b"HmJKhlABCDGd".contains(&after[end]) {
                    wrong.push(String::from_utf8_lossy(sequence).into_owned());
                }
                sequence.len()
            }
            [byte, ..] if *byte < 0x20 && !b"\r\n".contains(byte) => {
                wrong.push(format!(
                    "{:?}",
                    String::from_utf8_lossy(&rest[..rest.len().min(40)])
                ));
                1
            }
            _ => 1,
        };
        at += length;
    }
    let text = String::from_utf8(bytes.to_vec()).expect("the console writes UTF-8");
    let unseen = |c: &char| matches!(*c as u32, 0x7f..=0x9f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xfeff);
    wrong.extend(
        text.chars()
            .filter(unseen)
            .map(|c| format!("U+{:04X}", c as u32)),
    );
    wrong
}

#[test]
fn a_hostile_line_changes_nothing_but_its_own_cells_and_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    let hostile: &[&[u8]] = &[
        b"csi \x1b[2J\x1b[31;1mred\x1b[10;10H\x1b[?1049l end",
        b"osc \x1b]0;title\x07\x1b]52;c;aGFja2Vk\x07\x1b]8;;http://x\x1b\\link end",
        b"dcs \x1bP+q544e\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bX end",
        "c1 \u{9b}2J\u{9d}0;t\u{9c} end".as_bytes(),
        "bidi \u{202e}txet\u{202c} \u{2066}x\u{2069} \u{200b}\u{feff}\u{e0061} end".as_bytes(),
        b"raw \x9b2J\xff\xfe\x00\x07\x08\x7f\x0b\x0c end",
        b"cr over\rwritten end",
        b"last line",
    ];
    std::fs::write(&log, [hostile.join(&b'\n').as_slice(), b"\n"].concat()).expect("write the log");
    let mut screen = Pty::console(&write_log_here(folder.path(), &log), (160, 40));
    screen.wait_for("last line");
    let shown = screen.screen();
    for line in [
        "csi ␛[2J",
        "osc ␛]0;title␇",
        "dcs ␛P",
        "c1 <9B>2J",
        "bidi <U+202E>txet",
        "raw \\x9B2J\\xFF",
    ] {
        assert!(shown.contains(line), "{line:?} is not in\n{shown}");
    }
    screen.keys("q");
    screen.wait_for_end();
    assert_eq!(foreign(&screen.bytes()), Vec::<String>::new());
}

#[test]
fn grep_is_the_filter_of_the_first_pane() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    std::fs::write(&log, "one needle\ntwo hay\nthree needle\n").expect("write the log");
    let inventory = write_log_here(folder.path(), &log);
    let inventory = inventory.to_str().expect("UTF-8");
    let mut screen = Pty::start(
        &["--no-ssh-config", "--config", inventory, "--grep", "needle"],
        (100, 20),
    );
    screen.wait_for("three needle");
    assert!(
        screen.screen().contains("one needle") && !screen.screen().contains("hay"),
        "{}",
        screen.screen()
    );
    screen.kill();
}

#[test]
fn a_line_without_an_end_is_shown_as_such_and_replaced_by_the_whole_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    let mut file = std::fs::File::create(&log).expect("create the log");
    let mut write = |text: &str| file.write_all(text.as_bytes()).expect("write");
    write("one whole\n");
    let mut screen = Pty::console(&write_log_here(folder.path(), &log), (100, 20));
    screen.wait_for("one whole");
    write("a line in");
    screen.wait_for("a line in …");
    write(" three");
    screen.wait_for("a line in three …");
    write(" pieces\nthe next\n");
    screen.wait_for("the next");
    screen.wait_until("the whole line, once", |shown| {
        shown.matches("a line in").count() == 1 && !shown.contains(" …")
    });
    assert!(
        screen.screen().contains("a line in three pieces"),
        "{}",
        screen.screen()
    );
    screen.kill();
}

#[test]
fn every_size_draws_and_quits() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    std::fs::write(
        &log,
        "2026-11-20T13:00:00Z ERROR something broke\n".repeat(100),
    )
    .expect("write the log");
    let inventory = write_log_here(folder.path(), &log);
    for size in [(80, 24), (200, 60), (40, 10), (1, 1)] {
        let mut screen = Pty::console(&inventory, size);
        // One cell has no room for a word: that it is on its own screen must do.
        screen.wait_until("a first frame", |shown| {
            size == (1, 1) || !shown.trim().is_empty()
        });
        screen.wait_until("the console's own screen", |_| screen.on_alternate_screen());
        for size in [(1, 1), (3, 200), (300, 2), size] {
            screen.resize(size);
        }
        screen.keys("q");
        assert!(screen.wait_for_end().success(), "at {size:?}");
        assert!(!screen.on_alternate_screen(), "at {size:?}");
    }
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    std::fs::write(&log, "here\n").expect("write the log");
    let inventory = write_log_here(folder.path(), &log);
    for signal in [
        Signal::TERM,
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::ABORT,
    ] {
        let mut screen = Pty::console(&inventory, (80, 24));
        screen.wait_for("here");
        assert!(screen.on_alternate_screen());
        screen.signal(signal);
        screen.wait_for_end();
        assert!(!screen.on_alternate_screen(), "after {signal:?}");
        let bytes = String::from_utf8_lossy(&screen.bytes()).into_owned();
        assert!(
            bytes.contains("\u{1b}[?25h"),
            "the cursor is shown again after {signal:?}"
        );
    }
}

#[test]
fn a_dead_host_and_a_flood_leave_q_responsive() {
    let (dead, live) = (Sshd::builder().mute().start(), Sshd::start());
    let (log, reopen) = (live.path("app.log"), live.path("reopen"));
    let _writer = Writer::start(&log, &reopen, 50_000);
    let source = format!("sources = [{{ path = {log:?} }}]");
    let file = Inventory::default()
        .server("dead", &dead)
        .line(&source)
        .server("live", &live)
        .line(&source)
        .write(&live.path(""));
    let mut screen = Pty::console(&file, (120, 30));
    screen.wait_for("serial=");
    let pressed = Stopwatch::start();
    screen.keys("q");
    screen.wait_for_end();
    pressed.assert_within_s(4, "ending after q");
}

#[test]
fn without_a_terminal_the_console_says_what_to_use_instead() {
    let output = std::process::Command::new(BINARY)
        .args(["--hosts", "localhost", "--no-ssh-config"])
        .env_remove("LOGTRAIL_HOSTS")
        .output()
        .expect("run the console");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("--once"),
        "{output:?}"
    );
}

#[test]
fn an_error_far_above_what_was_read_is_found_on_the_host_with_its_stack_trace() {
    let line = |n: u32| match n {
        100 => {
            "2026-11-20T03:14:00Z ERROR payment failed\n  at Cart.add\n  at Cart.main\n".to_owned()
        }
        _ => format!("2026-11-20T03:14:00Z INFO order {n}\n"),
    };
    let host = GatedHost::with(&(0..2000).map(line).collect::<String>());
    let inventory = host.inventory();
    let mut screen = Pty::console(&inventory, (120, 30));
    screen.wait_for("order 1999");
    screen.keys("E");
    let trace = |shown: &str| {
        let at = [
            "order 99",
            "payment failed",
            "at Cart.add",
            "at Cart.main",
            "order 101",
        ]
        .map(|text| shown.find(text));
        at.is_sorted() && at[0].is_some()
    };
    screen.wait_until("the error and what is around it", trace);
    screen.keys("f&payment\rk");
    let record = |shown: &str| {
        let at = ["payment failed", "at Cart.add", "at Cart.main"].map(|text| shown.find(text));
        at.is_sorted() && at[0].is_some() && !shown.contains("order ")
    };
    screen.wait_until("the record alone, whole", record);
    screen.kill();
}
