//! Reads pages: so many lines from a place on, in either direction, across all generations.

use std::sync::Arc;

use crate::host::Files;
use crate::model::cursor::LineRef;
use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::request::{LogResponse, MissingBytes, PageRequest, PageStart};

use super::file_reader::FileItem;
use super::place::{self, Whereabouts};
use super::response_sender::ResponseSender;
use super::seek;
use super::stop_reason::StopReason;
use super::text::{At, LogText};
use super::walk::{Back, Forth};

/// A page of more bytes ends early: it is held in memory on both ends.
const MOST_BYTES: usize = 8 << 20;

/// The most that is read for one page of a file without line ends, or with few lines in the wanted
/// window.
const MOST_READ: u64 = 64 << 20;

/// After lines of so many bytes outside of the window, the rest counts as outside too. A log may be
/// a little out of order.
const BEYOND_BYTES: usize = 64 << 10;

/// A response has about so many bytes of lines.
const REPLY_BYTES: usize = 256 << 10;

/// What was read for a page.
#[derive(Debug, Default)]
pub(super) struct PageRead {
    items: Vec<FileItem>,
    notes: Vec<String>,
    /// Files that could not be read, and why.
    failed: Vec<String>,
    /// There is more than fits.
    more: bool,
}

/// Where a page begins.
struct PageBegin {
    at: At,
    /// The line there is left out.
    skips: bool,
    missing: Option<MissingBytes>,
    notes: Vec<String>,
}

impl PageBegin {
    fn at(at: At) -> Self {
        Self {
            at,
            skips: false,
            missing: None,
            notes: Vec::new(),
        }
    }
}

/// Reads a page.
pub(super) async fn read<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
) -> Result<PageRead, StopReason> {
    if text.log.files.is_empty() || page.window.is_empty() {
        return Ok(PageRead::default());
    }
    let begin = begin(text, page).await?;
    let mut read = if page.backwards {
        backwards(text, page, &begin).await?
    } else {
        forwards(text, page, &begin).await?
    };
    if let Some(missing) = begin.missing {
        let at = if page.backwards { read.items.len() } else { 0 };
        read.items.insert(at, FileItem::Gap(missing));
    }
    read.notes.splice(0..0, begin.notes);
    Ok(read)
}

/// Sends a page that was read.
pub(super) async fn send(
    name: &Arc<str>,
    read: PageRead,
    out: &mut ResponseSender<'_>,
) -> Result<(), StopReason> {
    for note in read.notes {
        out.note(name, note).await?;
    }
    out.totals.more |= read.more;
    let mut lines = Vec::new();
    let mut bytes = 0;
    for item in read.items {
        match item {
            FileItem::Line(line) => {
                bytes += line.raw.len();
                lines.push(line);
                if bytes > REPLY_BYTES {
                    bytes = 0;
                    send_lines(name, &mut lines, out).await?;
                }
            }
            FileItem::Gap(missing) => {
                bytes = 0;
                send_lines(name, &mut lines, out).await?;
                let gap = LogResponse::Gap(Arc::clone(name), missing);
                out.send(gap).await?;
            }
        }
    }
    send_lines(name, &mut lines, out).await?;
    for why in read.failed {
        out.fail(name, why).await?;
    }
    Ok(())
}

/// Sends these lines, if there are any, and takes them out.
async fn send_lines(
    name: &Arc<str>,
    lines: &mut Vec<Line>,
    out: &mut ResponseSender<'_>,
) -> Result<(), StopReason> {
    if lines.is_empty() {
        return Ok(());
    }
    out.totals.lines += lines.len() as u64;
    let lines = std::mem::take(lines);
    out.send(LogResponse::Lines(Arc::clone(name), lines)).await
}

/// The place at which a page begins, or, backwards, ends.
pub(super) async fn place<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
) -> Result<At, StopReason> {
    Ok(begin(text, page).await?.at)
}

async fn begin<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
) -> Result<PageBegin, StopReason> {
    let window = &page.window;
    match page.start {
        PageStart::Oldest if !page.backwards && window.start > Time(i64::MIN) => {
            of_time(text, window.start).await
        }
        PageStart::Oldest => Ok(PageBegin::at(At::start_of(0))),
        PageStart::Newest if page.backwards && window.end < Time(i64::MAX) => {
            of_time(text, window.end).await
        }
        PageStart::Newest => Ok(PageBegin::at(text.end().await?)),
        PageStart::At(time) => of_time(text, time).await,
        PageStart::Cursor(place) => of_cursor(text, &place, false).await,
        PageStart::After(place) => of_cursor(text, &place, true).await,
    }
}

async fn of_time<F: Files>(text: &mut LogText<'_, F>, time: Time) -> Result<PageBegin, StopReason> {
    let sought = seek::seek(text, time).await?;
    Ok(PageBegin {
        notes: sought.notes(text),
        ..PageBegin::at(sought.at)
    })
}

