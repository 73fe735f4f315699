//! What becomes of the numbers of rows when others are put between them: those after keep theirs,
//! those before have lower ones, as where a gap is filled.

use super::seq::Seq;

/// The places at which rows were put in, by the numbers of before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renumbering {
    /// The rows before which one was put in, in order; as often as there were such.
    places: Vec<Seq>,
}

impl Renumbering {
    /// Of rows that were put in before these, which are in order.
    #[must_use]
    pub(super) fn new(places: Vec<Seq>) -> Self {
        Self { places }
    }

    /// Whether nothing was put in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The number that a row of before has now.
    #[must_use]
    pub fn of(&self, old: Seq) -> Seq {
        let before = self.places.partition_point(|&place| place <= old);
        old - (self.places.len() - before) as u64
    }

    /// The same, of rows of the ring only; others are not concerned.
    #[must_use]
    pub fn of_live(&self, old: Seq) -> Seq {
        if old.is_live() && old != Seq::MAX {
            self.of(old)
        } else {
            old
        }
    }

    /// The number that a row has after all of these, one after the other.
    #[must_use]
    pub(super) fn of_all(all: &[Self], old: Seq) -> Seq {
        all.iter().fold(old, |seq, next| next.of(seq))
    }

    /// The numbers that the rows which were put in have after all of these.
    pub(super) fn all_inserted(all: &[Self]) -> impl Iterator<Item = Seq> + '_ {
        all.iter().enumerate().flat_map(move |(index, each)| {
            let later = all.get(index + 1..).unwrap_or_default();
            each.inserted().map(move |seq| Self::of_all(later, seq))
        })
    }

    /// The number of the first row that was put in.
    #[must_use]
    pub(super) fn first_inserted(&self) -> Option<Seq> {
        self.inserted().next()
    }

    /// The numbers of the rows that were put in.
    fn inserted(&self) -> impl Iterator<Item = Seq> + '_ {
        let all = self.places.len() as u64;
        let numbered = (0..all).zip(&self.places);
        numbered.map(move |(index, place)| *place - (all - index))
    }
}
