//! The files that a pattern matches, and those that may be rotated siblings of them by their names.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::files::access::FileError;
use crate::files::listing::{FileListing, LogLink};
use crate::files::log_names::LogNames;
use crate::files::patterns::{ANY_DEPTH, DEEPEST, MOST_FOLDERS};
use crate::files::rotation::name_start;
use crate::model::log_file::LogFile;

use super::StopFlag;
use super::open::{as_path, look, system};
use super::pattern::{is_pattern, matches, unquoted};

/// The most names that are looked at for one question: a pattern over a whole disk is a mistake.
const MAX_NAMES: usize = 1_000_000;

/// The most looks before two that agree.
const MAX_LOOKS: u32 = 6;

/// The most links in a row that are followed, as on Linux.
const MAX_LINKS: u32 = 40;

/// Every regular file that a pattern matches, and every one that may be a sibling of such a file;
/// those that may not be read too. No file twice, though it has several names. A path without a
/// pattern has its siblings listed also while there is none under the name itself. Where one of
/// those that were asked for is a symlink, it is told where it leads.
///
/// # Errors
/// When the path may not be looked at, or the pattern has too much to look through.
pub fn list(pattern: &[u8], stop: &StopFlag) -> Result<FileListing, FileError> {
    // A file may be called as a pattern is.
    let is_path = !is_pattern(pattern) || matches!(look(pattern), Ok(Some(_)));
    list_within(pattern, is_path, FileListing::LIMIT, stop)
}

/// The same for one path, even if it looks like a pattern.
///
/// # Errors
/// When the path may not be looked at.
pub fn list_log(path: &[u8], stop: &StopFlag) -> Result<FileListing, FileError> {
    list_within(path, true, FileListing::LIMIT, stop)
}

/// The same in at most so many bytes.
pub(super) fn list_within(
    pattern: &[u8],
    is_path: bool,
    limit: usize,
    stop: &StopFlag,
) -> Result<FileListing, FileError> {
    let ids = |files: &FileListing| files.iter().map(|file| file.id).collect::<HashSet<_>>();
    let list_once = || list_once(pattern, is_path, limit, stop);
    let mut files = list_once()?;
    // While a rotation is under way one look may miss a file that moves from name to name.
    for _ in 1..MAX_LOOKS {
        let again = list_once()?;
        let settled = ids(&again) == ids(&files);
        files = again;
        if settled {
            return Ok(files);
        }
    }
    files.is_settled = false;
    Ok(files)
}

fn list_once(
    pattern: &[u8],
    is_path: bool,
    limit: usize,
    stop: &StopFlag,
) -> Result<FileListing, FileError> {
    let mut walk = FolderWalk {
        stop,
        names: 0,
        is_cut: false,
        folders: HashMap::new(),
    };
    let paths = if is_path {
        vec![pattern.to_vec()]
    } else {
        walk.expand(pattern)?
    };
    let mut found = UniqueFiles {
        files: FileListing::within(limit),
        known: HashSet::new(),
    };
    let mut logs = Vec::new();
    for path in &paths {
        match look(path) {
            Ok(Some(file)) => {
                found.add(file);
                logs.push(path);
            }
            Ok(None) if is_path => logs.push(path),
            Ok(None) => {}
            Err(error) if is_path => return Err(error),
            Err(_) => {}
        }
        // Dangling links that match a pattern are ignored.
        let is_log = is_path || logs.last().is_some_and(|log| *log == path);
        if let Some(target) = is_log.then(|| target_of(path)).flatten() {
            found.files.push_link(LogLink {
                path: path.clone(),
                target,
            });
        }
    }
    for (path, is_sibling) in walk.neighbours(&logs)? {
        match look(&path) {
            Ok(Some(file)) if is_sibling => found.add(file),
            Ok(Some(file)) if !found.knows(&file) => found.files.push_beside(path),
            _ => {}
        }
    }
    found.files.is_cut = walk.is_cut;
    Ok(found.files)
}

/// The final target of a symlink, which need not exist; `None` if the path is no symlink or a loop.
fn target_of(path: &[u8]) -> Option<Vec<u8>> {
    let mut at = PathBuf::from(as_path(path));
    let mut links = 0;
    while let Ok(leads) = std::fs::read_link(&at) {
        links += 1;
        at = at.parent()?.join(leads);
        if links > MAX_LINKS {
            return None;
        }
    }
    if links == 0 {
        return None;
    }
    let folder = at
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).ok()?;
    Some(folder.join(at.file_name()?).into_os_string().into_vec())
}

