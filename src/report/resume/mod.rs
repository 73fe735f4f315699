//! `tail --resume FILE`: remembers what was printed, so that the next run goes on after it.
//!
//! A line counts as printed when standard output has taken it. A thread of its own writes the file,
//! a quarter of a second later at most, and as long as the disk takes; a reader that is slow does
//! not hold it up. At an orderly end it is written once more, exactly.

mod file;
mod format;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::model::cursor::{FileId, LineRef};
use crate::model::line::FleetLine;
use crate::model::read_position::{PrintedPositions, ReadPosition, SavedPositions};
use crate::model::source::SourceId;
use crate::model::text::SafeText;
use crate::model::time::Time;

use file::CheckpointFile;
pub use file::Error as ResumeError;

/// From the beginning of one writing to that of the next, unless the disk takes longer. What was
/// printed since the last one comes twice after a `kill -9`.
const EVERY: Duration = Duration::from_millis(250);

/// Lines of which it is not settled whether they are printed; more are settled at once, however
/// long the disk takes.
const MOST_PENDING: usize = 10_000;

/// What was printed, on its way into a file. Dropping it writes the file a last time.
#[derive(Debug)]
pub struct Checkpoint {
    shared: Arc<SharedCheckpoint>,
    writer: Option<JoinHandle<()>>,
    remembered: SavedPositions,
    /// Streams of which it was said that they are not remembered.
    told: BTreeSet<SourceId>,
}

#[derive(Debug)]
struct SharedCheckpoint {
    /// Locked while it is written, and before the state.
    store: Mutex<CheckpointFile>,
    state: Mutex<CheckpointState>,
    changed: Condvar,
    /// Bytes that standard output has taken.
    taken: AtomicU64,
}

#[derive(Debug)]
struct CheckpointState {
    /// Of earlier runs, where nothing was heard of the source since.
    remembered: SavedPositions,
    /// In the order in which they came, with the bytes of output up to their end.
    pending: VecDeque<(u64, Noted)>,
    sources: BTreeMap<SourceId, SavedSource>,
    /// There is something to be settled or written.
    is_new: bool,
    /// Something was settled and is not written.
    is_unwritten: bool,
    ends: bool,
}

#[derive(Debug)]
struct SavedSource {
    host: String,
    name: String,
    printed: PrintedPositions,
}

#[derive(Debug)]
enum Noted {
    Line(FleetLine),
    Gap(SourceId),
    Begun(SourceId, Box<ReadPosition>),
}

impl Checkpoint {
    /// Opens the file, or makes it. What is to be told of it beside the output goes to `notes`.
    ///
    /// # Errors
    /// When it cannot be written, is used by another process, or is none of ours.
    pub fn open(path: &Path, notes: &mut impl Write) -> Result<Self, ResumeError> {
        let (store, remembered, notices) = CheckpointFile::open(path)?;
        for notice in notices {
            // Nobody may be there to be told.
            let _ = writeln!(notes, "logtrail-tui: {}", SafeText::new(&notice));
        }
        // Now it is known that it can be written, and what was set aside is not needed any more.
        store.write(&remembered)?;
        let state = CheckpointState {
            remembered: remembered.clone(),
            pending: VecDeque::new(),
            sources: BTreeMap::new(),
            is_new: false,
            is_unwritten: false,
            ends: false,
        };
        let (state, store) = (Mutex::new(state), Mutex::new(store));
        let (changed, taken) = (Condvar::new(), AtomicU64::new(0));
        let shared = Arc::new(SharedCheckpoint {
            store,
            state,
            changed,
            taken,
        });
        let theirs = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("resume".into())
            .spawn(move || theirs.keep_writing());
        let writer = Some(writer.map_err(|error| ResumeError::cannot_write(path, error))?);
        Ok(Self {
            shared,
            writer,
            remembered,
            told: BTreeSet::new(),
        })
    }

    /// How far the sources of each host were printed before.
    #[must_use]
    pub fn remembered(&self) -> &SavedPositions {
        &self.remembered
    }

    /// Counts what an output takes.
    pub(super) fn counted<W: Write>(&self, out: W) -> Counted<W> {
        Counted {
            out,
            counter: Some(Arc::clone(&self.shared)),
        }
    }

