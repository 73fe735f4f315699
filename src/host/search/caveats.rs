//! What a pass over a log could not make sure of, to be told at its end: text in an encoding that
//! nobody has named, and what lines have beyond their longest.

use std::sync::Arc;

use crate::model::line::Line;
use crate::parse::split::MAX_LINE;

use super::response_sender::ResponseSender;
use super::stop_reason::StopReason;

/// What has come up so far.
#[derive(Default)]
pub(super) struct ScanCaveats {
    /// There is text that is not UTF-8, and nobody has said what it is.
    pub(super) has_foreign_text: bool,
    /// A long line was searched in its beginning, and what was looked for may be behind that.
    pub(super) is_unsearched: bool,
    /// A long line was found, and is shown in its beginning.
    pub(super) is_cut: bool,
}

impl ScanCaveats {
    /// Tells what matters for a query, as it was typed, of the source with this name.
    pub(super) async fn tell(
        &self,
        source: &Arc<str>,
        typed: &str,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        if self.has_foreign_text && !typed.is_ascii() {
            let note = "it has lines that are not UTF-8, in which only letters of ASCII are found; \
                        say what they are with `encoding`, such as encoding = \"latin1\", in \
                        hosts.toml";
            out.note(source, note.to_owned()).await?;
        }
        let most = MAX_LINE >> 20;
        if self.is_cut {
            let note = format!("a line that was found is longer than {most} MiB, and is cut there");
            out.note(source, note).await?;
        }
        if self.is_unsearched {
            let why = format!(
                "a line is longer than {most} MiB: what it has beyond that was not searched – look \
                 into the file on the host"
            );
            out.fail(source, why).await?;
        }
        Ok(())
    }
}

/// Whether the end of a line of a record is missing.
pub(super) fn has_long_line(record: &[Line]) -> bool {
    record.iter().any(|line| line.raw.len() >= MAX_LINE)
}
