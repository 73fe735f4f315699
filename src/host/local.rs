//! The driver for this machine's own files: `engine` on threads that may wait for a disk.
//!
//! Each question is over before the next. Dropping a future that has not ended has the work behind
//! it given up, at the next block of text.

use std::path::Path;

use jiff::Zoned;
use tokio::sync::Semaphore;

use super::driver::facts::{ClockReading, RawFacts, RoundTrip};
use super::driver::files::{Failure, Files, Hint, MAX_READ};
use crate::clock;
use crate::engine::{self, CachingReader, FileScanner, StopFlag};
use crate::files::access::{FileChunk, FileError, ScanBatch, ScanRequest};
use crate::files::listing::FileListing;
use crate::model::host::SystemFacts;
use crate::model::log_file::LogFile;
use crate::model::time::Time;
use crate::parse::timestamp::TimeKey;

/// As many questions are worked on at once in the whole program; a console that asks for more would
/// only have its disk seek to and fro.
const WORKERS: usize = 4;

static ROOM: Semaphore = Semaphore::const_new(WORKERS);

/// The files of this machine.
#[derive(Default)]
pub struct LocalFiles {
    /// `None` where a question was given up.
    reader: Option<CachingReader>,
    scanner: Option<FileScanner>,
}

impl LocalFiles {
    /// Nothing is opened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a host says of itself when it is asked first. Its clock is ours.
    pub async fn describe(&self) -> SystemFacts {
        work(|_| Ok(describe())).await.unwrap_or_default()
    }
}

impl Files for LocalFiles {
    const READS_ON: bool = true;
    const RUNS_PROGRAMS: bool = false;

    async fn list(&mut self, pattern: &[u8]) -> Result<FileListing, Failure> {
        let pattern = pattern.to_vec();
        work(move |stop| engine::list(&pattern, stop)).await
    }

    async fn list_log(&mut self, path: &[u8]) -> Result<FileListing, Failure> {
        let path = path.to_vec();
        work(move |stop| engine::list_log(&path, stop)).await
    }

    async fn read(&mut self, file: &LogFile, from: u64, most: usize) -> Result<FileChunk, Failure> {
        let (mut reader, file) = (self.reader.take().unwrap_or_default(), file.clone());
        let (reader, chunk) = work(move |stop| {
            let chunk = reader.read(&file, from, most.min(MAX_READ), stop);
            Ok((reader, chunk))
        })
        .await?;
        self.reader = Some(reader);
        Ok(chunk?)
    }

    async fn measure(&mut self, file: &LogFile) -> Result<u64, Failure> {
        let file = file.clone();
        work(move |stop| engine::measure(&file, stop)).await
    }

