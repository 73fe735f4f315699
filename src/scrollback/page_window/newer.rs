//! The newer end of a window that is apart from the ring: its rows are put in order, up to where
//! the ring goes on.

use super::super::{Lens, Scrollback, Seq};
use super::stream::{Side, SourceStream, StreamState};
use super::{From, PageWindow, awaited_rows, next_rows, order_of};
use crate::model::source::SourceId;

impl PageWindow {
    /// Puts in order, at the newer end of a window that is apart, what may be; at most so many
    /// rows. Joins the ring where it is reached.
    pub fn merge_newer(&mut self, scrollback: &Scrollback, lens: &Lens, most: usize) {
        if self.joined.is_some() {
            return;
        }
        for _ in 0..most {
            self.pass_over(scrollback, lens);
            if self.reaches_ring() {
                self.join(scrollback);
                return;
            }
            let Some((source, from)) = self.next_newer(scrollback, lens) else {
                return;
            };
            let Some(entry) = self.take_row(source, from, Side::Newer, scrollback) else {
                return;
            };
            self.push_newest(entry);
            if let From::Live(seq) = from {
                self.climb = seq.next();
            }
        }
    }

    /// Passes over rows of the ring that are in the window or before it.
    fn pass_over(&mut self, scrollback: &Scrollback, lens: &Lens) {
        let first = scrollback.ring().first();
        for stream in self.streams.values_mut() {
            // What was to be taken from the ring has left it: the host is asked again.
            if stream
                .resume
                .is_some_and(|resume| resume.max(self.climb) < first)
            {
                stream.resume = None;
                stream.newer.state = StreamState::Open;
            }
        }
        self.climb = self.climb.max(first);
        self.pass_over_known(scrollback, lens);
        let resumes: Option<Vec<Seq>> = self
            .streams
            .values()
            .map(|stream| stream.resume.filter(|_| stream.newer.ahead.is_empty()))
            .collect();
        // Rows of the ring that are not shown need not be waited for.
        let top = resumes
            .and_then(|resumes| resumes.into_iter().max())
            .unwrap_or(Seq::NOTICE);
        if self.foot(lens).is_none_or(|foot| foot >= top) {
            self.climb = self.climb.max(top);
        }
    }

    fn pass_over_known(&mut self, scrollback: &Scrollback, lens: &Lens) {
        while let Some(seq) = self.foot(lens) {
            let Some(entry) = scrollback.ring().get(seq) else {
                return;
            };
            let stream = entry
                .origin()
                .and_then(|(_, source)| self.streams.get(&source));
            let is_past = match stream {
                None => self
                    .streams
                    .values()
                    .any(|stream| stream.resume.is_some_and(|resume| resume > seq)),
                Some(stream) => stream
                    .resume
                    .map_or_else(|| stream.has_had(entry), |resume| resume > seq),
            };
            if !is_past {
                return;
            }
            self.climb = seq.next();
        }
    }

    fn foot(&self, lens: &Lens) -> Option<Seq> {
        lens.get(lens.index_of(self.climb))
    }

    fn reaches_ring(&self) -> bool {
        let joins = |stream: &SourceStream| {
            stream.resume.is_some_and(|seq| seq <= self.climb) && stream.newer.ahead.is_empty()
        };
        self.streams.values().all(joins)
    }

    fn join(&mut self, scrollback: &Scrollback) {
        self.joined = Some(self.climb.max(scrollback.ring().first()));
        for stream in self.streams.values_mut() {
            // What is older is known by the rows of the window, and the ring before it is not put
            // in order again.
            (stream.resume, stream.first_live) = (None, None);
        }
        self.reach = Seq::NOTICE;
    }

    /// The oldest row that comes after the window, unless a stream that has to be asked may have
    /// one that is older.
    fn next_newer(&self, scrollback: &Scrollback, lens: &Lens) -> Option<(SourceId, From)> {
        let mut live = None;
        let mut wall = None;
        if let Some(seq) = self.foot(lens) {
            let order = order_of(&self.streams, scrollback.ring().get(seq)?);
            if self.follows_stream(order.source) {
                live = Some((order, From::Live(seq)));
            } else {
                // Behind it, rows of other sources wait that are in the ring. Its own stream may
                // have that very row.
                wall = Some(order);
            }
        }
        let rows = next_rows(self.streams.iter(), Side::Newer);
        let (order, from) = rows.chain(live).min()?;
        let bar = awaited_rows(self.streams.iter(), Side::Newer, self.split).min();
        let is_first = bar.is_none_or(|bar| order < bar) && wall.is_none_or(|wall| order <= wall);
        is_first.then_some((order.source, from))
    }

    /// Whether the ring goes on where the stream of a source ends, with nothing between.
    fn follows_stream(&self, source: SourceId) -> bool {
        self.streams
            .get(&source)
            .is_none_or(|stream| stream.resume.is_some() && stream.newer.ahead.is_empty())
    }
}
