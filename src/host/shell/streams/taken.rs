//! Lines that an engine of containers has stamped: the stamp cut off, and each line taken once.
//!
//! Whoever goes on after a lost connection asks for a little more than is missing, for engines count in seconds and
//! several lines may have one stamp. What was taken in that time is remembered by stamp and content, and left out once
//! for each time that it was taken.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

/// Docker cuts a longer line into parts of this length and stamps each; kept apart only by where the stamps stand.
const PART: usize = 16 * 1024;

/// No stamp is longer: `2026-11-20T15:22:17.123456789+01:00`.
const MAX_STAMP: usize = 40;

/// Engines that count in whole seconds begin at the last one; what is older than this before the newest is never asked
/// for again.
const OVERLAP: i64 = 1_000_000_000;

/// Most lines that are remembered: more in two seconds are known by their time alone.
const MOST: usize = 1 << 16;

/// When a line was taken by its engine (nanoseconds since 1970), and the line itself.
pub(super) fn unstamped(line: &Bytes) -> Option<(i64, Bytes)> {
    let (at, length) = stamp(line)?;
    Some((at, joined(line.slice(length..))))
}

/// The stamp at the beginning, and how long it is with its blank.
fn stamp(text: &[u8]) -> Option<(i64, usize)> {
    let head = &text[..text.len().min(MAX_STAMP + 1)];
    let length = memchr::memchr(b' ', head).unwrap_or(head.len());
    if length < "2026-11-20T15:22:17Z".len() || !head[0].is_ascii_digit() || head.get(10) != Some(&b'T') {
        return None;
    }
    let at: Timestamp = std::str::from_utf8(&head[..length]).ok()?.parse().ok()?;
    Some((i64::try_from(at.as_nanosecond()).ok()?, (length + 1).min(text.len())))
}

/// The parts of a line that the engine had to cut, without the stamps between them.
fn joined(line: Bytes) -> Bytes {
    if line.len() <= PART || stamp(&line[PART..]).is_none() {
        return line;
    }
    let (mut whole, mut rest) = (BytesMut::with_capacity(line.len()), line);
    while rest.len() > PART
        && let Some((_, length)) = stamp(&rest[PART..])
    {
        whole.extend_from_slice(&rest[..PART]);
        rest = rest.slice(PART + length..);
    }
    whole.extend_from_slice(&rest);
    whole.freeze()
}

/// Which lines were taken last.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Stamp and check of each, in the order in which they came.
    recent: VecDeque<(i64, u32)>,
    newest: Option<i64>,
    /// All lines up to this one are known, though not remembered.
    floor: Option<i64>,
    /// After a beginning anew: those that may come again, how often.
    again: HashMap<(i64, u32), u32>,
    /// Nothing later than this can come again.
    again_to: Option<i64>,
}

impl Taken {
    /// From when on lines are to be asked for; `None` where none was taken yet.
    pub(super) fn resume(&mut self) -> Option<i64> {
        let newest = self.newest?;
        self.again.clear();
        for line in &self.recent {
            *self.again.entry(*line).or_default() += 1;
        }
        self.again_to = Some(newest);
        Some(begin(newest))
    }

    /// Takes a line, unless it was taken before.
    pub(super) fn take(&mut self, at: i64, line: &[u8]) -> bool {
        let key = (at, crc32fast::hash(line));
        if self.came_before(key) {
            return false;
        }
        self.newest = self.newest.max(Some(at));
        self.recent.push_back(key);
        self.forget();
        true
    }

    fn came_before(&mut self, key: (i64, u32)) -> bool {
        let Some(to) = self.again_to else { return false };
        if key.0 > to {
            return false;
        }
        if self.floor.is_some_and(|floor| key.0 <= floor) || key.0 < begin(to) {
            return true;
        }
        match self.again.get_mut(&key) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    fn forget(&mut self) {
        let oldest = self.newest.map_or(i64::MIN, begin);
        while self.recent.front().is_some_and(|(at, _)| *at < oldest) {
            self.recent.pop_front();
        }
        if self.recent.len() > MOST {
            let known = self.recent.pop_front().map(|(at, _)| at);
            self.floor = self.floor.max(known);
        }
    }
}

/// A whole second, and one that has certainly been told in full.
fn begin(newest: i64) -> i64 {
    (newest - OVERLAP).div_euclid(OVERLAP) * OVERLAP
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(line: &str) -> Option<(i64, String)> {
        let (at, line) = unstamped(&Bytes::copy_from_slice(line.as_bytes()))?;
        Some((at, String::from_utf8_lossy(&line).into_owned()))
    }

    #[test]
    fn the_stamp_of_the_engine_is_cut_off_and_read() {
        let at = 1_795_188_137_000_000_000;
        assert_eq!(cut("2026-11-20T15:22:17.123456789Z GET /"), Some((at + 123_456_789, "GET /".to_owned())));
        assert_eq!(cut("2026-11-20T16:22:17.5+01:00   indented"), Some((at + 500_000_000, "  indented".to_owned())));
        assert_eq!(cut("2026-11-20T15:22:17Z"), Some((at, String::new())));
        assert_eq!(cut("2026-11-20T15:22:17Z "), Some((at, String::new())));
        for other in ["", "Error response from daemon: no", "2026-11-20 15:22:17 x", "2026-11-20T15:22:17 x"] {
            assert_eq!(cut(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_line_that_the_engine_cut_is_whole_again() {
        let stamp = "2026-11-20T15:22:17.123456789Z ";
        let (a, b) = ("a".repeat(PART), "b".repeat(PART));
        assert_eq!(cut(&format!("{stamp}{a}{stamp}{b}{stamp}c")).map(|(_, line)| line), Some(format!("{a}{b}c")));
        let quoted = format!("{a}b {stamp}c");
        assert_eq!(cut(&format!("{stamp}{quoted}")).map(|(_, line)| line), Some(quoted), "only where it cuts");
    }

    /// What an engine tells of `log` when it is asked from a time on, in whole seconds.
    fn told(log: &[(i64, u8)], since: Option<i64>) -> impl Iterator<Item = &(i64, u8)> {
        log.iter().filter(move |(at, _)| since.is_none_or(|since| *at >= since.div_euclid(OVERLAP) * OVERLAP))
    }

    proptest! {
        #[test]
        fn whenever_it_is_cut_each_line_is_taken_once(
            steps in prop::collection::vec((0i64..700_000_000, 0u8..3), 1..80),
            cuts in prop::collection::vec(0usize..80, 0..6),
        ) {
            // Many lines with the same stamp and the same text among them.
            let mut at = 0;
            let log: Vec<(i64, u8)> = steps.iter().map(|&(step, text)| {
                at += if step < 300_000_000 { 0 } else { step };
                (at, text)
            }).collect();
            let (mut taken, mut got) = (Taken::default(), Vec::new());
            for cut in cuts.iter().map(|cut| cut % log.len()).chain([log.len()]) {
                // The connection breaks when the log has so many lines, all of which it had told by then.
                let since = taken.resume();
                got.extend(told(&log[..cut], since).filter(|(at, text)| taken.take(*at, &[*text])).copied());
            }
            prop_assert_eq!(got, log);
        }
    }
}
