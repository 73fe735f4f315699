//! Requests of the console to hosts that are not answered yet, and what has come of each answer.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use super::tree::PaneId;
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::{FleetLine, Line};
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::request::{LogResponse, MissingBytes, PageStart, SearchHit};
use crate::scrollback::{MissingPage, Renumbering, RingEntry, Seq, Side};

/// An answer of more bytes is cut off.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// Names a request of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// The sources that a request is about, by the names that their host knows.
pub(super) type SourceNames = BTreeMap<Arc<str>, SourceId>;

/// What a request is for.
#[derive(Debug, Clone)]
pub(super) enum RequestPurpose {
    /// Rows at an end of a pane's window.
    Page(WindowPage),
    /// A match beyond what a pane has.
    Search(PaneId),
    /// The bytes of a gap.
    Gap(PaneId, Seq, Arc<Gap>),
}

impl RequestPurpose {
    pub(super) fn pane(&self) -> PaneId {
        match self {
            Self::Page(page) => page.pane,
            Self::Search(pane) | Self::Gap(pane, ..) => *pane,
        }
    }
}

/// A page for the window of a pane.
#[derive(Debug, Clone)]
pub(super) struct WindowPage {
    pub(super) pane: PaneId,
    pub(super) request: MissingPage,
    /// How many lines or hits were asked for.
    pub(super) limit: u64,
    /// For which of the pane's windows.
    pub(super) window_number: u32,
}

/// The requests that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct PendingRequests {
    next: u64,
    pub(super) pending: BTreeMap<AskId, PendingRequest>,
}

impl PendingRequests {
    /// Remembers a request.
    pub(super) fn add(&mut self, request: PendingRequest) -> AskId {
        let id = AskId(self.next);
        self.next += 1;
        self.pending.insert(id, request);
        id
    }

    /// Gaps that are asked for stay the same where rows have other numbers.
    pub(super) fn follow_woven(&mut self, renumbering: &Renumbering) {
        for pending in self.pending.values_mut() {
            if let RequestPurpose::Gap(_, seq, _) = &mut pending.purpose {
                *seq = renumbering.of_live(*seq);
            }
        }
    }

    /// Those for which this holds.
    pub(super) fn ids(&self, is_meant: impl Fn(&PendingRequest) -> bool) -> Vec<AskId> {
        let meant = self.pending.iter().filter(|(_, pending)| is_meant(pending));
        meant.map(|(id, _)| *id).collect()
    }

    /// When the first of them is given up.
    pub(super) fn until(&self) -> Option<Time> {
        self.pending.values().map(|pending| pending.until).min()
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub(super) purpose: RequestPurpose,
    pub(super) host: HostId,
    names: SourceNames,
    /// When it is given up.
    pub(super) until: Time,
    pub(super) entries: Vec<RingEntry>,
    bytes: usize,
    pub(super) failed: Option<String>,
    /// How much the host has read for it.
    pub(super) bytes_read: u64,
}

impl PendingRequest {
    pub(super) fn new(
        purpose: RequestPurpose,
        host: HostId,
        names: SourceNames,
        until: Time,
    ) -> Self {
        Self {
            purpose,
            host,
            names,
            until,
            entries: Vec::new(),
            bytes: 0,
            failed: None,
            bytes_read: 0,
        }
    }

    /// Keeps a part of an answer; false when it is too much.
    pub(super) fn take_in(&mut self, reply: LogResponse) -> bool {
        match reply {
            LogResponse::Lines(name, lines) => self.add(&name, lines),
            LogResponse::Hits(name, hits) => {
                let lines = hits
                    .into_iter()
                    .flat_map(|hit| self.lines_of(hit))
                    .collect();
                self.add(&name, lines);
            }
            LogResponse::Gap(name, missing) => self.add_gap(&name, &missing),
            LogResponse::Failed(name, why) if name.is_empty() || self.names.contains_key(&name) => {
                self.failed.get_or_insert(why);
            }
            LogResponse::Progress(done, _) => self.bytes_read = done,
            _ => {}
        }
        self.bytes <= MOST_BYTES
    }

    /// The lines of a record that was found, in the order of the answer: the newest first where
    /// that is what was asked for.
    fn lines_of(&self, hit: SearchHit) -> Vec<Line> {
        let RequestPurpose::Page(WindowPage { request, .. }) = &self.purpose else {
            return vec![hit.line];
        };
        let rest = hit.after.into_iter().take_while(|line| line.continues);
        let mut lines: Vec<Line> = iter::once(hit.line).chain(rest).collect();
        if request.side == Side::Older {
            lines.reverse();
        }
        lines
    }

    fn add(&mut self, name: &Arc<str>, lines: Vec<Line>) {
        let Some(&source) = self.names.get(name) else {
            return;
        };
        for line in lines {
            self.bytes += line.raw.len() + size_of::<RingEntry>();
            self.entries
                .push(RingEntry::Line(FleetLine::new(self.host, source, line)));
        }
    }

    fn add_gap(&mut self, name: &Arc<str>, missing: &MissingBytes) {
        let Some(&source) = self.names.get(name) else {
            return;
        };
        let since = self.entries.last().map(RingEntry::time);
        let until = since.unwrap_or(match &self.purpose {
            RequestPurpose::Page(page) => page.request.bound,
            _ => self.until,
        });
        self.entries.push(RingEntry::Gap(Arc::new(Gap {
            host: self.host,
            source,
            from: missing.from,
            to: missing.to,
            reason: missing.reason,
            since,
            until,
        })));
    }

    /// Of what a search has found for a page, keeps what lies on the far side of the line that was
    /// known, in the order of the file.
    pub(super) fn keep_beyond(&mut self, request: &MissingPage) {
        if request.side == Side::Older {
            self.entries.reverse();
        }
        self.entries.retain(|entry| is_beyond(entry, request));
    }
}

/// Whether a line that was found lies on the far side of the one that was known.
fn is_beyond(entry: &RingEntry, request: &MissingPage) -> bool {
    let Some(line) = entry.line() else {
        return true;
    };
    let is_older = request.side == Side::Older;
    let (known, counts) = match request.start {
        PageStart::Cursor(known) => (known, !is_older),
        PageStart::After(known) => (known, false),
        _ => return (line.content.time < request.bound) == is_older,
    };
    let found = line.content.place();
    if found == known {
        return counts;
    }
    if found.cursor.file == known.cursor.file {
        return (found.cursor.offset < known.cursor.offset) == is_older;
    }
    if is_older {
        line.content.time < request.bound
    } else {
        line.content.time > request.bound
    }
}
