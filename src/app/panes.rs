//! Which panes there are, how the screen is divided among them, and which one has the focus.

use std::collections::BTreeMap;

use ratatui::layout::{Direction, Rect};

use super::pane::{HostsPane, LogPane, Pane, Popup, WINDOW_BYTES};
use super::tree::{PaneId, Side, Tree};
use crate::scrollback::{Renumbering, Scrollback};

/// The panes of the screen. There is always a log pane.
#[derive(Debug)]
pub(super) struct Panes {
    /// The log panes.
    pub(super) logs: BTreeMap<PaneId, LogPane>,
    /// How the screen is divided among the log panes.
    pub(super) tree: Tree,
    /// The log pane that keys and commands mean.
    pub(super) focus: PaneId,
    /// The host list.
    pub(super) hosts: HostsPane,
    /// What is open above the others.
    pub(super) popup: Option<Popup>,
    /// Memory for the windows of all log panes together.
    pub(super) window_bytes: usize,
    /// The pane in which the last action was to go to the top.
    at_top: Option<PaneId>,
    next: u32,
}

impl Panes {
    /// One log pane that shows everything.
    pub(super) fn new(scrollback: &Scrollback) -> Self {
        let first = PaneId(0);
        Self {
            logs: BTreeMap::from([(first, LogPane::new(scrollback))]),
            tree: Tree::new(first),
            focus: first,
            hosts: HostsPane::default(),
            popup: None,
            window_bytes: WINDOW_BYTES,
            at_top: None,
            next: 1,
        }
    }

    /// The pane that takes keys.
    pub(super) fn active(&self) -> Option<Pane<'_>> {
        match &self.popup {
            Some(popup) => Some(popup.pane()),
            None if self.hosts.focused => Some(Pane::Hosts(&self.hosts)),
            None => Some(Pane::Log(self.focus, self.focused()?)),
        }
    }

    /// The log pane that keys and commands mean.
    pub(super) fn focused(&self) -> Option<&LogPane> {
        self.logs.get(&self.focus)
    }

    /// The same, to be changed.
    pub(super) fn focused_mut(&mut self) -> Option<&mut LogPane> {
        self.logs.get_mut(&self.focus)
    }

    /// A log pane.
    pub(super) fn get(&self, id: PaneId) -> Option<&LogPane> {
        self.logs.get(&id)
    }

    /// A log pane, to be changed.
    pub(super) fn get_mut(&mut self, id: PaneId) -> Option<&mut LogPane> {
        self.logs.get_mut(&id)
    }

    /// Memory for the window of one log pane.
    pub(super) fn window_share(&self) -> usize {
        self.window_bytes / self.logs.len().max(1)
    }

    /// Notes whether an action goes to the top; true where the one before it did so, too, in the
    /// same pane.
    pub(super) fn goes_to_top_again(&mut self, is_top: bool) -> bool {
        let before = std::mem::replace(&mut self.at_top, is_top.then_some(self.focus));
        before == Some(self.focus)
    }

    /// The record that is shown stays the same where its rows have other numbers.
    pub(super) fn follow_woven(&mut self, renumbering: &Renumbering) {
        if let Some(Popup::Record(record)) = &mut self.popup {
            record.seq = renumbering.of_live(record.seq);
        }
    }

    /// Closes a record: what it shows is not there any more.
    pub(super) fn close_record(&mut self) {
        self.popup
            .take_if(|popup| matches!(popup, Popup::Record(_)));
    }

    /// Splits the pane that has the focus; false where there is no room in `main`.
    pub(super) fn split(
        &mut self,
        direction: Direction,
        main: Rect,
        scrollback: &Scrollback,
    ) -> bool {
        let new = PaneId(self.next);
        if !self.tree.split(self.focus, new, direction, main) {
            return false;
        }
        if let Some(pane) = self.focused() {
            let pane = pane.duplicate(scrollback);
            self.logs.insert(new, pane);
        }
        self.next += 1;
        self.focus = new;
        self.hosts.focused = false;
        true
    }

    /// Closes the pane that has the focus; false where it is the last.
    pub(super) fn close(&mut self) -> bool {
        let index = self.focus_index();
        if !self.tree.close(self.focus) {
            return false;
        }
        self.logs.remove(&self.focus);
        let left = self.tree.panes();
        self.focus = left
            .get(index.saturating_sub(1))
            .or(left.first())
            .copied()
            .unwrap_or(self.focus);
        true
    }

    /// Closes all log panes but the one that has the focus.
    pub(super) fn close_others(&mut self) {
        let focus = self.focus;
        self.tree.only(focus);
        self.logs.retain(|pane, _| *pane == focus);
    }

    /// Makes the pane that has the focus larger or smaller.
    pub(super) fn resize(&mut self, direction: Direction, grow: bool) {
        self.tree.resize(self.focus, direction, grow);
    }

    /// Moves the focus to the pane at a side; at the left end to the host list, where it is shown.
    pub(super) fn focus_side(&mut self, side: Side, main: Rect, has_list: bool) {
        if self.hosts.focused {
            self.hosts.focused = side != Side::Right;
            return;
        }
        match self.tree.neighbour(self.focus, side, main) {
            Some(pane) => self.focus = pane,
            None if side == Side::Left && has_list => self.hosts.focused = true,
            None => {}
        }
    }

    /// Moves the focus round the panes in reading order, the host list last, where it is shown.
    pub(super) fn cycle_focus(&mut self, forward: bool, has_list: bool) {
        let panes = self.tree.panes();
        let stops = panes.len() + usize::from(has_list);
        let here = if self.hosts.focused {
            panes.len()
        } else {
            self.focus_index()
        };
        let next = (here + if forward { 1 } else { stops - 1 }) % stops.max(1);
        self.hosts.focused = next == panes.len();
        if let Some(pane) = panes.get(next) {
            self.focus = *pane;
        }
    }

    /// Holds all log panes as they are, or lets all go on where all are held.
    pub(super) fn freeze_all(&mut self, scrollback: &Scrollback) {
        let hold = !self.logs.values().all(LogPane::is_frozen);
        for pane in self.logs.values_mut() {
            pane.freeze(scrollback, hold);
        }
    }

    /// Whether the operator has made something of the screen: panes, filters, a position.
    pub(super) fn are_arranged(&self) -> bool {
        let touched = |pane: &LogPane| {
            let filter = pane.filter();
            !pane.is_following()
                || filter.query.is_some()
                || filter.hosts.is_some()
                || filter.sources.is_some()
        };
        self.logs.len() > 1 || self.logs.values().any(touched)
    }

    fn focus_index(&self) -> usize {
        self.tree
            .panes()
            .iter()
            .position(|pane| *pane == self.focus)
            .unwrap_or(0)
    }
}
