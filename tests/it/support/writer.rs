//! A program that writes a log: numbered lines at a steady rate, opening its file again when it is
//! told to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wait_until;

/// A running writer; stops when it is dropped.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    log: PathBuf,
    reopen: PathBuf,
    stop: AtomicBool,
    written: AtomicU64,
}

/// About what a line takes.
pub(crate) const LINE_BYTES: u64 = 85;

/// Lines are written in bursts this often, as a busy server does.
const BURST: Duration = Duration::from_millis(5);

impl Writer {
    /// Writes `rate` lines per second to `log`. Whoever creates the file `reopen` (a postrotate
    /// script) has it open its log again.
    pub(crate) fn start(log: &Path, reopen: &Path, rate: u64) -> Self {
        let shared = Arc::new(Shared {
            log: log.to_owned(),
            reopen: reopen.to_owned(),
            stop: AtomicBool::new(false),
            written: AtomicU64::new(0),
        });
        let writing = Arc::clone(&shared);
        Self {
            shared,
            thread: Some(std::thread::spawn(move || writing.write(rate))),
        }
    }

    /// How many lines have been written so far.
    pub(crate) fn written(&self) -> u64 {
        self.shared.written.load(Ordering::SeqCst)
    }

    /// Waits until more lines than this have been written.
    pub(crate) async fn until_beyond(&self, lines: u64) {
        wait_until("lines of the writer", || {
            let written = self.written();
            if written > lines {
                Ok(())
            } else {
                Err(written)
            }
        })
        .await;
    }

    /// Stops and says how many lines were written.
    pub(crate) fn stop(&mut self) -> u64 {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the writer does not panic");
        }
        self.written()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn write(&self, rate: u64) {
        let mut out = self.open();
        let started = Instant::now();
        let (mut serial, mut burst) = (0, Vec::new());
        while !self.stop.load(Ordering::SeqCst) {
            if std::fs::remove_file(&self.reopen).is_ok() {
                out = self.open();
            }
            let due = started.elapsed().as_millis() as u64 * rate / 1000;
            while serial < due {
                let now = jiff::Timestamp::now();
                writeln!(
                    burst,
                    "{now:.6} INFO worker serial={serial} all is well and goes on as it did"
                )
                .expect("memory");
                serial += 1;
            }
            // Whole lines at once: none is torn by a rotation in between.
            out.write_all(&burst).expect("write");
            burst.clear();
            self.written.store(serial, Ordering::SeqCst);
            std::thread::sleep(BURST);
        }
    }

    fn open(&self) -> File {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.log)
            .expect("open the log")
    }
}

/// The serial number of a line of a [`Writer`]; fails where the line is torn.
pub(crate) fn serial(line: &str) -> u64 {
    let (_, rest) = line
        .split_once("serial=")
        .unwrap_or_else(|| panic!("a torn line: {line:?}"));
    let (number, end) = rest
        .split_once(' ')
        .unwrap_or_else(|| panic!("a torn line: {line:?}"));
    assert_eq!(
        end, "all is well and goes on as it did",
        "a torn line: {line:?}"
    );
    number
        .parse()
        .unwrap_or_else(|_| panic!("a torn line: {line:?}"))
}
