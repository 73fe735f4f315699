//! The text form, for people: lines, gaps, a table of the hosts, a summary. Whatever comes from a
//! host goes through [`SafeText`], on a terminal and in a pipe alike. The colours of log lines are
//! rewritten on a terminal, and left out elsewhere.

use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::table::{ReportRow, ReportTable};
use super::{Outcome, clock_text};
use crate::model::gap::Gap;
use crate::model::host::HostSpec;
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::metrics::Sample;
use crate::model::state::LinkState;
use crate::model::text::{
    ColourHandling, MAX_SHOWN_BYTES, MIN_CONTRAST, SafeText, TextColour, TextLook, contrast,
    settled,
};
use crate::model::time::Time;
use crate::parse::level;
use crate::query::Query;
use crate::stages::SourceName;

/// Colours of hosts, given out in turn: those of the basic palette that are readable on light and
/// on dark.
const HOST_COLORS: [&str; 6] = ["36", "35", "32", "34", "33", "96"];

/// Sources with longer names push their lines to the right instead of everybody's.
const MAX_SOURCE_WIDTH: usize = 12;

pub(super) const RED: &str = "31";
pub(super) const YELLOW: &str = "33";
const GREEN: &str = "32";
pub(super) const DIM: &str = "2";
const FOUND: &str = "1;7";

/// How lines are laid out.
pub(super) struct TextStyle {
    color: bool,
    zone: TimeZone,
    today: Date,
    host_width: usize,
    source_width: usize,
    hosts: Vec<String>,
}

impl TextStyle {
    pub(super) fn new(hosts: &[HostSpec], color: bool, zone: TimeZone, today: Date) -> Self {
        let width = |spec: &HostSpec| SafeText::new(spec.name().as_str()).width();
        let host_width = hosts.iter().map(width).max().unwrap_or(0).max("HOST".len());
        let sources = hosts
            .iter()
            .flat_map(|spec| &spec.sources)
            .map(|source| SafeText::new(&source.name).width());
        let source_width = sources.max().unwrap_or(0).min(MAX_SOURCE_WIDTH);
        let hosts = hosts.iter().map(|spec| spec.name().to_string()).collect();
        Self {
            color,
            zone,
            today,
            host_width,
            source_width,
            hosts,
        }
    }

    /// `place` is that of its source.
    pub(super) fn line(
        &self,
        out: &mut impl Write,
        place: &str,
        line: &FleetLine,
    ) -> io::Result<()> {
        let clock = self.clock(line.content.time);
        let content = self.content(line, None);
        [&*clock, " ", place, " ", &*content, "\n"]
            .iter()
            .try_for_each(|part| out.write_all(part.as_bytes()))
    }

    /// A line as people read it, with what a query found in it highlighted.
    pub(super) fn content(&self, line: &FleetLine, marks: Option<&Query>) -> String {
        let level = if self.color { color_of(line) } else { "" };
        let settled = settled(level::without_priority(&line.content.raw));
        let text = SafeText::line(&settled, ColourHandling::Kept, MAX_SHOWN_BYTES);
        let found = marks
            .filter(|_| self.color)
            .map(|query| query.highlights(text.as_str()))
            .unwrap_or_default();
        if found.is_empty() {
            self.paint_looks(level, text)
        } else {
            self.paint_found(level, text.as_str(), &found)
        }
    }

    /// Highlights what was found; the looks of the text would only hide it.
    fn paint_found(&self, color: &str, text: &str, found: &[Range<usize>]) -> String {
        let (mut out, mut at) = (String::with_capacity(text.len() + 16), 0);
        for range in found {
            out += &self.paint(color, &text[at..range.start]);
            out += &self.paint(FOUND, &text[range.clone()]);
            at = range.end;
        }
        out + &self.paint(color, &text[at..])
    }

    pub(super) fn gap(
        &self,
        out: &mut impl Write,
        name: SourceName<'_>,
        gap: &Gap,
    ) -> io::Result<()> {
        let head = self.head(gap.until, name);
        let text = format!("--- gap: {} ---", lost(gap));
        writeln!(out, "{head} {}", self.paint(YELLOW, &text))
    }

    pub(super) fn head(&self, at: Time, name: SourceName<'_>) -> String {
        format!("{} {}", self.clock(at), self.place(name))
    }

    /// The time of day, after the date where that is not today's: the last lines of a quiet log may
    /// be months old.
    pub(super) fn clock(&self, at: Time) -> String {
        clock_text::local(at, &self.zone, Some(self.today))
    }

