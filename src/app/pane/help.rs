//! The help: every key and command.

use super::scroll::Scroll;

/// The help.
#[derive(Debug, Default)]
pub struct HelpPane {
    /// How far it is scrolled.
    pub scroll: Scroll,
}
