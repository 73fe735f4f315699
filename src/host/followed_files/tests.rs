//! What followed files report of themselves and of their host.

use super::*;
use crate::model::source::SourceKind;
use crate::model::state::{HostStatus, LinkState};

fn spec(name: &str) -> SourceSpec {
    SourceSpec {
        name: name.to_owned(),
        kind: SourceKind::Path("/log/*.log".to_owned()),
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    }
}

fn login_files() -> FollowedFiles {
    FollowedFiles::of_login(&Arc::default(), &SharedState::default())
}

fn names(files: &mut FollowedFiles) -> Vec<String> {
    let events = files.take_events();
    let name = |event: &HostEvent| match event {
        HostEvent::Source { info, .. } => Some(info.name.to_string()),
        _ => None,
    };
    events.iter().filter_map(name).collect()
}

#[test]
fn files_of_a_pattern_are_named_after_it_and_told_apart() {
    let mut files = login_files();
    files.add_log(&spec("app"), "/a/x.log".into(), false, StartAt::Start);
    files.add_log(&spec("app"), "/b/x.log".into(), false, StartAt::Start);
    files.add_log(&spec("app"), "/a/x.log".into(), false, StartAt::Start);
    assert_eq!(names(&mut files), ["app/x.log", "/b/x.log"]);
}

#[test]
fn the_rest_of_a_record_that_comes_first_has_the_time_of_the_line_after_it() {
    let mut files = login_files();
    files.add_log(&spec("app"), "/a/x.log".into(), true, StartAt::Start);
    files.take_events();
    let lines = [
        "  at Shop.main",
        "2026-01-01T00:00:00Z one",
        "  at Shop.two",
    ];
    let pieces = lines
        .map(|line| FilePiece::Line {
            offset: 0,
            bytes: line.into(),
            stored: None,
        })
        .into();
    files.pieces(
        0,
        FileId { dev: 1, ino: 1 },
        pieces,
        Time(1_800_000_000_000_000_000),
    );
    let events = files.take_events();
    let Some(HostEvent::Lines { source: 0, lines }) = events.first() else {
        panic!("no lines")
    };
    let stamped = lines[1].time;
    let got: Vec<_> = lines
        .iter()
        .map(|line| (line.time == stamped, line.time_from.as_str()))
        .collect();
    assert_eq!(
        got,
        [(true, "previous"), (true, "stamp"), (true, "previous")]
    );
}

#[test]
fn after_a_restart_stamps_count_from_the_new_start() {
    let mut files = login_files();
    let now = Time(1_800_000_000_000_000_000);
    let facts = |id: &str, ago_s: i64| SystemFacts {
        boot_id: Some(id.to_owned()),
        booted: Some(now.plus_millis(-1000 * ago_s)),
        ..SystemFacts::default()
    };
    files.describe(facts("a", 5000), String::new());
    files.add_log(&spec("kern"), "/log/kern.log".into(), true, StartAt::Start);
    let read = |files: &mut FollowedFiles| {
        let pieces = vec![FilePiece::Line {
            offset: 0,
            bytes: "[   10.000000] usb 1-1: new device".into(),
            stored: None,
        }];
        files.pieces(0, FileId { dev: 1, ino: 1 }, pieces, now);
        let lines = files
            .take_events()
            .into_iter()
            .find_map(|event| match event {
                HostEvent::Lines { lines, .. } => Some(lines),
                _ => None,
            });
        lines.map(|lines| lines[0].time)
    };
    assert_eq!(read(&mut files), Some(now.plus_millis(-4_990_000)));
    files.describe(facts("b", 60), String::new());
    assert_eq!(read(&mut files), Some(now.plus_millis(-50_000)));
}

