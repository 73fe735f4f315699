//! Text from strangers, made safe to show. [`SafeText`] is the only text that a widget accepts.
//!
//! What a terminal would obey, hide or draw in a place of its own choice is replaced by something
//! visible, never dropped: two lines that differ look different. The sum of the widths of its
//! characters is the width of the text, on every terminal, because what makes terminals disagree is
//! replaced too: joiners (an emoji family is drawn in two cells by some and in eight by others),
//! variation selectors and skin tones.
//!
//! The one exception is made for lines of logs, on request: their colours
//! ([`ColourHandling::Kept`]) become looks of parts of the text, and lines that differ in nothing
//! else differ in nothing else. Raw bytes for copying are left to the record, what a look is on a
//! screen to the theme.

mod look;
mod progress;
mod sgr;
mod visible;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Range;

pub use look::{CUBE, MIN_CONTRAST, TextColour, TextLook, contrast, luminance};
pub use progress::settled;
use visible::{cells_of, is_plain, is_visible, picture};

/// Text without a byte that a terminal would obey: control characters, escape sequences, bidi
/// overrides and invisibles are replaced by something visible.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SafeText {
    text: String,
    /// In order, without overlaps, none of them plain.
    spans: Vec<StyledSpan>,
}

/// A part of a text that looks different. Small, because a line may have many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct StyledSpan {
    start: u32,
    end: u32,
    look: TextLook,
}

/// What becomes of the colours (`ESC [ … m`) in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourHandling {
    /// They are looks of the text.
    Kept,
    /// They are shown like any other escape sequence.
    Shown,
}

/// The longest text that is shown, in bytes. A screen has some 20 KB; the rest is for scrolling
/// sideways. What is longer ends in `…+N B`.
pub const MAX_SHOWN_BYTES: usize = 256 * 1024;

/// Room for the longest `…+N B`.
const NOTE_BYTES: usize = 32;

/// As on nearly every terminal.
const TAB_CELLS: usize = 8;

/// Marks on one letter: the most that a living script needs. More would cover the lines above and
/// below.
const MAX_MARKS: usize = 8;

/// So many parts of a line look different at most; what comes after them is plain.
const MAX_SPANS: usize = 16 * 1024;

/// Colours and runs of NUL take no or little room in the text. This bounds how many of their bytes
/// are read for each byte of text.
const READ_PER_SHOWN: usize = 4;

/// A run of so many NUL bytes, as a file with a hole has them, is shown as their number.
const NUL_RUN: usize = 8;

