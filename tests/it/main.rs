//! End to end tests: real servers, real files, real terminals.

mod cli;
mod corpora;
mod demo;
mod faults;
mod fleet;
mod follow;
mod formats;
mod grep;
mod readme;
mod records;
mod rotations;
mod screen;
mod structure;
mod support;
mod transport;
mod transport_config;
mod transport_jump;
mod transport_login;
mod transport_trust;
