//! `tail --resume FILE`: remembers how far each source was delivered, so that the next run goes on
//! after it.
//!
//! A sink (standard output, for one) notes each line with how far it will be when that line is
//! delivered, by a measure of its own that only grows: bytes, or messages. When it has come that
//! far it [acknowledges](Acknowledger) it, and the line counts as printed. A thread of its own
//! writes the file, a quarter of a second later at most, and as long as the disk takes; a slow sink
//! does not hold it up. At an orderly end it is written once more, exactly.

mod file;
mod format;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clock;
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

/// Lines that may or may not have been printed; more are settled at once, however
/// long the disk takes.
const MOST_PENDING: usize = 10_000;

/// How far sources were delivered, on its way into a file. Dropping it writes the file a last time.
#[derive(Debug)]
pub struct Checkpoint {
    shared: Arc<SharedCheckpoint>,
    writer: Option<JoinHandle<()>>,
    remembered: SavedPositions,
    /// Streams that the operator knows are not remembered.
    told: BTreeSet<SourceId>,
}

#[derive(Debug)]
struct SharedCheckpoint {
    /// Locked while it is written, and before the state.
    store: Mutex<CheckpointFile>,
    state: Mutex<CheckpointState>,
    changed: Condvar,
    /// How far the sink is.
    acknowledged: AtomicU64,
}

#[derive(Debug)]
struct CheckpointState {
    /// Of earlier runs, where nothing was heard of the source since.
    remembered: SavedPositions,
    /// In the order in which they came, with how far the sink must be.
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

impl Noted {
    fn source(&self) -> SourceId {
        match self {
            Self::Line(line) => line.source,
            Self::Gap(id) | Self::Begun(id, _) => *id,
        }
    }
}

/// A source with its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceName<'a> {
    /// The name of its host.
    pub host: &'a str,
    /// Its own.
    pub source: &'a str,
}

/// Tells a checkpoint how far a sink is.
#[derive(Debug, Clone)]
pub struct Acknowledger(Arc<SharedCheckpoint>);

impl Acknowledger {
    /// Everything up to `end` has been delivered. An earlier `end` changes nothing.
    pub fn acknowledge(&self, end: u64) {
        self.0.acknowledged.fetch_max(end, Ordering::AcqRel);
    }
}

impl Checkpoint {
    /// Opens the file, or makes it. Messages about it go to `notes`.
    ///
    /// # Errors
    /// When it cannot be written, is used by another process, or is none of ours.
    pub fn open(path: &Path, notes: &mut impl Write) -> Result<Self, ResumeError> {
        let (store, remembered, notices) = CheckpointFile::open(path)?;
        for notice in notices {
            // The reader of the notes may have gone.
            let _ = writeln!(notes, "logtrail-tui: {}", SafeText::new(&notice));
        }
        // Now it is known that it can be written, and what was set aside is not needed any more.
        store.write(&remembered)?;
        let shared = Arc::new(SharedCheckpoint::new(store, remembered.clone()));
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

    /// By which the sink says how far it is.
    #[must_use]
    pub fn acknowledger(&self) -> Acknowledger {
        Acknowledger(Arc::clone(&self.shared))
    }

    /// These lines are about to be delivered. Where a source begins is written before: else a run
    /// that is killed right after its first lines would leave nothing behind, and the next one
    /// begin with other lines.
    pub fn begin_sources<'n>(
        &self,
        lines: &[FleetLine],
        name: impl Fn(&FleetLine) -> SourceName<'n>,
    ) {
        let mut state = self.shared.lock();
        let mut is_first = false;
        for line in lines.iter().filter(|line| is_of_file(line)) {
            if !state.sources.contains_key(&line.source) {
                is_first |= state.begin_with(line, name(line));
            }
        }
        if is_first {
            state.is_unwritten = true;
            drop(state);
            // Where it fails the writer tries again, and reports it.
            let _ = self.shared.write();
            self.shared.changed.notify_all();
        }
    }

