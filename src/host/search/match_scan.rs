//! One pass over the records of a log that match a query, in parts: the driver finds the lines that
//! may, here it is decided. What becomes of the records is left to who asked: `search`,
//! `histogram`.
//!
//! A record matches as a whole: with words in different lines of it too, and by the time of its
//! first line. So it is the same record that `--grep` shows of a log that is followed. It is found
//! once, however many of its lines match.
//!
//! Parts are small at first, so that something is soon found, and grow while little is. In a
//! compressed file a part is all of it, for it would be unpacked from its beginning for each. What
//! a part brings is held until it is over, in bounded memory; beyond that the part is cut there and
//! looked at again.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use crate::files::access::{FileError, ScanRequest};
use crate::host::{Failure, Files};
use crate::model::gap::GapReason;
use crate::model::line::Line;
use crate::model::log_file::LogFile;
use crate::model::record::RecordText;
use crate::parse::multiline;
use crate::query::MatchInput;
use crate::query::request::{LogResponse, MissingBytes};

use super::file_reader::{FileItem, FileReader};
use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::parts::{MOST_MOVES, Part, list_again, parts_of, range, weight};
use super::runs::{Context, RecordCandidate, Runs, SURE_AFTER};
use super::text::{At, LogText};
use super::walk::{Back, Forth};
use super::{Halt, Out, chain, is_move};

/// How much is looked at, and held, at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartLimits {
    /// Bytes of the first part of a plain file, and of the smallest where much is found.
    pub(super) least: u64,
    /// Bytes of the largest part.
    pub(super) most: u64,
    /// A part that brings more bytes of lines is cut there.
    pub(super) held: usize,
}

impl Default for PartLimits {
    fn default() -> Self {
        Self {
            least: 1 << 20,
            most: 64 << 20,
            held: 8 << 20,
        }
    }
}

/// Records of a part that are to be read by themselves; beyond that the part is cut there.
const MOST_OPEN: usize = 256;

/// After so many in a part, more is asked for around each line, which saves reading.
const OPEN_OFTEN: usize = 4;

/// So much then: most stack traces.
const AROUND: Context = Context {
    before: 16,
    after: 64,
};

/// Where lines have no stamps, what begins a record is only told by what stands before it.
const STAMPLESS: Context = Context {
    before: SURE_AFTER,
    after: 8,
};

/// The most unreadable files of a log that are named; the rest are counted.
const MOST_NAMED: u64 = 8;

/// A pass over a log.
pub(super) struct MatchScan<'f, 'a, F> {
    text: LogText<'f, F>,
    criteria: &'a SearchCriteria<'a>,
    limits: PartLimits,
    /// What is left, the next first.
    parts: VecDeque<Part>,
    size: u64,
    around: Context,
    /// The record that was decided last, by its generation and its lines.
    last: Option<(usize, Range<u64>)>,
    done: u64,
    total: u64,
    /// How much of the part under way has been looked at.
    seen: u64,
    /// Rotations since the last part was read.
    moves: u32,
    /// Files that could not be read in full.
    failures: u64,
}

/// What a part has brought.
#[derive(Default)]
struct PartBuffer {
    candidates: VecDeque<RecordCandidate>,
    bytes: usize,
    opens: usize,
    /// Only what lies before this offset (or, newest first, from it on) has been looked at.
    cut: Option<u64>,
    /// The file could not be read further; what was found before that is good.
    failed: Option<FileError>,
    /// So many were open.
    were_open: usize,
}

impl PartBuffer {
    fn push(&mut self, candidate: RecordCandidate) {
        self.bytes += candidate.size();
        self.opens += usize::from(candidate.is_open());
        self.candidates.push_back(candidate);
    }

    fn pop(&mut self, newest: bool) -> Option<RecordCandidate> {
        let candidate = if newest {
            self.candidates.pop_back()
        } else {
            self.candidates.pop_front()
        }?;
        self.bytes -= candidate.size();
        self.opens -= usize::from(candidate.is_open());
        Some(candidate)
    }

    /// One more than is wanted tells that there is more.
    fn is_full(&self, wanted: u64, limits: PartLimits) -> bool {
        self.bytes > limits.held
            || self.opens > MOST_OPEN
            || self.candidates.len() as u64 > wanted.saturating_add(1)
    }
}

