//! The ring: the last lines of the fleet in the order in which they are shown, within a budget of
//! bytes.
//!
//! Every entry has a number that it keeps for ever, so a view can name a line whose neighbours have
//! been forgotten. The lines of a record know their neighbours in it, even where lines of other
//! sources lie between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::renumbering::Renumbering;
use super::seq::Seq;
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;

/// One row of the merged log.
#[derive(Debug, Clone)]
pub enum RingEntry {
    /// A line.
    Line(FleetLine),
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

impl RingEntry {
    /// Whose it is; `None` for marks, which belong to all.
    #[must_use]
    pub fn origin(&self) -> Option<(HostId, SourceId)> {
        match self {
            Self::Line(line) => Some((line.host, line.source)),
            Self::Gap(gap) => Some((gap.host, gap.source)),
            Self::Mark(_) => None,
        }
    }

    /// When it was.
    #[must_use]
    pub fn time(&self) -> Time {
        match self {
            Self::Line(line) => line.content.time,
            Self::Gap(gap) => gap.until,
            Self::Mark(mark) => mark.time,
        }
    }

    /// The line, where it is one.
    #[must_use]
    pub fn line(&self) -> Option<&FleetLine> {
        match self {
            Self::Line(line) => Some(line),
            Self::Gap(_) | Self::Mark(_) => None,
        }
    }

    /// Bytes that it is charged for: its text, its row, and the allocation's own header.
    pub(super) fn cost(&self) -> usize {
        /// A `Bytes` with a shared header, and the allocator's rounding.
        const ALLOCATION: usize = 48;
        let own = match self {
            Self::Line(line) => line.content.raw.len(),
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
    last: BTreeMap<SourceId, Seq>,
    begin: Seq,
    first: Seq,
    bytes: usize,
    budget: usize,
    /// What has left since [`Ring::forget_left`], oldest first; the last of it had the number
    /// before `first`.
    left: Vec<RingEntry>,
}

/// An entry, and how far away the other lines of its record are: 0 where there is none.
#[derive(Debug)]
struct Slot {
    entry: RingEntry,
    back: u32,
    forth: u32,
}

impl Ring {
    /// An empty ring for so many bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self::starting_at(Seq::BEGIN, budget)
    }

    /// An empty ring whose first entry will have that number.
    #[must_use]
    pub fn starting_at(begin: Seq, budget: usize) -> Self {
        Self {
            slots: VecDeque::new(),
            last: BTreeMap::new(),
            begin,
            first: begin,
            bytes: 0,
            budget,
            left: Vec::new(),
        }
    }

    /// Adds at the end; forgets the oldest as needed, but never the newest.
    pub fn push(&mut self, entry: RingEntry) {
        self.bytes += entry.cost();
        let back = self.link(&entry);
        self.slots.push_back(Slot {
            entry,
            back,
            forth: 0,
        });
        while self.bytes > self.budget && self.slots.len() > 1 {
            if let Some(old) = self.slots.pop_front() {
                self.bytes -= old.entry.cost();
                self.first = self.first.next();
                self.left.push(old.entry);
            }
        }
    }

    /// Lets go of what has left.
    pub fn forget_left(&mut self) {
        self.left.clear();
    }

    /// The entry with this number, also if it has left a moment ago.
    #[must_use]
    pub fn get_or_left(&self, seq: Seq) -> Option<&RingEntry> {
        let left = self.left.len().checked_sub(self.first.rows_after(seq));
        self.get(seq).or_else(|| self.left.get(left?))
    }

    /// How many entries have left.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.first.rows_after(self.begin) as u64
    }

    /// Takes the newest entry away.
    pub fn pop_newest(&mut self) -> Option<RingEntry> {
        let old = self.slots.pop_back()?;
        self.bytes -= old.entry.cost();
        let seq = self.end();
        self.last.retain(|_, last| *last != seq);
        if old.back > 0 {
            let before = seq - u64::from(old.back);
            if let Some(slot) = self.slot_mut(before) {
                slot.forth = 0;
            }
            if let Some((_, source)) = old.entry.origin() {
                self.last.insert(source, before);
            }
        }
        Some(old.entry)
    }

