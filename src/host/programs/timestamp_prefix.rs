//! Lines that an engine of containers has stamped: the stamp cut off, and what the engine had to
//! cut made whole again.
//!
//! An engine stamps what it took in one go. That may be less than a line, and when it tells its log
//! it puts nothing between such parts but the stamp of the next. Docker cuts at 16 KiB, and gives
//! all parts the stamp of the first; podman cuts wherever the program paused, or its own buffer
//! ended. Where a container ended in the middle of a line and was started again, both put its first
//! line right behind the last.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use super::list_output::ContainerLog;
use crate::host::driver::line_splitter::RawLine;
use crate::model::source::ContainerEngine;

/// Docker, and old kubelets, cut a longer line into parts of this length.
const PART: usize = 16 * 1024;

/// No stamp is longer: `2026-11-20T15:22:17.123456789+01:00`.
const MAX_STAMP: usize = 40;

/// A line as its engine took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EngineLine {
    /// When its first part was taken: nanoseconds since 1970.
    pub(super) at: i64,
    pub(super) raw: Bytes,
    /// Its other parts: when each was taken, and where in `raw` it begins.
    pub(super) parts: Vec<(i64, usize)>,
}

impl EngineLine {
    /// What is left from this part on.
    pub(super) fn rest_from(&self, part: usize) -> Self {
        let (at, begin) = self.parts[part];
        let parts = self.parts[part + 1..]
            .iter()
            .map(|&(at, place)| (at, place - begin))
            .collect();
        Self {
            at,
            raw: self.raw.slice(begin..),
            parts,
        }
    }
}

/// What a line of the program's output is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EngineOutput {
    /// A line of the log; of docker several, where a container ended in the middle of a line.
    Lines(Vec<EngineLine>),
    /// More of the line before it, which was too long.
    Rest(Bytes),
    /// Nothing of the log: what the program itself has to say.
    Other(Bytes),
}

impl EngineOutput {
    /// The lines of the log.
    pub(super) fn lines(&self) -> &[EngineLine] {
        match self {
            Self::Lines(lines) => lines,
            Self::Rest(_) | Self::Other(_) => &[],
        }
    }
}

/// Whose stamps they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Docker,
    Podman,
    Kubectl,
}

/// Reads what one run of a program prints, line by line.
pub(super) struct PrefixStripper {
    by: By,
    /// That of the stamp of the line under way; `None` where it has none.
    form: Option<StampForm>,
    part: PartUnderWay,
}

/// What all stamps of an engine have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StampForm {
    /// With its blank.
    length: usize,
    /// Its last byte, which is of the zone.
    end: u8,
}

impl StampForm {
    /// That of a stamp of this length, which begins the text.
    fn of(text: &[u8], length: usize) -> Self {
        Self {
            length,
            end: text[length - 2],
        }
    }
}

#[derive(Debug, Default)]
struct PartUnderWay {
    /// When it was taken.
    at: i64,
    /// How much of it has come.
    length: usize,
}

impl PrefixStripper {
    /// For the log of this.
    pub(super) fn new(at: &ContainerLog) -> Self {
        let by = match at {
            ContainerLog::Engine(ContainerEngine::Docker, _) => By::Docker,
            ContainerLog::Engine(ContainerEngine::Podman, _) => By::Podman,
            ContainerLog::Pod(_) => By::Kubectl,
        };
        Self {
            by,
            form: None,
            part: PartUnderWay::default(),
        }
    }

    /// What a line is.
    pub(super) fn line(&mut self, line: RawLine) -> EngineOutput {
        let bytes = line.bytes;
        if line.is_rest {
            return match self.form {
                Some(form) => EngineOutput::Rest(self.whole(bytes, form)),
                None => EngineOutput::Other(bytes),
            };
        }
        let Some((at, length)) = stamp(&bytes) else {
            self.form = None;
            return EngineOutput::Other(bytes);
        };
        let form = StampForm::of(&bytes, length);
        self.form = Some(form);
        self.part = PartUnderWay { at, length: 0 };
        let mut lines = Vec::with_capacity(1);
        self.cut(form, bytes.slice(length..), &mut lines);
        EngineOutput::Lines(lines)
    }

    /// As how many lines an engine that is asked for a number of them may have counted it.
    pub(super) fn most_counted(&self, said: &EngineOutput) -> u64 {
        let bytes = match said {
            EngineOutput::Lines(lines) if self.by == By::Podman => return lines.len() as u64,
            EngineOutput::Lines(lines) => {
                return lines
                    .iter()
                    .map(|line| 1 + (line.raw.len() / PART) as u64)
                    .sum();
            }
            EngineOutput::Rest(_) if self.by == By::Podman => return 0,
            EngineOutput::Rest(bytes) => bytes,
            EngineOutput::Other(_) => return 0,
        };
        1 + (bytes.len() / PART) as u64
    }

