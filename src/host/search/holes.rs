//! Finds the ends of a hole in a file: of bytes that were never written and are read as NUL.
//!
//! It is read in few places: what lies between them counts as hole too.

use crate::host::Files;

use super::stop_reason::StopReason;
use super::text::{HOLE_BYTES, LogText};

/// The offset behind a hole that `from` is in.
pub(super) async fn hole_end<F: Files>(
    text: &mut LogText<'_, F>,
    number: usize,
    from: u64,
) -> Result<u64, StopReason> {
    let length = text.length(number).await?;
    let (mut inside, mut step) = (from, HOLE_BYTES as u64);
    let mut outside = loop {
        let probe = inside.saturating_add(step);
        if probe >= length {
            break length;
        }
        if !is_hole_at(text, number, probe).await? {
            break probe;
        }
        (inside, step) = (probe, step * 2);
    };
    // The bytes at `inside` are NUL, those of the block at `outside` are not all.
    while outside - inside > HOLE_BYTES as u64 {
        let middle = inside + (outside - inside) / 2;
        if is_hole_at(text, number, middle).await? {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    let rest = text
        .part(number, inside, (outside + HOLE_BYTES as u64).min(length))
        .await?;
    Ok(inside
        + rest
            .iter()
            .position(|&byte| byte != 0)
            .unwrap_or(rest.len()) as u64)
}

/// The offset at which the hole begins that ends at `to` or behind it.
pub(super) async fn hole_begin<F: Files>(
    text: &mut LogText<'_, F>,
    number: usize,
    to: u64,
) -> Result<u64, StopReason> {
    let block = HOLE_BYTES as u64;
    let (mut inside, mut step) = (to, block);
    // Places are those of the blocks that end there.
    let mut outside = loop {
        let probe = inside.saturating_sub(step);
        if probe <= block {
            break probe.min(block);
        }
        if !is_hole_at(text, number, probe - block).await? {
            break probe;
        }
        (inside, step) = (probe, step * 2);
    };
    while inside > outside + block {
        let middle = outside + (inside - outside) / 2;
        if is_hole_at(text, number, middle.saturating_sub(block)).await? {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    let from = outside.saturating_sub(block);
    let rest = text.part(number, from, inside).await?;
    Ok(from
        + rest
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last as u64 + 1))
}

async fn is_hole_at<F: Files>(
    text: &mut LogText<'_, F>,
    number: usize,
    from: u64,
) -> Result<bool, StopReason> {
    let (bytes, _) = text.read(number, from, HOLE_BYTES).await?;
    Ok(!bytes.is_empty() && bytes.iter().all(|&byte| byte == 0))
}
