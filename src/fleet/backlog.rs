//! Which lines are the backlog of a source: those written before it was first heard of, which are
//! not late when they come after newer lines of other hosts.
//!
//! A host that connects late begins with its last lines, and so does a source that is found later.
//! What is sent after these is news, however it is stamped: a host whose clock is slow must not have
//! its news taken for its past.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::host::HostId;
use crate::model::line::Line;
use crate::model::source::SourceId;
use crate::model::time::Time;

/// The backlog of a source that does not say when it is over comes within this of its first line.
const WITHIN: Duration = Duration::from_secs(10);

/// The sources that have been heard of, and whether their backlog is over.
#[derive(Debug, Default)]
pub(super) struct Backlogs(BTreeMap<SourceId, SourceBacklog>);

#[derive(Debug)]
struct SourceBacklog {
    host: HostId,
    /// When it was heard of first: what is stamped later is news.
    heard: Time,
    /// Its host says when it has been read to its end.
    is_file: bool,
    /// When its first line came.
    first_line: Option<Duration>,
    is_over: bool,
}

impl Backlogs {
    /// A source is heard of, at a time by our clock.
    pub(super) fn hear(&mut self, source: SourceId, host: HostId, at: Time) {
        self.0.entry(source).or_insert(SourceBacklog {
            host,
            heard: at,
            is_file: false,
            first_line: None,
            is_over: false,
        });
    }

    /// A source is a file, which is read from some place on.
    pub(super) fn begin_file(&mut self, source: SourceId) {
        if let Some(backlog) = self.0.get_mut(&source) {
            backlog.is_file = true;
        }
    }

    /// The files of a host have been read to their ends.
    pub(super) fn end_files(&mut self, host: HostId) {
        for backlog in self.0.values_mut() {
            backlog.is_over |= backlog.is_file && backlog.host == host;
        }
    }

    /// Whether a line that comes now is of the backlog of its source.
    pub(super) fn has(&mut self, source: SourceId, line: &Line, now: Duration) -> bool {
        let Some(backlog) = self.0.get_mut(&source).filter(|backlog| !backlog.is_over) else {
            return false;
        };
        let first = *backlog.first_line.get_or_insert(now);
        backlog.is_over = !backlog.is_file && now > first + WITHIN;
        !backlog.is_over && line.time < backlog.heard
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::line::ByteSpan;
    use crate::model::time::TimeSource;

    fn line(time: i64) -> Line {
        Line {
            dialect: None,
            stored: None,
            time: Time(time),
            time_from: TimeSource::Stamp,
            cursor: Cursor {
                file: FileId::default(),
                offset: 0,
            },
            continues: false,
            stamp: ByteSpan::default(),
            raw: Bytes::from_static(b"line"),
        }
    }

    const HOST: HostId = HostId(1);
    const FILE: SourceId = SourceId(1);
    const JOURNAL: SourceId = SourceId(2);

    #[test]
    fn what_was_written_before_a_source_was_heard_of_is_its_backlog_until_it_was_read_once() {
        let mut backlogs = Backlogs::default();
        backlogs.hear(FILE, HOST, Time(100));
        backlogs.begin_file(FILE);
        let late = WITHIN * 5;
        assert!(backlogs.has(FILE, &line(40), Duration::ZERO));
        assert!(
            backlogs.has(FILE, &line(50), late),
            "however slow its link is"
        );
        assert!(!backlogs.has(FILE, &line(100), late), "news");
        backlogs.end_files(HostId(2));
        assert!(backlogs.has(FILE, &line(60), late), "another host was read");
        backlogs.end_files(HOST);
        assert!(
            !backlogs.has(FILE, &line(60), late),
            "news of a host whose clock is slow"
        );
        backlogs.hear(FILE, HOST, Time(900));
        assert!(
            !backlogs.has(FILE, &line(800), late),
            "what it wrote while it was not connected is late"
        );
    }

    #[test]
    fn the_backlog_of_a_program_is_over_soon_after_its_first_line() {
        let mut backlogs = Backlogs::default();
        backlogs.hear(JOURNAL, HOST, Time(100));
        let begun = Duration::from_secs(60);
        assert!(backlogs.has(JOURNAL, &line(40), begun));
        backlogs.end_files(HOST);
        assert!(backlogs.has(JOURNAL, &line(40), begun + WITHIN));
        assert!(!backlogs.has(JOURNAL, &line(40), begun + WITHIN * 2));
        assert!(!backlogs.has(JOURNAL, &line(40), begun), "and stays over");
        assert!(!backlogs.has(SourceId(9), &line(40), begun), "unknown");
    }
}