    /// More of a line, without the stamps in it.
    fn whole(&mut self, bytes: Bytes, form: StampForm) -> Bytes {
        let mut lines = Vec::with_capacity(1);
        self.cut(form, bytes, &mut lines);
        match lines.len() {
            1 => lines.swap_remove(0).raw,
            _ => lines
                .iter()
                .flat_map(|line| line.raw.iter().copied())
                .collect(),
        }
    }

    /// Makes lines of text that goes on with the part under way.
    fn cut(&mut self, form: StampForm, text: Bytes, out: &mut Vec<EngineLine>) {
        let mut at = self.part.at;
        let mut raw = BytesMut::new();
        let mut parts = Vec::new();
        let mut begin = 0;
        while let Some(found) = self.next_stamp(form, &text, begin) {
            raw.extend_from_slice(&text[begin..found.place]);
            if found.joins {
                parts.push((found.at, raw.len()));
            } else {
                out.push(EngineLine {
                    at,
                    raw: raw.split().freeze(),
                    parts: std::mem::take(&mut parts),
                });
                at = found.at;
            }
            begin = found.place + form.length;
            self.part = PartUnderWay {
                at: found.at,
                length: 0,
            };
        }
        self.part.length += text.len() - begin;
        let raw = if begin == 0 {
            // As nearly always, there was nothing to put together.
            text
        } else {
            raw.extend_from_slice(&text[begin..]);
            raw.freeze()
        };
        out.push(EngineLine { at, raw, parts });
    }

    /// The next stamp that the engine put between two parts. What a program printed itself looks
    /// the same, but for its time: it was before the engine took it. Those of an engine all have
    /// the same form.
    fn next_stamp(&self, form: StampForm, text: &[u8], begin: usize) -> Option<InnerStamp> {
        memchr::memchr_iter(b'T', &text[begin..]).find_map(|mark| {
            let place = begin + mark.checked_sub("2026-11-20".len())?;
            let rest = &text[place..];
            let (at, length) = stamp(rest)?;
            if rest[length - 1] != b' ' || StampForm::of(rest, length) != form {
                return None;
            }
            let is_full = self.part.length + place - begin == PART;
            let (joins, ends) = match self.by {
                By::Podman => (at >= self.part.at, false),
                By::Kubectl => (is_full && at >= self.part.at, false),
                // With another stamp it is of standard error, told in between; or of the next run.
                By::Docker => (is_full && at == self.part.at, at > self.part.at),
            };
            (joins || ends).then_some(InnerStamp { at, place, joins })
        })
    }
}

/// A stamp within a line.
struct InnerStamp {
    at: i64,
    place: usize,
    /// What follows goes on with what is before.
    joins: bool,
}