    /// Takes the oldest entry away.
    pub fn pop_oldest(&mut self) -> Option<RingEntry> {
        let old = self.slots.pop_front()?;
        self.bytes -= old.entry.cost();
        self.first = self.first.next();
        Some(old.entry)
    }

    /// Adds before the oldest. `next` is the number of the line that comes after it in its source.
    pub fn push_oldest(&mut self, entry: RingEntry, next: Option<Seq>) {
        self.bytes += entry.cost();
        self.first = self.first.previous();
        let seq = self.first;
        let is_line = entry.line().is_some();
        let next = next.filter(|&next| is_line && self.continues(next));
        if let (true, Some((_, source))) = (is_line, entry.origin()) {
            self.last.entry(source).or_insert(seq);
        }
        self.slots.push_front(Slot {
            entry,
            back: 0,
            forth: 0,
        });
        let distance = next.and_then(|next| u32::try_from(next - seq).ok());
        if let Some(distance) = distance {
            self.slots[0].forth = distance;
            if let Some(slot) = self.slot_mut(seq + u64::from(distance)) {
                slot.back = distance;
            }
        }
    }

    fn continues(&self, seq: Seq) -> bool {
        self.get(seq)
            .and_then(RingEntry::line)
            .is_some_and(|line| line.content.continues)
    }

    /// Puts entries in the place of one. Those after it keep their numbers; those before it, and
    /// the first of the new, have a number that is so much lower.
    pub fn fill(&mut self, seq: Seq, entries: Vec<RingEntry>) -> u64 {
        let Some(at) = self.index(seq).filter(|&at| at < self.slots.len()) else {
            return 0;
        };
        if entries.is_empty() {
            return 0;
        }
        let by = entries.len() as u64 - 1;
        let mut slots = std::mem::take(&mut self.slots);
        let after = slots.split_off(at + 1);
        slots.pop_back();
        let all = slots
            .into_iter()
            .map(|slot| slot.entry)
            .chain(entries)
            .chain(after.into_iter().map(|slot| slot.entry));
        let (budget, first) = (self.budget, self.first - by);
        let mut filled = Self {
            begin: self.begin - by,
            first,
            ..Self::starting_at(first, usize::MAX)
        };
        all.for_each(|entry| filled.push(entry));
        filled.budget = budget;
        *self = filled;
        by
    }

    /// Puts entries, which are in order, between those before an index: each after the last of them
    /// that it may not pass. Says what has become of the numbers.
    pub fn weave(
        &mut self,
        before: usize,
        entries: Vec<RingEntry>,
        may_pass: impl Fn(&RingEntry, &RingEntry) -> bool,
    ) -> Renumbering {
        let mut at = before.min(self.slots.len());
        let mut places = Vec::with_capacity(entries.len());
        for entry in entries.iter().rev() {
            while at > 0 && may_pass(&self.slots[at - 1].entry, entry) {
                at -= 1;
            }
            places.push(at);
        }
        places.reverse();
        let numbers = places.iter().map(|&place| self.first + place as u64);
        let renumbering = Renumbering::new(numbers.collect());
        let tail = self.cut(at);
        self.lower_numbers(entries.len() as u64);
        let mut woven = places.into_iter().zip(entries).peekable();
        for (index, entry) in (at..).zip(tail) {
            while let Some((_, new)) = woven.next_if(|(place, _)| *place <= index) {
                self.push(new);
            }
            self.push(entry);
        }
        woven.for_each(|(_, new)| self.push(new));
        renumbering
    }

