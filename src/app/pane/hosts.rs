//! The host list: which host is selected, and whether keys go there.

use crate::model::host::HostId;

/// The host list.
#[derive(Debug, Default)]
pub struct HostsPane {
    selected: usize,
    /// Whether keys go to the list.
    pub focused: bool,
}

impl HostsPane {
    /// The index of the host under the cursor.
    #[must_use]
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The host under the cursor.
    #[must_use]
    pub fn selected_host(&self) -> HostId {
        HostId::of_index(self.selected)
    }

    /// Moves the cursor down, to the last host at most.
    pub fn down(&mut self, rows: usize, last: usize) {
        self.selected = self.selected.saturating_add(rows).min(last);
    }

    /// Moves the cursor up.
    pub fn up(&mut self, rows: usize) {
        self.selected = self.selected.saturating_sub(rows);
    }

    /// Puts the cursor on a host.
    pub fn select(&mut self, index: usize) {
        self.selected = index;
    }
}
