//! Filters and jumps of a log pane: to the next line that matches, here or on the hosts.

use std::collections::BTreeMap;

use super::page_requests::search_for;
use super::pending_requests::{PendingRequest, RequestPurpose, SourceNames};
use super::remote_search::{Boundary, NothingFound, RemoteSearch};
use super::seek::{Seek, SoughtLine};
use super::{App, JumpTarget, LogPane, PaneId};
use crate::model::host::HostId;
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::query::{Query, QueryError, ReferenceTime};

/// Hits that are asked for: the newest of a host may all be known already.
const HITS: u64 = 20;

impl App {
    /// Shows only the lines that match; with an empty text, all.
    pub(super) fn set_query(&mut self, text: &str) -> Result<(), String> {
        let query = if text.trim().is_empty() {
            None
        } else {
            Some(self.query(text).map_err(|error| error.message)?)
        };
        self.with_pane(|pane, scrollback| {
            pane.change_filter(scrollback, |filter| filter.query = query);
        });
        Ok(())
    }

    /// Relative times in a query are relative to the moment at which it is entered.
    pub(super) fn query(&self, text: &str) -> Result<Query, QueryError> {
        Query::parse(text, &self.reference_time())
    }

    /// What relative times are relative to.
    pub(super) fn reference_time(&self) -> ReferenceTime {
        ReferenceTime {
            time: self.now,
            zone: self.view_options.zone(),
        }
    }

    /// Searches: while following upwards from the newest line, else downwards from the cursor.
    /// Empty: the last search again.
    pub(super) fn search(&mut self, text: &str) -> Result<(), String> {
        if !text.trim().is_empty() {
            let query = self.query(text).map_err(|error| error.message)?;
            self.with_pane(|pane, _| pane.search = Some(query));
        }
        let Some(pane) = self.panes.focused() else {
            return Ok(());
        };
        let Some(query) = pane.search.clone() else {
            return Err("nothing was searched before".into());
        };
        let forward = pane.position().is_some();
        self.seek = Seek::from_here(
            self.panes.focus,
            pane,
            &self.scrollback,
            JumpTarget::Query(query),
            forward,
        );
        self.with_pane(|pane, _| pane.searches_forward = forward);
        self.continue_seek();
        Ok(())
    }

    /// To the next match in the direction of the search, or in the other. At the newest line both
    /// keys go upwards, where all matches are, and the one that was pressed keeps doing so.
    pub(super) fn next_hit(&mut self, onwards: bool, count: Option<u32>) {
        let Some(pane) = self.panes.focused_mut() else {
            return;
        };
        let Some(query) = pane.search.clone() else {
            return self.say("nothing was searched yet; / searches");
        };
        if pane.position().is_none() {
            pane.searches_forward = !onwards;
        }
        let forward = pane.searches_forward == onwards;
        self.seek(JumpTarget::Query(query), forward, count);
    }

    pub(super) fn seek(&mut self, target: JumpTarget, forward: bool, count: Option<u32>) {
        let Some(pane) = self.panes.focused() else {
            return;
        };
        self.seek = Seek::new(self.panes.focus, pane, &self.scrollback, target, forward)
            .map(|seek| seek.nth(count.unwrap_or(1)));
        self.continue_seek();
    }

    pub(super) fn continue_seek(&mut self) {
        let Some(mut seek) = self.seek.take() else {
            return;
        };
        let Some(pane) = self.panes.get(seek.pane) else {
            return;
        };
        if pane.pending(&self.scrollback) > 0 {
            // Only a pane that has been read to its beginning can have "no match".
            self.seek = Some(seek);
            return;
        }
        match seek.advance(pane, &self.scrollback) {
            SoughtLine::Going => self.seek = Some(seek),
            SoughtLine::Edge => self.seek_on_hosts(&seek),
            SoughtLine::Nothing => {
                let nothing = self.nothing(&seek);
                self.say(nothing.text());
            }
            SoughtLine::Found(index, wrapped) => {
                self.land(seek.pane, index);
                if wrapped {
                    self.say(wrapped_to(seek.forward));
                }
            }
        }
    }

    /// Nothing was found in what the pane has: the hosts are searched.
    fn seek_on_hosts(&mut self, seek: &Seek) {
        let nothing = self.nothing(seek);
        let query = match &seek.target {
            JumpTarget::Query(query) => Some(query.clone()),
            JumpTarget::Level(level) => self.query(&format!("level>={level}")).ok(),
            JumpTarget::Bookmark => None,
        };
        let is_asked = query.is_some_and(|query| {
            self.search_hosts(seek.pane, query, !seek.forward, nothing.clone())
        });
        if !is_asked {
            self.say(nothing.text());
        }
    }

    /// What to say where a jump finds nothing.
    fn nothing(&self, seek: &Seek) -> NothingFound {
        let query = match &seek.target {
            JumpTarget::Query(query) => Some(query.reading()),
            JumpTarget::Level(_) | JumpTarget::Bookmark => None,
        };
        let is_filtered = self
            .panes
            .get(seek.pane)
            .is_some_and(|pane| pane.looking().query.is_some());
        NothingFound {
            what: nothing(&seek.target, is_filtered),
            reading: query
                .filter(|reading| reading.quoted.is_some())
                .map(|reading| format!(" · {reading}"))
                .unwrap_or_default(),
        }
    }

