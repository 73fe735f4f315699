//! The ring: the last lines of the fleet in the order in which they are shown, within a budget of bytes.
//!
//! Every entry has a number that it keeps for ever, so a view can name a line whose neighbours have been forgotten.

use std::collections::VecDeque;
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
        own + size_of::<Self>() + ALLOCATION
    }
}

/// The last entries within the budget. The oldest leave first and are counted.
#[derive(Debug)]
pub struct Ring {
    entries: VecDeque<Entry>,
    first: u64,
    bytes: usize,
    budget: usize,
}

impl Ring {
    /// An empty ring for so many bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { entries: VecDeque::new(), first: 0, bytes: 0, budget }
    }

    /// Adds at the end; forgets the oldest as needed, but never the newest.
    pub fn push(&mut self, entry: Entry) {
        self.bytes += entry.cost();
        self.entries.push_back(entry);
        while self.bytes > self.budget && self.entries.len() > 1 {
            if let Some(old) = self.entries.pop_front() {
                self.bytes -= old.cost();
                self.first += 1;
            }
        }
    }

    /// The entry with this number, unless it was forgotten or has not come yet.
    #[must_use]
    pub fn get(&self, seq: u64) -> Option<&Entry> {
        let index = seq.checked_sub(self.first)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// Number of the oldest entry that is remembered; equally: how many were forgotten.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next entry will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
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
