//! Hits with the lines around them: no line twice, and where one group goes on with another.

use std::collections::{BTreeMap, VecDeque};

use crate::model::cursor::Cursor;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::query::request::SearchHit;
use crate::query::{MatchInput, Query};
use crate::stages::SourceName;

/// Lines that are remembered as printed: more than two groups with the largest context have.
const REMEMBERED: usize = 4096;

/// What was printed last: lines of one source.
#[derive(Debug, Default)]
pub(super) struct HitGroups {
    of: Option<(HostId, String)>,
    /// Where each line begins, and where the next one would.
    known: BTreeMap<Key, Key>,
    order: VecDeque<Key>,
}

type Key = (u64, u64, u64);

/// A hit, with the lines before and after it.
#[derive(Debug)]
pub(super) struct HitLines {
    pub(super) before: Vec<FleetLine>,
    pub(super) line: FleetLine,
    pub(super) after: Vec<FleetLine>,
}

impl HitLines {
    /// Of a host. Its source is known by its name and has no number.
    pub(super) fn new(host: HostId, hit: SearchHit) -> Self {
        let of_host = |line| FleetLine::new(host, SourceId(0), line);
        Self {
            before: hit.before.into_iter().map(of_host).collect(),
            line: of_host(hit.line),
            after: hit.after.into_iter().map(of_host).collect(),
        }
    }
}

/// Lines to be printed.
#[derive(Debug)]
pub(super) struct HitGroup<'r> {
    /// It does not go on with what was printed last.
    pub(super) apart: bool,
    /// Lines, and whether each is a hit.
    pub(super) lines: Vec<(&'r FleetLine, bool)>,
}

impl HitGroups {
    /// The lines of a hit that have not been printed. A line around it that is a hit too is printed
    /// as one, and not again when it comes itself.
    pub(super) fn arrange<'r>(
        &mut self,
        name: SourceName<'_>,
        query: &Query,
        hit: &'r HitLines,
    ) -> HitGroup<'r> {
        let HitLines {
            before,
            line,
            after,
        } = hit;
        let first = self.of.is_none();
        self.go_to(line.host, name.source);
        let cursor = line.content.cursor;
        let all: Vec<&FleetLine> = before.iter().chain([line]).chain(after).collect();
        let apart = !first && !self.touches(&all);
        let new = all.into_iter().filter(|line| self.remember(line));
        let lines = new.map(|line| {
            let is_hit = line.content.cursor == cursor || query.matches(&input(name, line));
            (line, is_hit)
        });
        HitGroup {
            apart,
            lines: lines.collect(),
        }
    }

    /// Forgets what was printed of another source.
    fn go_to(&mut self, host: HostId, source: &str) {
        let is_same = |(of, known): &(HostId, String)| *of == host && known == source;
        if !self.of.as_ref().is_some_and(is_same) {
            self.of = Some((host, source.to_owned()));
            self.known.clear();
            self.order.clear();
        }
    }

    /// Whether lines overlap those that were printed, or follow them or go before them at once.
    fn touches(&self, lines: &[&FleetLine]) -> bool {
        let overlap = lines
            .iter()
            .any(|line| self.known.contains_key(&key(line.content.cursor)));
        let follow = lines.first().is_some_and(|line| {
            self.known
                .values()
                .any(|end| *end == key(line.content.cursor))
        });
        overlap
            || follow
            || lines
                .last()
                .is_some_and(|line| self.known.contains_key(&end(line)))
    }

    /// Whether a line is new.
    fn remember(&mut self, line: &FleetLine) -> bool {
        let at = key(line.content.cursor);
        if self.known.insert(at, end(line)).is_some() {
            return false;
        }
        self.order.push_back(at);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

fn input<'r>(name: SourceName<'r>, line: &'r FleetLine) -> MatchInput<'r> {
    MatchInput {
        host: name.host,
        source: name.source,
        time: line.content.time,
        dialect: line.content.dialect.as_deref(),
        raw: &line.content.raw,
    }
}

fn key(cursor: Cursor) -> Key {
    (cursor.file.dev, cursor.file.ino, cursor.offset)
}

/// Where the line after it begins, unless lines end in two bytes: then a separator too many is
/// printed.
fn end(line: &FleetLine) -> Key {
    let (dev, ino, offset) = key(line.content.cursor);
    (dev, ino, offset + line.content.stored().len() as u64 + 1)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::cursor::FileId;
    use crate::model::line::{ByteSpan, Line, LineOrder};
    use crate::model::time::{Time, TimeSource};
    use crate::query::ReferenceTime;

    const NAME: SourceName<'static> = SourceName {
        host: "web-1",
        source: "app",
    };

    /// Lines of two letters; `x…` are hits.
    fn log(lines: &str) -> Vec<FleetLine> {
        let record = |(n, text): (u64, &str)| FleetLine {
            host: HostId(0),
            source: SourceId(0),
            order: LineOrder::InOrder,
            content: Line {
                time: Time(0),
                time_from: TimeSource::Stamp,
                cursor: Cursor {
                    file: FileId { dev: 1, ino: 1 },
                    offset: n * 3,
                },
                continues: false,
                dialect: None,
                stamp: ByteSpan::default(),
                raw: Bytes::copy_from_slice(text.as_bytes()),
                stored: None,
            },
        };
        (0..).zip(lines.split(' ')).map(record).collect()
    }

    /// What is printed of the hits at these places, each with a line before and after it.
    fn printed(lines: &str, hits: &[usize]) -> String {
        let (log, mut groups) = (log(lines), HitGroups::default());
        let query = Query::parse("x", &ReferenceTime::default()).expect("a query");
        let mut out = String::new();
        for &hit in hits {
            let lines = HitLines {
                before: log[hit.saturating_sub(1)..hit].to_vec(),
                line: log[hit].clone(),
                after: log[hit + 1..(hit + 2).min(log.len())].to_vec(),
            };
            let group = groups.arrange(NAME, &query, &lines);
            out += if group.apart { "-- " } else { "" };
            for (line, is_hit) in group.lines {
                out += &format!(
                    "{}{} ",
                    if is_hit { ":" } else { "-" },
                    String::from_utf8_lossy(&line.content.raw)
                );
            }
        }
        out
    }

    #[test]
    fn groups_that_touch_are_one_and_no_line_is_printed_twice() {
        assert_eq!(
            printed("a1 x2 x3 b4 c5 d6 x7", &[1, 2, 6]),
            "-a1 :x2 :x3 -b4 -- -d6 :x7 "
        );
        assert_eq!(
            printed("a1 x2 b3 c4 x5 d6", &[1, 4]),
            "-a1 :x2 -b3 -c4 :x5 -d6 "
        );
    }

    #[test]
    fn the_newest_first_groups_touch_too() {
        assert_eq!(
            printed("a1 x2 b3 x4 c5 d6 e7 x8", &[7, 3, 1]),
            "-e7 :x8 -- -b3 :x4 -c5 -a1 :x2 "
        );
    }
}