/// Each file once.
struct UniqueFiles {
    files: FileListing,
    known: HashSet<(u64, u64)>,
}

impl UniqueFiles {
    fn knows(&self, file: &LogFile) -> bool {
        self.known.contains(&(file.id.dev, file.id.ino))
    }

    fn add(&mut self, file: LogFile) {
        if self.known.insert((file.id.dev, file.id.ino)) {
            self.files.push(file);
        }
    }
}

/// Folders that are read, each once.
struct FolderWalk<'a> {
    stop: &'a StopFlag,
    names: usize,
    /// There are more folders, or deeper ones, than a pattern with `**` goes through.
    is_cut: bool,
    folders: HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl FolderWalk<'_> {
    /// The paths that a pattern matches, in the order of their bytes; a path without a pattern as
    /// it is.
    fn expand(&mut self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, FileError> {
        let mut paths = vec![Vec::new()];
        for part in pattern.split_inclusive(|&byte| byte == b'/') {
            let name = part.strip_suffix(b"/").unwrap_or(part);
            if part == ANY_DEPTH {
                paths = self.deep(paths)?;
                continue;
            }
            if !is_pattern(name) {
                let part = if is_pattern(pattern) {
                    unquoted(part)
                } else {
                    part.to_vec()
                };
                paths
                    .iter_mut()
                    .for_each(|path| path.extend_from_slice(&part));
                continue;
            }
            let slash = &part[name.len()..];
            let mut longer = Vec::new();
            for path in paths {
                let mut names: Vec<_> = self
                    .names(&path)?
                    .iter()
                    .filter(|n| matches(name, n))
                    .cloned()
                    .collect();
                names.sort_unstable();
                longer.extend(names.iter().map(|name| [&path[..], name, slash].concat()));
            }
            paths = longer;
        }
        Ok(paths)
    }

    /// These folders and all below them, without links and hidden ones, level by level.
    fn deep(&mut self, folders: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, FileError> {
        let is_folder = |path: &Vec<u8>| as_path(path).is_dir();
        let mut all: Vec<Vec<u8>> = folders.into_iter().filter(is_folder).collect();
        let mut looked = 0;
        for depth in 1.. {
            let level = looked..all.len();
            looked = all.len();
            if level.is_empty() {
                break;
            }
            for at in level {
                for folder in self.folders_in(&all[at].clone())? {
                    if depth > DEEPEST || all.len() >= MOST_FOLDERS {
                        self.is_cut = true;
                        return Ok(all);
                    }
                    all.push(folder);
                }
            }
        }
        Ok(all)
    }

    /// The folders in one, each with a slash behind it.
    fn folders_in(&mut self, folder: &[u8]) -> Result<Vec<Vec<u8>>, FileError> {
        let mut names = self.names(folder)?.clone();
        names.sort_unstable();
        let paths = names.iter().filter(|name| !name.starts_with(b"."));
        let paths = paths.map(|name| [folder, name].concat());
        let is_real = |path: &Vec<u8>| {
            let metadata = std::fs::symlink_metadata(as_path(path));
            metadata.is_ok_and(|metadata| metadata.is_dir())
        };
        let folders = paths.filter(is_real).map(|path| [&path[..], b"/"].concat());
        Ok(folders.collect())
    }

    /// What is by its name an older generation of one of these logs, and what begins alike and is
    /// none.
    fn neighbours(&mut self, logs: &[&Vec<u8>]) -> Result<Vec<(Vec<u8>, bool)>, FileError> {
        let folders = logs.iter().map(|log| &log[..name_start(log)]);
        let folders: BTreeSet<&[u8]> = folders.collect();
        let names: LogNames = logs.iter().map(|&log| log.clone()).collect();
        let mut found = Vec::new();
        for folder in folders {
            let paths = self
                .names(folder)?
                .iter()
                .map(|name| [folder, name].concat());
            let others = paths.filter(|path| !names.contains(path));
            let judged = others.map(|path| {
                let is_sibling = names.log_of(&path).is_some() || names.has_day(&path);
                (path, is_sibling)
            });
            let is_near =
                |(path, is_sibling): &(Vec<u8>, bool)| *is_sibling || names.are_begun_like(path);
            found.extend(judged.filter(is_near));
        }
        Ok(found)
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
        let Ok(entries) = std::fs::read_dir(as_path(at)) else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(system)?.file_name();
            names.push(name.as_bytes().to_vec());
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(FileError::TooMuch(format!(
                    "more than {MAX_NAMES} names to look through"
                )));
            }
        }
        Ok(names)
    }
}
