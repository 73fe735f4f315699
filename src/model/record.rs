//! Records: one line, or several that belong together (a stack trace, a statement).
//!
//! Which lines are one record is found by [`parse::multiline`](crate::parse::multiline). Whether a
//! record matches is decided by the whole of it: [`RecordText`] is what a query looks at.

use std::borrow::Cow;
use std::sync::Arc;

use super::dialect::LineDialect;
use super::line::Line;
use super::time::Time;

/// The text of a record and its time, which is that of its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordText<'a> {
    time: Time,
    dialect: Option<Arc<LineDialect>>,
    text: Cow<'a, [u8]>,
}

impl<'a> RecordText<'a> {
    /// A record of one line so far.
    #[must_use]
    pub fn new(first: &'a Line) -> Self {
        Self {
            time: first.time,
            dialect: first.dialect.clone(),
            text: Cow::Borrowed(&first.raw),
        }
    }

    /// The record of these lines; `None` if there are none.
    #[must_use]
    pub fn of(lines: impl IntoIterator<Item = &'a Line>) -> Option<Self> {
        let mut lines = lines.into_iter();
        let mut record = Self::new(lines.next()?);
        lines.for_each(|line| record.push(line));
        Some(record)
    }

    /// Adds the next line.
    pub fn push(&mut self, line: &Line) {
        let text = self.text.to_mut();
        text.push(b'\n');
        text.extend_from_slice(&line.raw);
    }

    /// The time of its first line.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }

    /// What its source is known to mean by its lines.
    #[must_use]
    pub fn dialect(&self) -> Option<&LineDialect> {
        self.dialect.as_deref()
    }

    /// Its lines with `\n` between them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// The same with a text of its own, which outlives the lines.
    #[must_use]
    pub fn into_owned(self) -> RecordText<'static> {
        RecordText {
            time: self.time,
            dialect: self.dialect,
            text: Cow::Owned(self.text.into_owned()),
        }
    }
}
