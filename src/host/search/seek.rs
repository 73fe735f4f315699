//! Finds the first line of a log that is not older than some moment, in few reads.
//!
//! The heads of the generations tell which one it is in. There the driver may know a quicker way;
//! otherwise single blocks are read, where the line should be if lines came evenly and in the
//! middle of what is left, in turns. What is left is read from a little before it, for a log may be
//! slightly out of order. One that is more than slightly out of order is noticed by the times that
//! were seen, and read from its beginning.

use std::ops::Range;

use crate::host::{Files, Hint};
use crate::model::time::{Time, TimeSource};

use super::file_reader::{FileItem, FileReader};
use super::stop_reason::StopReason;
use super::text::{At, HOLE_BYTES, LogText, is_hole};
use super::walk::Forth;

/// A block that is read to see what time it is there.
const PROBE_BYTES: usize = 4 << 10;

/// What a driver reads of a plain file for each look of its own.
const LOOK_BYTES: u64 = 4 << 10;

/// Where no stamp begins in it, so many larger ones are read behind it, each further on.
const MOST_STEPS: u32 = 5;

/// Reads for one moment in one file; then what is left is read through.
const MOST_READS: u32 = 24;

/// What is left of a plain file when it is read through.
const NEAR: u64 = 64 << 10;

/// The same of a compressed one, which is unpacked from its beginning for every read.
const NEAR_PACKED: u64 = 1 << 20;

/// A line may be so many bytes too late in a log that counts as ordered.
pub(super) const SLACK: u64 = 64 << 10;

/// And with a time that is so much too early.
const SLACK_NANOS: i64 = 60 * 1_000_000_000;

/// So much of a file is read through for one moment at most.
const MOST_READ: u64 = 64 << 20;

/// Where a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SoughtTime {
    /// The first line that is not older, or the end.
    pub(super) at: At,
    /// How sure that is.
    pub(super) sure: Sure,
    /// It is in a generation that may have this time of day several times, of days that nobody can
    /// tell.
    hides_days: bool,
}

/// How sure the place of a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    /// The log is in order, as far as was seen.
    Ordered,
    /// This generation is not in order.
    Disordered(usize),
    /// It was looked for in this generation without being found; what follows begins before it.
    Rough(usize),
    /// Its lines have no times; files are taken by when they were written to.
    Timeless,
}

impl SoughtTime {
    /// What a reader should know.
    pub(super) fn notes<F: Files>(&self, text: &LogText<'_, F>) -> Vec<String> {
        let undated = self.hides_days.then(|| {
            let file = self.at.file.min(text.log.files.len().saturating_sub(1));
            let path = String::from_utf8_lossy(&text.file(file).path).into_owned();
            format!(
                "{path}: its times have no date, and it may be longer than a day: what is found may be of another day"
            )
        });
        self.doubt(text).into_iter().chain(undated).collect()
    }

    fn doubt<F: Files>(&self, text: &LogText<'_, F>) -> Option<String> {
        let path = |file: usize| String::from_utf8_lossy(&text.file(file).path);
        match self.sure {
            Sure::Ordered => None,
            Sure::Disordered(file) => Some(format!(
                "{} is not in the order of time: it is read from its beginning",
                path(file)
            )),
            Sure::Rough(file) => Some(format!(
                "{}: the time was not found in {} MiB; what follows begins before it",
                path(file),
                MOST_READ >> 20
            )),
            Sure::Timeless => Some(
                "its lines have no times that are known: whole files are taken by when they were written"
                    .to_owned(),
            ),
        }
    }

    /// Where the first line that is not older may be at the earliest.
    fn earliest(&self) -> At {
        match self.sure {
            Sure::Disordered(file) | Sure::Rough(file) => At::start_of(file),
            Sure::Ordered | Sure::Timeless => self.at,
        }
    }

