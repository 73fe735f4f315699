//! What the row above the oldest line says: what is being read, what could not be, or that there is
//! no more.

use std::collections::BTreeSet;

use crate::app::{App, LogPane};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::model::text::SafeText;
use crate::scrollback::{PageWindow, Side, StreamState};

/// The words.
pub(super) fn notice(app: &App, pane: &LogPane) -> String {
    let Some(window) = pane.window() else {
        return String::new();
    };
    let failed = failure(app, window);
    let asked = hosts_asked(window);
    let going = match asked.len() {
        0 if window.is_over(Side::Older) => Some(beginning(app, pane).to_owned()),
        0 if failed.is_some() => None,
        0 => Some("older lines are read from here on".to_owned()),
        _ => Some(format!(
            "reading older lines of {}…",
            host_names(app, &asked)
        )),
    };
    let parts: Vec<_> = [going, failed].into_iter().flatten().collect();
    parts.join(" · ")
}

/// What is above the oldest row where nothing is left to be read: only without a query that is the
/// beginning of the logs.
fn beginning(app: &App, pane: &LogPane) -> &'static str {
    let is_filtered = pane.looking().query.is_some();
    let has_rows = pane.len() > 1;
    match (is_filtered, has_rows) {
        _ if pane.pending(app.scrollback()) > 0 || !pane.shows_window() => "reading older lines…",
        (false, _) => "the logs begin here",
        (true, true) => "nothing older matches the filter",
        (true, false) => "nothing in the logs matches the filter; Ctrl-f shows all lines",
    }
}

/// Hosts whose rows may be missing between those that are shown, because they have not answered yet
/// or cannot: in at most so many cells where that is possible.
pub(super) fn missing(app: &App, pane: &LogPane, room: usize) -> Option<String> {
    let (waited, failed) = pane.window()?.missing_hosts();
    let of = |words: &str, hosts: &BTreeSet<HostId>| {
        (!hosts.is_empty()).then(|| format!("{words} {}", host_names(app, hosts)))
    };
    let parts = [of("still reading", &waited), of("without", &failed)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let words = (!parts.is_empty()).then(|| parts.join(" · "))?;
    let fits = SafeText::new(&words).width() <= room;
    let short = || format!("{} missing", waited.len() + failed.len());
    Some(if fits { words } else { short() })
}

/// Up to two names, or how many there are.
fn host_names(app: &App, hosts: &BTreeSet<HostId>) -> String {
    if hosts.len() > 2 {
        return format!("{} hosts", hosts.len());
    }
    let names: Vec<_> = hosts
        .iter()
        .map(|host| app.scrollback().host_name(*host))
        .collect();
    names.join(", ")
}

fn hosts_asked(window: &PageWindow) -> BTreeSet<HostId> {
    let asked = window
        .states(Side::Older)
        .filter(|(.., state)| **state == StreamState::Asked);
    asked.map(|(_, host, _)| host).collect()
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
