//! What the row above the oldest line says: what is being read, what could not be, or that there is
//! no more.

use std::collections::BTreeSet;

use crate::app::{App, LogPane};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::scrollback::{PageWindow, Side, StreamState};

/// The words.
pub(super) fn notice(app: &App, pane: &LogPane) -> String {
    let Some(window) = pane.window() else {
        return String::new();
    };
    let failed = failure(app, window);
    let going = match hosts_asked(window) {
        0 if window.is_over(Side::Older) => Some("the logs begin here".to_owned()),
        0 if failed.is_some() => None,
        0 => Some("older lines are read from here on".to_owned()),
        1 => Some("reading older lines of 1 host…".to_owned()),
        count => Some(format!("reading older lines of {count} hosts…")),
    };
    let parts: Vec<_> = [going, failed].into_iter().flatten().collect();
    parts.join(" · ")
}

fn hosts_asked(window: &PageWindow) -> usize {
    let asked = window
        .states(Side::Older)
        .filter(|(.., state)| **state == StreamState::Asked);
    asked
        .map(|(_, host, _)| host)
        .collect::<BTreeSet<_>>()
        .len()
}

/// What could not be read, and why.
fn failure(app: &App, window: &PageWindow) -> Option<String> {
    let failed = window
        .states(Side::Older)
        .filter_map(|(source, host, state)| match state {
            StreamState::Failed(why) => Some(reason(app, host, source, why)),
            _ => None,
        });
    let mut failed: Vec<String> = failed.collect();
    failed.dedup();
    let others = match failed.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let first = failed.first()?;
    Some(format!("not read: {first}{others}; Enter here tries again"))
}

fn reason(app: &App, host: HostId, source: SourceId, why: &str) -> String {
    let host = app.scrollback().host_name(host);
    if why.starts_with(host) {
        why.to_owned()
    } else {
        format!("{host} {}: {why}", app.scrollback().source_name(source))
    }
}