impl SafeText {
    /// From the bytes of a file name, an error of a host, a line as it is: anything from outside.
    /// One carriage return at the end is taken for a part of the line end.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::line(bytes, ColourHandling::Shown, MAX_SHOWN_BYTES)
    }

    /// From a string that comes from outside or contains something that does.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// From the bytes of a log line. The text has no more than `limit` bytes (64 at least); where
    /// that is not all of the line, it ends in `…+N B`.
    #[must_use]
    pub fn line(bytes: &[u8], colours: ColourHandling, limit: usize) -> Self {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let limit = limit.max(2 * NOTE_BYTES);
        let whole = ShownText::of(bytes, colours, limit);
        if whole.read == bytes.len() {
            return whole.out;
        }
        let mut start = ShownText::of(bytes, colours, limit - NOTE_BYTES);
        // Writing to a string cannot fail.
        let _ = write!(start.out.text, "…+{} B", bytes.len() - start.read);
        start.out
    }

    /// The safe text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same without its looks.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// The parts of it that do not look like any other text: byte ranges, sorted, not overlapping.
    pub fn looks(&self) -> impl Iterator<Item = (Range<usize>, TextLook)> + '_ {
        self.spans.iter().map(|span| (span.range(), span.look))
    }

    /// Cells it takes on a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.text.is_ascii() {
            self.text.len()
        } else {
            self.cells().map(|(_, cells)| cells).sum()
        }
    }

    /// Its characters with the cells that each takes: 1, 2, or 0 for a mark on the character
    /// before.
    pub fn cells(&self) -> impl Iterator<Item = (char, usize)> + '_ {
        self.text.chars().map(|c| (c, cells_of(c)))
    }

    /// The byte ranges of its rows where each has `width` cells: at least one row, and none with
    /// half a character.
    #[must_use]
    pub fn rows(&self, width: usize) -> Vec<Range<usize>> {
        let len = self.text.len();
        let width = width.max(1);
        if self.text.is_ascii() {
            let starts = (0..len.max(1)).step_by(width);
            return starts
                .map(|start| start..(start + width).min(len))
                .collect();
        }
        let mut rows = Vec::new();
        let mut start = 0;
        let mut used = 0;
        for (at, c) in self.text.char_indices() {
            let cells = cells_of(c);
            if cells > 0 && used > 0 && used + cells > width {
                rows.push(start..at);
                start = at;
                used = 0;
            }
            used += cells;
        }
        rows.push(start..len);
        rows
    }

    /// What is seen of it through a window of `width` cells, `skip` cells from its beginning. A
    /// wide character that is cut by an edge leaves a blank there, so that everything else keeps
    /// its column.
    #[must_use]
    pub fn slice_cells(&self, skip: usize, width: usize) -> Self {
        let end = skip.saturating_add(width);
        if self.text.is_ascii() {
            let len = self.text.len();
            return self.part(skip.min(len)..end.min(len), 0, 0);
        }
        let mut blanks = [0, 0];
        let mut range = None::<Range<usize>>;
        let mut at: usize = 0;
        let mut base_is_shown = false;
        for (start, c) in self.text.char_indices() {
            let after = at + cells_of(c);
            if after > at {
                if at >= end {
                    break;
                }
                base_is_shown = at >= skip && after <= end;
                if !base_is_shown && after.min(end) > at.max(skip) {
                    blanks[usize::from(at >= skip)] += 1;
                }
            }
            if base_is_shown {
                range = Some(range.map_or(start, |range| range.start)..start + c.len_utf8());
            }
            at = after;
        }
        self.part(range.unwrap_or(0..0), blanks[0], blanks[1])
    }

    /// A range of its characters between so many blanks.
    fn part(&self, range: Range<usize>, before: usize, after: usize) -> Self {
        let mut text = String::with_capacity(before + range.len() + after);
        text.extend(std::iter::repeat_n(' ', before));
        text.push_str(self.text.get(range.clone()).unwrap_or_default());
        text.extend(std::iter::repeat_n(' ', after));
        let moved = |span: &StyledSpan| {
            let inside = span.range().start.max(range.start)..span.range().end.min(range.end);
            (!inside.is_empty()).then(|| {
                StyledSpan::new(
                    inside.start - range.start + before,
                    inside.end - range.start + before,
                    span.look,
                )
            })
        };
        Self {
            text,
            spans: self.spans.iter().filter_map(moved).collect(),
        }
    }

    fn last_span_at(&mut self, end: usize) -> Option<&mut StyledSpan> {
        self.spans.last_mut().filter(|span| span.range().end == end)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl StyledSpan {
    fn new(start: usize, end: usize, look: TextLook) -> Self {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: small(start),
            end: small(end),
            look,
        }
    }

    fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A line without its colours, for those who look for text in it: borrowed where it has none.
#[must_use]
pub fn without_colours(line: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Vec::new();
    let mut kept = 0;
    for at in memchr::memchr_iter(0x1b, line) {
        if at >= kept
            && let Some((length, _)) = sgr::sequence(&line[at..], TextLook::default())
        {
            plain.extend_from_slice(&line[kept..at]);
            kept = at + length;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(line);
    }
    plain.extend_from_slice(&line[kept..]);
    Cow::Owned(plain)
}

/// A line without so many bytes of its beginning, colours not counted and kept: what is left looks
/// as it did.
#[must_use]
pub fn without_beginning(line: &[u8], bytes: usize) -> Vec<u8> {
    let mut rest = Vec::with_capacity(line.len());
    let mut at = 0;
    let mut left = bytes;
    while left > 0 && at < line.len() {
        if let Some((length, _)) = sgr::sequence(&line[at..], TextLook::default()) {
            rest.extend_from_slice(&line[at..at + length]);
            at += length;
        } else {
            at += 1;
            left -= 1;
        }
    }
    rest.extend_from_slice(&line[at..]);
    rest
}

/// The beginning of a line, cut neither within a character nor within a colour.
fn beginning(bytes: &[u8], most: usize) -> &[u8] {
    if bytes.len() <= most {
        return bytes;
    }
    let mut end = most;
    while end > most.saturating_sub(3) && bytes[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    let near = end.saturating_sub(sgr::MAX_BYTES);
    match memchr::memrchr(0x1b, &bytes[near..end]) {
        Some(at)
            if sgr::sequence(&bytes[near + at..], TextLook::default())
                .is_some_and(|(n, _)| near + at + n > end) =>
        {
            &bytes[..near + at]
        }
        _ => &bytes[..end],
    }
}

/// Text in the making.
struct ShownText {
    out: SafeText,
    /// Bytes of the input that are in `out`.
    read: usize,
    /// Length beyond which the text does not grow.
    limit: usize,
    /// Cells of the text.
    cells: usize,
    /// Marks since the last character that has a cell. At the start there is none to carry them.
    marks: usize,
    colours: ColourHandling,
    /// How what comes next looks.
    look: TextLook,
}

impl ShownText {
    /// As much of the bytes as fits into `limit` bytes of text.
    fn of(bytes: &[u8], colours: ColourHandling, limit: usize) -> Self {
        let out = SafeText {
            text: String::with_capacity(bytes.len().min(limit)),
            spans: Vec::new(),
        };
        let mut shown = Self {
            out,
            read: 0,
            limit,
            cells: 0,
            marks: MAX_MARKS,
            colours,
            look: TextLook::default(),
        };
        for chunk in beginning(bytes, limit.saturating_mul(READ_PER_SHOWN)).utf8_chunks() {
            if !shown.valid(chunk.valid()) || !shown.invalid(chunk.invalid()) {
                break;
            }
        }
        shown
    }

    /// False where it did not fit; so for all that follow.
    fn valid(&mut self, text: &str) -> bool {
        let mut rest = text;
        while !rest.is_empty() {
            let Some(taken) = self.next(rest) else {
                return false;
            };
            rest = &rest[taken..];
        }
        true
    }

    /// Takes what comes next: plain text, a change of colours, a run of NULs or a character. Its
    /// length; `None` where it did not fit.
    fn next(&mut self, rest: &str) -> Option<usize> {
        let plain = rest.bytes().take_while(|b| is_plain(*b)).count();
        if plain > 0 {
            return self.plain(&rest[..plain]).then_some(plain);
        }
        if let Some(length) = self.colour(rest) {
            return Some(length);
        }
        let nuls = rest.bytes().take_while(|b| *b == 0).count();
        if nuls >= NUL_RUN {
            let fits = self.replaced(nuls, format_args!("<NUL×{nuls}>"));
            return fits.then_some(nuls);
        }
        let c = rest.chars().next()?;
        self.character(c).then_some(c.len_utf8())
    }

    /// Takes a change of colours; its length.
    fn colour(&mut self, text: &str) -> Option<usize> {
        if self.colours == ColourHandling::Shown || !text.starts_with('\x1b') {
            return None;
        }
        let (length, look) = sgr::sequence(text.as_bytes(), self.look)?;
        self.look = look;
        self.read += length;
        Some(length)
    }

    fn plain(&mut self, text: &str) -> bool {
        let fits = text.len().min(self.limit - self.out.text.len());
        if fits > 0 {
            self.out.text.push_str(&text[..fits]);
            self.read += fits;
            self.cells += fits;
            self.marks = 0;
            self.paint(self.out.text.len() - fits);
        }
        fits == text.len()
    }

    fn invalid(&mut self, bytes: &[u8]) -> bool {
        bytes
            .iter()
            .all(|byte| self.replaced(1, format_args!("\\x{byte:02X}")))
    }

    fn character(&mut self, c: char) -> bool {
        match c {
            '\t' => self.replaced(
                1,
                format_args!("{:1$}", "", TAB_CELLS - self.cells % TAB_CELLS),
            ),
            '\n' => {
                let fits = self.replaced(1, format_args!("{}", picture(c)));
                // The colours of a line end with it; a record may have several.
                self.look = TextLook::default();
                fits
            }
            '\0'..='\x1f' => self.replaced(1, format_args!("{}", picture(c))),
            '\x7f' => self.replaced(1, format_args!("␡")),
            '\u{80}'..='\u{9f}' => self.replaced(2, format_args!("<{:02X}>", u32::from(c))),
            _ if !is_visible(c) => self.code(c),
            _ if cells_of(c) > 0 => {
                self.marks = 0;
                self.push(c)
            }
            _ if self.marks < MAX_MARKS => {
                self.marks += 1;
                self.push(c)
            }
            _ => {
                let fits = self.code(c);
                // The surplus goes on until a character comes that has a cell of its own.
                self.marks = MAX_MARKS;
                fits
            }
        }
    }

    fn push(&mut self, c: char) -> bool {
        if c.len_utf8() > self.limit - self.out.text.len() {
            return false;
        }
        let start = self.out.text.len();
        self.out.text.push(c);
        self.read += c.len_utf8();
        self.cells += cells_of(c);
        if cells_of(c) > 0 {
            self.paint(start);
        } else if let Some(span) = self.out.last_span_at(start) {
            // A mark is drawn with its letter and looks like it.
            span.end += c.len_utf8() as u32;
        }
        true
    }

    fn code(&mut self, c: char) -> bool {
        self.replaced(c.len_utf8(), format_args!("<U+{:04X}>", u32::from(c)))
    }

    /// Adds a replacement for `read` bytes of the input.
    fn replaced(&mut self, read: usize, by: fmt::Arguments<'_>) -> bool {
        let start = self.out.text.len();
        let _ = self.out.text.write_fmt(by);
        if self.out.text.len() > self.limit {
            self.out.text.truncate(start);
            return false;
        }
        self.read += read;
        self.cells += self.out.text[start..].chars().map(cells_of).sum::<usize>();
        self.marks = 0;
        self.paint(start);
        true
    }

    /// Gives the present look to what has been added from `start` on.
    fn paint(&mut self, start: usize) {
        let end = self.out.text.len();
        let look = self.look;
        if look.is_plain() {
            return;
        }
        if let Some(span) = self
            .out
            .last_span_at(start)
            .filter(|span| span.look == look)
        {
            *span = StyledSpan::new(span.start as usize, end, look);
        } else if self.out.spans.len() < MAX_SPANS {
            self.out.spans.push(StyledSpan::new(start, end, look));
        }
    }
}

#[cfg(test)]
mod tests;