#[test]
fn a_host_that_is_described_again_has_its_new_clock_in_all_its_sources() {
    let mut files = login_files();
    files.add_log(&spec("app"), "/a/x.log".into(), true, StartAt::Start);
    let mut time = |offset: i32| {
        files.describe(
            SystemFacts {
                utc_offset_s: Some(offset),
                ..SystemFacts::default()
            },
            String::new(),
        );
        files.take_events();
        let piece = FilePiece::Line {
            offset: 0,
            bytes: "2026-01-01 12:00:00 one".into(),
            stored: None,
        };
        files.pieces(
            0,
            FileId { dev: 1, ino: 1 },
            vec![piece],
            Time(1_800_000_000_000_000_000),
        );
        files.take_events().iter().find_map(|event| match event {
            HostEvent::Lines { source: 0, lines } => Some(lines[0].time.to_timestamp().to_string()),
            _ => None,
        })
    };
    assert_eq!(time(0).as_deref(), Some("2026-01-01T12:00:00Z"));
    assert_eq!(time(3600).as_deref(), Some("2026-01-01T11:00:00Z"));
}

fn reason(files: &FollowedFiles) -> Option<String> {
    files.state.lock().status().reason
}

#[test]
fn a_problem_degrades_the_host_until_it_is_gone() {
    let mut files = login_files();
    files.add_log(&spec("app"), "/a/x.log".into(), true, StartAt::Start);
    assert_eq!(reason(&files), None);
    files.set_absence(0, Some(FileUnavailable::Missing));
    assert_eq!(reason(&files).as_deref(), Some("/a/x.log: no such file"));
    files.set_pattern_problem(&spec("web"), Some(Problem::plain("no file matches /w/*")));
    let both = "/a/x.log: no such file; no file matches /w/*";
    assert_eq!(reason(&files).as_deref(), Some(both));
    files.set_absence(0, None);
    assert_eq!(reason(&files).as_deref(), Some("no file matches /w/*"));
    files.set_pattern_problem(&spec("web"), None);
    let status = files.state.lock().status();
    assert_eq!(status, HostStatus::plain(LinkState::Ok));
}

#[test]
fn two_shells_of_a_host_share_its_numbers_and_one_reports_its_state() {
    let state = SharedState::default();
    let mut of_login = FollowedFiles::of_login(&Arc::default(), &state);
    let mut of_root = FollowedFiles::of_root(&Arc::default(), &state);
    of_login.add_log(&spec("app"), "/a/x.log".into(), true, StartAt::Start);
    of_root.add_log(&spec("db"), "/b/y.log".into(), true, StartAt::Start);
    of_root.set_absence(1, Some(FileUnavailable::Missing));
    let told = |files: &mut FollowedFiles| {
        let events = files.take_events().into_iter();
        events.map(|event| match event {
            HostEvent::Source { source, info } => format!("{source} {:?}", info.problem),
            HostEvent::Status(status) => status.reason.unwrap_or_default(),
            other => format!("{other:?}"),
        })
    };
    assert_eq!(
        told(&mut of_root).collect::<Vec<_>>(),
        ["1 None", "1 Some(\"no such file\")"]
    );
    assert_eq!(
        told(&mut of_login).collect::<Vec<_>>(),
        ["0 None", "/b/y.log: no such file"]
    );
}

#[test]
fn what_sudo_refuses_is_shown_at_each_source_and_said_once_of_the_host() {
    let mut files = login_files();
    for path in ["/a/x.log", "/a/y.log"] {
        files.add_log(&spec("app"), path[..].into(), false, StartAt::Start);
    }
    files.set_absence(0, Some(FileUnavailable::Missing));
    files.set_pattern_problem(&spec("web"), Some(Problem::plain("no file matches /w/*")));
    files.take_events();
    files.refuse_all(&Problem::plain("sudo wants a password"));
    assert_eq!(reason(&files).as_deref(), Some("sudo wants a password"));
    assert_eq!(names(&mut files), ["app/x.log", "app/y.log"]);
    files.clear_problems();
    assert_eq!(reason(&files), None);
}
