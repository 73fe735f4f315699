//! One pass over the records of a log that match a query, in parts. The driver finds the lines that
//! may belong to one; this file decides. A sink takes the records: `hits`, `histogram`.
//!
//! A record matches as a whole: with words in different lines of it too, and by the time of its
//! first line. So it is the same record that `--grep` shows of a log that is followed. It is found
//! once, however many of its lines match.
//!
//! Parts are small at first, so that something is soon found, and grow while little is. In a
//! compressed file a part is all of it, for it would be unpacked from its beginning for each.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use crate::files::access::{ScanBatch, ScanRequest};
use crate::host::{Failure, Files};
use crate::model::line::Line;
use crate::model::log_file::LogFile;
use crate::model::record::RecordText;
use crate::parse::encoding::TextKind;
use crate::query::MatchInput;
use crate::query::request::LogResponse;

use super::caveats::{ScanCaveats, has_long_line};
use super::file_reader::FileItem;
use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::part_buffer::{PartBuffer, PartLimits};
use super::parts::{self, MOST_MOVES, Part, weight};
use super::response_sender::ResponseSender;
use super::runs::{Context, RecordCandidate, Runs, SURE_AFTER, WholeRecord};
use super::stop_reason::StopReason;
use super::text::{At, LogText};
use super::walk::Forth;
use super::{record_lines, relisted, sources};

/// After so many in a part, more is asked for around each line, which saves reading.
const OPEN_OFTEN: usize = 4;

/// So much then: most stack traces.
const AROUND: Context = Context {
    before: 16,
    after: 64,
};

/// With timestamps, the lines next to a record show where it begins and ends.
const STAMPED: Context = Context {
    before: 1,
    after: 1,
};

/// Without timestamps, only the lines before a line show whether it begins a record.
const STAMPLESS: Context = Context {
    before: SURE_AFTER,
    after: 8,
};

/// Lines that are read at once where the driver cannot look for them.
const LINES_AT_ONCE: usize = 8192;

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
    last: Option<DecidedRecord>,
    done: u64,
    total: u64,
    /// How much of the part under way has been looked at.
    seen: u64,
    /// Rotations since the last part was read.
    moves: u32,
    /// Files that could not be read in full.
    failures: u64,
    caveats: ScanCaveats,
}

/// The record that was decided last, by its generation and its lines.
struct DecidedRecord {
    file: usize,
    lines: Range<u64>,
}

/// Takes what a pass finds.
struct MatchOutput<'o, 'r, S> {
    sink: &'o mut S,
    out: &'o mut ResponseSender<'r>,
}

impl<S: MatchSink> MatchOutput<'_, '_, S> {
    /// How many more are wanted.
    fn wants(&self) -> u64 {
        self.sink.wants(self.out)
    }

    async fn take(&mut self, found: RecordMatch) -> Result<(), StopReason> {
        self.sink.take(found, self.out).await
    }

    /// Sends what was held back.
    async fn rest(&mut self) -> Result<(), StopReason> {
        self.sink.rest(self.out).await
    }
}

impl<'f, 'a, F: Files> MatchScan<'f, 'a, F> {
    /// A pass over the records of a window of time; also what should be known of it.
    pub(super) async fn plan(
        mut text: LogText<'f, F>,
        criteria: &'a SearchCriteria<'a>,
        limits: PartLimits,
    ) -> Result<(Self, Vec<String>), StopReason> {
        let (mut parts, notes) = parts::of_window(&mut text, &criteria.window).await?;
        if criteria.newest_first {
            parts.make_contiguous().reverse();
        }
        let total = parts.iter().map(|part| weight(&text, part)).sum();
        let scan = Self {
            text,
            criteria,
            parts,
            size: limits.least,
            limits,
            around: criteria.context,
            last: None,
            done: 0,
            total,
            seen: 0,
            moves: 0,
            failures: 0,
            caveats: ScanCaveats::default(),
        };
        Ok((scan, notes))
    }

