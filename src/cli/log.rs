//! The debug log of `--log-file`. Nothing is logged without it: standard error belongs to the
//! screen.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// Why there is no debug log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened for appending.
    #[error("--log-file: {}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// `LOGTRAIL_LOG` is not a filter.
    #[error(
        "LOGTRAIL_LOG: {filter:?} is not a filter ({reason}); try debug or logtrail::transport=trace"
    )]
    Filter {
        /// What was given.
        filter: String,
        /// The reason.
        reason: String,
    },
}

/// Appends to a file, for this process, what passes the filter; `info` where there is none. A
/// second call changes nothing.
///
/// # Errors
/// When the file or the filter is not usable.
pub fn start_log(path: &Path, filter: Option<&str>) -> Result<(), LogError> {
    let filter = filter
        .filter(|filter| !filter.trim().is_empty())
        .unwrap_or("info");
    let filter = EnvFilter::try_new(filter).map_err(|error| LogError::Filter {
        filter: filter.to_owned(),
        reason: error.to_string(),
    })?;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    // It names hosts, users and paths, which are private.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| LogError::File {
        path: path.to_owned(),
        error,
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .with_ansi(false);
    if log.try_init().is_err() {
        tracing::debug!("the debug log was started already");
    }
    Ok(())
}