    /// These lines are about to be printed. Where a source begins is written before: else a run
    /// that is killed right after its first lines would leave nothing behind, and the next one
    /// begin with other lines.
    pub(super) fn meet<'n>(
        &self,
        records: &[FleetLine],
        names: impl Fn(&FleetLine) -> (&'n str, &'n str),
    ) {
        let mut state = self.shared.lock();
        let mut is_first = false;
        for record in records
            .iter()
            .filter(|record| record.content.cursor.file != FileId::default())
        {
            if !state.sources.contains_key(&record.source) {
                let source = state.source(record.source, names(record));
                is_first |= source.printed.reached().next().is_none();
                let place = LineRef {
                    cursor: record.content.cursor,
                    check: None,
                };
                let reached = ReadPosition {
                    place,
                    length: 0,
                    before: Vec::new(),
                    time: record.content.time.min(now()),
                };
                source.printed.begin(reached, now());
            }
        }
        if is_first {
            state.is_unwritten = true;
            drop(state);
            // Where it fails it is tried again by whoever writes, who then says so.
            let _ = self.shared.write();
            self.shared.changed.notify_all();
        }
    }

    /// A line was decided: it is printed with byte `end` of the output, or passed over. What is to
    /// be said of that.
    pub(super) fn line(
        &mut self,
        record: FleetLine,
        (host, source): (&str, &str),
        end: u64,
    ) -> Option<String> {
        if record.content.cursor.file == FileId::default() {
            // It is numbered as it comes: in another run the number is that of another line.
            let message = format!(
                "{host}/{source}: not a file, and not remembered: each run begins with its last lines"
            );
            return self
                .told
                .insert(record.source)
                .then(|| SafeText::new(&message).to_string());
        }
        self.note(record.source, (host, source), end, Noted::Line(record));
        None
    }

    /// A gap was printed.
    pub(super) fn gap(&mut self, id: SourceId, names: (&str, &str), end: u64) {
        self.note(id, names, end, Noted::Gap(id));
    }

    /// A source has begun, and nothing of it was printed.
    pub(super) fn begun(
        &mut self,
        id: SourceId,
        names: (&str, &str),
        end: u64,
        reached: ReadPosition,
    ) {
        self.note(id, names, end, Noted::Begun(id, Box::new(reached)));
    }

    fn note(&mut self, id: SourceId, (host, name): (&str, &str), end: u64, noted: Noted) {
        let mut state = self.shared.lock();
        state.source(id, (host, name));
        if state.pending.len() >= MOST_PENDING {
            // What is left then is in the buffer of the output.
            let taken = self.shared.taken.load(Ordering::Acquire);
            state.settle(taken, now());
        }
        state.pending.push_back((end, noted));
        if !std::mem::replace(&mut state.is_new, true) {
            self.shared.changed.notify_all();
        }
    }

    /// Writes it a last time.
    ///
    /// # Errors
    /// When that is not possible: what was printed last comes again.
    pub fn finish(mut self) -> Result<(), ResumeError> {
        self.end_writer();
        self.shared.write()
    }

    fn end_writer(&mut self) {
        self.shared.lock().ends = true;
        self.shared.changed.notify_all();
        // It has panicked, perhaps, and said so.
        self.writer.take().map(JoinHandle::join);
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        if self.writer.is_some() {
            self.end_writer();
            // Somebody who wants to know has called `finish`.
            let _ = self.shared.write();
        }
    }
}

impl SharedCheckpoint {
    fn lock(&self) -> MutexGuard<'_, CheckpointState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_writing(&self) {
        let mut failed = false;
        loop {
            let idle = |state: &mut CheckpointState| !state.is_new && !state.ends;
            let state = self
                .changed
                .wait_while(self.lock(), idle)
                .unwrap_or_else(PoisonError::into_inner);
            if state.ends {
                return;
            }
            drop(state);
            let began = Instant::now();
            let written = self.write();
            if let (Err(error), false) = (&written, failed) {
                let _ = writeln!(io::stderr(), "logtrail-tui: {error}; it is tried again");
            }
            failed = written.is_err();
            let left = || EVERY.saturating_sub(began.elapsed());
            let mut state = self.lock();
            while !state.ends && !left().is_zero() {
                state = self
                    .changed
                    .wait_timeout(state, left())
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }

    /// Writes what was printed by now, if anything.
    fn write(&self) -> Result<(), ResumeError> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        state.settle(self.taken.load(Ordering::Acquire), now());
        state.is_new = !state.pending.is_empty();
        if !std::mem::take(&mut state.is_unwritten) {
            return Ok(());
        }
        let remembered = state.remembered();
        drop(state);
        let written = store.write(&remembered);
        if written.is_err() {
            let mut state = self.lock();
            (state.is_new, state.is_unwritten) = (true, true);
        }
        written
    }
}

impl CheckpointState {
    /// What is known of a source, of this run or an earlier one.
    fn source(&mut self, id: SourceId, (host, name): (&str, &str)) -> &mut SavedSource {
        self.sources.entry(id).or_insert_with(|| {
            let before = self
                .remembered
                .get_mut(host)
                .and_then(|sources| sources.remove(name));
            let printed = PrintedPositions::before(before.unwrap_or_default(), now());
            SavedSource {
                host: host.to_owned(),
                name: name.to_owned(),
                printed,
            }
        })
    }

    /// What standard output has taken is printed.
    fn settle(&mut self, taken: u64, now: Time) {
        while let Some((end, _)) = self.pending.front() {
            if *end > taken {
                break;
            }
            let Some((_, noted)) = self.pending.pop_front() else {
                break;
            };
            let id = match &noted {
                Noted::Line(record) => record.source,
                Noted::Gap(id) | Noted::Begun(id, _) => *id,
            };
            let Some(source) = self.sources.get_mut(&id) else {
                continue;
            };
            self.is_unwritten = true;
            match noted {
                Noted::Line(record) => source.printed.line(&record, now),
                Noted::Gap(_) => source.printed.gap(),
                Noted::Begun(_, reached) => source.printed.begin(*reached, now),
            }
        }
    }

    fn remembered(&self) -> SavedPositions {
        let mut all = self.remembered.clone();
        for source in self.sources.values() {
            let reached: Vec<ReadPosition> = source.printed.reached().cloned().collect();
            if !reached.is_empty() {
                all.entry(source.host.clone())
                    .or_default()
                    .insert(source.name.clone(), reached);
            }
        }
        all
    }
}

/// An output that counts what it takes, where somebody wants to know.
#[derive(Debug)]
pub(super) struct Counted<W> {
    out: W,
    counter: Option<Arc<SharedCheckpoint>>,
}

impl<W> Counted<W> {
    /// One that nobody counts.
    pub(super) fn plain(out: W) -> Self {
        Self { out, counter: None }
    }

    /// Bytes that were taken.
    pub(super) fn taken(&self) -> u64 {
        self.counter
            .as_ref()
            .map_or(0, |counter| counter.taken.load(Ordering::Acquire))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        if let Some(counter) = &self.counter {
            counter.taken.fetch_add(taken as u64, Ordering::AcqRel);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn now() -> Time {
    Time::from_timestamp(Timestamp::now())
}

#[cfg(test)]
mod tests;
