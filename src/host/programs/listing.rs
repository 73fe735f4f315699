//! Programs that have little to say and end at once.

use tokio::time::timeout;

use crate::host::driver::programs::RunPrograms;
use crate::host::shell::limits::ANSWER_LIMIT;
use crate::host::shell::programs::late;
use crate::transport::LinkError;

/// No listing is longer; what is beyond is left unread.
const MAX_LISTING: usize = 4 << 20;

/// What a program has printed.
pub(super) struct Listing {
    pub(super) lines: Vec<String>,
    /// Its exit status.
    pub(super) code: i32,
}

impl Listing {
    /// Runs a program to its end.
    pub(super) async fn of(
        programs: &mut impl RunPrograms,
        words: &[String],
    ) -> Result<Self, LinkError> {
        timeout(ANSWER_LIMIT, Self::read(programs, words))
            .await
            .unwrap_or_else(|_| Err(late(&words[0])))
    }

    async fn read(programs: &mut impl RunPrograms, words: &[String]) -> Result<Self, LinkError> {
        programs.run(words).await?;
        let mut lines = Vec::new();
        let mut bytes = 0;
        while bytes <= MAX_LISTING
            && let Some(more) = programs.next().await?
        {
            for line in more {
                let text = String::from_utf8_lossy(&line.bytes).into_owned();
                bytes += text.len();
                lines.push(text);
            }
        }
        let code = programs.stop().await?.code.unwrap_or(0);
        Ok(Self { lines, code })
    }

    /// The last line that says something: it says why a program has failed.
    pub(super) fn complaint(&self) -> &str {
        let mut said = self.lines.iter().rev().map(|line| line.trim());
        said.find(|line| !line.is_empty()).unwrap_or_default()
    }
}
