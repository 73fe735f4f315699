//! Carries the story to the files: one thread for the whole fleet, appends, rotation, a budget on
//! disk.
//!
//! [`super::world`] tells the story, and [`super::lines`] knows how a line looks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::cast::{Cast, FileRotation};
use super::error::DemoError;
use super::world::DemoWorld;
use crate::clock;

/// How often lines are written: short enough to look alive, long enough that 200 hosts cost next to
/// nothing.
const TICK: Duration = Duration::from_millis(100);

/// The same for fleets that nobody watches host by host.
const TICK_OF_MANY: Duration = Duration::from_millis(250);

/// From here on a fleet is one of many.
const MANY: usize = 20;

/// What all logs together may take: modest even where it is taken from memory.
const DISK_BUDGET: u64 = 64 * 1024 * 1024;

/// A file that reaches its share is rotated like this, so two generations have to fit.
const KEPT_BY_SIZE: u32 = 1;

/// Rotated siblings of the file that is rotated often, as `rotate 3`.
const KEPT_OFTEN: u32 = 3;

/// How often that file is rotated: soon enough that a newcomer sees it.
const ROTATE_EVERY: Duration = Duration::from_secs(15);

/// A share of the budget smaller than this would rotate all the time.
const MIN_SHARE: u64 = 32 * 1024;

/// How far back the logs begin, so that the first screen is full.
const HISTORY_MS: i64 = 4 * 60 * 1000;

/// The same world every time; its clock is the real one.
const SEED: u64 = 0x10_97_2a_11;

/// The thread that writes. It ends when this is dropped.
pub(super) struct WriterThread {
    /// Nothing is ever sent: that it is gone is the message.
    stop: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WriterThread {
    /// Writes the history, then goes on in a thread of its own.
    pub(super) fn start(cast: &Cast, folder: &Path) -> Result<Self, DemoError> {
        let is_large = cast.members.len() > MANY;
        let tick = if is_large { TICK_OF_MANY } else { TICK };
        let mut desk = WriterDesk::new(cast, folder)?;
        let now = clock::now().to_timestamp().as_millisecond();
        desk.world.skip_to(now - HISTORY_MS);
        desk.write_until(now)?;
        let (stop, stopped) = mpsc::sync_channel(0);
        let write = move || {
            while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                // A full or vanished disk must not end the demo: the hosts stay, and their logs no
                // longer grow.
                let _ = desk.write_until(clock::now().to_timestamp().as_millisecond());
                let _ = desk.rotate();
            }
        };
        let thread = thread::Builder::new()
            .name("demo-logs".into())
            .spawn(write)
            .map_err(|source| DemoError::System {
                what: "start the thread that writes logs",
                source,
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// All files and the world that fills them.
struct WriterDesk {
    world: DemoWorld,
    files: Vec<WrittenLog>,
    rotate_often_at: Instant,
}

struct WrittenLog {
    path: PathBuf,
    rotation: FileRotation,
    size: u64,
    share: u64,
    fresh: Vec<u8>,
}

impl WriterDesk {
    fn new(cast: &Cast, folder: &Path) -> Result<Self, DemoError> {
        let generations = u64::from(KEPT_BY_SIZE) + 1;
        let share = (DISK_BUDGET / (cast.files() as u64 * generations)).max(MIN_SHARE);
        let mut files = Vec::with_capacity(cast.files());
        for member in &cast.members {
            let home = folder.join(&member.name);
            let made = fs::DirBuilder::new().mode(0o700).create(&home);
            made.map_err(|source| DemoError::Folder {
                what: "make folder",
                path: home.display().to_string(),
                source,
            })?;
            for file in &member.files {
                let path = member.log_path(folder, file);
                let log = WrittenLog {
                    path,
                    rotation: file.rotation,
                    size: 0,
                    share,
                    fresh: Vec::new(),
                };
                // A log that has nothing to say yet is empty, not missing.
                log.open().map_err(|source| log.error(source))?;
                files.push(log);
            }
        }
        Ok(Self {
            world: DemoWorld::new(cast, SEED),
            files,
            rotate_often_at: Instant::now() + ROTATE_EVERY,
        })
    }

    /// Everything that happened before `until` (milliseconds since 1970).
    fn write_until(&mut self, until: i64) -> Result<(), DemoError> {
        let Self { world, files, .. } = self;
        world.advance(until, &mut |file, line| {
            files[file].fresh.extend_from_slice(line.as_bytes());
            files[file].fresh.push(b'\n');
        });
        let mut outcome = Ok(());
        for log in files {
            if let Err(source) = log.append() {
                outcome = Err(log.error(source));
            }
        }
        outcome
    }

    fn rotate(&mut self) -> io::Result<()> {
        let often = Instant::now() >= self.rotate_often_at;
        if often {
            self.rotate_often_at = Instant::now() + ROTATE_EVERY;
        }
        for log in &mut self.files {
            match log.rotation {
                FileRotation::Often if often => log.turn(KEPT_OFTEN)?,
                FileRotation::BySize if log.size > log.share => log.turn(KEPT_BY_SIZE)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl WrittenLog {
    /// Opened again each time: 200 hosts would otherwise hold 600 files open in this one process.
    fn append(&mut self) -> io::Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let written = self.open().and_then(|mut file| file.write_all(&self.fresh));
        self.size += self.fresh.len() as u64;
        // What a full disk did not take is lost, as it would be for any program that logs.
        self.fresh.clear();
        written
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
    }

    fn error(&self, source: io::Error) -> DemoError {
        DemoError::Folder {
            what: "write",
            path: self.path.display().to_string(),
            source,
        }
    }

    /// As logrotate with `create`: the oldest goes, each other one moves up, a new empty file takes
    /// the name.
    fn turn(&mut self, kept: u32) -> io::Result<()> {
        for number in (1..kept).rev() {
            match fs::rename(self.sibling(number), self.sibling(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.sibling(1))?;
        self.size = 0;
        self.open().map(drop)
    }

    fn sibling(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(path: PathBuf) -> WrittenLog {
        WrittenLog {
            path,
            rotation: FileRotation::Often,
            size: 0,
            share: 10,
            fresh: Vec::new(),
        }
    }

    #[test]
    fn rotation_moves_every_generation_up_and_drops_the_oldest() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut log = log(dir.path().join("a.log"));
        for line in ["one", "two", "three", "four", "five"] {
            log.fresh.extend_from_slice(line.as_bytes());
            log.append().expect("append");
            log.turn(3).expect("rotate");
        }
        let read =
            |name: &str| fs::read_to_string(dir.path().join(name)).unwrap_or_else(|_| "-".into());
        assert_eq!(
            ["a.log", "a.log.1", "a.log.2", "a.log.3", "a.log.4"].map(read),
            ["", "five", "four", "three", "-"]
        );
    }
}
