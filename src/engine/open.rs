//! Opens a file that was listed before, and no other: by then anything may be under its name.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};

use crate::files::access::FileError;
use crate::model::cursor::FileId;
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::Time;

/// A path as the system takes it.
pub(super) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// Opens a file and makes sure, by what was opened, that it is the one that is meant. Never waits
/// for the other end of a pipe. What the file is now comes with it.
pub(super) fn open(file: &LogFile) -> Result<(File, LogFile), FileError> {
    let path = as_path(&file.path);
    // Not even opened: that alone does something to a pipe or a tape.
    if !is_regular(&rustix::fs::stat(path).map_err(system)?) {
        return Err(FileError::Special);
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(system)?;
    let stat = rustix::fs::fstat(&opened).map_err(system)?;
    if !is_regular(&stat) {
        return Err(FileError::Special);
    }
    let now = described(&file.path, &stat);
    // 0: the listing could not tell the device.
    if now.id.ino != file.id.ino || (file.id.dev != 0 && now.id.dev != file.id.dev) {
        return Err(FileError::Replaced);
    }
    Ok((
        File::from(opened),
        LogFile {
            compression: file.compression,
            ..now
        },
    ))
}

/// The regular file under a path, links followed; `None` where there is something else, or nothing.
pub(super) fn look(path: &[u8]) -> Result<Option<LogFile>, FileError> {
    match rustix::fs::stat(as_path(path)).map_err(system) {
        Ok(stat) => Ok(is_regular(&stat).then(|| described(path, &stat))),
        Err(FileError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

// The types of these fields differ from system to system.
#[allow(
    clippy::cast_lossless,
    clippy::unnecessary_cast,
    clippy::useless_conversion
)]
fn described(path: &[u8], stat: &Stat) -> LogFile {
    let modified = (stat.st_mtime as i64)
        .saturating_mul(1_000_000_000)
        .saturating_add(stat.st_mtime_nsec as i64);
    LogFile {
        path: path.to_vec(),
        id: FileId {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
        },
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: Time(modified),
        compression: Compression::of_name(path),
    }
}

/// An error of the system about a file.
pub(super) fn system(error: impl Into<io::Error>) -> FileError {
    let error = error.into();
    match error.kind() {
        // A link that leads to itself leads nowhere.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::Missing,
        io::ErrorKind::PermissionDenied => FileError::Denied,
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            FileError::Missing
        }
        _ => FileError::Other(error.to_string()),
    }
}
