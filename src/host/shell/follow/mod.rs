//! Following files by a shell.

pub(crate) mod hang_guard;
pub(crate) mod protocol;