/// The stamp at the beginning, and how long it is with its blank.
fn stamp(text: &[u8]) -> Option<(i64, usize)> {
    let head = &text[..text.len().min(MAX_STAMP + 1)];
    let length = memchr::memchr(b' ', head).unwrap_or(head.len());
    if length < "2026-11-20T15:22:17Z".len()
        || !head[0].is_ascii_digit()
        || head.get(10) != Some(&b'T')
    {
        return None;
    }
    let at: Timestamp = std::str::from_utf8(&head[..length]).ok()?.parse().ok()?;
    Some((
        i64::try_from(at.as_nanosecond()).ok()?,
        (length + 1).min(text.len()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_188_137_000_000_000;

    fn cut_by(by: By, line: &str) -> Option<Vec<(i64, String)>> {
        let mut stripper = PrefixStripper {
            by,
            form: None,
            part: PartUnderWay::default(),
        };
        let bytes = Bytes::copy_from_slice(line.as_bytes());
        match stripper.line(RawLine {
            bytes,
            is_rest: false,
        }) {
            EngineOutput::Lines(lines) => Some(
                lines
                    .into_iter()
                    .map(|it| (it.at, String::from_utf8_lossy(&it.raw).into_owned()))
                    .collect(),
            ),
            _ => None,
        }
    }

    fn cut(line: &str) -> Option<(i64, String)> {
        cut_by(By::Docker, line).map(|mut lines| lines.remove(0))
    }

    /// As engines print it.
    fn stamp(nanos: i64) -> String {
        format!(
            "{:.9} ",
            Timestamp::from_nanosecond(i128::from(AT + nanos)).expect("a time")
        )
    }

    #[test]
    fn the_stamp_of_the_engine_is_cut_off_and_read() {
        assert_eq!(
            cut("2026-11-20T15:22:17.123456789Z GET /"),
            Some((AT + 123_456_789, "GET /".to_owned()))
        );
        assert_eq!(
            cut("2026-11-20T16:22:17.5+01:00   indented"),
            Some((AT + 500_000_000, "  indented".to_owned()))
        );
        assert_eq!(cut("2026-11-20T15:22:17Z"), Some((AT, String::new())));
        assert_eq!(cut("2026-11-20T15:22:17Z "), Some((AT, String::new())));
        for other in [
            "",
            "Error response from daemon: no",
            "2026-11-20 15:22:17 x",
            "2026-11-20T15:22:17 x",
        ] {
            assert_eq!(cut(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_line_that_the_engine_cut_is_whole_again() {
        let [first, second, third] = [0, 5, 9].map(stamp);
        let (a, b) = ("a".repeat(PART), "b".repeat(PART));
        // Docker gives all parts the same.
        for (by, second, third) in [
            (By::Docker, &first, &first),
            (By::Podman, &second, &third),
            (By::Kubectl, &second, &third),
        ] {
            let line = format!("{first}{a}{second}{b}{third}c");
            assert_eq!(
                cut_by(by, &line),
                Some(vec![(AT, format!("{a}{b}c"))]),
                "{by:?}"
            );
        }
        // A line of just that length has an empty part behind it.
        assert_eq!(cut(&format!("{first}{a}{first}")), Some((AT, a.clone())));
        // The driver `local` forgets the line end behind the last part, which may be empty.
        let lines = format!("{first}{a}{first}b{second}{b}{second}{third}c");
        let three = vec![
            (AT, format!("{a}b")),
            (AT + 5, b.clone()),
            (AT + 9, "c".to_owned()),
        ];
        assert_eq!(cut_by(By::Docker, &lines), Some(three));
        let quoted = format!("{a}b {first}c");
        assert_eq!(
            cut(&format!("{first}{quoted}")).map(|(_, line)| line),
            Some(quoted),
            "only where it cuts"
        );
    }

    #[test]
    fn podman_cuts_where_the_program_paused() {
        let [first, second, third] = [0, 5, 900_000_000].map(stamp);
        let line = format!("{first}slow {second}partial {third}line");
        assert_eq!(
            cut_by(By::Podman, &line),
            Some(vec![(AT, "slow partial line".to_owned())])
        );
        // What a program prints of other times is its own.
        let earlier = stamp(-1);
        for own in [
            &earlier[..],
            "2026-11-20T15:22:18.123Z ",
            "2026-11-20T16:22:18.123456+01:00 ",
        ] {
            let line = format!("{first}time={own}level=info");
            assert_eq!(
                cut_by(By::Podman, &line),
                Some(vec![(AT, format!("time={own}level=info"))])
            );
        }
    }

    #[test]
    fn what_a_container_says_first_when_it_is_started_again_is_a_line_of_its_own() {
        let [first, second] = [0, 3_000_000_000].map(stamp);
        let line = format!("{first}last words{second}hello again");
        let two = vec![
            (AT, "last words".to_owned()),
            (AT + 3_000_000_000, "hello again".to_owned()),
        ];
        assert_eq!(cut_by(By::Docker, &line), Some(two));
        assert_eq!(
            cut_by(By::Kubectl, &line),
            Some(vec![(AT, format!("last words{second}hello again"))])
        );
    }

    #[test]
    fn what_goes_on_with_a_line_that_is_too_long_has_no_stamps_either() {
        let mut stripper = PrefixStripper {
            by: By::Docker,
            form: None,
            part: PartUnderWay::default(),
        };
        let [first, second] = [0, 5].map(stamp);
        let line = |text: String, is_rest| RawLine {
            bytes: text.into(),
            is_rest,
        };
        let half = "a".repeat(PART / 2);
        assert!(matches!(
            stripper.line(line(format!("{first}{half}"), false)),
            EngineOutput::Lines(_)
        ));
        let rest = stripper.line(line(format!("{half}{first}b{second}c"), true));
        assert_eq!(rest, EngineOutput::Rest(format!("{half}bc").into()));
        assert!(matches!(
            stripper.line(line("Error: no".to_owned(), false)),
            EngineOutput::Other(_)
        ));
        assert!(matches!(
            stripper.line(line("more of it".to_owned(), true)),
            EngineOutput::Other(_)
        ));
    }
}
