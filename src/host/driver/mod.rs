//! What a driver of a host can do, whichever it is.

pub(crate) mod facts;
pub(crate) mod files;