    /// Takes away the entries from an index on, so that they can be added again.
    fn cut(&mut self, at: usize) -> Vec<RingEntry> {
        let from = self.first + at as u64;
        let tail = self.slots.split_off(at);
        self.last.retain(|_, last| *last < from);
        let mut seen = BTreeSet::new();
        for (index, slot) in (0u64..).zip(&tail) {
            self.bytes -= slot.entry.cost();
            let Some(line) = slot.entry.line().filter(|line| seen.insert(line.source)) else {
                continue;
            };
            let before = from + index - u64::from(slot.back);
            if slot.back > 0 && before >= self.first {
                self.last.insert(line.source, before);
            }
        }
        tail.into_iter().map(|slot| slot.entry).collect()
    }

    /// Gives all entries numbers that are so much lower.
    fn lower_numbers(&mut self, by: u64) {
        (self.first, self.begin) = (self.first - by, self.begin - by);
        for last in self.last.values_mut() {
            *last = *last - by;
        }
    }

    /// Notes that a line is the last of its source now, and that the one before it is followed by
    /// it where both are of one record. How far back that one is.
    fn link(&mut self, entry: &RingEntry) -> u32 {
        let RingEntry::Line(line) = entry else {
            return 0;
        };
        let seq = self.end();
        let before = self
            .last
            .insert(line.source, seq)
            .filter(|_| line.content.continues);
        let back = before
            .and_then(|before| u32::try_from(seq - before).ok())
            .unwrap_or(0);
        if let Some(slot) = self.slot_mut(seq - u64::from(back)) {
            slot.forth = back;
        }
        back
    }

    /// The numbers of all lines of the record that this line belongs to, as far as they are
    /// remembered: at least its own, in order.
    pub fn lines_of(&self, seq: Seq) -> impl Iterator<Item = Seq> + '_ {
        let first = std::iter::successors(Some(seq), |&seq| self.before(seq)).last();
        std::iter::successors(first, |&seq| self.after(seq))
    }

    /// The line before this one in its record.
    #[must_use]
    pub fn before(&self, seq: Seq) -> Option<Seq> {
        let back = self.slot(seq)?.back;
        (back > 0)
            .then(|| seq - u64::from(back))
            .filter(|&seq| seq >= self.first)
    }

    /// The line after this one in its record.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Option<Seq> {
        let forth = self.slot(seq)?.forth;
        (forth > 0).then(|| seq + u64::from(forth))
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        (seq >= self.first).then(|| seq.rows_after(self.first))
    }

    fn slot(&self, seq: Seq) -> Option<&Slot> {
        self.slots.get(self.index(seq)?)
    }

    fn slot_mut(&mut self, seq: Seq) -> Option<&mut Slot> {
        let index = self.index(seq)?;
        self.slots.get_mut(index)
    }

    /// The entry with this number, unless it was forgotten or has not come yet.
    #[must_use]
    pub fn get(&self, seq: Seq) -> Option<&RingEntry> {
        Some(&self.slot(seq)?.entry)
    }

    /// The entries from a number on, with their numbers.
    pub fn from(&self, seq: Seq) -> impl Iterator<Item = (Seq, &RingEntry)> + Clone {
        let skipped = seq.rows_after(self.first).min(self.slots.len());
        let numbers = (self.first + skipped as u64).onwards();
        numbers.zip(self.slots.range(skipped..).map(|slot| &slot.entry))
    }

    /// The lines of a source from a number on, with their numbers.
    pub fn lines_from(
        &self,
        seq: Seq,
        source: SourceId,
    ) -> impl Iterator<Item = (Seq, &FleetLine)> + Clone {
        let lines = self
            .from(seq)
            .filter_map(|(seq, entry)| Some((seq, entry.line()?)));
        lines.filter(move |(_, line)| line.source == source)
    }

    /// The entries before a number, the nearest first.
    pub fn back_from(&self, seq: Seq) -> impl Iterator<Item = &RingEntry> {
        let older = seq.rows_after(self.first).min(self.slots.len());
        let older = self.slots.range(..older);
        older.rev().map(|slot| &slot.entry)
    }

    /// How many entries are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True where nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Number of the oldest entry that is remembered.
    #[must_use]
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The number that the next entry will have.
    #[must_use]
    pub fn end(&self) -> Seq {
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
