//! Bytes that could not be had when they were asked for, and can be had later: the key of the
//! console, `--backfill`.
//!
//! A log is moved away under the eyes of the follower, written to where nobody looks, and another
//! put in its place: a gap. Then what was moved away turns up under the name of a generation. The
//! follower lists those when the log is rotated, and not before, so it is found there by nobody but
//! who asks for the gap.

use crate::support::files::append;
use crate::support::gated_host::{GatedHost, RunningCommand};
use crate::support::pty::Pty;
use crate::support::wait_for;

#[test]
fn tail_prints_a_gap_and_with_backfill_what_has_turned_up_in_its_place_once() {
    for packed in [false, true] {
        let host = GatedHost::with("one\ntwo\n");
        let mut plain = host.start(&["tail", "-f", "--json"]);
        let mut filled = host.start(&["tail", "-f", "--json", "--backfill"]);
        plain.until(Some("two"));
        filled.until(Some("two"));
        host.shut();
        host.lose("three\nfour\n", "five\n");
        plain.until(Some("five"));
        host.find(packed);
        host.open();
        filled.until(Some("five"));
        append(&host.log(), "six\n");
        plain.until(Some("six"));
        assert_eq!(
            plain.printed,
            ["one", "two", "gap: rotated-away", "five", "six"],
            "packed: {packed}"
        );
        // With the next rotation the follower comes by the file.
        host.rotate("seven\n");
        plain.until(Some("seven"));
        filled.until(Some("seven"));
        let lost = |going: &RunningCommand| {
            going
                .printed
                .iter()
                .filter(|line| ["three", "four"].contains(&&***line))
                .count()
        };
        assert_eq!(
            (lost(&plain), lost(&filled)),
            (2, 2),
            "{:?}, {:?}",
            plain.printed,
            filled.printed
        );
        assert_eq!(
            filled.printed[..6],
            ["one", "two", "three", "four", "five", "six"],
            "packed: {packed}"
        );
    }
}

#[test]
fn a_pass_prints_a_gap_or_with_backfill_what_has_turned_up_in_its_place() {
    let line = |n: usize| format!("{n:04} {}", "x".repeat(1000));
    let lines: Vec<String> = (0..3000).map(line).collect();
    for backfill in [false, true] {
        let host = GatedHost::with(&(lines.join("\n") + "\n"));
        host.sshd.freeze_after(300 << 10);
        let mut args = vec!["--once", "--json", "--lines", "100000", "--timeout", "30s"];
        args.extend(backfill.then_some("--backfill"));
        let mut pass = host.start(&args);
        wait_for("the host has said enough", || host.sshd.is_frozen());
        host.shut();
        host.lose("", "another\n");
        host.sshd.freeze(false);
        if backfill {
            wait_for("the host is asked for the gap", || {
                host.sshd.accepted() == 2
            });
            host.find(false);
            host.open();
            pass.until(None);
            // A line that was cut off by the gap stands there as it was told first, and then whole.
            let whole = pass
                .printed
                .iter()
                .filter(|line| line.len() == lines[0].len());
            assert!(
                whole.eq(&lines) && pass.printed.len() <= lines.len() + 2,
                "{} lines",
                pass.printed.len()
            );
            assert_eq!(pass.printed.last().map(String::as_str), Some("another"));
        } else {
            pass.until(None);
            let (after, told) = pass.printed.split_last().expect("something");
            let (gap, told) = told.split_last().expect("something before it");
            // Of the last one it has only the beginning.
            let whole = told
                .iter()
                .zip(&lines)
                .take_while(|(one, other)| one == other)
                .count();
            assert_eq!(
                (&**gap, &**after, told.len() - whole <= 1, whole > 0),
                ("gap: rotated-away", "another", true, true),
                "{whole} lines"
            );
            assert!(whole < lines.len(), "{whole} lines");
        }
    }
}

#[test]
fn r_in_the_console_puts_what_has_turned_up_in_the_place_of_a_gap_once() {
    for packed in [false, true] {
        let host = GatedHost::with("line one\nline two\n");
        let mut screen = Pty::console(&host.inventory(), (100, 20));
        screen.wait_for("line two");
        host.lose("line three\nline four\n", "line five\n");
        screen.wait_for("line five");
        screen.wait_for("── gap: unknown bytes lost · web-1 app · rotated-away");
        screen.keys("kr");
        screen.wait_for("the gap stays: the line before the gap is gone from the host, too");
        host.find(packed);
        screen.keys("r");
        screen.wait_for("2 lines were still on the host");
        append(&host.log(), "line six\n");
        screen.keys("f");
        screen.wait_for("line six");
        host.rotate("line seven\n");
        screen.wait_for("line seven");
        let shown = screen.screen();
        let words = ["one", "two", "three", "four", "five", "six", "seven"];
        let at: Vec<_> = words
            .iter()
            .map(|word| shown.find(&format!("line {word}")))
            .collect();
        assert!(
            at.is_sorted() && at[0].is_some() && !shown.contains("── gap"),
            "packed: {packed}\n{shown}"
        );
        assert_eq!(
            ["three", "four"].map(|word| shown.matches(&format!("line {word}")).count()),
            [1, 1],
            "{shown}"
        );
        screen.kill();
    }
}
