//! The place of a file among the generations of a log. How it is read from a name is left to
//! `name_age` and `rotation`.

use std::cmp::Reverse;

/// What separates a name from the numbers of a generation, and these from each other.
pub const SEPARATORS: &str = "-._";

/// The place of a file among the generations of a log, by its name. The order is that of age: the
/// oldest first, and where a log was rotated in both ways, those with a date before those with a
/// number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RotationIndex {
    /// It has a date: year, month, day and whatever numbers follow, or seconds since 1970.
    Dated(Vec<u64>),
    /// It has a number, the higher the older.
    Numbered(Reverse<u64>),
    /// It is a generation, but its name does not tell how old it is (`app.log.old`): that is when
    /// it was written to.
    Undated,
    /// It has the name of the log itself, or that and the ending of a compressed file.
    Live,
}

/// Whether it is one of [`SEPARATORS`].
pub(crate) fn separates(byte: &u8) -> bool {
    SEPARATORS.as_bytes().contains(byte)
}
