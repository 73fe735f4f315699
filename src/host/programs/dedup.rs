//! Deduplicates container log lines after a reconnect.
//!
//! Whoever goes on after a lost connection asks for a little more than is missing, for engines
//! count in seconds and several lines may have one stamp. What was taken in that time is remembered
//! by stamp and content, and left out once for each time that it was taken. An engine that is asked
//! from a time on may begin in the middle of a line; and what was taken as a last line, for the
//! container had ended, may go on where that is started again.

use std::collections::{HashMap, HashSet, VecDeque};

use super::timestamp_prefix::EngineLine;

/// Engines that count in whole seconds begin at the last one; what is older than this before the
/// newest is never asked for again.
const OVERLAP: i64 = 1_000_000_000;

/// Most lines that are remembered: more in two seconds are known by their time alone.
const MOST: usize = 1 << 16;

/// A line of more parts is known only as a whole.
const MOST_PARTS: usize = 64;

/// A stamp and the check of what it stands before.
type Key = (i64, u32);

/// Which lines were taken last.
#[derive(Debug, Default)]
pub(super) struct Deduplicator {
    /// Stamp and check of each, in the order in which they came.
    recent: VecDeque<Key>,
    /// The same of what is left of them where one begins with a later part.
    ends: VecDeque<Key>,
    newest: Option<i64>,
    /// All lines up to this one are known, though not remembered.
    floor: Option<i64>,
    /// After a beginning anew: those that may come again, how often.
    again: HashMap<Key, u32>,
    /// The first line after a beginning anew may be the end of one.
    again_ends: HashSet<Key>,
    /// Nothing later than this can come again.
    again_to: Option<i64>,
}

impl Deduplicator {
    /// From when on lines are to be asked for; `None` where none was taken yet.
    pub(super) fn resume(&mut self) -> Option<i64> {
        let newest = self.newest?;
        self.again.clear();
        for line in &self.recent {
            *self.again.entry(*line).or_default() += 1;
        }
        self.again_ends = self.ends.iter().copied().collect();
        self.again_to = Some(newest);
        Some(begin(newest))
    }

    /// Takes a line: what is new of it.
    pub(super) fn take(&mut self, line: EngineLine) -> Option<EngineLine> {
        let ends = std::mem::take(&mut self.again_ends);
        let whole = key(&line);
        if ends.contains(&whole) || self.came_before(whole) {
            return None;
        }
        if let Some(rest) = self.rest_of_known(&line) {
            return self.take(rest);
        }
        self.newest = self.newest.max(Some(line.at));
        self.recent.push_back(whole);
        let parts = 0..line.parts.len().min(MOST_PARTS);
        self.ends
            .extend(parts.map(|part| key(&line.rest_from(part))));
        self.forget();
        Some(line)
    }

    /// What goes on with a line that was taken when there was no more of it.
    fn rest_of_known(&mut self, line: &EngineLine) -> Option<EngineLine> {
        self.again_to.filter(|to| line.at <= *to)?;
        for (part, (_, end)) in line.parts.iter().enumerate().take(MOST_PARTS) {
            let begun = (line.at, crc32fast::hash(&line.raw[..*end]));
            if let Some(times) = self.again.get_mut(&begun).filter(|times| **times > 0) {
                *times -= 1;
                return Some(line.rest_from(part));
            }
        }
        None
    }

    fn came_before(&mut self, key: Key) -> bool {
        let Some(to) = self.again_to else {
            return false;
        };
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
        for known in [&mut self.recent, &mut self.ends] {
            while known.front().is_some_and(|(at, _)| *at < oldest) {
                known.pop_front();
            }
        }
        if self.ends.len() > MOST {
            self.ends.pop_front();
        }
        if self.recent.len() > MOST {
            let known = self.recent.pop_front().map(|(at, _)| at);
            self.floor = self.floor.max(known);
        }
    }
}

fn key(line: &EngineLine) -> Key {
    (line.at, crc32fast::hash(&line.raw))
}

/// A whole second, and one that has certainly been told in full.
fn begin(newest: i64) -> i64 {
    (newest - OVERLAP).div_euclid(OVERLAP) * OVERLAP
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(parts: &[(i64, &str)]) -> EngineLine {
        let (mut raw, mut starts) = (String::new(), Vec::new());
        for (n, (at, text)) in parts.iter().enumerate() {
            if n > 0 {
                starts.push((*at, raw.len()));
            }
            raw += text;
        }
        EngineLine {
            at: parts[0].0,
            raw: raw.into(),
            parts: starts,
        }
    }

    fn text(line: Option<EngineLine>) -> Option<String> {
        line.map(|line| String::from_utf8_lossy(&line.raw).into_owned())
    }

    #[test]
    fn an_engine_may_begin_in_the_middle_of_a_line() {
        const S: i64 = OVERLAP;
        let mut taken = Deduplicator::default();
        let slow = [(S, "loading "), (60 * S, ".."), (90 * S, "done")];
        assert!(
            taken.take(line(&slow)).is_some()
                && taken.take(line(&[(90 * S + 5, "next")])).is_some()
        );
        assert_eq!(taken.resume(), Some(89 * S));
        assert_eq!(
            text(taken.take(line(&slow[2..]))),
            None,
            "the end of a line that is known"
        );
        assert_eq!(text(taken.take(line(&[(90 * S + 5, "next")]))), None);
        assert_eq!(
            text(taken.take(line(&slow[2..]))),
            Some("done".to_owned()),
            "said once more"
        );
    }

    #[test]
    fn what_was_the_last_line_may_go_on_when_a_container_is_started_again() {
        const S: i64 = OVERLAP;
        let mut taken = Deduplicator::default();
        assert!(taken.take(line(&[(5 * S, "same")])).is_some());
        assert!(
            taken
                .take(line(&[(5 * S, "last "), (6 * S, "words")]))
                .is_some()
        );
        taken.resume();
        assert_eq!(text(taken.take(line(&[(5 * S, "same")]))), None);
        let both = line(&[
            (5 * S, "last "),
            (6 * S, "words"),
            (8 * S, "hello "),
            (9 * S, "again"),
        ]);
        assert_eq!(
            taken.take(both.clone()),
            Some(line(&[(8 * S, "hello "), (9 * S, "again")]))
        );
        taken.resume();
        let from = both.rest_from(1);
        assert_eq!(text(taken.take(from)), None, "told from there on");
    }

    /// What an engine tells of `log` when it is asked from a time on, in whole seconds.
    fn told(log: &[(i64, u8)], since: Option<i64>) -> impl Iterator<Item = &(i64, u8)> {
        log.iter().filter(move |(at, _)| {
            since.is_none_or(|since| *at >= since.div_euclid(OVERLAP) * OVERLAP)
        })
    }

    fn letter(at: i64, text: u8) -> EngineLine {
        EngineLine {
            at,
            raw: vec![text].into(),
            parts: Vec::new(),
        }
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
            let (mut taken, mut got) = (Deduplicator::default(), Vec::new());
            for cut in cuts.iter().map(|cut| cut % log.len()).chain([log.len()]) {
                // The connection breaks when the log has so many lines, all of which it had told by
                // then.
                let since = taken.resume();
                got.extend(told(&log[..cut], since).filter(|(at, text)| taken.take(letter(*at, *text)).is_some()).copied());
            }
            prop_assert_eq!(got, log);
        }
    }
}
