//! End to end tests: real servers, real files, real terminals.

mod cli;
mod conformance;
mod corpora;
mod demo;
mod faults;
mod fleet;
mod follow;
mod formats;
mod grep;
mod history;
mod manners;
mod readme;
mod records;
mod rotations;
mod screen;
mod shells;
mod sources;
mod structure;
mod support;
mod transport;
mod transport_config;
mod transport_jump;
mod transport_login;
mod transport_trust;