    /// Date and time of day.
    pub(super) fn full_clock(&self, at: Time) -> String {
        clock_text::local(at, &self.zone, None)
    }

    /// A host and a source, in their columns.
    pub(super) fn place(&self, name: SourceName<'_>) -> String {
        let index = self.hosts.iter().position(|host| host == name.host);
        let color = HOST_COLORS[index.unwrap_or(0) % HOST_COLORS.len()];
        let host = pad(&SafeText::new(name.host), self.host_width);
        let source = pad(&SafeText::new(name.source), self.source_width);
        format!("{} {source}", self.paint(color, &host))
    }

    /// The table of the hosts, then the summary.
    pub(super) fn end(
        &self,
        outcome: &Outcome,
        table: &ReportTable<'_>,
        elapsed: Duration,
    ) -> String {
        self.table(&table.rows) + &self.summary(outcome, table, elapsed)
    }

    /// A row per host, in the order of selection.
    fn table(&self, rows: &[ReportRow<'_>]) -> String {
        let states = rows.iter().map(|row| row.status.state.as_str());
        let state_width = states.chain(["STATE"]).map(str::len).max().unwrap_or(0);
        let host = pad(&SafeText::new("HOST"), self.host_width);
        let state = format!("{:state_width$}", "STATE");
        let head = format!("{host}  {state}   CPU   MEM   LOAD  DISK  REASON");
        let mut table = self.paint(DIM, &head) + "\n";
        for row in rows {
            table += self.row(row, state_width).trim_end();
            table.push('\n');
        }
        table
    }

    fn row(&self, row: &ReportRow<'_>, state_width: usize) -> String {
        let name = pad(&SafeText::new(row.spec.name().as_str()), self.host_width);
        let state = format!("{:state_width$}", row.status.state);
        let state = self.paint(state_color(row.status.state), &state);
        let numbers = match &row.sample {
            Some(sample) => numbers(sample),
            None => numbers(&Sample::default()),
        };
        format!("{name}  {state}  {numbers}  {}", reason(row))
    }

    /// `2/3 hosts · 1 unreachable · 120 lines · 0 gaps · complete to 13:02:11 · 0.8 s`, as a line.
    pub(super) fn summary(
        &self,
        outcome: &Outcome,
        table: &ReportTable<'_>,
        elapsed: Duration,
    ) -> String {
        let mut parts = of_hosts(outcome, &table.rows);
        parts.push(counted(outcome.lines, "line"));
        parts.push(counted(outcome.gaps, "gap"));
        let complete_to = table.ledger.complete_to;
        parts.extend(complete_to.map(|at| format!("complete to {}", self.clock(at))));
        parts.push(format!("{:.1} s", elapsed.as_secs_f64()));
        parts.join(" · ") + "\n"
    }

    /// A text with its looks over a colour. The sequences are written by us, and none of the text's
    /// is passed on.
    fn paint_looks(&self, color: &str, text: SafeText) -> String {
        if !self.color {
            return text.into_string();
        }
        let (text, looks) = (text.as_str(), text.looks());
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, look) in looks {
            out += &self.paint(color, &text[at..range.start]);
            out += &self.paint(&codes(color, look), &text[range.clone()]);
            at = range.end;
        }
        out + &self.paint(color, &text[at..])
    }

