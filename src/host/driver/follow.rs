//! What a driver does that watches the files of a host and samples its metrics.
//!
//! A session asks without waiting, [`HostDriver::flush`] sends what was asked, and
//! [`HostDriver::next`] tells one by one what came of it, in the order in which it was asked. When
//! to ask for what is left to `host::session`, and what a file has become to `files::follow`.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

use crate::files::follow::{FileObservation, FollowRequest, PermissionBlock};
use crate::metrics::ProcCounters;
use crate::model::host::SystemFacts;
use crate::model::metrics::DiskUsage;
use crate::model::time::Time;
use crate::transport::LinkError;

/// Watching files.
pub(crate) trait FollowFiles {
    /// Does what the follower asks for. Answered by [`DriverEvent::Seen`].
    fn request(&mut self, request: FollowRequest);

    /// Looks at all watched files and reads what has grown, at most so many bytes of each. Answered
    /// by [`DriverEvent::Seen`] of some, and at the end [`DriverEvent::Polled`].
    fn poll(&mut self, most: usize);

    /// Lists the logs that a pattern matches. Answered by [`DriverEvent::Expanded`] or
    /// [`DriverEvent::Barred`]. False where the driver does not ask now: the host may hang there.
    fn expand(&mut self, number: u32, pattern: &[u8]) -> bool;
}

/// Saying what the host is.
pub(crate) trait DescribeHost {
    /// Answered by [`DriverEvent::Described`].
    fn describe(&mut self);
}

/// Reading the metrics of the host.
pub(crate) trait SampleMetrics {
    /// Answered by [`DriverEvent::Counters`].
    fn sample(&mut self);

    /// Answered by [`DriverEvent::Disks`]. It may hang where a disk does.
    fn measure_disks(&mut self);
}

/// A session with a host.
pub(crate) trait HostDriver: FollowFiles + DescribeHost + SampleMetrics + Send {
    /// Sends what was asked, and whatever keeps the session alive; waits while the host does not
    /// take it.
    fn flush(&mut self) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// What has come. `None` where nothing has, but it is time to look for what can be asked, and
    /// to flush. Cancel-safe.
    fn next(&mut self) -> impl Future<Output = Result<Option<DriverEvent>, LinkError>> + Send;

    /// Whether all that was asked has been answered.
    fn is_idle(&self) -> bool;

    /// How many bytes may be asked for now, so that nothing else has to wait for long.
    fn share(&self) -> usize;

    /// Bytes read since the last call.
    fn take_bytes_read(&mut self) -> u64;

    /// Ends the session.
    fn end(&mut self) -> impl Future<Output = ()> + Send;
}

/// What has come of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DriverEvent {
    /// Something about a file.
    Seen(FileObservation),
    /// A look at all files is over.
    Polled(PollEnd),
    /// Logs that a pattern matches, and how long it took to find them.
    Expanded(ExpandedPattern, Duration),
    /// What a pattern matches cannot be told, and how long it took to find out.
    Barred(BarredPattern, Duration),
    /// The pattern with this number is not expanded, for the host does not come back from there.
    PatternHangs(u32),
    /// What the host is.
    Described(Box<HostDescription>),
    /// A reading of the counters.
    Counters(Box<ProcCounters>),
    /// How full its disks are.
    Disks(Vec<DiskUsage>),
    /// A request is not answered, nor is anything behind it.
    Silent(SilentRequest),
}

/// The end of a look at all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PollEnd {
    /// It stopped at its limit, and another should follow at once.
    pub(crate) again: bool,
    /// When it was asked for, by our clock.
    pub(crate) asked: Time,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Logs that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpandedPattern {
    /// The number of the pattern.
    pub(crate) pattern: u32,
    /// How many there are.
    pub(crate) matched: usize,
    /// Whether the pattern matches anything, be it old generations alone.
    pub(crate) any: bool,
    /// There are more folders, or deeper ones, than `**` goes through.
    pub(crate) is_cut: bool,
    /// Their paths; of very many those that were written to last.
    pub(crate) files: Vec<Bytes>,
}

/// A pattern below a folder that we may not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BarredPattern {
    /// Its number.
    pub(crate) pattern: u32,
    /// The folder.
    pub(crate) barrier: PermissionBlock,
}

/// What a host says of itself when a session begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct HostDescription {
    /// For the screen and the JSON.
    pub(crate) facts: SystemFacts,
    /// There is a journal that could be read.
    pub(crate) journal: bool,
    /// The login and its groups, for hints about permissions.
    pub(crate) user: String,
}

/// A request without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SilentRequest {
    pub(crate) kind: DriverRequestKind,
    /// How long it has been waited for, at least.
    pub(crate) waited: Duration,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DriverRequestKind {
    Poll,
    Expand,
    Sample,
    Disks,
    Other,
}
