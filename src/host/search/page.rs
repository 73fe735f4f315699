//! Pages: so many lines from a place on, in either direction, across all generations.

use std::ops::Range;
use std::sync::Arc;

use crate::host::Files;
use crate::model::cursor::LineRef;
use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::request::{LogResponse, MissingBytes, PageRequest, PageStart};

use super::file_reader::FileItem;
use super::place::{self, Whereabouts};
use super::text::{At, LogText};
use super::walk::{Back, Forth};
use super::{Halt, Out, is_move, seek, told};

/// A page of longer lines ends here: it is held in memory on both ends.
const MOST_BYTES: usize = 8 << 20;

/// Of a file without line ends, or with few lines in the wanted window, so much is read for one
/// page.
const MOST_READ: u64 = 64 << 20;

/// Lines of so many bytes outside of the window, and those beyond them are taken to be outside too,
/// though a log may be a little out of order.
const BEYOND_BYTES: usize = 64 << 10;

/// So many bytes of lines go in one reply.
const REPLY_BYTES: usize = 256 << 10;

/// What was read for a page.
#[derive(Debug, Default)]
pub(super) struct PageRead {
    items: Vec<FileItem>,
    notes: Vec<String>,
    /// Files that could not be read, and why.
    failed: Vec<String>,
    /// There is more beyond it.
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
) -> Result<PageRead, Halt> {
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
pub(super) async fn send(name: &Arc<str>, read: PageRead, out: &mut Out<'_>) -> Result<(), Halt> {
    for note in read.notes {
        out.note(name, note).await?;
    }
    out.totals.more |= read.more;
    let (mut lines, mut bytes) = (Vec::new(), 0);
    for item in read.items {
        match item {
            FileItem::Line(line) => {
                bytes += line.raw.len();
                lines.push(line);
            }
            FileItem::Gap(missing) => {
                send_lines(name, std::mem::take(&mut lines), out).await?;
                bytes = 0;
                out.send(LogResponse::Gap(Arc::clone(name), missing))
                    .await?;
            }
        }
        if bytes > REPLY_BYTES {
            send_lines(name, std::mem::take(&mut lines), out).await?;
            bytes = 0;
        }
    }
    send_lines(name, lines, out).await?;
    for why in read.failed {
        out.send(LogResponse::Failed(Arc::clone(name), why)).await?;
    }
    Ok(())
}

async fn send_lines(name: &Arc<str>, lines: Vec<Line>, out: &mut Out<'_>) -> Result<(), Halt> {
    if lines.is_empty() {
        return Ok(());
    }
    out.totals.lines += lines.len() as u64;
    out.send(LogResponse::Lines(Arc::clone(name), lines)).await
}

/// The place at which a page begins, or, backwards, ends.
pub(super) async fn place<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
) -> Result<At, Halt> {
    Ok(begin(text, page).await?.at)
}

async fn begin<F: Files>(text: &mut LogText<'_, F>, page: &PageRequest) -> Result<PageBegin, Halt> {
    let window = &page.window;
    match page.start {
        PageStart::Oldest if !page.backwards && window.start > Time(i64::MIN) => {
            of_time(text, window.start).await
        }
        PageStart::Oldest => Ok(PageBegin::at(At { file: 0, offset: 0 })),
        PageStart::Newest if page.backwards && window.end < Time(i64::MAX) => {
            of_time(text, window.end).await
        }
        PageStart::Newest => Ok(PageBegin::at(text.end().await?)),
        PageStart::At(time) => of_time(text, time).await,
        PageStart::Cursor(place) => of_cursor(text, &place, false).await,
        PageStart::After(place) => of_cursor(text, &place, true).await,
    }
}

async fn of_time<F: Files>(text: &mut LogText<'_, F>, time: Time) -> Result<PageBegin, Halt> {
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
) -> Result<PageBegin, Halt> {
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

/// Collects the lines of a page and knows when it is full.
struct Sheet<'p> {
    window: &'p Range<Time>,
    left: usize,
    bytes: usize,
    beyond: usize,
}

