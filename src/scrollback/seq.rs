//! The numbers of rows.

use std::ops::{Add, Sub};

/// The number of a row, which it keeps for ever. Numbers are in the order in which rows are shown:
///
/// ```text
/// NOTICE │ … older ← WINDOW → newer … │ … filled gaps ← BEGIN → newer …
///        │ what was read of the past  │ the ring: is_live()
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seq(u64);

impl Seq {
    /// The row above the oldest, which says how it goes on there. No number is lower.
    pub const NOTICE: Self = Self(0);

    /// The first row of a window on the past; older ones are counted down from it.
    pub const WINDOW: Self = Self(1 << 39);

    /// The first entry that ever came. Where a gap is filled, what was before it is counted down
    /// from here.
    pub const BEGIN: Self = Self(1 << 40);

    /// No number is higher.
    pub const MAX: Self = Self(u64::MAX);

    /// The lowest number of the ring: as far from those of windows as from its first entry.
    const LIVE: Self = Self(3 << 38);

    /// Whether it is one of the ring, and not one of a window on the past.
    #[must_use]
    pub fn is_live(self) -> bool {
        self >= Self::LIVE
    }

    /// The next number; after the highest comes the lowest.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The number before it; before the lowest comes the highest.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }

    /// This number and all that follow.
    pub fn onwards(self) -> impl Iterator<Item = Self> + Clone {
        (self.0..).map(Self)
    }

    /// How many rows after `first` it is; 0 where it is before that.
    #[must_use]
    pub fn rows_after(self, first: Self) -> usize {
        usize::try_from(self.0.saturating_sub(first.0)).unwrap_or(usize::MAX)
    }
}

impl Add<u64> for Seq {
    type Output = Self;

    fn add(self, rows: u64) -> Self {
        Self(self.0 + rows)
    }
}

impl Sub<u64> for Seq {
    type Output = Self;

    fn sub(self, rows: u64) -> Self {
        Self(self.0 - rows)
    }
}

impl Sub for Seq {
    type Output = u64;

    fn sub(self, other: Self) -> u64 {
        self.0 - other.0
    }
}