    /// A line was decided: it is delivered when the sink is at `end`, or passed over. Returns what
    /// the operator should know of it.
    pub fn line(&mut self, line: FleetLine, name: SourceName<'_>, end: u64) -> Option<String> {
        if is_of_file(&line) {
            self.note(line.source, name, end, Noted::Line(line));
            return None;
        }
        // It is numbered as it comes: in another run the number is that of another line.
        let SourceName { host, source } = name;
        let message = format!(
            "{host}/{source}: not a file, and not remembered: each run begins with its last lines"
        );
        self.told
            .insert(line.source)
            .then(|| SafeText::new(&message).to_string())
    }

    /// A gap is delivered when the sink is at `end`.
    pub fn gap(&mut self, id: SourceId, name: SourceName<'_>, end: u64) {
        self.note(id, name, end, Noted::Gap(id));
    }

    /// A source has begun, and nothing of it was delivered.
    pub fn begun(&mut self, id: SourceId, name: SourceName<'_>, end: u64, reached: ReadPosition) {
        self.note(id, name, end, Noted::Begun(id, Box::new(reached)));
    }

    fn note(&mut self, id: SourceId, name: SourceName<'_>, end: u64, noted: Noted) {
        let mut state = self.shared.lock();
        state.source(id, name);
        if state.pending.len() >= MOST_PENDING {
            // What is left then is in the buffer of the sink.
            state.settle(self.shared.acknowledged(), clock::now());
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
        // If it has panicked, it has reported that itself.
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
    fn new(store: CheckpointFile, remembered: SavedPositions) -> Self {
        let state = CheckpointState {
            remembered,
            pending: VecDeque::new(),
            sources: BTreeMap::new(),
            is_new: false,
            is_unwritten: false,
            ends: false,
        };
        Self {
            store: Mutex::new(store),
            state: Mutex::new(state),
            changed: Condvar::new(),
            acknowledged: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, CheckpointState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
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
            let left = EVERY.saturating_sub(began.elapsed());
            let waited = self
                .changed
                .wait_timeout_while(self.lock(), left, |state| !state.ends);
            drop(waited);
        }
    }

    /// Writes what was printed by now, if anything.
    fn write(&self) -> Result<(), ResumeError> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        state.settle(self.acknowledged(), clock::now());
        state.is_new = !state.pending.is_empty();
        if !std::mem::take(&mut state.is_unwritten) {
            return Ok(());
        }
        let remembered = state.remembered();
        drop(state);
        let written = store.write(&remembered);
        if written.is_err() {
            let mut state = self.lock();
            state.is_new = true;
            state.is_unwritten = true;
        }
        written
    }
}

impl CheckpointState {
    /// What is known of a source, of this run or an earlier one.
    fn source(&mut self, id: SourceId, name: SourceName<'_>) -> &mut SavedSource {
        self.sources.entry(id).or_insert_with(|| {
            let before = self
                .remembered
                .get_mut(name.host)
                .and_then(|sources| sources.remove(name.source));
            SavedSource {
                host: name.host.to_owned(),
                name: name.source.to_owned(),
                printed: PrintedPositions::before(before.unwrap_or_default(), clock::now()),
            }
        })
    }

    /// A source begins with this line, unless an earlier run has left more. Returns true where
    /// nothing was known of it.
    fn begin_with(&mut self, line: &FleetLine, name: SourceName<'_>) -> bool {
        let source = self.source(line.source, name);
        let is_first = source.printed.reached().next().is_none();
        let place = LineRef {
            cursor: line.content.cursor,
            check: None,
        };
        let reached = ReadPosition {
            place,
            length: 0,
            before: Vec::new(),
            time: line.content.time.min(clock::now()),
        };
        source.printed.begin(reached, clock::now());
        is_first
    }

    /// What the sink has acknowledged is printed.
    fn settle(&mut self, acknowledged: u64, now: Time) {
        let is_printed = |(end, _): &(u64, Noted)| *end <= acknowledged;
        while self.pending.front().is_some_and(is_printed)
            && let Some((_, noted)) = self.pending.pop_front()
        {
            let Some(source) = self.sources.get_mut(&noted.source()) else {
                continue;
            };
            self.is_unwritten = true;
            match noted {
                Noted::Line(line) => source.printed.line(&line, now),
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

/// Whether a line can be found again by its cursor: those of programs have no file.
fn is_of_file(line: &FleetLine) -> bool {
    line.content.cursor.file != FileId::default()
}

#[cfg(test)]
mod tests;