impl<'p> Sheet<'p> {
    fn new(page: &'p PageRequest) -> Self {
        Self {
            window: &page.window,
            left: page.lines as usize,
            bytes: 0,
            beyond: 0,
        }
    }

    /// Whether an item belongs to the page; `is_beyond` says of a time whether all that follows is
    /// outside, too.
    fn takes(&mut self, item: &FileItem, is_beyond: impl Fn(Time) -> bool) -> bool {
        let FileItem::Line(line) = item else {
            return self.beyond == 0;
        };
        if !self.window.contains(&line.time) {
            self.beyond = if is_beyond(line.time) {
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

    fn is_full(&self) -> bool {
        self.left == 0 || self.bytes >= MOST_BYTES
    }

    fn is_past(&self) -> bool {
        self.beyond >= BEYOND_BYTES
    }
}

async fn forwards<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
    begin: &PageBegin,
) -> Result<PageRead, Halt> {
    let (mut sheet, mut read) = (Sheet::new(page), PageRead::default());
    let mut forth = Forth::new(begin.at);
    let mut skips = begin.skips;
    let read_before = text.tally.bytes;
    'pages: while !sheet.is_full() && !sheet.is_past() {
        if text.tally.bytes - read_before > MOST_READ {
            read.give_up();
            break;
        }
        let items = match forth.next(text, sheet.left + usize::from(skips)).await {
            Err(Halt::File(path, error)) if !is_move(&error) => {
                read.failed.push(told(&path, &error));
                forth.skip(text.log.files.len());
                continue;
            }
            next => next?,
        };
        let Some(items) = items else { break };
        for item in items {
            if sheet.is_full() {
                read.more = true;
                break 'pages;
            }
            if skips && item.line().is_some() {
                skips = false;
            } else if sheet.takes(&item, |time| time >= page.window.end) {
                read.items.push(item);
            }
        }
    }
    read.more |= sheet.is_full() && !forth.is_at_end();
    Ok(read)
}

async fn backwards<F: Files>(
    text: &mut LogText<'_, F>,
    page: &PageRequest,
    begin: &PageBegin,
) -> Result<PageRead, Halt> {
    let (mut sheet, mut read) = (Sheet::new(page), PageRead::default());
    let mut back = Back::new(if begin.skips {
        next_line(text, begin.at).await?
    } else {
        begin.at
    });
    let read_before = text.tally.bytes;
    'pages: while !sheet.is_full() && !sheet.is_past() {
        if text.tally.bytes - read_before > MOST_READ {
            read.give_up();
            break;
        }
        let items = match back.next(text, sheet.left).await {
            Err(Halt::File(path, error)) if !is_move(&error) => {
                read.failed.push(told(&path, &error));
                back.skip();
                continue;
            }
            next => next?,
        };
        let Some(items) = items else { break };
        for item in items.into_iter().rev() {
            if sheet.is_full() {
                read.more = true;
                break 'pages;
            }
            if sheet.takes(&item, |time| time < page.window.start) {
                read.items.push(item);
            }
        }
    }
    read.more |= sheet.is_full() && back.at > At { file: 0, offset: 0 };
    read.items.reverse();
    Ok(read)
}

impl PageRead {
    fn give_up(&mut self) {
        self.more = true;
        self.notes.push(format!(
            "the page ends early: {} MiB were read for it",
            MOST_READ >> 20
        ));
    }
}

/// The place behind a line.
async fn next_line<F: Files>(text: &mut LogText<'_, F>, at: At) -> Result<At, Halt> {
    let mut forth = Forth::new(at);
    let file = text.file(at.file).id;
    let mut seen = false;
    while let Some(items) = forth.next(text, 2).await? {
        for item in &items {
            let is_same_file = item.line().is_none_or(|line| line.cursor.file == file);
            match item {
                FileItem::Line(line) if seen && is_same_file => {
                    return Ok(At {
                        offset: line.cursor.offset,
                        ..at
                    });
                }
                FileItem::Line(_) if seen => break,
                FileItem::Line(_) => seen = true,
                FileItem::Gap(_) => {}
            }
        }
        if forth.file() != at.file {
            break;
        }
    }
    Ok(At {
        offset: text.length(at.file).await?,
        ..at
    })
}
