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

/// Hosts whose rows may be missing between those that are shown: those that have not answered yet,
/// and those that cannot.
pub(super) fn missing(app: &App, pane: &LogPane) -> Option<String> {
    let (waited, mut failed) = pane.window()?.missing_hosts();
    failed.extend(unknown_hosts(app, pane));
    let waited =
        (!waited.is_empty()).then(|| format!("{} still reading", host_names(app, &waited)));
    let failed = (!failed.is_empty()).then(|| format!("without {}", host_names(app, &failed)));
    let parts: Vec<_> = [waited, failed].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// Hosts that are to be shown and have never said which logs they have.
fn unknown_hosts(app: &App, pane: &LogPane) -> impl Iterator<Item = HostId> {
    let hosts = app.scrollback().host_ids().zip(app.scrollback().hosts());
    hosts
        .filter(|(id, row)| {
            let is_shown = pane.lens_hosts().is_none_or(|hosts| hosts.contains(id));
            is_shown && row.sources.is_empty() && !row.status.state.is_up()
        })
        .map(|(id, _)| id)
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
