//! The ring: the last lines of the fleet in the order in which they are shown, within a budget of bytes.
//!
//! Every entry has a number that it keeps for ever, so a view can name a line whose neighbours have been forgotten. The
//! lines of a record know their neighbours in it, between which lines of other sources may stand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::model::{Gap, HostId, Record, SourceId, Time};

/// One row of the merged log.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A line.
    Record(Record),
    /// Bytes that are missing here.
    Gap(Arc<Gap>),
    /// A line drawn by the operator.
    Mark(Mark),
}

/// A line drawn by the operator, to tell what came after a moment from what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Counted from 1.
    pub number: u32,
    /// When it was drawn.
    pub time: Time,
}

impl Entry {
    /// Whose it is; `None` for marks, which belong to all.
    #[must_use]
    pub fn origin(&self) -> Option<(HostId, SourceId)> {
        match self {
            Self::Record(record) => Some((record.host, record.source)),
            Self::Gap(gap) => Some((gap.host, gap.source)),
            Self::Mark(_) => None,
        }
    }

    /// When it was.
    #[must_use]
    pub fn time(&self) -> Time {
        match self {
            Self::Record(record) => record.time,
            Self::Gap(gap) => gap.until,
            Self::Mark(mark) => mark.time,
        }
    }

    /// The line, where it is one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Gap(_) | Self::Mark(_) => None,
        }
    }

    /// Bytes that it is charged for: its text, its row, and the allocation's own header.
    fn cost(&self) -> usize {
        /// A `Bytes` with a shared header, and the allocator's rounding.
        const ALLOCATION: usize = 48;
        let own = match self {
            Self::Record(record) => record.raw.len(),
            Self::Gap(_) => size_of::<Gap>(),
            Self::Mark(_) => 0,
        };
        own + size_of::<Slot>() + ALLOCATION
    }
}

/// The last entries within the budget. The oldest leave first and are counted.
#[derive(Debug)]
pub struct Ring {
    slots: VecDeque<Slot>,
    /// Number of the last line of each source.
    last: BTreeMap<SourceId, u64>,
    first: u64,
    bytes: usize,
    budget: usize,
}

/// An entry, and how far away the other lines of its record are: 0 where there is none.
#[derive(Debug)]
struct Slot {
    entry: Entry,
    back: u32,
    forth: u32,
}

impl Ring {
    /// An empty ring for so many bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { slots: VecDeque::new(), last: BTreeMap::new(), first: 0, bytes: 0, budget }
    }

    /// Adds at the end; forgets the oldest as needed, but never the newest.
    pub fn push(&mut self, entry: Entry) {
        self.bytes += entry.cost();
        let back = self.link(&entry);
        self.slots.push_back(Slot { entry, back, forth: 0 });
        while self.bytes > self.budget && self.slots.len() > 1 {
            if let Some(old) = self.slots.pop_front() {
                self.bytes -= old.entry.cost();
                self.first += 1;
            }
        }
    }

    /// Notes that a line is the last of its source now, and that the one before it is followed by it where both are of
    /// one record. How far back that one is.
    fn link(&mut self, entry: &Entry) -> u32 {
        let Entry::Record(record) = entry else { return 0 };
        let seq = self.end();
        let before = self.last.insert(record.source, seq).filter(|_| record.continues);
        let back = before.and_then(|before| u32::try_from(seq - before).ok()).unwrap_or(0);
        if let Some(slot) = self.slot_mut(seq - u64::from(back)) {
            slot.forth = back;
        }
        back
    }

    /// The numbers of all lines of the record that this line belongs to, as far as they are remembered: at least its
    /// own, in order.
    pub fn lines_of(&self, seq: u64) -> impl Iterator<Item = u64> + '_ {
        let first = std::iter::successors(Some(seq), |&seq| self.before(seq)).last();
        std::iter::successors(first, |&seq| self.after(seq))
    }

    /// The line before this one in its record.
    #[must_use]
    pub fn before(&self, seq: u64) -> Option<u64> {
        let back = self.slot(seq)?.back;
        (back > 0).then(|| seq - u64::from(back)).filter(|&seq| seq >= self.first)
    }

    /// The line after this one in its record.
    #[must_use]
    pub fn after(&self, seq: u64) -> Option<u64> {
        let forth = self.slot(seq)?.forth;
        (forth > 0).then(|| seq + u64::from(forth))
    }

    fn slot(&self, seq: u64) -> Option<&Slot> {
        self.slots.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    fn slot_mut(&mut self, seq: u64) -> Option<&mut Slot> {
        self.slots.get_mut(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    /// The entry with this number, unless it was forgotten or has not come yet.
    #[must_use]
    pub fn get(&self, seq: u64) -> Option<&Entry> {
        Some(&self.slot(seq)?.entry)
    }

    /// Number of the oldest entry that is remembered; equally: how many were forgotten.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next entry will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Bytes in use, by our own account.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that may be used.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }
}
