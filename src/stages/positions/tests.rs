//! What is remembered of what was printed, and when.

use super::*;
use crate::model::cursor::Cursor;
use crate::model::host::HostId;
use crate::model::line::{ByteSpan, Line, LineOrder};
use crate::model::time::TimeSource;

fn line(source: u32, ino: u64, offset: u64) -> FleetLine {
    let cursor = Cursor {
        file: FileId { dev: 0, ino },
        offset,
    };
    let (host, source, time, time_from) = (HostId(0), SourceId(source), Time(5), TimeSource::Stamp);
    let (continues, stamp) = (false, ByteSpan::default());
    FleetLine {
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
            raw: "line".into(),
            stored: None,
        },
    }
}

fn open(path: &Path) -> Checkpoint {
    Checkpoint::open(path, &mut io::sink()).expect("a checkpoint")
}

/// Offsets after the last line of each generation of `web-1 app`, as the next run finds them.
fn remembered(path: &Path) -> Vec<u64> {
    let (_store, remembered, notices) = CheckpointFile::open(path).expect("a store");
    assert!(notices.is_empty(), "{notices:?}");
    remembered
        .get("web-1")
        .and_then(|sources| sources.get("app"))
        .into_iter()
        .flatten()
        .map(ReadPosition::offset)
        .collect()
}

const NAME: SourceName<'static> = SourceName {
    host: "web-1",
    source: "app",
};

#[test]
fn only_what_the_sink_has_acknowledged_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let mut checkpoint = open(&path);
    let sink = checkpoint.acknowledger();
    for (n, offset) in [(1, 0), (2, 5), (3, 10)] {
        checkpoint.line(line(0, 7, offset), NAME, n * 100);
    }
    sink.acknowledge(299);
    checkpoint.finish().expect("written");
    drop(sink);
    assert_eq!(remembered(&path), [9], "the third is not whole");
    let mut checkpoint = open(&path);
    checkpoint.line(line(0, 7, 10), NAME, 0);
    drop(checkpoint);
    assert_eq!(
        remembered(&path),
        [14],
        "nobody has asked, and it is written"
    );
}

#[test]
fn where_a_source_begins_is_written_before_its_first_line_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let checkpoint = open(&path);
    checkpoint.begin_sources(&[line(0, 7, 30), line(0, 7, 35)], |_| NAME);
    // As a kill would leave it.
    let left = format::read(&std::fs::read(&path).expect("there is one")).expect("whole");
    let place = left["web-1"]["app"][0].place;
    assert_eq!((place.cursor.offset, place.check), (30, None));
}

#[test]
fn what_is_no_file_is_not_remembered_and_that_is_said_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let mut checkpoint = open(&path);
    checkpoint.begin_sources(&[line(0, 0, 1)], |_| NAME);
    let said = checkpoint.line(line(0, 0, 1), NAME, 0).expect("a notice");
    assert!(said.contains("web-1/app: not a file"), "{said}");
    assert_eq!(checkpoint.line(line(0, 0, 2), NAME, 0), None);
    checkpoint.finish().expect("written");
    assert_eq!(remembered(&path), [0; 0]);
}

#[test]
fn what_waits_to_be_remembered_is_bounded_though_nobody_can_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let mut checkpoint = open(&path);
    let shared = Arc::clone(&checkpoint.shared);
    let writing = shared.store.lock().expect("no panic");
    for n in 0..3 * MOST_PENDING as u64 {
        checkpoint.line(line(0, 7, n * 5), NAME, 0);
        assert!(shared.lock().pending.len() <= MOST_PENDING);
    }
    drop(writing);
    checkpoint.finish().expect("written");
    drop(shared);
    assert_eq!(remembered(&path), [3 * MOST_PENDING as u64 * 5 - 1]);
}

#[test]
fn a_last_writing_that_fails_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let mut checkpoint = open(&path);
    drop(folder);
    checkpoint.line(line(0, 7, 0), NAME, 0);
    let error = checkpoint
        .finish()
        .expect_err("there is no folder")
        .to_string();
    assert!(
        error.contains("cannot be written: No such file") && error.contains("/at"),
        "{error}"
    );
}
