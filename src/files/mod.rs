//! Log files of any host: listings, rotation names, access requests and the follower. No I/O.

pub mod access;
pub mod follow;
pub mod listing;
pub mod log_names;
mod name_age;
pub mod patterns;
pub mod rotation;
mod rotation_index;
pub mod series;
