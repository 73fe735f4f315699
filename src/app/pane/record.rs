//! A whole record, or a gap.

use super::scroll::Scroll;
use crate::scrollback::Seq;

/// A whole record, or a gap.
#[derive(Debug)]
pub struct RecordPane {
    /// The number of one of its lines, in the log pane that has the focus.
    pub seq: Seq,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

impl RecordPane {
    /// Shows the record of a line from the top.
    #[must_use]
    pub fn new(seq: Seq) -> Self {
        Self {
            seq,
            scroll: Scroll::default(),
        }
    }
}