    /// Where the last older line may end at the latest; `None` where that is not known.
    fn latest<F: Files>(&self, text: &LogText<'_, F>) -> Option<At> {
        let (file, offset) = match self.sure {
            Sure::Disordered(file) | Sure::Rough(file) => (file, u64::MAX),
            Sure::Ordered => (self.at.file, self.at.offset.saturating_add(SLACK)),
            Sure::Timeless => return None,
        };
        let offset = offset.min(text.reach(file));
        Some(At { file, offset })
    }
}

/// The first line of the log that is not older than `time`.
pub(super) async fn seek<F: Files>(
    text: &mut LogText<'_, F>,
    time: Time,
) -> Result<SoughtTime, StopReason> {
    let (at, sure) = place(text, time).await?;
    let file = at.file.min(text.log.files.len().saturating_sub(1));
    let hides_days = !text.log.files.is_empty() && text.may_hide_days(file).await?;
    Ok(SoughtTime {
        at,
        sure,
        hides_days,
    })
}

async fn place<F: Files>(text: &mut LogText<'_, F>, time: Time) -> Result<(At, Sure), StopReason> {
    let (after, is_timeless) = first_beginning_after(text, time).await?;
    if is_timeless {
        return by_modification(text, time).await;
    }
    // The generation before the first that begins with a time not older.
    let Some(file) = stamped_before(text, after).await? else {
        return Ok((At::start_of(0), Sure::Ordered));
    };
    if let Some(offset) = late_in_the_one_before(text, file, time).await? {
        return Ok((offset, Sure::Ordered));
    }
    let (found, sure) = in_file(text, file, time).await?;
    let at = match found {
        Some(offset) => At { file, offset },
        None if file + 1 < text.log.files.len() => At::start_of(file + 1),
        None => text.end().await?,
    };
    Ok((at, sure))
}

/// The first file that was written to at this time or later.
async fn by_modification<F: Files>(
    text: &mut LogText<'_, F>,
    time: Time,
) -> Result<(At, Sure), StopReason> {
    let file = text.log.files.iter().position(|file| file.modified >= time);
    let at = match file {
        Some(file) => At::start_of(file),
        None => text.end().await?,
    };
    // Of what cannot be read at all there is more to say than that it has no times.
    let sure = if nothing_is_read(text).await? {
        Sure::Ordered
    } else {
        Sure::Timeless
    };
    Ok((at, sure))
}

/// The places between which all lines of a window are, and what should be known of it.
pub(super) struct SoughtRange {
    pub(super) places: Range<At>,
    pub(super) notes: Vec<String>,
}

/// Finds the lines of a window.
pub(super) async fn range<F: Files>(
    text: &mut LogText<'_, F>,
    window: &Range<Time>,
) -> Result<SoughtRange, StopReason> {
    let mut from = At::start_of(0);
    let mut to = text.end().await?;
    let mut notes = Vec::new();
    if window.start > Time(i64::MIN) {
        let sought = seek(text, window.start).await?;
        from = sought.earliest();
        notes = sought.notes(text);
    }
    // Nobody has lines of the future but those whose clock is wrong.
    if window.end < Time(i64::MAX) && to > from {
        let sought = seek(text, window.end).await?;
        to = sought.latest(text).unwrap_or(to);
        let mut more = sought.notes(text);
        more.retain(|note| !notes.contains(note));
        notes.append(&mut more);
    }
    Ok(SoughtRange {
        places: from..to.max(from),
        notes,
    })
}

/// The first generation whose first time is not older, or their number; and whether none has any
/// time.
async fn first_beginning_after<F: Files>(
    text: &mut LogText<'_, F>,
    time: Time,
) -> Result<(usize, bool), StopReason> {
    let (mut low, mut high) = (0, text.log.files.len());
    let mut is_timeless = true;
    while low < high {
        let middle = low + (high - low) / 2;
        // A generation may be empty, or begin with a stack trace whose head is gone.
        let mut at = middle;
        let first = loop {
            match text.head(at).await?.first {
                None if at > low => at -= 1,
                first => break first,
            }
        };
        is_timeless &= first.is_none();
        match first {
            Some(first) if first >= time => high = at,
            _ => low = middle + 1,
        }
    }
    Ok((high, is_timeless))
}

