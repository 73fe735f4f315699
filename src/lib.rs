//! The library behind `logtrail-tui`.

pub mod app;
pub mod fleet;
pub mod host;
pub mod model;
pub mod store;
pub mod transport;
pub mod tui;
pub mod view;
