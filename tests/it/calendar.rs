//! One calendar for a file: a line has the same time on every road to it, also where its stamp says
//! nothing of the year or of the day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;

use crate::support::binary::logtrail;
use crate::support::inventory::Inventory;
use crate::support::sshd::Sshd;

/// Lines of each log, so many minutes after each other: over more than a midnight, but not a day.
const LINES: i64 = 40;
const STEP_MINUTES: i64 = 9;

/// Ways to write a time: the name of each, and the fields of `strftime`.
const FORMS: [(&str, &str); 9] = [
    ("clock", "[%H:%M:%S] [Server thread/INFO]: done"),
    ("clock-comma", "%H:%M:%S,123 INFO cart - added"),
    ("syslog", "%b %e %H:%M:%S web-1 app[7]: added"),
    ("month-day", "%m-%d %H:%M:%S.000 app: added"),
    ("klog", "I%m%d %H:%M:%S.000000 7 cart.go:12] added"),
    ("cockroach", "I%y%m%d %H:%M:%S.000000 7 cart.go:12 added"),
    ("day-first", "%d-%b %H:%M:%S app: added"),
    ("iso", "%Y-%m-%d %H:%M:%S added"),
    ("american", "%b-%d-%y %H:%M:%S added"),
];

/// When logs were written to last: the name of each.
fn ends() -> Vec<(&'static str, Zoned)> {
    let now = Timestamp::now().to_zoned(TimeZone::system());
    let at = |zoned: Zoned, hour: i8| {
        let day = zoned.date().at(hour, 7, 0, 0);
        day.to_zoned(TimeZone::system()).expect("a moment")
    };
    let new_year = |years: i16| {
        let day = jiff::civil::date(now.year() - years, 1, 1);
        at(day.to_zoned(TimeZone::system()).expect("a day"), 2)
    };
    let ago = |span: jiff::Span| now.checked_sub(span).expect("in range");
    vec![
        ("today", ago(3.minutes())),
        ("weeks", at(ago(14.days()), 13)),
        ("midnight", at(ago(14.days()), 2)),
        ("years", at(ago(3.years()), 13)),
        ("new-year", new_year(0)),
        ("old-new-year", new_year(3)),
    ]
}

/// The logs of a folder: their names, paths, and when each of their lines was written.
struct Logs {
    sources: Vec<(String, PathBuf)>,
    /// By name and text.
    expected: BTreeMap<(String, String), Timestamp>,
}

impl Logs {
    fn new() -> Self {
        Self {
            sources: Vec::new(),
            expected: BTreeMap::new(),
        }
    }

