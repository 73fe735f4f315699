//! Files in memory that answer as a driver does, count what they are asked, and are rotated between
//! two questions.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use regex::bytes::RegexBuilder;

use crate::files::access::{FileChunk, FileError, FoundLine, ScanBatch, ScanRequest};
use crate::files::listing::FileListing;
use crate::host::{Failure, Files, Hint, MAX_READ};
use crate::model::cursor::FileId;
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::Time;
use crate::parse::timestamp::TimeKey;
use crate::query::Prefilter;

/// A file.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) path: String,
    pub(super) ino: u64,
    pub(super) text: Vec<u8>,
    pub(super) modified: Time,
    pub(super) is_denied: bool,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:?}",
            self.path,
            String::from_utf8_lossy(&self.text[..self.text.len().min(4000)])
        )
    }
}

/// What may happen to the files of `/log/app`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// All are renamed to the next number, and the live one begins anew.
    Rename,
    /// The same, and the one before is packed.
    Compress,
    /// The live one is copied and emptied.
    CopyTruncate,
}

/// A folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Fake {
    pub(super) files: Vec<Stored>,
    pub(super) reads: u32,
    pub(super) bytes: u64,
    /// Before the question of this number (from now), this happens.
    pub(super) turns: VecDeque<(u32, Turn)>,
    /// Finds that a scan gives at once.
    pub(super) portion: usize,
    next_ino: u64,
    found: VecDeque<ScanBatch>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            next_ino: 100,
            portion: 3,
            ..Self::default()
        }
    }

    /// Adds a file; the older come first.
    pub(super) fn add(&mut self, path: &str, text: impl Into<Vec<u8>>, modified: Time) {
        self.next_ino += 1;
        self.files.push(Stored {
            path: path.to_owned(),
            ino: self.next_ino,
            text: text.into(),
            modified,
            is_denied: false,
        });
    }

    pub(super) fn turn(&mut self, turn: Turn) {
        let number = |path: &str| {
            let rest = path.strip_prefix("/log/app.")?;
            rest.trim_end_matches(".gz").parse::<u32>().ok()
        };
        for file in &mut self.files {
            if let Some(number) = number(&file.path) {
                let end = if file.path.ends_with(".gz") {
                    ".gz"
                } else {
                    ""
                };
                file.path = format!("/log/app.{}{end}", number + 1);
            }
        }
        let Some(live) = self.files.iter().position(|file| file.path == "/log/app") else {
            return;
        };
        let modified = self.files[live].modified;
        if turn == Turn::CopyTruncate {
            let text = std::mem::take(&mut self.files[live].text);
            self.add("/log/app.1", text, modified);
            return;
        }
        self.files[live].path = "/log/app.1".to_owned();
        self.add("/log/app", "", modified);
        let plain = self.files.iter().position(|file| file.path == "/log/app.2");
        if let (Turn::Compress, Some(plain)) = (turn, plain) {
            let file = self.files.remove(plain);
            self.add("/log/app.2.gz", file.text, file.modified);
        }
    }

    fn asked(&mut self) {
        match self.turns.front_mut() {
            Some((0, turn)) => {
                let turn = *turn;
                self.turns.pop_front();
                self.turn(turn);
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
    }

    fn text(&self, file: &LogFile) -> Result<&[u8], Failure> {
        let found = self
            .files
            .iter()
            .find(|stored| stored.path.as_bytes() == file.path);
        let found = found.ok_or(FileError::Missing)?;
        if found.ino != file.id.ino {
            return Err(FileError::Replaced.into());
        }
        if found.is_denied {
            return Err(FileError::Denied.into());
        }
        Ok(&found.text)
    }
}

impl Files for Fake {
    async fn list(&mut self, pattern: &[u8]) -> Result<FileListing, Failure> {
        let pattern = String::from_utf8_lossy(pattern).into_owned();
        let stem = pattern.split('*').next().unwrap_or_default().to_owned();
        let matches = self
            .files
            .iter()
            .filter(|file| file.path.starts_with(&stem));
        let listed = matches.map(|file| {
            let compression = Compression::of_name(file.path.as_bytes());
            // Packed text is shorter.
            let size = if compression == Compression::Plain {
                file.text.len()
            } else {
                file.text.len() / 7
            } as u64;
            let id = FileId {
                dev: 1,
                ino: file.ino,
            };
            LogFile {
                path: file.path.clone().into(),
                id,
                size,
                modified: file.modified,
                compression,
            }
        });
        Ok(listed.collect())
    }

    async fn list_log(&mut self, path: &[u8]) -> Result<FileListing, Failure> {
        self.list(path).await
    }

    async fn read(&mut self, file: &LogFile, from: u64, most: usize) -> Result<FileChunk, Failure> {
        self.asked();
        assert!(most > 0 && most <= MAX_READ, "a read of {most} bytes");
        let text = self.text(file)?;
        let from = usize::try_from(from).expect("small").min(text.len());
        let to = (from + most).min(text.len());
        let chunk = FileChunk {
            bytes: Bytes::copy_from_slice(&text[from..to]),
            at_end: to == text.len(),
        };
        self.reads += 1;
        self.bytes += chunk.bytes.len() as u64;
        Ok(chunk)
    }

    async fn measure(&mut self, file: &LogFile) -> Result<u64, Failure> {
        self.asked();
        Ok(self.text(file)?.len() as u64)
    }

    async fn scan(&mut self, scan: &ScanRequest) -> Result<(), Failure> {
        self.asked();
        self.found.clear();
        let text = self.text(&scan.file)?.to_vec();
        let lines = lines(&text);
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|(at, _)| (scan.from..scan.to).contains(at))
            .collect();
        let hits: Vec<bool> = lines
            .iter()
            .map(|(_, raw)| passes(&scan.filter, raw))
            .collect();
        let mut finds = Vec::new();
        for (number, (offset, raw)) in lines.iter().enumerate() {
            let first = number.saturating_sub(scan.after as usize);
            let last = (number + scan.before as usize).min(lines.len() - 1);
            if hits[first..=last].iter().any(|hit| *hit) {
                finds.push(FoundLine {
                    offset: *offset,
                    raw: raw.clone(),
                    is_hit: hits[number],
                });
            }
        }
        for part in finds.chunks(self.portion.max(1)) {
            let read_to = part.last().map_or(0, |found| found.offset + 1);
            self.found.push_back(ScanBatch {
                is_cut: false,
                lines: part.to_vec(),
                read_to,
            });
        }
        self.found.push_back(ScanBatch {
            is_cut: false,
            lines: Vec::new(),
            read_to: scan.to.min(text.len() as u64),
        });
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<ScanBatch>, Failure> {
        Ok(self.found.pop_front())
    }

    async fn seek(&mut self, _: &LogFile, _: &TimeKey, _: Time) -> Result<Option<Hint>, Failure> {
        Ok(None)
    }
}

/// The lines of a text with their offsets.
pub(super) fn lines(text: &[u8]) -> Vec<(u64, Bytes)> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let raw = line.strip_suffix(b"\n").unwrap_or(line);
        found.push((
            at,
            Bytes::copy_from_slice(raw.strip_suffix(b"\r").unwrap_or(raw)),
        ));
        at += line.len() as u64;
    }
    found
}

fn passes(filter: &Prefilter, raw: &[u8]) -> bool {
    let Prefilter::Lines(patterns) = filter else {
        return true;
    };
    patterns.list.iter().any(|pattern| {
        let text = std::str::from_utf8(pattern).expect("patterns of the tests are text");
        let text = if patterns.fixed {
            regex::escape(text)
        } else {
            text.to_owned()
        };
        let regex = RegexBuilder::new(&text)
            .unicode(false)
            .case_insensitive(patterns.either_case)
            .build();
        regex.expect("a pattern").is_match(raw)
    })
}
