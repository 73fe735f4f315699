//! End to end tests: real servers, real files, real terminals.

mod support;
mod transport;
mod cli;