async fn of_cursor<F: Files>(
    text: &mut LogText<'_, F>,
    place: &LineRef,
    after: bool,
) -> Result<PageBegin, StopReason> {
    Ok(match place::find(text, place).await? {
        Whereabouts::Here(at) => PageBegin {
            skips: after,
            ..PageBegin::at(at)
        },
        // It has not been shown as it is now.
        Whereabouts::Grown(at) => PageBegin::at(at),
        Whereabouts::Lost(missing, at) => {
            let note = format!(
                "the line of cursor {place} is not there any more; what follows begins at {}",
                String::from_utf8_lossy(&text.file(at.file).path)
            );
            PageBegin {
                missing: Some(missing),
                notes: vec![note],
                ..PageBegin::at(at)
            }
        }
    })
}

/// Collects what belongs to a page and knows when it is full.
struct PageBuilder<'p> {
    page: &'p PageRequest,
    read: PageRead,
    /// How many more lines fit.
    left: usize,
    bytes: usize,
    /// Bytes of lines outside of the window since the last one inside.
    beyond: usize,
    /// What had been read before the page.
    read_before: u64,
}

impl<'p> PageBuilder<'p> {
    fn new(page: &'p PageRequest, read_before: u64) -> Self {
        Self {
            page,
            read: PageRead::default(),
            left: page.lines as usize,
            bytes: 0,
            beyond: 0,
            read_before,
        }
    }

    /// Adds the items that belong to the page, until it is full.
    fn extend(&mut self, items: impl Iterator<Item = FileItem>) {
        for item in items {
            if self.is_full() {
                self.read.more = true;
                return;
            }
            if self.takes(&item) {
                self.read.items.push(item);
            }
        }
    }

    fn takes(&mut self, item: &FileItem) -> bool {
        let FileItem::Line(line) = item else {
            return self.beyond == 0;
        };
        if !self.page.window.contains(&line.time) {
            self.beyond = if self.is_beyond(line.time) {
                self.beyond + line.raw.len() + 1
            } else {
                0
            };
            return false;
        }
        self.beyond = 0;
        self.left -= 1;
        self.bytes += line.raw.len();
        true
    }

    /// Whether all that follows a line of this time is outside of the window too, in a log that is
    /// in order.
    fn is_beyond(&self, time: Time) -> bool {
        if self.page.backwards {
            time < self.page.window.start
        } else {
            time >= self.page.window.end
        }
    }

    fn is_full(&self) -> bool {
        self.left == 0 || self.bytes >= MOST_BYTES
    }

    /// Whether more is to be read; `bytes_read` are all that have been.
    fn goes_on(&mut self, bytes_read: u64) -> bool {
        if self.is_full() || self.beyond >= BEYOND_BYTES {
            return false;
        }
        let gives_up = bytes_read - self.read_before > MOST_READ;
        if gives_up {
            self.read.more = true;
            self.read.notes.push(format!(
                "the page ends early: {} MiB were read for it",
                MOST_READ >> 20
            ));
        }
        !gives_up
    }
}

async fn forwards<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
    begin: &PageBegin,
) -> Result<PageRead, StopReason> {
    let mut builder = PageBuilder::new(page, text.tally.bytes);
    let mut forth = Forth::new(begin.at);
    let mut skips = begin.skips;
    while builder.goes_on(text.tally.bytes) {
        let items = match forth.next(text, builder.left + usize::from(skips)).await {
            Err(StopReason::File(path, error)) if !error.is_move() => {
                builder.read.failed.push(error.explained(&path));
                forth.skip(text.log.files.len());
                continue;
            }
            next => next?,
        };
        let Some(mut items) = items else { break };
        if skips && let Some(first) = items.iter().position(|item| item.line().is_some()) {
            items.remove(first);
            skips = false;
        }
        builder.extend(items.into_iter());
    }
    builder.read.more |= builder.is_full() && !forth.is_at_end();
    Ok(builder.read)
}

async fn backwards<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
    begin: &PageBegin,
) -> Result<PageRead, StopReason> {
    let mut back = Back::new(if begin.skips {
        next_line(text, begin.at).await?
    } else {
        begin.at
    });
    let mut builder = PageBuilder::new(page, text.tally.bytes);
    while builder.goes_on(text.tally.bytes) {
        let items = match back.next(text, builder.left).await {
            Err(StopReason::File(path, error)) if !error.is_move() => {
                builder.read.failed.push(error.explained(&path));
                back.skip();
                continue;
            }
            next => next?,
        };
        let Some(items) = items else { break };
        builder.extend(items.into_iter().rev());
    }
    builder.read.more |= builder.is_full() && back.at > At::start_of(0);
    builder.read.items.reverse();
    Ok(builder.read)
}

/// The place behind a line.
async fn next_line<F: Files>(text: &mut LogText<'_, F>, at: At) -> Result<At, StopReason> {
    let mut forth = Forth::new(at);
    let mut passed = 0;
    while forth.file() == at.file {
        let Some(items) = forth.next(text, 2).await? else {
            break;
        };
        let lines = items.iter().filter_map(FileItem::line);
        if let Some(next) = lines.clone().nth(1 - passed) {
            let offset = next.cursor.offset;
            return Ok(At { offset, ..at });
        }
        passed = passed.max(lines.count());
    }
    Ok(At {
        offset: text.length(at.file).await?,
        ..at
    })
}
