//! The library behind `logtrail-tui`.

pub mod cli;
pub mod config;
pub mod demo;
pub mod fleet;
pub mod host;
pub mod model;
pub mod report;
pub mod transport;
