//! What the script lists, and which of it belongs together.

use std::collections::HashSet;

use crate::files::listing::{Listing, LogLink};
use crate::files::log_names::LogNames;
use crate::host::shell::frame::Frame;
use crate::model::cursor::FileId;
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::Time;

/// A path or pattern up to its extension, and that.
pub(super) fn parts(pattern: &[u8]) -> (&[u8], &[u8]) {
    let start = pattern
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    let dot = pattern[start..]
        .iter()
        .rposition(|&byte| byte == b'.')
        .filter(|&dot| dot > 0);
    pattern.split_at(dot.map_or(pattern.len(), |dot| start + dot))
}

/// What the script lists, frame by frame.
pub(super) struct Lister<'a> {
    limit: usize,
    pattern: &'a [u8],
    /// What was asked for. It comes first.
    own: Listing,
    /// Older generations of it.
    others: Listing,
    logs: LogNames,
}

impl<'a> Lister<'a> {
    /// A list of what this pattern brings, each of the two parts in at most so many bytes.
    pub(super) fn new(pattern: &'a [u8], limit: usize) -> Self {
        let logs = [pattern.to_vec()].into_iter().collect();
        Self {
            limit,
            pattern,
            own: Listing::within(limit),
            others: Listing::within(limit),
            logs,
        }
    }

    /// Takes in a frame: `L begin`, with which all begins again; `L look`, a sign of life; `L
    /// unsettled`, where files were moved all the while; `L links N`, so many symlinks that were
    /// asked for and where they lead; or files, with the number of the first among them that were
    /// asked for. `None` where it is none of these.
    pub(super) fn push(&mut self, frame: &Frame) -> Option<()> {
        match frame.header.strip_prefix("L ")? {
            "begin" => *self = Self::new(self.pattern, self.limit),
            "look" => {}
            "unsettled" => self.own.is_settled = false,
            files_or_links => match files_or_links.strip_prefix("links ") {
                Some(count) => self.push_links(count.parse().ok()?, &frame.body),
                None => self.push_files(files_or_links.parse().ok()?, &frame.body)?,
            },
        }
        Some(())
    }

    /// Where one of them could not be followed it is not known which: then they are told again, one
    /// by one.
    fn push_links(&mut self, count: usize, body: &[u8]) {
        let paths: Vec<&[u8]> = body
            .strip_suffix(b"\0")
            .unwrap_or(body)
            .split(|&byte| byte == 0)
            .collect();
        if paths.len() != count.saturating_mul(2) {
            return;
        }
        let (links, targets) = paths.split_at(count);
        for (path, target) in links
            .iter()
            .zip(targets)
            .filter(|(_, target)| !target.is_empty())
        {
            self.own.push_link(LogLink {
                path: path.to_vec(),
                target: target.to_vec(),
            });
        }
    }

    fn push_files(&mut self, own: usize, body: &[u8]) -> Option<()> {
        let line = memchr::memchr(b'\n', body)?;
        let stats = std::str::from_utf8(&body[..line]).ok()?;
        let paths = body[line + 1..].split(|&byte| byte == 0);
        let files = stats.split(' ').filter(|stat| !stat.is_empty()).zip(paths);
        for (number, (stat, path)) in files.enumerate() {
            // One went away.
            if stat == "gone" {
                continue;
            }
            if number < own {
                self.own.push(log_file(stat, path)?);
                self.logs.insert(path.to_vec());
                // Names of those that were left out are not kept either.
                if self.logs.len() > 2 * self.own.len() + 1 {
                    self.logs = self
                        .own
                        .iter()
                        .map(|file| file.path.clone())
                        .chain([self.pattern.to_vec()])
                        .collect();
                }
            } else if self.logs.log_of(path).is_some() {
                self.others.push(log_file(stat, path)?);
            }
        }
        Some(())
    }

    /// Those that were asked for, and by their names older generations of them; each file once.
    pub(super) fn chosen(self) -> Listing {
        let mut listing = self.own;
        listing.append(self.others);
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
    Some(LogFile {
        path: path.to_vec(),
        id: FileId { dev, ino },
        size,
        modified,
        compression: Compression::of_name(path),
    })
}

fn modified(text: &str) -> Option<Time> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Time(
        seconds
            .parse::<i64>()
            .ok()?
            .checked_mul(1_000_000_000)?
            .checked_add(nanos)?,
    ))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn r53_a_host_that_lists_without_end_costs_no_more_memory_than_the_limit() {
        let limit = 100_000;
        let mut lister = Lister::new(b"/l/*.log", limit);
        for part in 0..200_u64 {
            let stats: Vec<String> = (0..100)
                .map(|n| format!("1:{}:5:{}", part * 100 + n, 1000 + part))
                .collect();
            let paths: Vec<String> = (0..100)
                .map(|n| format!("/l/{}.log\0", part * 100 + n))
                .collect();
            let body = Bytes::from(format!("{}\n{}", stats.join(" "), paths.concat()));
            lister
                .push(&Frame {
                    header: "L 100".to_owned(),
                    body,
                })
                .expect("a list");
        }
        assert!(lister.logs.len() < 2 * limit / 120, "{}", lister.logs.len());
        let listing = lister.chosen();
        assert!(listing.len() < limit / 120, "{}", listing.len());
        assert_eq!(listing.len() as u64 + listing.left_out(), 20_000);
        assert!(
            listing
                .iter()
                .all(|file| file.modified.0 >= 1190 * 1_000_000_000),
            "the newest are kept"
        );
    }

    #[test]
    fn r53_what_is_no_list_is_none() {
        for (header, body) in [
            ("L x", "\n"),
            ("L 1", "no line end"),
            ("L 1", "1:2:3\n/a\0"),
            ("K 1", "\n"),
            ("L 1", "a:b:c:d\n/a\0"),
        ] {
            let frame = Frame {
                header: header.to_owned(),
                body: Bytes::from_static(body.as_bytes()),
            };
            let mut lister = Lister::new(b"/l/a", 1000);
            let is_list = lister.push(&frame).is_some();
            // Without a time a file is as old as can be.
            assert_eq!(is_list, body == "1:2:3\n/a\0", "{header} {body:?}");
        }
    }
}
