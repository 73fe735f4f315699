//! From when on the last lines of a container are to be read.

use crate::host::driver::programs::RunPrograms;
use crate::transport::LinkError;

use super::argv::{self, CommandLine, StartFrom};
use super::list_output::ContainerLog;
use super::timestamp_prefix::{EngineOutput, PrefixStripper};

/// What is asked for beyond, so that none begins in the middle of a line that was written in
/// several goes.
const BEFORE: i64 = 1_000_000_000;

/// What reads a container from somewhere on.
pub(super) fn log_command(at: &ContainerLog, from: &StartFrom<'_>, follow: bool) -> CommandLine {
    match at {
        ContainerLog::Engine(engine, id) => argv::container_log(*engine, id, from, follow),
        ContainerLog::Pod(of) => argv::pod_log(of, from, follow, false),
    }
}

/// From where the last lines are had.
pub(super) struct TailStart {
    pub(super) from: StartFrom<'static>,
    /// There are no lines before.
    pub(super) is_all: bool,
}

/// From where at least some of so many last lines of a container are had. Engines that are asked
/// for a number of lines count the parts of long ones, begin in the middle of one, and podman
/// before 4.4 puts parts together with the wrong line. The stamps are true all the same, and from a
/// time on they tell what is there.
pub(super) async fn find_tail_start(
    programs: &mut impl RunPrograms,
    at: &ContainerLog,
    lines: u32,
) -> Result<TailStart, LinkError> {
    let last = StartFrom::Last(lines.max(1));
    programs.run(&log_command(at, &last, false)).await?;
    let (mut stripper, mut first, mut counted) = (PrefixStripper::new(at), None, 0);
    while let Some(more) = programs.next().await? {
        for line in more {
            let said = stripper.line(line);
            if let EngineOutput::Lines(lines) = &said {
                first = first.or_else(|| lines.first().map(|line| line.at));
            }
            counted += stripper.most_counted(&said);
        }
    }
    let code = programs.stop().await?.code;
    let from = match first {
        Some(first) => StartFrom::Time(first - BEFORE),
        None if code == Some(0) => StartFrom::Oldest,
        // It will say once more what keeps it.
        None => last,
    };
    Ok(TailStart {
        from,
        is_all: counted < u64::from(lines),
    })
}

/// From a time on, or a little before.
pub(super) fn from_time(at: i64) -> StartFrom<'static> {
    if at <= BEFORE {
        StartFrom::Oldest
    } else {
        StartFrom::Time(at - BEFORE)
    }
}