    /// A log whose last line is of `end`, and which was written to then.
    fn add(&mut self, folder: &Path, name: &str, form: &str, end: &Zoned) -> PathBuf {
        let path = folder.join(name);
        let mut text = String::new();
        for serial in 0..LINES {
            let back = (STEP_MINUTES * (LINES - 1 - serial)).minutes();
            let at = end.checked_sub(back).expect("in range");
            let line = format!("{} serial {serial}", at.strftime(form));
            writeln!(text, "{line}").expect("memory");
            let whole = Timestamp::from_second(at.timestamp().as_second()).expect("in range");
            let at = whole + if line.contains(",123") { 123 } else { 0 }.milliseconds();
            self.expected.insert((name.to_owned(), line), at);
        }
        std::fs::write(&path, text).expect("write a log");
        let second = u64::try_from(end.timestamp().as_second()).expect("of our time");
        written_at(&path, SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        self.sources.push((name.to_owned(), path.clone()));
        path
    }

    /// Asks for all lines on one road; compares.
    fn are_right_on(&self, inventory: &Path, args: &[&str]) {
        let found = lines(inventory, args);
        let wrong: Vec<String> = self
            .expected
            .iter()
            .filter(|(line, at)| found.get(line) != Some(at))
            .map(|((name, text), at)| {
                let got = found.get(&(name.clone(), text.clone()));
                format!("{name}: {text:?} is of {at}, got {got:?}")
            })
            .collect();
        let shown = &wrong[..wrong.len().min(12)];
        assert!(
            wrong.is_empty(),
            "{args:?}: {} wrong: {shown:#?}",
            wrong.len()
        );
        assert_eq!(found.len(), self.expected.len(), "{args:?}");
    }

    /// The roads to lines, and counting them.
    fn are_right_on_all(&self, inventory: &Path) {
        for args in [
            &["--once", "--lines", "100", "--json"][..],
            &["tail", "-n", "100", "--json"],
            &["read", "-n", "100", "--json"],
            &["read", "-n", "100", "--backwards", "--json"],
            &["search", "serial", "--json"],
        ] {
            self.are_right_on(inventory, args);
        }
        for (name, _) in &self.sources {
            self.is_counted_where_it_is(inventory, name);
        }
    }

    /// All lines of a log are between the first and the last, and so a histogram says.
    fn is_counted_where_it_is(&self, inventory: &Path, name: &str) {
        let times = || {
            let of_log = self.expected.iter().filter(|((of, _), _)| of == name);
            of_log.map(|(_, at)| *at)
        };
        let since = times().min().expect("lines").to_string();
        let until = (times().max().expect("lines") + 1.second()).to_string();
        let args = [
            "histogram",
            "--source",
            name,
            "--since",
            &since,
            "--until",
            &until,
            "--json",
        ];
        let counted: i64 = objects(inventory, &args)
            .iter()
            .filter(|object| object["type"] == "bucket")
            .filter_map(|object| object["lines"].as_i64())
            .sum();
        assert_eq!(counted, LINES, "{args:?}");
    }
}

fn written_at(path: &Path, at: SystemTime) {
    let file = std::fs::OpenOptions::new().append(true).open(path);
    let file = file.expect("open the log");
    file.set_modified(at).expect("set its time");
}

fn objects(inventory: &Path, args: &[&str]) -> Vec<Value> {
    let mut command = logtrail(inventory, args);
    let output = command.stderr(Stdio::inherit()).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let object = |line: &str| serde_json::from_str(line).expect("JSON");
    text.lines().map(object).collect()
}

/// Times by source and text.
fn lines(inventory: &Path, args: &[&str]) -> BTreeMap<(String, String), Timestamp> {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    objects(inventory, args)
        .iter()
        .filter(|object| object["type"] == "line" || object["type"] == "hit")
        .map(|object| {
            let at = text(&object["time"]).parse().expect("a time");
            ((text(&object["source"]), text(&object["text"])), at)
        })
        .collect()
}

fn logs_of_all_forms(folder: &Path) -> Logs {
    let mut logs = Logs::new();
    for (form, fields) in FORMS {
        for (age, end) in ends() {
            logs.add(folder, &format!("{form}-{age}"), fields, &end);
        }
    }
    logs
}

fn sources(logs: &Logs) -> Vec<(&str, &Path)> {
    logs.sources
        .iter()
        .map(|(name, path)| (name.as_str(), path.as_path()))
        .collect()
}

#[test]
fn a_line_has_the_same_time_on_every_road_whatever_its_stamp_leaves_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = logs_of_all_forms(folder.path());
    let here = Inventory::default().here().sources(&sources(&logs));
    logs.are_right_on_all(&here.write(folder.path()));
}

#[test]
fn the_same_over_a_real_connection() {
    let sshd = Sshd::start();
    let folder = sshd.path("logs");
    std::fs::create_dir(&folder).expect("a folder");
    let logs = logs_of_all_forms(&folder);
    let there = Inventory::default().server("there", &sshd);
    let inventory = there.sources(&sources(&logs)).write(&sshd.path(""));
    for args in [
        &["--once", "--lines", "100", "--json"][..],
        &["search", "serial", "--json"],
    ] {
        logs.are_right_on(&inventory, args);
    }
}

#[test]
fn a_rotated_log_that_was_copied_has_the_year_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut logs = Logs::new();
    let end = jiff::civil::date(2024, 11, 3).at(3, 0, 0, 0);
    let end = end.to_zoned(TimeZone::system()).expect("a moment");
    let (_, syslog) = FORMS[2];
    let path = logs.add(folder.path(), "messages-20241103", syslog, &end);
    written_at(&path, SystemTime::now());
    let (_, clock) = FORMS[0];
    let day = jiff::civil::date(2024, 11, 4).at(23, 50, 0, 0);
    let day = day.to_zoned(TimeZone::system()).expect("a moment");
    let path = logs.add(folder.path(), "app.2024-11-04.log", clock, &day);
    written_at(&path, SystemTime::now());
    let here = Inventory::default().here().sources(&sources(&logs));
    logs.are_right_on_all(&here.write(folder.path()));
}