/// Whether none of the files can be read.
async fn nothing_is_read<F: Files>(text: &mut LogText<'_, F>) -> Result<bool, StopReason> {
    for file in (0..text.log.files.len()).rev() {
        if !text.head(file).await?.failed {
            return Ok(false);
        }
    }
    Ok(!text.log.files.is_empty())
}

/// The last generation before this one that has times.
async fn stamped_before<F: Files>(
    text: &mut LogText<'_, F>,
    end: usize,
) -> Result<Option<usize>, StopReason> {
    for file in (0..end).rev() {
        if text.head(file).await?.first.is_some() {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// A generation may begin with a time that is a little earlier than that of the last lines of the
/// one before, as lines of one file may: the moment is looked for there, too, where it is so close.
async fn late_in_the_one_before<F: Files>(
    text: &mut LogText<'_, F>,
    file: usize,
    time: Time,
) -> Result<Option<At>, StopReason> {
    let first = text.head(file).await?.first.unwrap_or(time);
    if time.0.saturating_sub(first.0) > SLACK_NANOS {
        return Ok(None);
    }
    let Some(file) = stamped_before(text, file).await? else {
        return Ok(None);
    };
    // To look into a compressed one costs the unpacking of it.
    if text.file(file).modified < time {
        return Ok(None);
    }
    Ok(match in_file(text, file, time).await? {
        (Some(offset), Sure::Ordered) => Some(At { file, offset }),
        _ => None,
    })
}

/// Looks for a moment in a file that begins before it.
struct Bisection {
    number: usize,
    time: Time,
    /// A line begins there that is older.
    low: u64,
    /// No line that is searched for begins behind this, if any does.
    high: u64,
    /// What was seen, in the order of the file.
    seen: Vec<(u64, Time)>,
    /// The driver has seen more, which was not in order.
    is_mixed: bool,
}

/// The first line of a file that is not older, or `None` where it has none, and how sure that is.
async fn in_file<F: Files>(
    text: &mut LogText<'_, F>,
    number: usize,
    time: Time,
) -> Result<(Option<u64>, Sure), StopReason> {
    let first = text.head(number).await?.first.unwrap_or(time);
    let high = text.reach(number);
    let mut bisection = Bisection {
        number,
        time,
        low: 0,
        high,
        seen: vec![(0, first)],
        is_mixed: false,
    };
    if !bisection.hinted(text).await? {
        if text.is_plain(number) || !F::READS_ON {
            let length = text.length(number).await?;
            bisection.narrow(text, length).await?;
        } else {
            bisection.read_on(text).await?;
        }
    }
    let is_ordered = bisection.is_ordered();
    let offset = if is_ordered {
        bisection.low.saturating_sub(SLACK)
    } else {
        0
    };
    let sure = if is_ordered {
        Sure::Ordered
    } else {
        Sure::Disordered(number)
    };
    let from = At {
        file: number,
        offset,
    };
    Ok(match read_through(text, from, time).await? {
        ReadThrough::Found(offset) => (Some(offset), sure),
        ReadThrough::Nothing => (None, sure),
        ReadThrough::GaveUp(last) => (Some(last), Sure::Rough(number)),
    })
}

impl Bisection {
    /// Takes the driver's word for the place, if that holds.
    async fn hinted<F: Files>(&mut self, text: &mut LogText<'_, F>) -> Result<bool, StopReason> {
        let Some(key) = text.head(self.number).await?.key() else {
            return Ok(false);
        };
        let file = text.log.files[self.number].clone();
        let hint = text.files.seek(&file, &key, self.time).await;
        let Some(hint) = hint.map_err(|failure| StopReason::of(failure, &file.path))? else {
            return Ok(false);
        };
        let is_plain = text.is_plain(self.number);
        let looked_at = if is_plain {
            u64::from(hint.reads) * LOOK_BYTES
        } else {
            hint.offset
        };
        text.tally.reads += hint.reads;
        text.look(self.number, 0..looked_at);
        if is_plain {
            self.hinted_in_plain(text, hint).await
        } else {
            self.hinted_in_packed(text, hint).await
        }
    }

    async fn hinted_in_plain<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        hint: Hint,
    ) -> Result<bool, StopReason> {
        if !hint.ordered || hint.offset > self.high {
            return Ok(false);
        }
        let before = hint.offset.saturating_sub(PROBE_BYTES as u64);
        if before > 0 {
            let first = self.probe(text, before).await?;
            if !first.is_some_and(|(at, seen)| at < hint.offset && seen < self.time) {
                return Ok(false);
            }
        }
        self.low = before;
        // Not far behind it there should be one that is not older, or the end.
        let behind = hint.offset + NEAR;
        Ok(behind >= self.high
            || self
                .probe(text, behind)
                .await?
                .is_none_or(|(_, seen)| seen >= self.time))
    }

    /// The same of a compressed file: what was seen of it is all of it, and whatever is read of it
    /// to make sure is unpacked once more; so both are read at once.
    async fn hinted_in_packed<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        hint: Hint,
    ) -> Result<bool, StopReason> {
        if !hint.ordered {
            self.is_mixed = true;
            return Ok(true);
        }
        let offset = hint.offset;
        let from = offset.saturating_sub(PROBE_BYTES as u64);
        let most = (offset - from) as usize + NEAR as usize + 4 * PROBE_BYTES;
        let (bytes, is_end) = text.read(self.number, from, most).await?;
        let first = self.first_stamp(text, from, &bytes, is_end).await?;
        if !first.is_some_and(|(at, seen)| at <= offset && seen < self.time) {
            return Ok(false);
        }
        self.low = from;
        let behind = offset + NEAR;
        let rest = bytes.slice(bytes.len().min((behind - from) as usize)..);
        let seen = self.first_stamp(text, behind, &rest, is_end).await?;
        Ok(seen.map_or(is_end, |(_, seen)| seen >= self.time))
    }

    /// Looks into a compressed file further and further on, which unpacks it once.
    async fn read_on<F: Files>(&mut self, text: &mut LogText<'_, F>) -> Result<(), StopReason> {
        let mut next = NEAR_PACKED;
        while self.low < self.high && self.is_ordered() {
            let (bytes, is_end) = text.read(self.number, next, PROBE_BYTES).await?;
            let found = self.first_stamp(text, next, &bytes, is_end).await?;
            if let Some((offset, time)) = found {
                self.seen.push((offset, time));
                if time >= self.time {
                    self.high = next;
                    break;
                }
                self.low = offset;
            }
            if is_end {
                break;
            }
            next += NEAR_PACKED;
        }
        Ok(())
    }

    async fn narrow<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        length: u64,
    ) -> Result<(), StopReason> {
        let near = if text.is_plain(self.number) {
            NEAR
        } else {
            NEAR_PACKED
        };
        // The end first: it tells how fast time goes, and most questions are about what is new.
        let before = text.tally.reads;
        let mut evenly = true;
        let mut guess = length.saturating_sub(PROBE_BYTES as u64);
        while self.high.saturating_sub(self.low) > near
            && text.tally.reads - before < MOST_READS
            && self.is_ordered()
        {
            self.look(text, guess).await?;
            guess = self.guess(evenly, near);
            evenly = !evenly;
        }
        Ok(())
    }

    async fn look<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        from: u64,
    ) -> Result<(), StopReason> {
        let Some((offset, time)) = self.probe(text, from).await? else {
            // Nothing has a time from there on, as far as was seen.
            self.high = from;
            return Ok(());
        };
        let place = self.seen.partition_point(|(known, _)| *known < offset);
        self.seen.insert(place, (offset, time));
        if time < self.time {
            self.low = self.low.max(offset);
        } else {
            self.high = from;
        }
        Ok(())
    }

    /// Where to look next.
    fn guess(&self, evenly: bool, near: u64) -> u64 {
        let behind = self.seen.iter().find(|(offset, _)| *offset >= self.high);
        let mut backwards = self.seen.iter().rev();
        let before = backwards.find(|(offset, _)| *offset <= self.low);
        let (Some((_, after)), Some((_, before)), true) = (behind, before, evenly) else {
            return self.low + (self.high - self.low) / 2;
        };
        let whole = after.0.saturating_sub(before.0).max(1) as f64;
        let part = self.time.0.saturating_sub(before.0) as f64;
        let span = (self.high - self.low) as f64;
        let guess = self.low + (span * (part / whole).clamp(0.0, 1.0)) as u64;
        // A little before it, so that it becomes the lower end.
        guess
            .saturating_sub(near / 2)
            .clamp(self.low + 1, self.high - 1)
    }

    fn is_ordered(&self) -> bool {
        let is_before =
            |pair: &[(u64, Time)]| pair[0].1.0 <= pair[1].1.0.saturating_add(SLACK_NANOS);
        !self.is_mixed && self.seen.windows(2).all(is_before)
    }

    /// The first line with a stamp that begins behind `from`; further on where there is none.
    async fn probe<F: Files>(
        &self,
        text: &mut LogText<'_, F>,
        from: u64,
    ) -> Result<Option<(u64, Time)>, StopReason> {
        let mut at = from;
        for step in 0..MOST_STEPS {
            let (bytes, is_end) = text
                .read(self.number, at, PROBE_BYTES << (2 * step.min(2)))
                .await?;
            if let Some(found) = self.first_stamp(text, at, &bytes, is_end).await? {
                return Ok(Some(found));
            }
            if is_end {
                break;
            }
            // In a hole further and further, elsewhere to what follows.
            let further = if is_hole(&bytes) {
                (HOLE_BYTES as u64) << (4 * (step + 1))
            } else {
                bytes.len() as u64
            };
            at = at.saturating_add(further);
            if at >= self.high.max(from + 1) {
                break;
            }
        }
        Ok(None)
    }

    async fn first_stamp<F: Files>(
        &self,
        text: &mut LogText<'_, F>,
        from: u64,
        bytes: &[u8],
        is_end: bool,
    ) -> Result<Option<(u64, Time)>, StopReason> {
        let known = text.head(self.number).await?.lines();
        let mut reader = FileReader::new(text.file(self.number), known).split_from(from);
        let items = reader.items_of(bytes, is_end);
        let mut lines = items.iter().filter_map(FileItem::line);
        let stamped = lines.find(|line| line.time_from == TimeSource::Stamp);
        Ok(stamped.map(|line| (line.cursor.offset, line.time)))
    }
}

/// What came of reading a file for the first line that is not older.
enum ReadThrough {
    /// Its offset.
    Found(u64),
    /// There is none.
    Nothing,
    /// It is behind this offset.
    GaveUp(u64),
}

/// Reads a file from some place on for its first line that is not older.
async fn read_through<F: Files>(
    text: &mut LogText<'_, F>,
    from: At,
    time: Time,
) -> Result<ReadThrough, StopReason> {
    let mut forth = Forth::within(from);
    let before = text.tally.bytes;
    let mut last = from.offset;
    while forth.file() == from.file {
        if text.tally.bytes - before > MOST_READ {
            return Ok(ReadThrough::GaveUp(last));
        }
        let lines = (NEAR as usize) / text.head(from.file).await?.line.max(1);
        let Some(items) = forth.next(text, lines).await? else {
            break;
        };
        for line in items.iter().filter_map(FileItem::line) {
            if line.time_from != TimeSource::Arrival && line.time >= time {
                return Ok(ReadThrough::Found(line.cursor.offset));
            }
            last = line.cursor.offset;
        }
    }
    Ok(ReadThrough::Nothing)
}
