//! Filters and jumps of a log pane: to the next line that matches, here or on the hosts.

use super::seek::{Seek, SoughtLine};
use super::{App, JumpTarget, PaneId};
use crate::model::level::Level;
use crate::query::{Query, QueryError, ReferenceTime};

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
        self.continue_seek();
        Ok(())
    }

    pub(super) fn next_hit(&mut self, forward: bool, count: Option<u32>) {
        match self.panes.focused().and_then(|pane| pane.search.clone()) {
            Some(query) => self.seek(JumpTarget::Query(query), forward, count),
            None => self.say("nothing was searched yet; / searches"),
        }
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
            // "No match" can only be said of a pane that has been read to its beginning.
            self.seek = Some(seek);
            return;
        }
        match seek.advance(pane, &self.scrollback) {
            SoughtLine::Going => self.seek = Some(seek),
            SoughtLine::Edge => self.seek_on_hosts(&seek),
            SoughtLine::Nothing => self.say(nothing(&seek.target)),
            SoughtLine::Found(index, wrapped) => {
                self.land(seek.pane, index);
                if wrapped {
                    self.say("went round the end");
                }
            }
        }
    }

    /// Nothing was found in what the pane has: the hosts are searched.
    fn seek_on_hosts(&mut self, seek: &Seek) {
        let nothing = nothing(&seek.target);
        let query = match &seek.target {
            JumpTarget::Query(query) => Some(query.clone()),
            JumpTarget::Level(level) => self.query(&format!("level>={level}")).ok(),
            JumpTarget::Bookmark => None,
        };
        if !query.is_some_and(|query| self.search_hosts(seek.pane, query, !seek.forward, nothing)) {
            self.say(nothing);
        }
    }

    fn land(&mut self, id: PaneId, index: usize) {
        let height = self.page_height();
        if let Some(pane) = self.panes.get_mut(id) {
            pane.jump(index, height, &self.scrollback);
        }
    }
}

fn nothing(target: &JumpTarget) -> &'static str {
    match target {
        JumpTarget::Query(_) => "no match",
        JumpTarget::Level(Level::Warn) => "no warning and no error",
        JumpTarget::Level(_) => "no error",
        JumpTarget::Bookmark => "no bookmark; m sets one",
    }
}
