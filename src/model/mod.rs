//! The nouns of the program: host, source, line, gap, sample, link state, prompt, update.
//!
//! Everything here is data or a pure function of data. Nothing reads a clock, a file, a socket or a
//! terminal, and nothing finds meaning in bytes; that is left to the modules above, which all speak
//! in these words.

pub mod backfilled;
pub mod braces;
pub mod cursor;
pub mod dialect;
pub mod gap;
pub mod host;
pub mod level;
pub mod line;
pub mod log_file;
pub mod metrics;
pub mod prompt;
pub mod read_position;
pub mod record;
pub mod source;
pub mod state;
pub mod text;
pub mod time;
pub mod update;
