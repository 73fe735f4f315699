//! Log files of any host: their names, what can be asked of them, what was listed. No I/O.

pub mod access;
pub mod follow;
pub mod listing;
pub mod log_names;
pub mod rotation;
pub mod siblings;
