//! Searches: the records that match, as hits, in either direction, until there are enough.
//!
//! A hit is the first line of its record; the rest of the record goes before the lines that were wanted after it, and is
//! told from them by [`Line::continues`](crate::model::Line::continues).

use crate::host::Files;
use crate::model::Reply;
use crate::model::ask::{Hit, Search};
use crate::model::stamp::HostClock;

use super::hunt::{Catch, Catcher, Hunt, Quarry};
use super::runs::Context;
use super::sources::Log;
use super::text::Text;
use super::{Halt, Out};

/// Searches a log.
pub(super) async fn search<F: Files>(
    files: &mut F,
    host: &str,
    clock: &HostClock,
    log: Log,
    search: &Search,
    out: &mut Out<'_>,
) -> Result<(), Halt> {
    let Some(quarry) = quarry(host, search) else { return Ok(()) };
    let name = log.info.name.clone();
    let (mut hunt, notes) = Hunt::plan(Text::new(files, log, clock), &quarry).await?;
    for note in notes {
        out.note(&name, note).await?;
    }
    let mut hits = Hits { name, limit: search.limit.unwrap_or(u64::MAX), count_only: search.count_only };
    hunt.run(&mut hits, out).await
}

/// What a search looks for; `None` where nothing can match.
pub(super) fn quarry<'a>(host: &'a str, search: &'a Search) -> Option<Quarry<'a>> {
    let window = super::both(&search.window, &search.query)?;
    let around = Context { before: search.before as usize, after: search.after as usize };
    let context = if search.count_only { Context::default() } else { around };
    Some(Quarry { host, query: &search.query, window, newest_first: search.newest_first, context })
}

/// Sends hits.
struct Hits {
    name: std::sync::Arc<str>,
    limit: u64,
    count_only: bool,
}

impl Catcher for Hits {
    async fn take(&mut self, catch: Catch, out: &mut Out<'_>) -> Result<(), Halt> {
        out.totals.hits += 1;
        if self.count_only {
            out.totals.lines += 1;
            return Ok(());
        }
        let mut lines = catch.record.into_iter();
        let Some(line) = lines.next() else { return Ok(()) };
        let after: Vec<_> = lines.chain(catch.after).collect();
        out.totals.lines += 1 + (catch.before.len() + after.len()) as u64;
        let hit = Hit { line, before: catch.before, after };
        out.send(Reply::Hit(self.name.clone(), Box::new(hit))).await
    }

    fn wants(&self, out: &Out<'_>) -> u64 {
        self.limit.saturating_sub(out.totals.hits)
    }
}
