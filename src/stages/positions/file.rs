//! The file: replaced as a whole, never written in place, and used by one process at a time.
//!
//! ```text
//!  FILE.new ── fsync ──▶ FILE is linked as FILE.previous ──▶ FILE.new is renamed FILE ──▶ fsync of the folder
//! ```
//!
//! Whenever this is cut off, FILE is there and whole. What can tear it all the same (a disk that
//! lies, a hand) sets it aside, and FILE.previous takes its place.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::format::{self, Unusable};
use crate::model::read_position::SavedPositions;

/// Torn files that are kept to be looked at.
const KEPT_ASIDE: usize = 3;

/// A larger file is none of ours.
const MOST_BYTES: u64 = 256 << 20;

/// Why nothing can be remembered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be written.
    #[error("--resume {}: cannot be written: {why}; name a file in a folder that you may write to", path.display())]
    Write {
        /// As it was named.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// It cannot be read.
    #[error("--resume {}: cannot be read: {why}", path.display())]
    Read {
        /// As it was named.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// It is no file.
    #[error("--resume {}: not a regular file; name another", path.display())]
    NoFile {
        /// As it was named.
        path: PathBuf,
    },
    /// Another process has it.
    #[error("--resume {}: another logtrail-tui that runs uses it; name another file for this one, or end that one first", path.display())]
    InUse {
        /// As it was named.
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    #[error("--resume {}: a later version of logtrail-tui wrote it (format {version}); use that one, or name another file", path.display())]
    Later {
        /// As it was named.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
}

impl Error {
    pub(super) fn cannot_write(path: &Path, why: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            why,
        }
    }
}

/// The file, held by this process.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    path: PathBuf,
    folder: File,
    /// Locked as long as it is open; a file of its own, for the other is replaced again and again.
    _lock: File,
}

impl CheckpointFile {
    /// Locks the file and reads it. Returns what was read, and notices for the operator.
    pub(super) fn open(named: &Path) -> Result<(Self, SavedPositions, Vec<String>), Error> {
        let store = Self::lock(named)?;
        // Of a run that was killed while it wrote.
        for end in [".new", ".previous.new"] {
            absent_is_fine(fs::remove_file(with(&store.path, end)))
                .map_err(|why| Error::cannot_write(named, why))?;
        }
        let (remembered, notices) = store.read(named)?;
        Ok((store, remembered, notices))
    }

    fn lock(named: &Path) -> Result<Self, Error> {
        let cannot = |why| Error::cannot_write(named, why);
        let path = resolved(named).map_err(cannot)?;
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::NoFile {
                path: named.to_owned(),
            });
        }
        let lock = open_new(&with(&path, ".lock"), false).map_err(cannot)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(Error::InUse {
                    path: named.to_owned(),
                });
            }
            Err(why) => return Err(cannot(why.into())),
        }
        let folder = File::open(path.parent().unwrap_or(Path::new("/"))).map_err(cannot)?;
        Ok(Self {
            path,
            folder,
            _lock: lock,
        })
    }

    /// Replaces the contents, and keeps the previous ones in a file of their own.
    pub(super) fn write(&self, remembered: &SavedPositions) -> Result<(), Error> {
        self.replace(remembered, true)
            .map_err(|why| Error::cannot_write(&self.path, why))
    }

    fn replace(&self, remembered: &SavedPositions, keeps: bool) -> io::Result<()> {
        let new = with(&self.path, ".new");
        let mut file = open_new(&new, true)?;
        file.write_all(&format::write(remembered))?;
        file.sync_all()?;
        if keeps {
            self.keep_previous()?;
        }
        fs::rename(&new, &self.path)?;
        self.folder.sync_all()
    }

    /// At no time there is none.
    fn keep_previous(&self) -> io::Result<()> {
        let kept = with(&self.path, ".previous.new");
        absent_is_fine(fs::remove_file(&kept))?;
        match duplicate(&self.path, &kept) {
            Ok(()) => fs::rename(&kept, with(&self.path, ".previous")),
            // The first that is written.
            error => absent_is_fine(error),
        }
    }

    fn read(&self, named: &Path) -> Result<(SavedPositions, Vec<String>), Error> {
        let Some(text) = self.text(&self.path, named)? else {
            return Ok((SavedPositions::new(), Vec::new()));
        };
        match format::read(&text) {
            Ok(remembered) => Ok((remembered, Vec::new())),
            Err(Unusable::Later(version)) => Err(Error::Later {
                path: named.to_owned(),
                version,
            }),
            Err(Unusable::Corrupt) if text.is_empty() => self.recover(named, "empty"),
            Err(Unusable::Corrupt) => self.recover(named, "torn, or no file of ours"),
        }
    }

    /// Sets an unusable file aside and goes on with the previous one.
    fn recover(&self, named: &Path, why: &str) -> Result<(SavedPositions, Vec<String>), Error> {
        let previous = with(&self.path, ".previous");
        let text = self.text(&previous, &previous)?;
        let known = text.and_then(|text| format::read(&text).ok());
        let cannot = |why| Error::cannot_write(named, why);
        let aside = self.set_aside().map_err(cannot)?;
        let aside = aside.display();
        let fallback = match known {
            Some(_) => "the one before it is used; a few lines may come again",
            None => "there is no usable one before it; begins with the last lines",
        };
        let remembered = known.unwrap_or_default();
        self.replace(&remembered, false).map_err(cannot)?;
        let named = named.display();
        let notices = vec![
            format!("--resume {named}: is {why}; it was set aside as {aside}"),
            format!("--resume {named}: {fallback}"),
        ];
        Ok((remembered, notices))
    }

    fn text(&self, path: &Path, named: &Path) -> Result<Option<Vec<u8>>, Error> {
        let cannot = |why| Error::Read {
            path: named.to_owned(),
            why,
        };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(cannot)?,
        };
        let mut text = Vec::new();
        file.take(MOST_BYTES)
            .read_to_end(&mut text)
            .map_err(cannot)?;
        Ok(Some(text))
    }

    /// The last of the torn files are kept: .corrupt is the newest.
    fn set_aside(&self) -> io::Result<PathBuf> {
        let name = |number: usize| match number {
            0 => with(&self.path, ".corrupt"),
            number => with(&self.path, &format!(".corrupt.{number}")),
        };
        for number in (1..KEPT_ASIDE).rev() {
            absent_is_fine(fs::rename(name(number - 1), name(number)))?;
        }
        duplicate(&self.path, &name(0))?;
        Ok(name(0))
    }
}

/// Where the file is, whatever links lead there.
fn resolved(named: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(named) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let folder = named
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = named
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(fs::canonicalize(folder)?.join(name))
}

/// A second name for a file, which must be free, or a copy: some file systems have no second names.
fn duplicate(file: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(file, name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => fs::copy(file, name).map(drop),
        linked => linked,
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// The end of a line of a log is nobody else's business.
fn open_new(path: &Path, is_empty: bool) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(is_empty)
        .mode(0o600)
        .open(path)
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests;