    async fn scan(&mut self, scan: &ScanRequest) -> Result<(), Failure> {
        self.scanner = None;
        let scan = scan.clone();
        self.scanner = Some(work(move |stop| FileScanner::new(&scan, stop)).await?);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<ScanBatch>, Failure> {
        let Some(mut scanner) = self.scanner.take() else {
            return Ok(None);
        };
        let (scanner, finds) = work(move |stop| {
            let finds = scanner.next(stop);
            Ok((scanner, finds))
        })
        .await?;
        let finds = finds?;
        self.scanner = finds.is_some().then_some(scanner);
        Ok(finds)
    }

    /// Reading here and there costs no round trip.
    async fn seek(&mut self, _: &LogFile, _: &TimeKey, _: Time) -> Result<Option<Hint>, Failure> {
        Ok(None)
    }
}

/// Ends the work when nobody waits for it any more.
struct Waiting(StopFlag);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Has something done on a thread that may wait for a disk.
async fn work<T, W>(what: W) -> Result<T, Failure>
where
    T: Send + 'static,
    W: FnOnce(&StopFlag) -> Result<T, FileError> + Send + 'static,
{
    let broken = |error: &dyn std::error::Error| {
        FileError::Other(format!("it could not be worked on: {error}"))
    };
    let room = ROOM.acquire().await.map_err(|error| broken(&error))?;
    let stop = StopFlag::default();
    let waiting = Waiting(stop.clone());
    let done = tokio::task::spawn_blocking(move || {
        // Held until the work ends, which may be after nobody waits for it any more.
        let _room = room;
        what(&stop)
    })
    .await;
    drop(waiting);
    Ok(done.map_err(|error| broken(&error))??)
}

/// The clock of this machine is ours, and is asked in no time.
fn describe() -> SystemFacts {
    let now = clock::local_now();
    let at = Time::from_timestamp(now.timestamp());
    let trip = RoundTrip {
        sent: at,
        received: at,
    };
    read_facts(&now).facts(trip)
}

fn read_facts(now: &Zoned) -> RawFacts {
    let uname = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    RawFacts {
        clock: Some(ClockReading {
            at: now.timestamp(),
            resolution_ms: 0,
        }),
        utc_offset_s: Some(now.offset().seconds()),
        zone_rules: zone_rules(),
        os: word(uname.sysname()),
        arch: word(uname.machine()),
        kernel: word(uname.release()),
        hostname: word(uname.nodename()),
        booted: value_in("/proc/stat", "btime ").trim().parse().ok(),
        memory: value_in("/proc/meminfo", "MemTotal:"),
        uptime: text_of("/proc/uptime"),
        boot_id: Some(
            text_of("/proc/sys/kernel/random/boot_id")
                .trim_end()
                .to_owned(),
        )
        .filter(|id| !id.is_empty()),
        cores: count_cores(),
    }
}

/// The text of a file, where there is one.
fn text_of(path: &str) -> String {
    let bytes = std::fs::read(Path::new(path)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What follows a name at the beginning of a line.
fn value_in(path: &str, name: &str) -> String {
    let text = text_of(path);
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap_or_default().to_owned()
}

/// A file of a time zone ends in the rules that hold from its last change on.
fn zone_rules() -> String {
    let zone = text_of("/etc/localtime");
    let rules = zone
        .strip_suffix('\n')
        .and_then(|zone| zone.rsplit('\n').next());
    rules.unwrap_or_default().to_owned()
}

fn count_cores() -> u32 {
    let listed = text_of("/proc/cpuinfo")
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let cores = match listed {
        0 => std::thread::available_parallelism().map_or(0, Into::into),
        listed => listed,
    };
    u32::try_from(cores).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::ffi::OsStrExt;
    use std::time::Duration;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// A file that takes long to unpack: 16 GiB in 16 MiB.
    fn slow(folder: &std::path::Path) -> Vec<u8> {
        let path = folder.join("slow.log.gz");
        let mut one = GzEncoder::new(Vec::new(), Compression::best());
        one.write_all(&vec![0; 64 << 20]).expect("packed");
        let member = one.finish().expect("packed");
        std::fs::write(&path, member.repeat(256)).expect("written");
        path.as_os_str().as_bytes().to_vec()
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends_within_two_seconds() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = LocalFiles::new();
        let listed = files.list(&slow(folder.path())).await.expect("listed");
        // As many as can be worked on, so that another must wait for one to end.
        let measured =
            (0..WORKERS).map(|_| timeout(Duration::from_millis(300), work_on(listed[0].clone())));
        let ended = futures_util::future::join_all(measured).await;
        assert!(
            ended.iter().all(Result::is_err),
            "it should take longer: {ended:?}"
        );
        let all = u32::try_from(WORKERS).expect("few");
        let free = timeout(Duration::from_secs(2), ROOM.acquire_many(all)).await;
        assert!(
            free.is_ok(),
            "{} of {WORKERS} are free",
            ROOM.available_permits()
        );
    }

    async fn work_on(file: LogFile) -> Result<u64, Failure> {
        LocalFiles::new().measure(&file).await
    }

    #[tokio::test]
    async fn it_reads_on_after_a_question_was_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        std::fs::write(&path, "one\ntwo\n").expect("written");
        let mut files = LocalFiles::new();
        let file = files
            .list(path.as_os_str().as_bytes())
            .await
            .expect("listed")[0]
            .clone();
        tokio::select! {
            biased;
            () = sleep(Duration::ZERO) => {}
            _ = files.read(&file, 0, 10) => {}
        }
        let chunk = files.read(&file, 4, 10).await.expect("read");
        assert_eq!((&chunk.bytes[..], chunk.at_end), (&b"two\n"[..], true));
    }
}
