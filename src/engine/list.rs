//! The files that a pattern matches, and those that may be rotated siblings of them by their names.

use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;

use crate::model::file::{FileError, Generation, LogFile};

use super::Stop;
use super::open::{as_path, look, system};
use super::pattern::{is_pattern, matches, unquoted};

/// The most files that one question is answered with.
pub const MAX_FILES: usize = 1000;

/// The most names that are looked at for one question: a pattern over a whole disk is a mistake.
const MAX_NAMES: usize = 1_000_000;

/// The most looks before two that agree.
const MAX_LOOKS: u32 = 6;

/// Every regular file that a pattern matches, and every one that may be a sibling of such a file; those that may not be
/// read too. No file twice, though it has several names. A path without a pattern has its siblings listed also while
/// there is none under the name itself.
///
/// # Errors
/// When the path may not be looked at, or the pattern has too much to look through.
pub fn list(pattern: &[u8], stop: &Stop) -> Result<Vec<LogFile>, FileError> {
    let ids = |files: &[LogFile]| files.iter().map(|file| file.id).collect::<HashSet<_>>();
    let mut files = list_once(pattern, stop)?;
    // While a rotation is under way one look may miss a file that moves from name to name.
    for _ in 1..MAX_LOOKS {
        let again = list_once(pattern, stop)?;
        let settled = ids(&again) == ids(&files);
        files = again;
        if settled {
            break;
        }
    }
    Ok(files)
}

fn list_once(pattern: &[u8], stop: &Stop) -> Result<Vec<LogFile>, FileError> {
    let mut walk = Walk { stop, names: 0, folders: HashMap::new() };
    let paths = walk.expand(pattern)?;
    let mut found = Found::default();
    let mut logs = Vec::new();
    for path in &paths {
        match look(path) {
            Ok(Some(file)) => {
                found.add(file);
                logs.push(path);
            }
            Ok(None) if !is_pattern(pattern) => logs.push(path),
            Ok(None) => {}
            Err(error) if !is_pattern(pattern) => return Err(error),
            Err(_) => {}
        }
    }
    for path in logs {
        for sibling in walk.siblings(path)? {
            if found.is_full() {
                break;
            }
            if let Ok(Some(file)) = look(&sibling) {
                found.add(file);
            }
        }
    }
    Ok(found.files)
}

#[derive(Default)]
struct Found {
    files: Vec<LogFile>,
    known: HashSet<(u64, u64)>,
}

impl Found {
    fn is_full(&self) -> bool {
        self.files.len() >= MAX_FILES
    }

    fn add(&mut self, file: LogFile) {
        if !self.is_full() && self.known.insert((file.id.dev, file.id.ino)) {
            self.files.push(file);
        }
    }
}

/// Folders that are read, each once.
struct Walk<'a> {
    stop: &'a Stop,
    names: usize,
    folders: HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl Walk<'_> {
    /// The paths that a pattern matches, in the order of their bytes; a path without a pattern as it is.
    fn expand(&mut self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, FileError> {
        let mut paths = vec![Vec::new()];
        for part in pattern.split_inclusive(|&byte| byte == b'/') {
            let name = part.strip_suffix(b"/").unwrap_or(part);
            if !is_pattern(name) {
                let part = if is_pattern(pattern) { unquoted(part) } else { part.to_vec() };
                paths.iter_mut().for_each(|path| path.extend_from_slice(&part));
                continue;
            }
            let slash = &part[name.len()..];
            let mut longer = Vec::new();
            for path in paths {
                let mut names: Vec<_> = self.names(&path)?.iter().filter(|n| matches(name, n)).cloned().collect();
                names.sort_unstable();
                longer.extend(names.iter().map(|name| [&path[..], name, slash].concat()));
            }
            paths = longer;
        }
        Ok(paths)
    }

    fn siblings(&mut self, log: &[u8]) -> Result<Vec<Vec<u8>>, FileError> {
        let folder = &log[..log.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1)];
        let paths = self.names(folder)?.iter().map(|name| [folder, name].concat());
        let mut paths: Vec<_> = paths
            .filter_map(|path| Some((Generation::of(log, &path)?, path)))
            .filter(|(_, path)| path != log)
            .collect();
        // Where there are too many, the newest are worth most.
        paths.sort_unstable();
        Ok(paths.into_iter().rev().map(|(_, path)| path).collect())
    }

    /// The names in a folder; none where it cannot be read.
    fn names(&mut self, folder: &[u8]) -> Result<&Vec<Vec<u8>>, FileError> {
        if !self.folders.contains_key(folder) {
            let names = self.read(folder)?;
            self.folders.insert(folder.to_vec(), names);
        }
        Ok(&self.folders[folder])
    }

    fn read(&mut self, folder: &[u8]) -> Result<Vec<Vec<u8>>, FileError> {
        self.stop.check()?;
        let at = if folder.is_empty() { b"." } else { folder };
        let Ok(entries) = std::fs::read_dir(as_path(at)) else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(system)?.file_name();
            names.push(name.as_bytes().to_vec());
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(FileError::TooMuch(format!("more than {MAX_NAMES} names to look through")));
            }
        }
        Ok(names)
    }
}
