//! One host's operations as one async interface, and its supervision.
//!
//! [`supervise()`] keeps one host connected and says all it has to say through an [`Outbox`], until
//! it is told to stop or, for a bounded pass, until it is done. A failure is an event like any
//! other. What a driver can do is in `driver`, and `session` follows a host by any of them; so far
//! that is plain `sh` over a channel ([`shell`]), on this machine too. What was written
//! before is answered by [`ask`](mod@ask), where there are two drivers of [`Files`]: that shell,
//! and `engine` for this machine. How hosts are reached is left to `transport`, how many become one
//! to `fleet`.

pub mod ask;
mod driver;
mod followed_files;
mod lag;
mod local;
mod outbox;
mod problems;
pub mod programs;
mod request_server;
pub mod search;
mod session;
pub mod shell;
mod sources;
mod state;
mod sudo;
mod supervise;

pub use driver::files::{Failure, Files, Hint, MAX_READ};
pub use local::LocalFiles;
pub use outbox::Outbox;
pub use request_server::Question;
pub use supervise::{Command, supervise};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::gap::GapReason;
use crate::model::host::SystemFacts;
use crate::model::line::Line;
use crate::model::metrics::Sample;
use crate::model::read_position::ReadPosition;
use crate::model::source::SourceInfo;
use crate::model::state::HostStatus;
use crate::model::time::Time;

/// What is wanted of a host.
#[derive(Debug, Clone)]
pub struct Work {
    /// How many of the last lines of each source to begin with.
    pub lines: u32,
    /// Time between two samples.
    pub sample_every: Duration,
    /// End after the last lines and one sample, or go on.
    pub once: bool,
    /// When a bounded pass ends, whatever it has: nothing is dialled for it after that.
    pub until: Option<Instant>,
    /// How far its files were told of by an earlier run, by the names of the sources.
    pub resume: Arc<BTreeMap<String, Vec<ReadPosition>>>,
}

/// What a host has to say. Sources are numbered from 0 on each host, in order of discovery.
#[derive(Debug, Clone)]
pub enum HostEvent {
    /// Its state.
    Status(HostStatus),
    /// What it said of itself.
    Facts(SystemFacts),
    /// A source came into being or changed its state.
    Source {
        /// Its number.
        source: u32,
        /// As it is shown.
        info: SourceInfo,
    },
    /// Lines of a source, in the order of its bytes.
    Lines {
        /// The number of the source.
        source: u32,
        /// At least one.
        lines: Vec<Line>,
    },
    /// The last line of a source, of which the end has not come yet; it comes again when it has.
    Unfinished {
        /// The number of the source.
        source: u32,
        /// As much of it as there is.
        line: Line,
    },
    /// Bytes of a source are missing.
    Gap {
        /// The number of the source.
        source: u32,
        /// The offset of the first of them.
        from: u64,
        /// The offset behind the last of them, where it is known.
        to: Option<u64>,
        /// Why they are missing.
        reason: GapReason,
        /// When the byte before them was read.
        since: Option<Time>,
    },
    /// A source is read from this place on; nothing of it was sent before.
    Begun {
        /// The number of the source.
        source: u32,
        /// The place.
        reached: Box<ReadPosition>,
    },
    /// Metrics.
    Sample(Sample),
    /// Bytes were read.
    ReadTo {
        /// Every line written before this (by the host's clock) has been sent; `None` where that is
        /// not known, as of what follows a program.
        up_to: Option<Time>,
        /// How many since the last event of this kind.
        bytes: u64,
    },
    /// The bounded pass is over, or can get no further.
    Done,
}

impl HostEvent {
    /// Bytes it takes in memory, about.
    fn size(&self) -> usize {
        let content = match self {
            Self::Lines { lines, .. } => lines.iter().map(Line::memory).sum(),
            Self::Unfinished { line, .. } => line.memory(),
            Self::Status(status) => status.reason.as_ref().map_or(0, String::len),
            _ => 0,
        };
        size_of::<Self>() + content
    }
}
