//! Reads the lines of one record of a log, and those around it, where a scan has not brought them.

use crate::host::Files;
use crate::model::line::Line;
use crate::parse::multiline;

use super::file_reader::FileItem;
use super::stop_reason::StopReason;
use super::text::{At, LogText};
use super::walk::{Back, Forth};

/// Lines that are read at once to find the border of a record.
const STEP_LINES: usize = 16;

/// The whole record that the line at this place belongs to.
pub(super) async fn record_at<F: Files>(
    text: &mut LogText<'_, F>,
    at: At,
) -> Result<Vec<Line>, StopReason> {
    let rest = rest_of(text, at).await?;
    if rest.first().is_none_or(|line| !line.continues) {
        return Ok(rest);
    }
    let mut record = beginning_of(text, at).await?;
    record.extend(rest);
    Ok(record)
}

/// The lines before this place that are of the record which continues there.
async fn beginning_of<F: Files>(
    text: &mut LogText<'_, F>,
    at: At,
) -> Result<Vec<Line>, StopReason> {
    let mut lines = Vec::new();
    let mut back = Back::new(at);
    'back: while back.at.offset > 0 && !is_long(&lines) {
        let Some(items) = back.next(text, STEP_LINES + lines.len()).await? else {
            break;
        };
        for item in items.into_iter().rev() {
            let line = item.into_line();
            let goes_on = line.as_ref().is_some_and(|line| line.continues);
            lines.extend(line);
            if !goes_on {
                break 'back;
            }
        }
    }
    lines.reverse();
    Ok(lines)
}

/// A line and what continues it.
async fn rest_of<F: Files>(text: &mut LogText<'_, F>, at: At) -> Result<Vec<Line>, StopReason> {
    let mut lines = Vec::<Line>::new();
    let mut forth = Forth::new(at);
    while forth.file() == at.file && !is_long(&lines) {
        let Some(items) = forth.next(text, STEP_LINES + lines.len()).await? else {
            break;
        };
        for item in items {
            match item {
                FileItem::Line(line) if lines.is_empty() || line.continues => lines.push(line),
                FileItem::Gap(_) if lines.is_empty() => {}
                _ => return Ok(lines),
            }
        }
    }
    Ok(lines)
}

/// No record is longer.
fn is_long(lines: &[Line]) -> bool {
    lines.len() >= multiline::MAX_LINES as usize
        || lines.iter().map(|line| line.raw.len()).sum::<usize>() >= multiline::MAX_BYTES
}

/// So many lines before the one at this place.
pub(super) async fn before<F: Files>(
    text: &mut LogText<'_, F>,
    at: At,
    wanted: usize,
) -> Result<Vec<Line>, StopReason> {
    let mut lines = Vec::new();
    let mut back = Back::new(at);
    while lines.len() < wanted {
        let missing = wanted - lines.len();
        let Some(items) = back.next(text, missing).await? else {
            break;
        };
        let read = items.into_iter().rev().filter_map(FileItem::into_line);
        lines.extend(read.take(missing));
    }
    lines.reverse();
    Ok(lines)
}

/// So many lines after the one at this place.
pub(super) async fn after<F: Files>(
    text: &mut LogText<'_, F>,
    at: At,
    wanted: usize,
) -> Result<Vec<Line>, StopReason> {
    let mut lines = Vec::new();
    if wanted == 0 {
        return Ok(lines);
    }
    let mut forth = Forth::new(at);
    while lines.len() <= wanted {
        let Some(items) = forth.next(text, wanted + 1 - lines.len()).await? else {
            break;
        };
        lines.extend(items.into_iter().filter_map(FileItem::into_line));
    }
    lines.truncate(wanted + 1);
    lines.drain(..lines.len().min(1));
    Ok(lines)
}
