//! Filling a gap of a pane with the bytes that its host may still have.

use std::sync::Arc;

use super::App;
use super::actions::{Action, ActionInfo, LogAction};
use super::pending_requests::{PendingRequest, RequestPurpose};
use super::tree::PaneId;
use crate::model::cursor::{FileId, LineRef};
use crate::model::gap::Gap;
use crate::model::source::SourceId;
use crate::query::gap_fill::{FillOutcome, GapBoundary, GapFill};
use crate::query::request::{MissingBytes, RequestKind};
use crate::scrollback::{Ring, RingEntry, Seq};

/// Lines that are asked for to fill a gap.
const GAP_LINES: u32 = 20_000;

impl App {
    /// Asks for the bytes of the gap under the cursor.
    pub(super) fn fill_gap(&mut self) {
        let id = self.panes.focus;
        let Some(pane) = self.panes.get(id) else {
            return;
        };
        let Some((seq, RingEntry::Gap(gap))) = pane.entry(&self.scrollback) else {
            let key = ActionInfo::of(Action::Log(LogAction::Fill))
                .map(ActionInfo::key)
                .unwrap_or_default();
            return self.say(format!(
                "{key} reads the missing bytes of a gap: put the cursor on one"
            ));
        };
        let gap = Arc::clone(gap);
        let ring = pane.rows(&self.scrollback).ring(seq);
        let Some(before) = line_before(ring, seq, gap.source) else {
            return self
                .say("no line before the gap is held any more from which it could be found");
        };
        let Some(names) = self.name_of(gap.source) else {
            return;
        };
        let page = GapFill::new(before, GapBoundary::Response).page(GAP_LINES);
        self.scrollback.explain_gap(&gap, "asking the host …");
        self.panes.close_record();
        self.send(
            gap.host,
            names,
            RequestKind::Page(page),
            RequestPurpose::Gap(id, seq, gap),
        );
    }

    /// The host has answered: the lines up to the one after the gap take its place.
    pub(super) fn finish_gap(&mut self, id: PaneId, seq: Seq, gap: &Gap, pending: PendingRequest) {
        let Some(pane) = self.panes.get(id) else {
            return;
        };
        match FilledGap::of(pane.rows(&self.scrollback).ring(seq), seq, gap, pending) {
            Ok(filled) => {
                self.scrollback
                    .note_filled(gap.source, &filled.lines, filled.file_after);
                self.fill(id, seq, filled.lines);
            }
            Err(why) => {
                self.scrollback.explain_gap(gap, &why);
                self.say(format!("the gap stays: {why}"));
            }
        }
    }

    fn fill(&mut self, id: PaneId, seq: Seq, lines: Vec<RingEntry>) {
        let count = lines.len();
        if seq.is_live() {
            let by = self.scrollback.fill(seq, lines);
            for pane in self.panes.logs.values_mut() {
                pane.renumber(seq, by, &self.scrollback);
            }
            self.seek = None;
            self.panes.close_record();
        } else if let Some(pane) = self.panes.get_mut(id) {
            pane.fill_window(seq, lines);
        }
        self.say(format!("{count} lines were still on the host"));
    }
}

/// What takes the place of a gap.
struct FilledGap {
    lines: Vec<RingEntry>,
    /// The file of the line after the gap.
    file_after: Option<FileId>,
}

impl FilledGap {
    /// What an answer has for a gap, or why it has nothing.
    fn of(ring: &Ring, seq: Seq, gap: &Gap, pending: PendingRequest) -> Result<Self, String> {
        let is_there = matches!(ring.get(seq), Some(RingEntry::Gap(there)) if **there == *gap);
        let before = line_before(ring, seq, gap.source)
            .filter(|_| is_there)
            .ok_or("its place is not held any more")?;
        let after = line_after(ring, seq, gap.source);
        let boundary = after.map_or(GapBoundary::Response, GapBoundary::Line);
        let lines = missing(pending.entries, before, boundary)
            .map_err(|why| pending.failed.unwrap_or_else(|| why.to_owned()))?;
        Ok(Self {
            lines,
            file_after: after.map(|place| place.cursor.file),
        })
    }
}

/// What belongs in a gap, of what follows the line before it.
fn missing(
    mut entries: Vec<RingEntry>,
    before: LineRef,
    boundary: GapBoundary,
) -> Result<Vec<RingEntry>, &'static str> {
    let mut fill = GapFill::new(before, boundary);
    let had_none = entries.is_empty();
    let taken = entries
        .iter()
        .take_while(|entry| belongs(&mut fill, entry))
        .count();
    entries.truncate(taken);
    if matches!(boundary, GapBoundary::Line(_)) {
        entries.retain(|entry| entry.line().is_some());
    }
    fill.page_ends(false);
    match fill.outcome() {
        Some(FillOutcome::Whole) if !entries.is_empty() => Ok(entries),
        Some(FillOutcome::StartGone) => Err("the line before the gap is gone from the host, too"),
        Some(FillOutcome::Whole) => Err("the bytes are not on the host any more"),
        _ if had_none => Err("the bytes are not on the host any more"),
        _ => Err("what the host has there does not lead to the line after the gap"),
    }
}

/// Whether a row of the answer takes the place of the gap.
fn belongs(fill: &mut GapFill, entry: &RingEntry) -> bool {
    match entry {
        RingEntry::Line(line) => fill.takes(&line.content),
        RingEntry::Gap(gap) => fill.misses(&MissingBytes {
            from: gap.from,
            to: gap.to,
            reason: gap.reason,
        }),
        RingEntry::Mark(_) => true,
    }
}

/// The nearest line of a source before a number.
fn line_before(ring: &Ring, seq: Seq, source: SourceId) -> Option<LineRef> {
    let mut lines = ring.back_from(seq).filter_map(RingEntry::line);
    let found = lines.find(|line| line.source == source)?;
    Some(found.content.place())
}

/// The nearest line of a source after a number.
fn line_after(ring: &Ring, seq: Seq, source: SourceId) -> Option<LineRef> {
    let (_, found) = ring.lines_from(seq.next(), source).next()?;
    Some(found.content.place())
}
