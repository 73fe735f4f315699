//! What the script lists, and which of it belongs together.

use std::collections::HashSet;

use crate::host::shell::frame::Frame;
use crate::model::file::{Generation, LogFile, Packing};
use crate::model::{FileId, Time};

/// The most files that a pattern stands for.
const MAX_FILES: usize = 1000;

/// A path or pattern up to its extension, and that.
pub(super) fn parts(pattern: &[u8]) -> (&[u8], &[u8]) {
    let start = pattern.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let dot = pattern[start..].iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0);
    pattern.split_at(dot.map_or(pattern.len(), |dot| start + dot))
}

/// A list: how many of the files are what was asked for, and all.
pub(super) fn listed(frame: &Frame) -> Option<(usize, Vec<LogFile>)> {
    let own = frame.header.strip_prefix("L ")?.parse().ok()?;
    let line = memchr::memchr(b'\n', &frame.body)?;
    let stats = std::str::from_utf8(&frame.body[..line]).ok()?;
    let paths = frame.body[line + 1..].split(|&byte| byte == 0);
    let files = stats.split(' ').filter(|stat| !stat.is_empty()).zip(paths);
    Some((own, files.map(|(stat, path)| log_file(stat, path)).collect::<Option<Vec<_>>>()?))
}

/// `device:inode:size:time`, or what stands for a file that has gone.
fn log_file(stat: &str, path: &[u8]) -> Option<LogFile> {
    if stat == "gone" {
        let (id, modified) = (FileId::default(), Time(0));
        return Some(LogFile { path: Vec::new(), id, size: 0, modified, packing: Packing::Plain });
    }
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

/// Those that were asked for, and by their names older generations of them; each file once.
pub(super) fn chosen((own, mut files): (usize, Vec<LogFile>), pattern: &[u8]) -> Vec<LogFile> {
    let others = files.split_off(own.min(files.len()));
    let logs: Vec<Vec<u8>> = files.iter().map(|file| file.path.clone()).chain([pattern.to_vec()]).collect();
    files.extend(others.into_iter().filter(|file| logs.iter().any(|log| Generation::of(log, &file.path).is_some())));
    let mut known = HashSet::new();
    files.retain(|file| !file.path.is_empty() && known.insert(file.id));
    files.truncate(MAX_FILES);
    files
}