    pub(super) fn paint(&self, color: &str, text: &str) -> String {
        if self.color && !color.is_empty() && !text.is_empty() {
            format!("\x1b[{color}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A line for each host that is not well.
pub(super) fn troubles(rows: &[ReportRow<'_>]) -> String {
    let mut lines = String::new();
    for row in rows.iter().filter(|row| row.status.state != LinkState::Ok) {
        let name = SafeText::new(row.spec.name().as_str());
        lines += &format!("{name}: {}: {}\n", row.status.state, reason(row));
    }
    lines
}

/// `2/3 hosts`, `1 unreachable`: how many are up, degraded ones among them, as the console counts
/// them.
pub(super) fn of_hosts(outcome: &Outcome, rows: &[ReportRow<'_>]) -> Vec<String> {
    let up = rows.iter().filter(|row| row.status.state.is_up()).count();
    let mut parts = vec![format!("{up}/{} hosts", outcome.hosts)];
    for state in FAILURES {
        let count = rows.iter().filter(|row| row.status.state == state).count();
        parts.extend((count > 0).then(|| format!("{count} {state}")));
    }
    parts
}

/// What a gap is.
pub(super) fn lost(gap: &Gap) -> String {
    let bytes = match gap.bytes() {
        Some(1) => "1 byte".to_owned(),
        Some(bytes) => format!("{bytes} bytes"),
        None => "an unknown number of bytes".to_owned(),
    };
    format!(
        "{bytes} missing from offset {}: {}",
        gap.from,
        gap.reason.as_str()
    )
}

/// States that the summary counts, in its order.
const FAILURES: [LinkState; 7] = [
    LinkState::Degraded,
    LinkState::Unreachable,
    LinkState::Denied,
    LinkState::Throttled,
    LinkState::Timeout,
    LinkState::HostKeyChanged,
    LinkState::Connecting,
];

pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

/// The colour of the level that a line states.
fn color_of(line: &FleetLine) -> &'static str {
    match level::of_line(line) {
        Some(Level::Error | Level::Fatal) => RED,
        Some(Level::Warn) => YELLOW,
        Some(Level::Trace | Level::Debug) => DIM,
        _ => "",
    }
}

fn state_color(state: LinkState) -> &'static str {
    match state {
        LinkState::Ok => GREEN,
        LinkState::Degraded | LinkState::Connecting | LinkState::Throttled => YELLOW,
        _ => RED,
    }
}

/// CPU, memory, load over one minute, the fullest disk.
fn numbers(sample: &Sample) -> String {
    let cpu = percent(sample.cpu.map(|cpu| cpu.busy_pct));
    let memory = percent(sample.memory.map(|memory| memory.used_pct));
    let load = match sample.load {
        Some(load) => format!("{:6.2}", load.one),
        None => "     -".to_owned(),
    };
    let disk = percent(
        sample
            .disks
            .iter()
            .map(|disk| disk.used_pct)
            .reduce(f64::max),
    );
    format!("{cpu}  {memory} {load}  {disk}")
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "   -".to_owned(), |value| format!("{value:3.0}%"))
}

fn reason(row: &ReportRow<'_>) -> String {
    let mut parts = Vec::new();
    parts.extend(row.status.behind_s.map(behind));
    parts.extend(row.status.reason.clone());
    parts.extend(row.status.hint.clone());
    SafeText::new(&parts.join(" – ")).as_str().to_owned()
}

/// `12 s behind`
pub(super) fn behind(seconds: u64) -> String {
    format!("{seconds} s behind")
}

/// What a look adds to a colour.
fn codes(color: &str, look: TextLook) -> String {
    let attributes = [
        (look.bold, "1"),
        (look.dim, "2"),
        (look.italic, "3"),
        (look.underlined, "4"),
        (look.reversed, "7"),
    ];
    let mut codes: Vec<String> = Vec::new();
    codes.extend((!color.is_empty()).then(|| color.to_owned()));
    let set = attributes.into_iter().filter(|(on, _)| *on);
    codes.extend(set.map(|(_, code)| code.to_owned()));
    codes.extend(colours(look));
    codes.join(";")
}

/// The colours of a look. The terminal's own are not known, so none is set that could be the same.
fn colours(look: TextLook) -> Vec<String> {
    match (look.fg, look.bg) {
        (Some(fg), Some(bg)) if contrast(fg.rgb(), bg.rgb()) >= MIN_CONTRAST => {
            vec![code(fg, 30), code(bg, 40)]
        }
        (Some(fg), None) if !may_vanish(fg) => vec![code(fg, 30)],
        _ => Vec::new(),
    }
}

/// Whether letters of this colour could be like what is behind them on a dark or on a light
/// terminal. The basic colours are made to be read on both, but for black and white.
fn may_vanish(fg: TextColour) -> bool {
    let near = |other| contrast(fg.rgb(), other) < 1.25;
    match fg {
        TextColour::Basic(n) => matches!(n, 0 | 7 | 15),
        TextColour::Indexed(_) | TextColour::Rgb(..) => near((0, 0, 0)) || near((255, 255, 255)),
    }
}

/// A colour as a parameter; `base` is 30 for letters and 40 for what is behind them.
fn code(colour: TextColour, base: u8) -> String {
    match colour {
        TextColour::Basic(n @ 0..8) => (base + n).to_string(),
        TextColour::Basic(n) => (base + 60 + n % 8).to_string(),
        TextColour::Indexed(n) => format!("{};5;{n}", base + 8),
        TextColour::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// By the cells it takes, not by its characters.
pub(super) fn pad(text: &SafeText, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