impl<'f, 'a, F: Files> MatchScan<'f, 'a, F> {
    /// A pass over the records of a window of time; also what should be known of it.
    pub(super) async fn plan(
        mut text: LogText<'f, F>,
        criteria: &'a SearchCriteria<'a>,
        limits: PartLimits,
    ) -> Result<(Self, Vec<String>), Halt> {
        let (mut parts, mut notes) = (VecDeque::new(), Vec::new());
        if !text.log.files.is_empty() && !criteria.window.is_empty() {
            let (range, said) = range(&mut text, &criteria.window).await?;
            notes = said;
            parts = parts_of(&text, range);
        }
        if criteria.newest_first {
            parts.make_contiguous().reverse();
        }
        let total = parts.iter().map(|part| weight(&text, part)).sum();
        let around = criteria.context;
        let scan = Self {
            text,
            criteria,
            parts,
            size: limits.least,
            limits,
            around,
            last: None,
            done: 0,
            total,
            seen: 0,
            moves: 0,
            failures: 0,
        };
        Ok((scan, notes))
    }

    /// What is to be read: of which files, from where to where.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (&LogFile, Range<u64>)> {
        self.parts
            .iter()
            .map(|part| (self.text.file(part.file), part.from..part.to))
    }

    /// All of it.
    pub(super) async fn run(
        &mut self,
        sink: &mut impl MatchSink,
        out: &mut Out<'_>,
    ) -> Result<(), Halt> {
        // What it took to plan it.
        self.text.tally.add_to(&mut out.totals);
        let before = self.text.tally.bytes;
        let ended = match self.all_parts(sink, out).await {
            Ok(()) => self.tell_failures(out).await,
            ended => ended,
        };
        out.totals.received += self.text.tally.bytes - before;
        out.totals.scanned += self.done + self.seen;
        ended
    }

    async fn all_parts(
        &mut self,
        sink: &mut impl MatchSink,
        out: &mut Out<'_>,
    ) -> Result<(), Halt> {
        while let Some(rest) = self.parts.pop_front() {
            if sink.wants(out) == 0 {
                out.totals.more = true;
                return Ok(());
            }
            let part = self.split(rest);
            match self.part(part.clone(), sink, out).await {
                Err(halt) if halt.is_moved() => {
                    self.parts.push_front(part);
                    self.seen = 0;
                    if self.moves >= MOST_MOVES {
                        return self.give_up(out).await;
                    }
                    self.find_again(out).await?;
                }
                Err(Halt::File(path, error)) => {
                    // The other generations are not affected.
                    self.done += std::mem::take(&mut self.seen);
                    self.failed(super::told(&path, &error), out).await?;
                }
                ended => {
                    ended?;
                    self.moves = 0;
                }
            }
        }
        Ok(())
    }

    /// Reports a file that could not be read in full.
    async fn failed(&mut self, why: String, out: &mut Out<'_>) -> Result<(), Halt> {
        self.failures += 1;
        let name = self.text.log.info.name.clone();
        if self.failures > MOST_NAMED {
            Ok(())
        } else {
            out.send(LogResponse::Failed(name, why)).await
        }
    }

    async fn tell_failures(&self, out: &mut Out<'_>) -> Result<(), Halt> {
        let unnamed = self.failures.saturating_sub(MOST_NAMED);
        if unnamed == 0 {
            return Ok(());
        }
        let why = format!("{unnamed} more of its files could not be read, or not to their end");
        out.send(LogResponse::Failed(self.text.log.info.name.clone(), why))
            .await
    }

    /// Reports the files that were never read because they kept moving.
    async fn give_up(&self, out: &mut Out<'_>) -> Result<(), Halt> {
        let left: HashSet<usize> = self.parts.iter().map(|part| part.file).collect();
        let (left, all) = (left.len(), self.text.log.files.len());
        let why = format!(
            "{left} of its {all} files were not looked at, for they are moved all the while – try again"
        );
        out.send(LogResponse::Failed(self.text.log.info.name.clone(), why))
            .await
    }

    /// The next piece of what is left; the rest goes back.
    fn split(&mut self, mut rest: Part) -> Part {
        if !self.text.is_plain(rest.file) || rest.to - rest.from <= self.size {
            return rest;
        }
        let mut part = rest.clone();
        if self.criteria.newest_first {
            part.from = rest.to - self.size;
            rest.to = part.from;
        } else {
            part.to = rest.from + self.size;
            rest.from = part.to;
        }
        self.parts.push_front(rest);
        part
    }

    async fn part(
        &mut self,
        part: Part,
        sink: &mut impl MatchSink,
        out: &mut Out<'_>,
    ) -> Result<(), Halt> {
        let mut buffer = self.gather(&part, sink, out).await?;
        self.learn_from(&buffer);
        let left = buffer.cut.map(|cut| match self.criteria.newest_first {
            true => Part {
                to: cut,
                ..part.clone()
            },
            false => Part {
                from: cut,
                ..part.clone()
            },
        });
        self.decide(&part, &mut buffer, false, sink, out).await?;
        if let Some(error) = buffer.failed {
            let path = String::from_utf8_lossy(&self.text.file(part.file).path).into_owned();
            self.failed(super::told(&path, &error), out).await?;
        }
        self.done +=
            weight(&self.text, &part) - left.as_ref().map_or(0, |left| weight(&self.text, left));
        self.seen = 0;
        if let Some(left) = left {
            self.parts.push_front(left);
        }
        out.send(LogResponse::Progress(self.done, self.total)).await
    }

    /// How much to ask for next, by what came of the last question.
    fn learn_from(&mut self, buffer: &PartBuffer) {
        self.size = match () {
            () if buffer.cut.is_some() => (self.size / 4).max(self.limits.least),
            () if buffer.bytes > self.limits.held / 4 => self.size,
            () => (self.size * 4).min(self.limits.most),
        };
        if buffer.were_open > OPEN_OFTEN {
            self.around = self.around.max(AROUND);
        }
    }

    /// Lets the driver look for lines, and keeps what may be wanted of them.
    async fn gather(
        &mut self,
        part: &Part,
        sink: &mut impl MatchSink,
        out: &mut Out<'_>,
    ) -> Result<PartBuffer, Halt> {
        let (mut runs, scan) = self.prepare(part).await?;
        let (mut buffer, mut found) = (PartBuffer::default(), Vec::new());
        self.text
            .files
            .scan(&scan)
            .await
            .map_err(|failure| Halt::of(failure, &scan.file.path))?;
        loop {
            let finds = match self.text.files.next().await {
                Ok(Some(finds)) => finds,
                Ok(None) => break,
                Err(Failure::File(error)) if !is_move(&error) => {
                    buffer.failed = Some(error);
                    break;
                }
                Err(failure) => return Err(Halt::of(failure, &scan.file.path)),
            };
            self.see(part, finds.read_to);
            self.text.tally.bytes += finds
                .lines
                .iter()
                .map(|found| found.raw.len() as u64 + 1)
                .sum::<u64>();
            for line in finds.lines {
                runs.push(line, &mut found);
            }
            if self.keep(part, &mut buffer, &mut found, sink, out).await? {
                return Ok(buffer);
            }
            self.tell(part, out).await?;
        }
        runs.finish(&mut found);
        self.keep(part, &mut buffer, &mut found, sink, out).await?;
        self.check_end(part).await?;
        self.see(part, part.to);
        Ok(buffer)
    }

    /// Keeps what was found, or where nothing need be waited for, gives it on.
    async fn keep(
        &mut self,
        part: &Part,
        buffer: &mut PartBuffer,
        found: &mut Vec<RecordCandidate>,
        sink: &mut impl MatchSink,
        out: &mut Out<'_>,
    ) -> Result<bool, Halt> {
        buffer.were_open += found.iter().filter(|candidate| candidate.is_open()).count();
        let is_cut = self.put(buffer, found, sink.wants(out));
        if !self.criteria.newest_first {
            self.decide(part, buffer, true, sink, out).await?;
        }
        Ok(is_cut)
    }

    /// The question to the driver, and what makes records of its answers.
    async fn prepare(&mut self, part: &Part) -> Result<(Runs, ScanRequest), Halt> {
        let head = self.text.head(part.file).await?;
        let stamped = head.stamped;
        let line_end = head.line_end;
        let first = head.first;
        let lines = head.lines();
        let file = self.text.file(part.file).clone();
        let length = if self.text.is_plain(part.file) {
            file.size
        } else {
            u64::MAX
        };
        let fresh = FileReader::new(&file, lines).begun_at(first);
        let least = if stamped {
            Context {
                before: 1,
                after: 1,
            }
        } else {
            STAMPLESS
        };
        let runs = Runs::new(fresh, (stamped, line_end), length, self.criteria.context);
        let context = self.around.max(least);
        let scan = ScanRequest {
            filter: self.criteria.query.prefilter(),
            from: part.from,
            to: part.to,
            before: context.before as u32,
            after: context.after as u32,
            file: file.clone(),
        };
        Ok((runs, scan))
    }

    /// The driver has looked at a part up to here. How far that is in a compressed file is not
    /// known before its end.
    fn see(&mut self, part: &Part, read_to: u64) {
        let seen = Part {
            to: read_to.clamp(part.from, part.to),
            ..part.clone()
        };
        self.seen = match self.text.is_plain(part.file) {
            true => weight(&self.text, &seen),
            false => weight(&self.text, part).min(seen.to),
        };
    }

    /// How far a long part is.
    async fn tell(&self, part: &Part, out: &mut Out<'_>) -> Result<(), Halt> {
        if !self.text.is_plain(part.file) || self.seen == 0 {
            return Ok(());
        }
        out.send(LogResponse::Progress(self.done + self.seen, self.total))
            .await
    }

    /// Keeps candidates in bounded memory. True where the part is to be cut, and goes on later.
    fn put(&self, buffer: &mut PartBuffer, found: &mut Vec<RecordCandidate>, wanted: u64) -> bool {
        for candidate in found
            .drain(..)
            .filter(|candidate| !self.is_excluded(candidate))
        {
            buffer.push(candidate);
            while buffer.is_full(wanted, self.limits) && buffer.candidates.len() > 1 {
                if !self.criteria.newest_first {
                    // The next part begins with this one, which is found again.
                    buffer.cut = buffer.pop(true).map(|next| next.offset());
                    return true;
                }
                buffer.pop(false);
                buffer.cut = buffer.candidates.front().map(RecordCandidate::offset);
            }
        }
        false
    }

    /// A whole record that does not match.
    fn is_excluded(&self, candidate: &RecordCandidate) -> bool {
        matches!(candidate, RecordCandidate::Whole { record, .. } if !self.matches(record))
    }

    fn matches(&self, record: &[Line]) -> bool {
        let Some(record) = RecordText::of(record) else {
            return false;
        };
        let (host, source) = (self.criteria.host, &*self.text.log.info.name);
        self.criteria.window.contains(&record.time())
            && (self.criteria.query).matches(&MatchInput::of_record(host, source, &record))
    }

    /// The live file may have been emptied meanwhile, and then less was found than was there.
    async fn check_end(&mut self, part: &Part) -> Result<(), Halt> {
        let is_live = part.file + 1 == self.text.log.files.len() && self.text.is_plain(part.file);
        if is_live && part.to > part.from {
            self.text.part(part.file, part.to - 1, part.to).await?;
        }
        Ok(())
    }

    /// Gives on what matches, and reads what is open; or (`at_hand`) only goes as far as nothing
    /// need be read, for a scan is under way.
    async fn decide(
        &mut self,
        part: &Part,
        buffer: &mut PartBuffer,
        at_hand: bool,
        sink: &mut impl MatchSink,
        out: &mut Out<'_>,
    ) -> Result<(), Halt> {
        let newest_first = self.criteria.newest_first;
        while !at_hand
            || buffer
                .candidates
                .front()
                .is_some_and(RecordCandidate::is_at_hand)
        {
            let Some(candidate) = buffer.pop(newest_first) else {
                break;
            };
            if self.is_decided(part.file, candidate.offset()) {
                continue;
            }
            if !candidate.is_at_hand() {
                sink.rest(out).await?;
            }
            let Some(catch) = self.caught(part.file, candidate).await? else {
                continue;
            };
            sink.take(catch, out).await?;
            if sink.wants(out) == 0 {
                sink.rest(out).await?;
                out.totals.more |=
                    !buffer.candidates.is_empty() || buffer.cut.is_some() || !self.parts.is_empty();
                return Err(Halt::Enough);
            }
        }
        sink.rest(out).await
    }

    /// A candidate with all that belongs to it, if it matches and has not been decided before.
    async fn caught(
        &mut self,
        file: usize,
        candidate: RecordCandidate,
    ) -> Result<Option<RecordMatch>, Halt> {
        let (record, before, after, is_known) = match candidate {
            RecordCandidate::Whole {
                record,
                before,
                after,
            } => (record, before, after, true),
            RecordCandidate::Open(offset) => (self.record(file, offset).await?, None, None, false),
        };
        let (Some(first), Some(last)) = (record.first(), record.last()) else {
            return Ok(None);
        };
        let (begin, end) = (first.cursor.offset, last.cursor.offset);
        if self.is_decided(file, begin) {
            return Ok(None);
        }
        let decided = Some((file, begin..end + 1));
        if !is_known && !self.matches(&record) {
            self.last = decided;
            return Ok(None);
        }
        let before = match before {
            Some(before) => before,
            None => {
                self.lines_before(At {
                    file,
                    offset: begin,
                })
                .await?
            }
        };
        let after = match after {
            Some(after) => after,
            None => self.lines_after(At { file, offset: end }).await?,
        };
        // Not before: if the log is moved while more is read, the record has its turn again.
        self.last = decided;
        Ok(Some(RecordMatch {
            record,
            before,
            after,
        }))
    }

    /// Whether the record of this line has had its turn: they come in the order of the file, or in
    /// the other one.
    fn is_decided(&self, file: usize, offset: u64) -> bool {
        let is_past = |lines: &Range<u64>| {
            if self.criteria.newest_first {
                offset >= lines.start
            } else {
                offset < lines.end
            }
        };
        self.last
            .as_ref()
            .is_some_and(|(known, lines)| *known == file && is_past(lines))
    }

    /// The whole record that the line at this offset belongs to.
    async fn record(&mut self, file: usize, offset: u64) -> Result<Vec<Line>, Halt> {
        let at = At { file, offset };
        let mut record = self.rest_of(at).await?;
        let is_head = record.first().is_none_or(|line| !line.continues);
        if is_head {
            return Ok(record);
        }
        let mut earlier = Vec::new();
        let (mut back, mut bytes) = (Back::new(at), 0);
        'back: while back.at.offset > 0
            && bytes < multiline::MAX_BYTES
            && earlier.len() < multiline::MAX_LINES as usize
        {
            let Some(items) = back.next(&mut self.text, 16 + earlier.len()).await? else {
                break;
            };
            for item in items.into_iter().rev() {
                let FileItem::Line(line) = item else {
                    break 'back;
                };
                bytes += line.raw.len();
                let is_head = !line.continues;
                earlier.push(line);
                if is_head {
                    break 'back;
                }
            }
        }
        earlier.reverse();
        earlier.append(&mut record);
        Ok(earlier)
    }

    /// A line and what goes on with it.
    async fn rest_of(&mut self, at: At) -> Result<Vec<Line>, Halt> {
        let (mut forth, mut lines, mut bytes) = (Forth::new(at), Vec::<Line>::new(), 0);
        while forth.file() == at.file
            && bytes < multiline::MAX_BYTES
            && lines.len() < multiline::MAX_LINES as usize
        {
            let Some(items) = forth.next(&mut self.text, 16 + lines.len()).await? else {
                break;
            };
            for item in items {
                match item {
                    FileItem::Line(line) if lines.is_empty() || line.continues => {
                        bytes += line.raw.len();
                        lines.push(line);
                    }
                    FileItem::Gap(_) if lines.is_empty() => {}
                    _ => return Ok(lines),
                }
            }
        }
        Ok(lines)
    }

    async fn lines_before(&mut self, at: At) -> Result<Vec<Line>, Halt> {
        let wanted = self.criteria.context.before;
        let (mut back, mut lines) = (Back::new(at), Vec::new());
        while lines.len() < wanted {
            let Some(items) = back.next(&mut self.text, wanted - lines.len()).await? else {
                break;
            };
            let missing = wanted - lines.len();
            lines.extend(
                items
                    .into_iter()
                    .rev()
                    .filter_map(FileItem::into_line)
                    .take(missing),
            );
        }
        lines.reverse();
        Ok(lines)
    }

    /// The lines behind the one at this place.
    async fn lines_after(&mut self, at: At) -> Result<Vec<Line>, Halt> {
        let wanted = self.criteria.context.after;
        let mut lines = Vec::new();
        if wanted == 0 {
            return Ok(lines);
        }
        let mut forth = Forth::new(at);
        while lines.len() <= wanted {
            let Some(items) = forth.next(&mut self.text, wanted + 1 - lines.len()).await? else {
                break;
            };
            lines.extend(items.into_iter().filter_map(FileItem::into_line));
        }
        lines.truncate(wanted + 1);
        lines.drain(..lines.len().min(1));
        Ok(lines)
    }

    /// The log was moved about: where everything is now, and what of it is gone.
    async fn find_again(&mut self, out: &mut Out<'_>) -> Result<(), Halt> {
        self.moves += 1;
        let listed = list_again(&mut self.text).await?;
        let places = chain::moved(&self.text.log.files, &listed);
        self.text.relist(listed);
        self.last = self
            .last
            .take()
            .and_then(|(file, lines)| Some((places[file]?, lines)));
        for part in std::mem::take(&mut self.parts) {
            match places[part.file] {
                Some(file) => self.parts.push_back(Part { file, ..part }),
                None => {
                    let to = Some(part.to).filter(|to| *to < u64::MAX);
                    let missing = MissingBytes {
                        from: part.from,
                        to,
                        reason: GapReason::RotatedAway,
                    };
                    out.send(LogResponse::Gap(self.text.log.info.name.clone(), missing))
                        .await?;
                }
            }
        }
        Ok(())
    }
}
