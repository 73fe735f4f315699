//! From when on the last lines of a container are to be read.

use crate::transport::LinkError;

use super::argv::{self, From, Words};
use super::list_output::At;
use super::program::Shell;
use super::timestamp_prefix::{Said, Unstamp};

/// What is asked for beyond, so that none begins in the middle of a line that was written in
/// several goes.
const BEFORE: i64 = 1_000_000_000;

/// What reads a container from somewhere on.
pub(super) fn words_of(at: &At, from: &From<'_>, follow: bool) -> Words {
    match at {
        At::Engine(engine, id) => argv::container_log(*engine, id, from, follow),
        At::Pod(of) => argv::pod_log(of, from, follow, false),
    }
}

/// From where the last lines are had.
pub(super) struct TailStart {
    pub(super) from: From<'static>,
    /// There are no lines before.
    pub(super) is_all: bool,
}

/// From where at least some of so many last lines of a container are had. Engines that are asked
/// for a number of lines count the parts of long ones, begin in the middle of one, and podman
/// before 4.4 puts parts together with the wrong line. The stamps are true all the same, and from a
/// time on they tell what is there.
pub(super) async fn from_last(
    shell: &mut Shell,
    at: &At,
    lines: u32,
) -> Result<TailStart, LinkError> {
    let last = From::Last(lines.max(1));
    let mut program = shell.run(&words_of(at, &last, false)).await?;
    let (mut unstamp, mut first, mut counted) = (Unstamp::new(at), None, 0);
    while let Some(more) = program.next().await? {
        for line in more {
            let said = unstamp.line(line);
            if let Said::Lines(lines) = &said {
                first = first.or_else(|| lines.first().map(|line| line.at));
            }
            counted += unstamp.most_counted(&said);
        }
    }
    let code = program.end().await?;
    let from = match first {
        Some(first) => From::Time(first - BEFORE),
        None if code == Some(0) => From::Oldest,
        // It will say once more what keeps it.
        None => last,
    };
    Ok(TailStart {
        from,
        is_all: counted < u64::from(lines),
    })
}

/// From a time on, or a little before.
pub(super) fn from_time(at: i64) -> From<'static> {
    if at <= BEFORE {
        From::Oldest
    } else {
        From::Time(at - BEFORE)
    }
}
