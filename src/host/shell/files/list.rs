//! What the script lists, and which of it belongs together.

use std::collections::HashSet;

use crate::host::shell::frame::Frame;
use crate::model::file::{LogFile, Packing};
use crate::model::{FileId, Listing, LogNames, Time};

/// A path or pattern up to its extension, and that.
pub(super) fn parts(pattern: &[u8]) -> (&[u8], &[u8]) {
    let start = pattern.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let dot = pattern[start..].iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0);
    pattern.split_at(dot.map_or(pattern.len(), |dot| start + dot))
}

/// What the script lists, frame by frame.
pub(super) struct Lister {
    limit: usize,
    /// What was asked for.
    own: Listing,
    /// What may be older generations of it.
    others: Listing,
}

impl Lister {
    /// A list of at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, own: Listing::within(limit), others: Listing::within(limit) }
    }

    /// Takes in a frame: `L begin`, with which all begins again; or the first number of files in it that were asked for.
    /// `None` where it is neither.
    pub(super) fn push(&mut self, frame: &Frame) -> Option<()> {
        let header = frame.header.strip_prefix("L ")?;
        if header == "begin" {
            *self = Self::new(self.limit);
            return Some(());
        }
        let own: usize = header.parse().ok()?;
        let line = memchr::memchr(b'\n', &frame.body)?;
        let stats = std::str::from_utf8(&frame.body[..line]).ok()?;
        let paths = frame.body[line + 1..].split(|&byte| byte == 0);
        let files = stats.split(' ').filter(|stat| !stat.is_empty()).zip(paths);
        for (number, (stat, path)) in files.enumerate() {
            // One went away.
            if stat == "gone" {
                continue;
            }
            let list = if number < own { &mut self.own } else { &mut self.others };
            list.push(log_file(stat, path)?);
        }
        Some(())
    }

    /// Those that were asked for, and by their names older generations of them; each file once.
    pub(super) fn chosen(self, pattern: &[u8]) -> Listing {
        let logs: LogNames = self.own.iter().map(|file| file.path.clone()).chain([pattern.to_vec()]).collect();
        let (mut listing, mut others) = (self.own, self.others);
        others.retain(|file| logs.log_of(&file.path).is_some());
        listing.append(others);
        let mut known = HashSet::new();
        listing.retain(|file| known.insert(file.id));
        listing
    }
}

/// `device:inode:size:time`.
fn log_file(stat: &str, path: &[u8]) -> Option<LogFile> {
    let mut parts = stat.split(':');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (dev, ino, size) = (number()?, number()?, number()?);
    let modified = parts.next().and_then(modified).unwrap_or(Time(0));
    Some(LogFile { path: path.to_vec(), id: FileId { dev, ino }, size, modified, packing: Packing::of_name(path) })
}

fn modified(text: &str) -> Option<Time> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Time(seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)?))
}