    /// Searches the hosts for the next match before what the pane has (or after, where it is apart
    /// from the live end), of lines that the pane lets through. False where there is nobody to ask.
    fn search_hosts(
        &mut self,
        id: PaneId,
        query: Query,
        backwards: bool,
        nothing: NothingFound,
    ) -> bool {
        let Some(pane) = self.panes.get(id) else {
            return false;
        };
        let Some(edge) = Boundary::of(pane, &self.scrollback, backwards) else {
            return false;
        };
        let filter = pane.looking().query.as_ref();
        let query = filter
            .and_then(|filter| filter.and(&query).ok())
            .unwrap_or(query);
        let hosts = self.names_by_host(pane);
        if hosts.is_empty() {
            return false;
        }
        self.stop_remote_search();
        let window = edge.window(backwards);
        let named = |host: &HostId| (*host, self.scrollback.host_name(*host).to_owned());
        let searched = hosts.keys().map(named).collect();
        let search = RemoteSearch::new(id, edge, backwards, nothing, searched);
        self.remote_search = Some(search);
        for (host, names) in hosts {
            let what = search_for(query.clone(), window.clone(), backwards, HITS);
            self.send(host, names, what, RequestPurpose::Search(id));
        }
        true
    }

    /// The sources of a pane, by host.
    fn names_by_host(&self, pane: &LogPane) -> BTreeMap<HostId, SourceNames> {
        let mut hosts: BTreeMap<HostId, SourceNames> = BTreeMap::new();
        for source in pane.sources(&self.scrollback) {
            let names = hosts.entry(source.host).or_default();
            names.insert(source.name, source.id);
        }
        hosts
    }

    /// Ends the search of the hosts; true if there was one.
    pub(super) fn stop_remote_search(&mut self) -> bool {
        let own = self.requests.ids(is_search);
        self.cancel(own);
        self.remote_search.take().is_some()
    }

    /// How far the search of the hosts is.
    #[must_use]
    pub fn searching_hosts(&self) -> Option<String> {
        self.remote_search.as_ref().map(RemoteSearch::words)
    }

    pub(super) fn note_progress(&mut self) {
        if let Some(search) = &mut self.remote_search {
            let pending = self.requests.pending.values();
            pending
                .filter(|pending| is_search(pending))
                .for_each(|pending| search.note_progress(pending));
        }
    }

    /// A host has been searched: once all are, to the match that is nearest. What comes after the
    /// jump moves nobody, and is told.
    pub(super) fn finish_remote_search(&mut self, id: PaneId, pending: PendingRequest) {
        let search = self.remote_search.as_mut();
        let Some(search) = search.filter(|search| search.pane == id) else {
            return;
        };
        let is_over = search.take_in(pending, self.now);
        if let Some(missed) = search.take_missed() {
            let host = self.scrollback.host_name(missed.host);
            self.say(format!(
                "{host} has answered: a match there is nearer; search the other way"
            ));
        }
        if is_over && let Some(search) = self.remote_search.take() {
            self.end_remote_search(&search);
        }
    }

    fn end_remote_search(&mut self, search: &RemoteSearch) {
        if let Some(line) = search.last_jump() {
            self.jump_to_line(search.pane, line);
        } else if search.best.is_none() {
            return self.say(search.nothing_found());
        }
        if let Some(failure) = search.failure() {
            self.say(failure);
        }
    }

    /// To a match that is there, once the hosts that have not answered were waited for long enough.
    pub(super) fn jump_to_found(&mut self) {
        let Some(search) = &mut self.remote_search else {
            return;
        };
        let pane = search.pane;
        if let Some((line, words)) = search.jump_early(self.now) {
            self.jump_to_line(pane, &line);
            self.say(words);
        }
    }

    fn jump_to_line(&mut self, id: PaneId, line: &FleetLine) {
        self.cancel_pages_for(id);
        if let Some(pane) = self.panes.get_mut(id) {
            pane.go_to(line.content.time, &self.scrollback);
            pane.landing = Some((line.source, line.content.cursor));
        }
    }

    fn land(&mut self, id: PaneId, index: usize) {
        let height = self.page_height();
        if let Some(pane) = self.panes.get_mut(id) {
            pane.jump(index, height, &self.scrollback);
        }
    }
}

/// What is said when a jump went on at the other end.
fn wrapped_to(forward: bool) -> &'static str {
    if forward {
        "search wrapped to the oldest line"
    } else {
        "search wrapped to the newest line"
    }
}

fn is_search(pending: &PendingRequest) -> bool {
    matches!(pending.purpose, RequestPurpose::Search(_))
}

/// Only what the filter shows was looked at.
fn nothing(target: &JumpTarget, is_filtered: bool) -> &'static str {
    match (target, is_filtered) {
        (JumpTarget::Query(_), false) => "no match",
        (JumpTarget::Query(_), true) => "no match that the filter shows",
        (JumpTarget::Level(Level::Warn), false) => "no warning and no error",
        (JumpTarget::Level(Level::Warn), true) => "no warning and no error that the filter shows",
        (JumpTarget::Level(_), false) => "no error",
        (JumpTarget::Level(_), true) => "no error that the filter shows",
        (JumpTarget::Bookmark, _) => "no bookmark; m sets one",
    }
}
