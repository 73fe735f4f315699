//! What the row above the oldest line says: what is being read, what could not be, or that there is
//! no more.

use std::collections::BTreeSet;

use crate::app::{App, LogPane};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::scrollback::{Side, StreamState};

/// The words.
pub(super) fn notice(app: &App, pane: &LogPane) -> String {
    let Some(window) = pane.window() else {
        return String::new();
    };
    let states: Vec<_> = window.states(Side::Older).collect();
    let asked: BTreeSet<_> = states
        .iter()
        .filter(|(.., state)| **state == StreamState::Asked)
        .map(|(_, host, _)| *host)
        .collect();
    let failed = states
        .iter()
        .filter_map(|&(source, host, state)| match state {
            StreamState::Failed(why) => Some((source, host, why)),
            _ => None,
        });
    let mut failed: Vec<String> = failed
        .map(|(source, host, why)| failure(app, host, source, why))
        .collect();
    failed.dedup();
    let over = window.is_over(Side::Older);
    let going = match (asked.len(), failed.is_empty()) {
        (0, _) if over => "the logs begin here".to_owned(),
        (0, true) => "older lines are read from here on".to_owned(),
        (0, false) => String::new(),
        (1, _) => "reading older lines of 1 host…".to_owned(),
        (count, _) => format!("reading older lines of {count} hosts…"),
    };
    let more = failed.len().saturating_sub(1);
    let why = failed.into_iter().next().map(|first| {
        let others = if more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        format!("not read: {first}{others}; Enter here tries again")
    });
    [Some(going).filter(|going| !going.is_empty()), why]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

fn failure(app: &App, host: HostId, source: SourceId, why: &str) -> String {
    let (host, source) = (app.scrollback().host(host), app.scrollback().source(source));
    let (host, source) = (
        host.map_or("", |row| row.name.as_str()),
        source.map_or("", |row| &row.info.name),
    );
    if why.starts_with(host) {
        why.to_owned()
    } else {
        format!("{host} {source}: {why}")
    }
}
