//! From bytes to meaning: the timestamp, level and fields of a line, which lines are one record,
//! and how a line is shown to people. Pure functions and small state machines; where the bytes come
//! from is left to others.

mod bytes;
#[cfg(test)]
mod cpu_time;
pub mod dialect;
pub mod display;
pub mod encoding;
mod escapes;
pub mod fields;
pub mod level;
pub mod line_reader;
pub mod multiline;
mod named_columns;
mod security_event;
pub mod split;
pub mod timestamp;
