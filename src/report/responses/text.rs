//! Responses as text: sources, groups of hits, counts, costs, and the summary.

use std::io::{self, Write};
use std::time::Duration;

use super::groups::HitGroup;
use super::shape::ResponseShape;
use crate::model::cursor::LineRef;
use crate::model::line::FleetLine;
use crate::model::log_file::LogFile;
use crate::model::source::SourceInfo;
use crate::model::text::SafeText;
use crate::query::Query;
use crate::query::request::RequestCost;
use crate::report::Outcome;
use crate::report::json::kind;
use crate::report::table::{PageEnds, ReadTotals, ReportRow};
use crate::report::text::{DIM, TextStyle, YELLOW, counted, of_hosts};
use crate::stages::SourceName;

/// What a line is among those around it, as `grep` marks them.
#[derive(Debug, Clone, Copy)]
pub(super) enum LineMark<'q> {
    /// It was asked for; what this query finds in it is highlighted.
    Hit(Option<&'q Query>),
    /// It is near one that was.
    Context,
}

impl LineMark<'_> {
    /// Of a line among those around the one at `place`, which may be in another file by now, at the
    /// same offset of its text: compressed.
    pub(super) fn around(place: &LineRef, line: &FleetLine) -> Self {
        let content = &line.content;
        let is_it = content.cursor.offset == place.cursor.offset && place.fits(content.stored());
        if is_it {
            Self::Hit(None)
        } else {
            Self::Context
        }
    }
}

impl TextStyle {
    /// A source, and below it its files, the newest first.
    pub(super) fn source(
        &self,
        out: &mut impl Write,
        host: &str,
        info: &SourceInfo,
        files: &[LogFile],
    ) -> io::Result<()> {
        let size_on_host = size(files.iter().map(|file| file.size).sum());
        let what = match (&info.problem, files.len()) {
            (Some(problem), _) => self.paint(YELLOW, SafeText::new(problem).as_str()),
            (None, 0) => SafeText::new(kind(&info.path)).as_str().to_owned(),
            (None, 1) => size_on_host,
            (None, many) => format!("{size_on_host} in {many} files"),
        };
        let source = &info.name;
        let place = self.place(SourceName { host, source });
        let path = self.paint(DIM, SafeText::new(&info.path).as_str());
        writeln!(out, "{place}  {what}  {path}")?;
        files
            .iter()
            .rev()
            .try_for_each(|file| writeln!(out, "{}", self.file(file)))
    }

    fn file(&self, file: &LogFile) -> String {
        let bytes = size(file.size);
        let packing = file.compression.as_str();
        let modified = self.clock(file.modified);
        let path = SafeText::from_bytes(&file.path);
        format!("    {bytes:>10}  {packing:6}  {modified}  {path}")
    }

    /// The lines of a hit, as `grep` marks them.
    pub(super) fn group(
        &self,
        out: &mut impl Write,
        name: SourceName<'_>,
        group: &HitGroup<'_>,
        marks: &Query,
    ) -> io::Result<()> {
        if group.apart {
            writeln!(out, "{}", self.paint(DIM, "--"))?;
        }
        group.lines.iter().try_for_each(|&(line, is_hit)| {
            let mark = match is_hit {
                true => LineMark::Hit(Some(marks)),
                false => LineMark::Context,
            };
            self.marked(out, name, line, mark)
        })
    }

    /// A line with a mark after its source.
    pub(super) fn marked(
        &self,
        out: &mut impl Write,
        name: SourceName<'_>,
        line: &FleetLine,
        mark: LineMark<'_>,
    ) -> io::Result<()> {
        let head = self.head(line.content.time, name);
        let (sign, found) = match mark {
            LineMark::Hit(found) => (':', found),
            LineMark::Context => ('-', None),
        };
        writeln!(out, "{head}{sign} {}", self.content(line, found))
    }

    pub(super) fn cost(
        &self,
        out: &mut impl Write,
        name: SourceName<'_>,
        cost: &RequestCost,
    ) -> io::Result<()> {
        writeln!(out, "{}  reads {}", self.place(name), size(cost.bytes))?;
        for (path, bytes) in &cost.files {
            writeln!(out, "    {:>10}  {}", size(*bytes), SafeText::new(path))?;
        }
        if cost.commands.is_empty() && !cost.files.is_empty() {
            writeln!(out, "    read by this program itself")?;
        }
        cost.commands
            .iter()
            .try_for_each(|command| writeln!(out, "    $ {}", SafeText::new(command)))
    }
}

/// A note, as a line.
pub(super) fn note(name: SourceName<'_>, text: &str) -> String {
    let [host, source, text] = [name.host, name.source, text].map(SafeText::new);
    format!("{host} {source}: {text}\n")
}

/// How to go on from a page, as a line.
pub(super) fn page_ends(host: &str, page: &PageEnds) -> String {
    let [host, source] = [host, &page.source].map(SafeText::new);
    format!(
        "{host} {source}: go on with --after {}, back with --backwards --cursor {}\n",
        page.last, page.first
    )
}

/// What the last line of a report says.
pub(super) struct ResponseSummary<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) rows: &'a [ReportRow<'a>],
    pub(super) shape: &'a ResponseShape,
    pub(super) totals: &'a ReadTotals,
    pub(super) lines_in_chart: u64,
    pub(super) elapsed: Duration,
}

impl ResponseSummary<'_> {
    /// `2/3 hosts · 1 timeout · 12 hits · 12.4 MiB looked at · 0.8 s`, as a line.
    pub(super) fn line(&self) -> String {
        let mut parts = of_hosts(self.outcome, self.rows);
        parts.extend(self.found());
        let gaps = self.outcome.gaps;
        parts.extend((gaps > 0).then(|| counted(gaps, "gap")));
        parts.extend((self.totals.more == Some(true)).then(|| "there is more".to_owned()));
        let scanned = self.totals.scanned.filter(|scanned| *scanned > 0);
        parts.extend(scanned.map(|scanned| format!("{} looked at", size(scanned))));
        parts.push(format!("{:.1} s", self.elapsed.as_secs_f64()));
        parts.join(" · ") + "\n"
    }

    fn found(&self) -> Option<String> {
        match self.shape {
            ResponseShape::Hits { .. } => Some(counted(self.outcome.hits, "hit")),
            ResponseShape::Lines | ResponseShape::Around(_) => {
                Some(counted(self.outcome.lines, "line"))
            }
            ResponseShape::Buckets { .. } => Some(counted(self.lines_in_chart, "line")),
            ResponseShape::Sources | ResponseShape::Costs => None,
        }
    }
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut number, mut unit) = (bytes as f64 / 1024.0, 0);
    while number >= 1023.95 && unit + 1 < UNITS.len() {
        (number, unit) = (number / 1024.0, unit + 1);
    }
    format!("{number:.1} {}", UNITS[unit])
}
