//! Log files of any host: listings, rotation names, access requests and the follower. No I/O.

pub mod access;
pub mod follow;
pub mod listing;
pub mod log_names;
pub mod rotation;
