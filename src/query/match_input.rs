//! What a query looks at.

use crate::model::dialect::LineDialect;
use crate::model::record::RecordText;
use crate::model::time::Time;

/// What a query looks at.
#[derive(Debug, Clone, Copy)]
pub struct MatchInput<'a> {
    /// Name of the host.
    pub host: &'a str,
    /// Name of the source.
    pub source: &'a str,
    /// When it was written.
    pub time: Time,
    /// What its source is known to mean by its lines.
    pub dialect: Option<&'a LineDialect>,
    /// The raw line, or the lines of a record with `\n` between them.
    pub raw: &'a [u8],
}

impl<'a> MatchInput<'a> {
    /// A whole record: it matches by any of its lines, and by the time of the first.
    #[must_use]
    pub fn of_record(host: &'a str, source: &'a str, record: &'a RecordText<'_>) -> Self {
        Self {
            host,
            source,
            time: record.time(),
            dialect: record.dialect(),
            raw: record.bytes(),
        }
    }
}
