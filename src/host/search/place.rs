//! Finds the line of a cursor after its file was renamed, compressed, or copied and emptied.

use std::borrow::Cow;

use memchr::memchr;

use crate::host::Files;
use crate::model::cursor::{CHECKED_BYTES, LineRef};
use crate::model::gap::GapReason;
use crate::parse::encoding::TextKind;
use crate::parse::split::{FileLineSplitter, FilePiece};
use crate::query::request::MissingBytes;

use super::stop_reason::StopReason;
use super::text::{At, LogText};

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// It is here.
    Here(At),
    /// It is here and has become longer: it was being written.
    Grown(At),
    /// It is gone. What is missing, and the place of what follows it, as far as is known.
    Lost(MissingBytes, At),
}

/// How a line fits a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    No,
    Grown,
    Yes,
}

/// Finds the line of a cursor: in the file of this identity, or in another generation with that
/// line at that offset.
pub(super) async fn find<F: Files>(
    text: &mut LogText<'_, F>,
    place: &LineRef,
) -> Result<Whereabouts, StopReason> {
    let offset = place.cursor.offset;
    let own = text
        .log
        .files
        .iter()
        .position(|file| file.id == place.cursor.file);
    if let Some(file) = own {
        match fit(text, file, place).await? {
            Fit::Yes => return Ok(Whereabouts::Here(At { file, offset })),
            Fit::Grown => return Ok(Whereabouts::Grown(At { file, offset })),
            Fit::No => {}
        }
    }
    // Without a check any line would do.
    if place.check.is_some() {
        for file in (0..text.log.files.len()).rev() {
            if Some(file) != own && fit(text, file, place).await? == Fit::Yes {
                return Ok(Whereabouts::Here(At { file, offset }));
            }
        }
    }
    let missing = MissingBytes {
        from: offset,
        to: None,
        reason: match own {
            Some(_) => GapReason::Truncated,
            None => GapReason::RotatedAway,
        },
    };
    Ok(Whereabouts::Lost(missing, At::start_of(own.unwrap_or(0))))
}

async fn fit<F: Files>(
    text: &mut LogText<'_, F>,
    file: usize,
    place: &LineRef,
) -> Result<Fit, StopReason> {
    let offset = place.cursor.offset;
    if text.is_plain(file) && offset > text.file(file).size {
        return Ok(Fit::No);
    }
    let from = offset.saturating_sub(1);
    // The byte before it, the line, CR and LF.
    let (bytes, at_end) = text.read(file, from, CHECKED_BYTES + 3).await?;
    if offset > 0 && !matches!(bytes.first(), Some(b'\n' | 0)) {
        return Ok(Fit::No);
    }
    let rest = &bytes[usize::from(offset > 0)..];
    let line = match TextKind::of(rest) {
        TextKind::Utf16 => wide_line_of(rest, at_end).map(Cow::Owned),
        TextKind::Utf8 | TextKind::Other => line_of(rest, at_end).map(Cow::Borrowed),
    };
    Ok(match line.as_deref() {
        Some(line) if place.fits(line) => Fit::Yes,
        Some(line) if place.fits_beginning(line) => Fit::Grown,
        None if place.check.is_none() => Fit::Yes,
        _ => Fit::No,
    })
}

/// The same of UTF-16: a line begins at an even offset, so that these bytes could be a file.
fn wide_line_of(bytes: &[u8], at_end: bool) -> Option<Vec<u8>> {
    let mut lines = FileLineSplitter::new(0, false);
    let mut pieces = Vec::new();
    lines.push(bytes, &mut pieces);
    if at_end || pieces.is_empty() {
        lines.finish(&mut pieces);
    }
    pieces.into_iter().find_map(|piece| match piece {
        FilePiece::Line { stored, .. } => stored.map(Vec::from),
        FilePiece::Gap { .. } => None,
    })
}

/// The line with which bytes begin, or its beginning; `None` where there is none.
fn line_of(bytes: &[u8], at_end: bool) -> Option<&[u8]> {
    let newline = memchr(b'\n', bytes);
    let line = &bytes[..newline.unwrap_or(bytes.len())];
    let is_whole = newline.is_some() || at_end;
    let without_cr = line.strip_suffix(b"\r").filter(|_| is_whole);
    (!bytes.is_empty()).then(|| without_cr.unwrap_or(line))
}