    /// What is to be read: the files, and from where to where.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (&LogFile, Range<u64>)> {
        self.parts
            .iter()
            .map(|part| (self.text.file(part.file), part.from..part.to))
    }

    /// All of it.
    pub(super) async fn run(
        &mut self,
        sink: &mut impl MatchSink,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        // What it took to plan it.
        self.text.tally.add_to(&mut out.totals);
        let before = self.text.tally.bytes;
        let mut output = MatchOutput { sink, out };
        let ended = match self.all_parts(&mut output).await {
            Ok(()) => self.tell_failures(output.out).await,
            ended => ended,
        };
        let name = &self.text.log.info.name;
        let typed = self.criteria.query.typed();
        self.caveats.tell(name, typed, output.out).await?;
        out.totals.received += self.text.tally.bytes - before;
        out.totals.scanned += self.done + self.seen;
        ended
    }

    async fn all_parts<S: MatchSink>(
        &mut self,
        output: &mut MatchOutput<'_, '_, S>,
    ) -> Result<(), StopReason> {
        while let Some(rest) = self.parts.pop_front() {
            if output.wants() == 0 {
                output.out.totals.more = true;
                return Ok(());
            }
            let part = self.next_piece(rest);
            match self.part(part, output).await {
                Ok(()) => self.moves = 0,
                Err(reason) if reason.is_moved() => {
                    self.parts.push_front(part);
                    self.seen = 0;
                    if self.moves >= MOST_MOVES {
                        return self.give_up(output.out).await;
                    }
                    self.find_again(output.out).await?;
                }
                Err(StopReason::File(path, error)) => {
                    // The other generations are not affected.
                    self.done += std::mem::take(&mut self.seen);
                    self.failed(error.explained(&path), output.out).await?;
                }
                ended => return ended,
            }
        }
        Ok(())
    }

    /// Reports a file that could not be read in full.
    async fn failed(
        &mut self,
        why: String,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        self.failures += 1;
        if self.failures > MOST_NAMED {
            return Ok(());
        }
        out.fail(&self.text.log.info.name, why).await
    }

    async fn tell_failures(&self, out: &mut ResponseSender<'_>) -> Result<(), StopReason> {
        let unnamed = self.failures.saturating_sub(MOST_NAMED);
        if unnamed == 0 {
            return Ok(());
        }
        let why = format!("{unnamed} more of its files could not be read, or not to their end");
        out.fail(&self.text.log.info.name, why).await
    }

    /// Reports the files that were never read because they kept moving.
    async fn give_up(&self, out: &mut ResponseSender<'_>) -> Result<(), StopReason> {
        let left: HashSet<usize> = self.parts.iter().map(|part| part.file).collect();
        let why = format!(
            "{} of its {} files were not looked at, for they are moved all the while – try again",
            left.len(),
            self.text.log.files.len()
        );
        out.fail(&self.text.log.info.name, why).await
    }

    /// The next piece of what is left; the rest goes back.
    fn next_piece(&mut self, part: Part) -> Part {
        if !self.text.is_plain(part.file) || part.to - part.from <= self.size {
            return part;
        }
        let newest_first = self.criteria.newest_first;
        let border = if newest_first {
            part.to - self.size
        } else {
            part.from + self.size
        };
        let (first, rest) = part.split(border, newest_first);
        self.parts.push_front(rest);
        first
    }

    async fn part<S: MatchSink>(
        &mut self,
        part: Part,
        output: &mut MatchOutput<'_, '_, S>,
    ) -> Result<(), StopReason> {
        let mut buffer = self.gather(&part, output).await?;
        self.learn_from(&buffer);
        let newest_first = self.criteria.newest_first;
        let left = buffer.cut.map(|cut| part.split(cut, newest_first).1);
        while let Some(candidate) = buffer.pop() {
            self.decide(part.file, candidate, &buffer, output).await?;
        }
        output.rest().await?;
        if let Some(error) = buffer.failed {
            let path = String::from_utf8_lossy(&self.text.file(part.file).path);
            let why = error.explained(&path);
            self.failed(why, output.out).await?;
        }
        self.done += weight(&self.text, &part);
        self.done -= left.as_ref().map_or(0, |left| weight(&self.text, left));
        self.seen = 0;
        if let Some(left) = left {
            self.parts.push_front(left);
        }
        output
            .out
            .send(LogResponse::Progress(self.done, self.total))
            .await
    }

    /// How much to ask for next, by what came of the last question.
    fn learn_from(&mut self, buffer: &PartBuffer) {
        if buffer.cut.is_some() {
            self.size = (self.size / 4).max(self.limits.least);
        } else if buffer.bytes() <= self.limits.held / 4 {
            self.size = (self.size * 4).min(self.limits.most);
        }
        if buffer.were_open > OPEN_OFTEN {
            self.around = self.around.max(AROUND);
        }
    }

    /// Lets the driver look for lines, and keeps what may be wanted of them.
    async fn gather<S: MatchSink>(
        &mut self,
        part: &Part,
        output: &mut MatchOutput<'_, '_, S>,
    ) -> Result<PartBuffer, StopReason> {
        let (mut runs, scan) = self.prepare(part).await?;
        match self.text.head(part.file).await?.text {
            TextKind::Utf8 => {}
            TextKind::Utf16 => return self.gather_by_reading(part, runs, output).await,
            TextKind::Other => {
                self.caveats.has_foreign_text |= self.text.log.spec.encoding.is_none();
            }
        }
        let mut buffer = PartBuffer::new(self.limits, self.criteria.newest_first);
        let mut found = Vec::new();
        let begun = self.text.files.scan(&scan).await;
        begun.map_err(|failure| StopReason::of(failure, &scan.file.path))?;
        while let Some(batch) = self.next_batch(&scan, &mut buffer).await? {
            self.see(part, batch.read_to);
            self.caveats.is_unsearched |= batch.is_cut;
            for line in batch.lines {
                self.text.tally.bytes += line.raw.len() as u64 + 1;
                runs.push(line, &mut found);
            }
            if self.keep(part, &mut buffer, &mut found, output).await? {
                return Ok(buffer);
            }
            self.tell(part, output.out).await?;
        }
        runs.finish(&mut found);
        self.keep(part, &mut buffer, &mut found, output).await?;
        self.check_end(part).await?;
        self.see(part, part.to);
        Ok(buffer)
    }

    /// The same for text whose lines the driver cannot find.
    async fn gather_by_reading<S: MatchSink>(
        &mut self,
        part: &Part,
        mut runs: Runs,
        output: &mut MatchOutput<'_, '_, S>,
    ) -> Result<PartBuffer, StopReason> {
        let mut buffer = PartBuffer::new(self.limits, self.criteria.newest_first);
        let mut found = Vec::new();
        let mut walk = Forth::within(At {
            file: part.file,
            // A line that begins with the part follows the two bytes of a line end.
            offset: part.from.saturating_sub(2),
        });
        while let Some(items) = walk.next(&mut self.text, LINES_AT_ONCE).await? {
            let lines = items.into_iter().filter_map(FileItem::into_line);
            for line in lines.filter(|line| line.cursor.offset >= part.from) {
                if line.cursor.offset >= part.to {
                    walk.skip(0);
                    break;
                }
                self.see(part, line.cursor.offset);
                runs.push_line(line, &mut found);
            }
            if walk.file() != part.file {
                break;
            }
            if self.keep(part, &mut buffer, &mut found, output).await? {
                return Ok(buffer);
            }
            self.tell(part, output.out).await?;
        }
        runs.finish(&mut found);
        self.keep(part, &mut buffer, &mut found, output).await?;
        self.see(part, part.to);
        Ok(buffer)
    }

    /// The next lines of a scan; `None` at its end, and where the file cannot be read further.
    async fn next_batch(
        &mut self,
        scan: &ScanRequest,
        buffer: &mut PartBuffer,
    ) -> Result<Option<ScanBatch>, StopReason> {
        match self.text.files.next().await {
            Ok(batch) => Ok(batch),
            Err(Failure::File(error)) if !error.is_move() => {
                buffer.failed = Some(error);
                Ok(None)
            }
            Err(failure) => Err(StopReason::of(failure, &scan.file.path)),
        }
    }

    /// Keeps what was found; oldest first, it decides at once what needs no reading, for a scan is
    /// under way. True where the part is to be cut, and goes on later.
    async fn keep<S: MatchSink>(
        &mut self,
        part: &Part,
        buffer: &mut PartBuffer,
        found: &mut Vec<RecordCandidate>,
        output: &mut MatchOutput<'_, '_, S>,
    ) -> Result<bool, StopReason> {
        buffer.were_open += found.iter().filter(|candidate| candidate.is_open()).count();
        let wanted = output.wants();
        let mut is_cut = false;
        for candidate in found.drain(..) {
            if self.is_excluded(&candidate) {
                self.caveats.is_unsearched |= self.is_excluded_by_length(&candidate);
            } else if buffer.push(candidate, wanted) {
                is_cut = true;
                break;
            }
        }
        if !self.criteria.newest_first {
            while let Some(candidate) = buffer.pop_at_hand() {
                self.decide(part.file, candidate, buffer, output).await?;
            }
            output.rest().await?;
        }
        Ok(is_cut)
    }

    /// The question to the driver, and what makes records of its answers.
    async fn prepare(&mut self, part: &Part) -> Result<(Runs, ScanRequest), StopReason> {
        let file = self.text.file(part.file).clone();
        let filter = self.text.prefilter(self.criteria.query);
        let head = self.text.head(part.file).await?;
        let least = match head.first {
            Some(_) => STAMPED,
            None => STAMPLESS,
        };
        let context = self.around.max(least);
        let runs = Runs::new(&file, head, self.criteria.context);
        let scan = ScanRequest {
            filter,
            from: part.from,
            to: part.to,
            before: context.before as u32,
            after: context.after as u32,
            file,
        };
        Ok((runs, scan))
    }

    /// The driver has looked at a part up to here. How far that is in a compressed file is not
    /// known before its end.
    fn see(&mut self, part: &Part, read_to: u64) {
        let read_to = read_to.clamp(part.from, part.to);
        self.seen = if self.text.is_plain(part.file) {
            read_to - part.from
        } else {
            read_to.min(self.text.file(part.file).size)
        };
    }

    /// How far a long part is.
    async fn tell(&self, part: &Part, out: &mut ResponseSender<'_>) -> Result<(), StopReason> {
        if !self.text.is_plain(part.file) || self.seen == 0 {
            return Ok(());
        }
        out.send(LogResponse::Progress(self.done + self.seen, self.total))
            .await
    }

    /// A whole record that does not match.
    fn is_excluded(&self, candidate: &RecordCandidate) -> bool {
        matches!(candidate, RecordCandidate::Whole(whole) if !self.matches(&whole.record))
    }

    /// Whether a whole record that does not match might, with what is missing of it.
    fn is_excluded_by_length(&self, candidate: &RecordCandidate) -> bool {
        match candidate {
            RecordCandidate::Whole(whole) => self.might_match(&whole.record),
            RecordCandidate::Open(_) => false,
        }
    }

    fn might_match(&self, record: &[Line]) -> bool {
        let time = RecordText::of(record).map(|record| record.time());
        has_long_line(record) && time.is_some_and(|time| self.criteria.window.contains(&time))
    }

    fn matches(&self, record: &[Line]) -> bool {
        let Some(record) = RecordText::of(record) else {
            return false;
        };
        let source = &self.text.log.info.name;
        let input = MatchInput::of_record(self.criteria.host, source, &record);
        self.criteria.window.contains(&record.time()) && self.criteria.query.matches(&input)
    }

    /// The live file may have been emptied during the scan: then less was found than was there.
    async fn check_end(&mut self, part: &Part) -> Result<(), StopReason> {
        let is_live = part.file + 1 == self.text.log.files.len() && self.text.is_plain(part.file);
        if is_live && part.to > part.from {
            self.text.part(part.file, part.to - 1, part.to).await?;
        }
        Ok(())
    }

    /// Gives on a candidate if it matches, and ends the pass when no more are wanted; `others` wait
    /// for their turn.
    async fn decide<S: MatchSink>(
        &mut self,
        file: usize,
        candidate: RecordCandidate,
        others: &PartBuffer,
        output: &mut MatchOutput<'_, '_, S>,
    ) -> Result<(), StopReason> {
        if self.is_decided(file, candidate.offset()) {
            return Ok(());
        }
        if !candidate.is_at_hand() {
            output.rest().await?;
        }
        let Some(found) = self.complete(file, candidate).await? else {
            return Ok(());
        };
        output.take(found).await?;
        if output.wants() > 0 {
            return Ok(());
        }
        output.rest().await?;
        output.out.totals.more |= others.has_more() || !self.parts.is_empty();
        Err(StopReason::Enough)
    }

    /// A candidate with all that belongs to it, if it matches and has not been decided before.
    async fn complete(
        &mut self,
        file: usize,
        candidate: RecordCandidate,
    ) -> Result<Option<RecordMatch>, StopReason> {
        let is_open = candidate.is_open();
        let whole = match candidate {
            RecordCandidate::Whole(whole) => whole,
            RecordCandidate::Open(offset) => WholeRecord {
                record: record_lines::record_at(&mut self.text, At { file, offset }).await?,
                before: None,
                after: None,
            },
        };
        let (Some(first), Some(last)) = (whole.record.first(), whole.record.last()) else {
            return Ok(None);
        };
        let lines = first.cursor.offset..last.cursor.offset + 1;
        if self.is_decided(file, lines.start) {
            return Ok(None);
        }
        let mut found = None;
        if !is_open || self.matches(&whole.record) {
            self.caveats.is_cut |= has_long_line(&whole.record);
            found = Some(self.with_context(file, &lines, whole).await?);
        } else {
            self.caveats.is_unsearched |= self.might_match(&whole.record);
        }
        // Not before: if the log is moved while more is read, the record has its turn again.
        self.last = Some(DecidedRecord { file, lines });
        Ok(found)
    }

    /// Reads the lines around a record that were not found.
    async fn with_context(
        &mut self,
        file: usize,
        lines: &Range<u64>,
        whole: WholeRecord,
    ) -> Result<RecordMatch, StopReason> {
        let wanted = self.criteria.context;
        let at = |offset| At { file, offset };
        let begin = at(lines.start);
        let last = at(lines.end - 1);
        Ok(RecordMatch {
            record: whole.record,
            before: match whole.before {
                Some(before) => before,
                None => record_lines::before(&mut self.text, begin, wanted.before).await?,
            },
            after: match whole.after {
                Some(after) => after,
                None => record_lines::after(&mut self.text, last, wanted.after).await?,
            },
        })
    }

    /// Whether the record of this line has had its turn: they come in the order of the file, or in
    /// the other one.
    fn is_decided(&self, file: usize, offset: u64) -> bool {
        self.last.as_ref().is_some_and(|last| {
            let is_past = if self.criteria.newest_first {
                offset >= last.lines.start
            } else {
                offset < last.lines.end
            };
            last.file == file && is_past
        })
    }

    /// The log was rotated: finds where everything is now, and what of it is gone.
    async fn find_again(&mut self, out: &mut ResponseSender<'_>) -> Result<(), StopReason> {
        self.moves += 1;
        let listed = sources::again(self.text.files, &self.text.log).await?;
        let places = relisted::places(&self.text.log.files, &listed);
        self.text.relist(listed);
        self.last = self.last.take().and_then(|last| {
            Some(DecidedRecord {
                file: places[last.file]?,
                ..last
            })
        });
        for part in std::mem::take(&mut self.parts) {
            match places[part.file] {
                Some(file) => self.parts.push_back(Part { file, ..part }),
                None => {
                    let name = self.text.log.info.name.clone();
                    out.send(LogResponse::Gap(name, part.missing())).await?;
                }
            }
        }
        Ok(())
    }
}
