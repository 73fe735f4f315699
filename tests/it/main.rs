//! End to end tests: real servers, real files, real terminals.

mod demo;
