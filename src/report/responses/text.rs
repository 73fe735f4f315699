//! Answers as text: sources, groups of hits, counts, costs, and the summary.

use std::io::{self, Write};
use std::time::Duration;

use super::ResponseShape;
use super::groups::Group;
use crate::model::line::FleetLine;
use crate::model::log_file::LogFile;
use crate::model::source::SourceInfo;
use crate::model::text::SafeText;
use crate::query::Query;
use crate::query::request::RequestCost;
use crate::report::Outcome;
use crate::report::json::kind;
use crate::report::table::{Bytes, PageEnds, Row};
use crate::report::text::{DIM, Style, YELLOW, counted};
use crate::stages::SourceName;

/// What a line is among those around it, as `grep` marks them.
#[derive(Debug, Clone, Copy)]
pub(super) enum LineMark<'q> {
    /// It was asked for; what this query finds in it stands out.
    Hit(Option<&'q Query>),
    /// It is near one that was.
    Context,
}

impl Style {
    /// A source, and below it its files, the newest first.
    pub(super) fn source(
        &self,
        out: &mut impl Write,
        host: &str,
        info: &SourceInfo,
        files: &[LogFile],
    ) -> io::Result<()> {
        let bytes = files.iter().map(|file| file.size).sum();
        let path = SafeText::new(&info.path);
        let what = match (&info.problem, files.len()) {
            (Some(problem), _) => self.paint(YELLOW, SafeText::new(problem).as_str()),
            (None, 0) => SafeText::new(kind(&info.path)).as_str().to_owned(),
            (None, 1) => size(bytes),
            (None, many) => format!("{} in {many} files", size(bytes)),
        };
        writeln!(
            out,
            "{}  {what}  {}",
            self.place(host, &info.name),
            self.paint(DIM, path.as_str())
        )?;
        for file in files.iter().rev() {
            let (path, packing) = (SafeText::from_bytes(&file.path), file.compression.as_str());
            writeln!(
                out,
                "    {:>10}  {packing:6}  {}  {path}",
                size(file.size),
                self.clock(file.modified)
            )?;
        }
        Ok(())
    }

    /// The lines of a hit, as `grep` marks them.
    pub(super) fn group(
        &self,
        out: &mut impl Write,
        name: SourceName<'_>,
        group: &Group<'_>,
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
        let head = self.head(line.content.time, name.host, name.source);
        let (sign, found) = match mark {
            LineMark::Hit(found) => (':', found),
            LineMark::Context => ('-', None),
        };
        writeln!(out, "{head}{sign} {}", self.content(line, found))
    }

    pub(super) fn count(&self, out: &mut impl Write, host: &str, hits: u64) -> io::Result<()> {
        writeln!(out, "{}  {hits}", SafeText::new(host))
    }

    pub(super) fn cost(
        &self,
        out: &mut impl Write,
        host: &str,
        source: &str,
        cost: &RequestCost,
    ) -> io::Result<()> {
        writeln!(
            out,
            "{}  reads {}",
            self.place(host, source),
            size(cost.bytes)
        )?;
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

    pub(super) fn note(
        &self,
        out: &mut impl Write,
        host: &str,
        source: &str,
        text: &str,
    ) -> io::Result<()> {
        let [host, source, text] = [host, source, text].map(SafeText::new);
        writeln!(out, "{host} {source}: {text}")
    }

    /// How to go on from a page.
    pub(super) fn page_ends(
        &self,
        out: &mut impl Write,
        host: &str,
        page: &PageEnds,
    ) -> io::Result<()> {
        let [host, source] = [host, &page.source].map(SafeText::new);
        writeln!(
            out,
            "{host} {source}: go on with --after {}, back with --backwards --cursor {}",
            page.last, page.first
        )
    }

    /// `2/3 hosts · 1 timeout · 12 hits · 0 gaps · 12.4 MiB searched · 0.8 s`
    pub(super) fn answered(
        &self,
        out: &mut impl Write,
        (outcome, rows): (&Outcome, &[Row<'_>]),
        shape: &ResponseShape,
        (bytes, in_buckets): (&Bytes, u64),
        elapsed: Duration,
    ) -> io::Result<()> {
        let mut parts = Self::of_hosts(outcome, rows);
        match shape {
            ResponseShape::Hits { .. } => parts.push(counted(outcome.hits, "hit")),
            ResponseShape::Lines | ResponseShape::Around(_) => {
                parts.push(counted(outcome.lines, "line"));
            }
            ResponseShape::Buckets { .. } => parts.push(counted(in_buckets, "line")),
            ResponseShape::Sources | ResponseShape::Costs => {}
        }
        if outcome.gaps > 0 {
            parts.push(counted(outcome.gaps, "gap"));
        }
        if bytes.more == Some(true) {
            parts.push("there is more".to_owned());
        }
        if let Some(scanned) = bytes.scanned.filter(|scanned| *scanned > 0) {
            parts.push(format!("{} looked at", size(scanned)));
        }
        parts.push(format!("{:.1} s", elapsed.as_secs_f64()));
        writeln!(out, "{}", parts.join(" · "))
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
