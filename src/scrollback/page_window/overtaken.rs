//! Sources that are not waited for any more: the rows of others have gone past theirs, which are put
//! between them when they come.
//!
//! A host that is slow to answer must not keep what the others have from the screen. Such a source
//! is asked on until what it has reaches the end of the window; then it is one like the others.

use std::collections::BTreeSet;

use super::super::{Renumbering, RingEntry};
use super::stream::{Side, SourceStream, StreamState, is_due, position_of};
use super::{MissingPage, PageWindow, order_of};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::scrollback::Lens;

impl PageWindow {
    /// Whether rows that are there wait for a page that has not come.
    #[must_use]
    pub fn is_held_up(&self, side: Side, lens: &Lens) -> bool {
        let head = self.head(lens);
        let streams = || self.streams.values();
        let is_wanted = |stream: &&SourceStream| side == Side::Newer || is_due(stream, head);
        let is_open = side == Side::Older || self.joined.is_none();
        is_open
            && streams()
                .filter(is_wanted)
                .any(|stream| stream.queue(side).is_awaited())
    }

    /// Goes on without the sources that are waited for.
    pub fn overtake(&mut self, side: Side, lens: &Lens) {
        let head = self.head(lens);
        for stream in self.streams.values_mut() {
            if side == Side::Newer || is_due(stream, head) {
                let queue = stream.queue_mut(side);
                queue.is_overtaken |= queue.is_awaited();
            }
        }
    }

    /// Pages of sources that others have gone past: those are wanted wherever the operator looks.
    #[must_use]
    pub fn overtaken_requests(&self, side: Side) -> Vec<MissingPage> {
        let wanted = self.streams.iter().filter(|(_, stream)| {
            let queue = stream.queue(side);
            queue.is_overtaken && queue.needs_page()
        });
        wanted
            .map(|(&source, stream)| self.request(source, stream, side))
            .collect()
    }

    /// Hosts whose rows may be missing between those that are there, and whether they are still
    /// waited for.
    #[must_use]
    pub fn missing_hosts(&self) -> (BTreeSet<HostId>, BTreeSet<HostId>) {
        let mut waited = BTreeSet::new();
        let mut failed = BTreeSet::new();
        for stream in self.streams.values() {
            for queue in [&stream.older, &stream.newer] {
                match queue.state {
                    StreamState::Failed(_) => failed.insert(stream.host),
                    StreamState::Open | StreamState::Asked if queue.is_overtaken => {
                        waited.insert(stream.host)
                    }
                    _ => continue,
                };
            }
        }
        waited.retain(|host| !failed.contains(host));
        (waited, failed)
    }

    /// Takes in a page, in the order in which it waits, of a source that others have gone past: its
    /// rows that belong between those of the window go there, and the rest is returned. `None` where
    /// rows belong beyond the other end, which was given up in the meantime.
    pub(super) fn take_overtaken(
        &mut self,
        source: SourceId,
        side: Side,
        page: Vec<RingEntry>,
    ) -> Option<Vec<RingEntry>> {
        let Some((first, last)) = self.ends() else {
            return Some(page);
        };
        let is_beyond = |entry: &RingEntry| match side {
            Side::Older => order_of(&self.streams, entry) < order_of(&self.streams, first),
            Side::Newer => order_of(&self.streams, entry) > order_of(&self.streams, last),
        };
        let is_lost = |entry: &RingEntry| match side {
            Side::Older => {
                self.is_cut_newer && order_of(&self.streams, entry) > order_of(&self.streams, last)
            }
            Side::Newer => {
                self.is_cut_older && order_of(&self.streams, entry) < order_of(&self.streams, first)
            }
        };
        let within = page.iter().take_while(|entry| !is_beyond(entry)).count();
        if page.iter().take(within).any(is_lost) {
            return None;
        }
        let mut within_rows = page;
        let beyond = within_rows.split_off(within);
        if side == Side::Older {
            within_rows.reverse();
        }
        self.weave(source, side, within_rows);
        Some(beyond)
    }

    fn ends(&self) -> Option<(&RingEntry, &RingEntry)> {
        let first = self.rows.get(self.rows.first())?;
        let last = self.rows.get(self.rows.end().previous())?;
        Some((first, last))
    }

    /// Puts rows of a source, oldest first, between those that are there.
    fn weave(&mut self, source: SourceId, side: Side, rows: Vec<RingEntry>) {
        let (oldest, newest) = (
            rows.iter().find_map(position_of),
            rows.iter().rev().find_map(position_of),
        );
        if rows.is_empty() {
            return;
        }
        let own = self
            .streams
            .get(&source)
            .and_then(|stream| stream.first_row);
        let own = own.filter(|&seq| side == Side::Older && self.rows.get(seq).is_some());
        let before = own.unwrap_or(self.rows.end()).rows_after(self.rows.first());
        let streams = &self.streams;
        let may_pass = |there: &RingEntry, row: &RingEntry| {
            there.origin() != row.origin() && order_of(streams, there) > order_of(streams, row)
        };
        let woven = self.rows.weave(before, rows, may_pass);
        self.follow_woven(&woven);
        let first_row = woven.first_inserted();
        if let Some(stream) = self.streams.get_mut(&source) {
            if side == Side::Older || stream.first_row.is_none() {
                stream.first_row = first_row.or(stream.first_row);
                stream.oldest = oldest.or(stream.oldest);
            }
            if side == Side::Newer || stream.newest.is_none() {
                stream.newest = newest.or(stream.newest);
            }
        }
        self.woven.push(woven);
    }

    fn follow_woven(&mut self, woven: &Renumbering) {
        for stream in self.streams.values_mut() {
            stream.first_row = stream.first_row.map(|seq| woven.of(seq));
        }
        for (_, to) in &mut self.moved {
            *to = woven.of(*to);
        }
    }

    /// What has become of the numbers of its rows since the last time, in that order.
    pub fn take_woven(&mut self) -> Vec<Renumbering> {
        std::mem::take(&mut self.woven)
    }
}
