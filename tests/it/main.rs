//! End to end tests: real servers, real files, real terminals.

mod cli;
mod demo;
mod fleet;
mod follow;
mod support;
mod transport;
