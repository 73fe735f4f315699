//! Cursors: where the line stands now that a cursor names, after its file was renamed, packed, or
//! copied and emptied.

use memchr::memchr;

use crate::host::Files;
use crate::model::cursor::{CHECKED_BYTES, LineRef};
use crate::model::gap::GapReason;
use crate::query::request::MissingBytes;

use super::Halt;
use super::text::{At, LogText};

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// It stands here.
    Here(At),
    /// It stands here and has become longer: it was under way.
    Grown(At),
    /// It is not to be found. What is missing, and the place of what follows it, as far as can be
    /// told.
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
) -> Result<Whereabouts, Halt> {
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
    let others = if place.check.is_some() {
        text.log.files.len()
    } else {
        0
    };
    for file in (0..others).rev().filter(|file| Some(*file) != own) {
        if fit(text, file, place).await? == Fit::Yes {
            return Ok(Whereabouts::Here(At { file, offset }));
        }
    }
    let reason = if own.is_some() {
        GapReason::Truncated
    } else {
        GapReason::RotatedAway
    };
    let next = At {
        file: own.unwrap_or(0),
        offset: 0,
    };
    Ok(Whereabouts::Lost(
        MissingBytes {
            from: offset,
            to: None,
            reason,
        },
        next,
    ))
}

async fn fit<F: Files>(
    text: &mut LogText<'_, F>,
    file: usize,
    place: &LineRef,
) -> Result<Fit, Halt> {
    let offset = place.cursor.offset;
    if text.is_plain(file) && offset > text.file(file).size {
        return Ok(Fit::No);
    }
    let from = offset.saturating_sub(1);
    // The byte before it, the line, CR and LF.
    let (bytes, at_end) = text.read(file, from, CHECKED_BYTES + 3).await?;
    let rest = if offset == 0 {
        &bytes[..]
    } else {
        match bytes.first() {
            Some(b'\n' | 0) => &bytes[1..],
            _ => return Ok(Fit::No),
        }
    };
    let Some(line) = line_of(rest, at_end) else {
        return Ok(if place.check.is_none() {
            Fit::Yes
        } else {
            Fit::No
        });
    };
    Ok(match () {
        () if place.fits(line) => Fit::Yes,
        () if place.fits_beginning(line) => Fit::Grown,
        () => Fit::No,
    })
}

/// The line with which bytes begin, or its beginning; `None` where there is none.
fn line_of(bytes: &[u8], at_end: bool) -> Option<&[u8]> {
    if bytes.is_empty() {
        return None;
    }
    match memchr(b'\n', bytes) {
        Some(newline) => Some(
            bytes[..newline]
                .strip_suffix(b"\r")
                .unwrap_or(&bytes[..newline]),
        ),
        None if at_end => Some(bytes.strip_suffix(b"\r").unwrap_or(bytes)),
        None => Some(bytes),
    }
}
