//! How loggers count levels, and what in a source tells which of them counts.
//!
//! A number by itself says nothing: 3 is an error to syslog, information to .NET and a failure to
//! Nextcloud. So a number is a level only where its scale is certain: by the name of its field, by
//! the fields beside it, or by the numbers that the whole source has and how many of each. Services
//! write information most of the time, and errors seldom.

use crate::model::dialect::NumberScale;
use crate::model::level::Level;

/// What is known of one way to count.
struct ScaleRow {
    scale: NumberScale,
    /// Names of fields whose numbers are of this scale whatever is beside them. In lower case.
    names: &'static [&'static str],
    /// Fields that only records of such loggers have: all of one row.
    beside: &'static [&'static [&'static str]],
}

/// A milliseconds count that is the time of a line: pino writes it as a number under `time`.
pub(super) const MILLIS: &str = "time#";

/// The first row that fits counts.
static SCALES: &[ScaleRow] = &[
    ScaleRow {
        scale: NumberScale::Syslog,
        names: &["syslog_severity", "syslog.severity", "syslog.severity.code"],
        beside: &[&["version", "short_message"], &["host", "short_message"]],
    },
    ScaleRow {
        scale: NumberScale::Python,
        names: &["levelno"],
        beside: &[
            &["levelname"],
            &["funcname"],
            &["pathname"],
            &["threadname"],
            &["processname"],
            &["relativecreated"],
            &["module", "lineno"],
            &["asctime"],
        ],
    },
    ScaleRow {
        scale: NumberScale::Nextcloud,
        names: &[],
        beside: &[&["reqid", "app"]],
    },
    ScaleRow {
        scale: NumberScale::Azure,
        names: &["severitylevel"],
        beside: &[],
    },
    ScaleRow {
        scale: NumberScale::DotNet,
        names: &[],
        beside: &[
            &["eventid", "category"],
            &["eventid", "categoryname"],
            &["messagetemplate"],
            &["@mt"],
        ],
    },
    ScaleRow {
        scale: NumberScale::Windows,
        names: &[],
        beside: &[
            &["providername"],
            &["eventid", "channel"],
            &["eventid", "computer"],
            &["eventrecordid"],
        ],
    },
    ScaleRow {
        scale: NumberScale::Android,
        names: &[],
        beside: &[&["tag", "tid", "pid"]],
    },
    ScaleRow {
        scale: NumberScale::Log4j,
        names: &["intlevel", "standardlevel"],
        beside: &[&["loggerfqcn"], &["endofbatch"], &["threadpriority"]],
    },
    ScaleRow {
        scale: NumberScale::Logback,
        names: &["level_value"],
        beside: &[],
    },
    ScaleRow {
        scale: NumberScale::JavaUtil,
        names: &["levelvalue"],
        beside: &[&["sourceclassname"], &["sourcemethodname"]],
    },
    ScaleRow {
        scale: NumberScale::GoogleCloud,
        names: &[],
        beside: &[&["logname", "resource"], &["insertid"]],
    },
    ScaleRow {
        scale: NumberScale::Monolog,
        names: &[],
        beside: &[&["level_name"], &["channel", "extra"]],
    },
    ScaleRow {
        scale: NumberScale::MySql,
        names: &[],
        beside: &[&["err_code", "subsystem"], &["err_code", "err_symbol"]],
    },
    ScaleRow {
        scale: NumberScale::Telemetry,
        names: &["severitynumber", "severity_number"],
        beside: &[],
    },
    ScaleRow {
        scale: NumberScale::Bunyan,
        names: &[],
        beside: &[
            &["pid", "hostname"],
            &["name", "hostname"],
            &["v", "name"],
            &[MILLIS],
        ],
    },
];

/// The scale of a field of this name, where the name alone tells it.
pub(super) fn of_name(name: &[u8]) -> Option<NumberScale> {
    SCALES
        .iter()
        .find(|row| {
            row.names
                .iter()
                .any(|of| name.eq_ignore_ascii_case(of.as_bytes()))
        })
        .map(|row| row.scale)
}

/// The fields beside a number, as far as they tell its scale: a bit for each name of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FieldsBeside(u64);

impl FieldsBeside {
    /// Notes a field.
    pub(super) fn note(&mut self, name: &[u8]) {
        let bits = names_beside()
            .enumerate()
            .filter(|(_, of)| name.eq_ignore_ascii_case(of.as_bytes()))
            .fold(0, |bits, (at, _)| bits | 1 << at);
        self.0 |= bits;
    }

    /// The scale of numbers beside these fields.
    pub(super) fn scale(self) -> Option<NumberScale> {
        let mut at = 0;
        for row in SCALES {
            for all in row.beside {
                let bits = ((1_u64 << all.len()) - 1) << at;
                at += all.len();
                if self.0 & bits == bits {
                    return Some(row.scale);
                }
            }
        }
        None
    }
}

fn names_beside() -> impl Iterator<Item = &'static str> {
    SCALES
        .iter()
        .flat_map(|row| row.beside.iter().flat_map(|all| all.iter().copied()))
}

/// What a number of a scale means; `None` where the scale does not have it.
pub(super) fn level(scale: NumberScale, number: u32) -> Option<Level> {
    let (steps, last) = steps(scale);
    let of_number = || steps.iter().rev().find(|(from, _)| *from <= number);
    (number <= last)
        .then(of_number)
        .flatten()
        .map(|step| step.1)
}

/// The numbers from which on a scale has each level, and its last number.
fn steps(scale: NumberScale) -> (&'static [(u32, Level)], u32) {
    use Level::{Debug, Error, Fatal, Info, Notice, Trace, Warn};
    match scale {
        NumberScale::Syslog => (
            &[
                (0, Fatal),
                (3, Error),
                (4, Warn),
                (5, Notice),
                (6, Info),
                (7, Debug),
            ],
            7,
        ),
        NumberScale::Bunyan => (
            &[
                (10, Trace),
                (20, Debug),
                (30, Info),
                (40, Warn),
                (50, Error),
                (60, Fatal),
            ],
            69,
        ),
        NumberScale::Python => (
            &[
                (1, Trace),
                (10, Debug),
                (20, Info),
                (30, Warn),
                (40, Error),
                (50, Fatal),
            ],
            59,
        ),
        NumberScale::Nextcloud => (
            &[(0, Debug), (1, Info), (2, Warn), (3, Error), (4, Fatal)],
            4,
        ),
        NumberScale::DotNet => (
            &[
                (0, Trace),
                (1, Debug),
                (2, Info),
                (3, Warn),
                (4, Error),
                (5, Fatal),
            ],
            5,
        ),
        NumberScale::Azure => (
            &[(0, Trace), (1, Info), (2, Warn), (3, Error), (4, Fatal)],
            4,
        ),
        NumberScale::Windows => (
            &[
                (0, Info),
                (1, Fatal),
                (2, Error),
                (3, Warn),
                (4, Info),
                (5, Debug),
            ],
            5,
        ),
        NumberScale::Android => (
            &[
                (2, Trace),
                (3, Debug),
                (4, Info),
                (5, Warn),
                (6, Error),
                (7, Fatal),
            ],
            7,
        ),
        NumberScale::MySql => (&[(0, Info), (1, Error), (2, Warn), (3, Notice)], 3),
        NumberScale::Monolog => (
            &[
                (100, Debug),
                (200, Info),
                (250, Notice),
                (300, Warn),
                (400, Error),
                (500, Fatal),
            ],
            600,
        ),
        NumberScale::GoogleCloud => (
            &[
                (100, Debug),
                (200, Info),
                (300, Notice),
                (400, Warn),
                (500, Error),
                (600, Fatal),
            ],
            800,
        ),
        NumberScale::Log4j => (
            &[
                (1, Fatal),
                (200, Error),
                (300, Warn),
                (400, Info),
                (500, Debug),
                (600, Trace),
            ],
            600,
        ),
        NumberScale::Logback => (
            &[
                (5000, Trace),
                (10_000, Debug),
                (20_000, Info),
                (30_000, Warn),
                (40_000, Error),
                (50_000, Fatal),
            ],
            50_000,
        ),
        NumberScale::JavaUtil => (
            &[
                (300, Trace),
                (500, Debug),
                (800, Info),
                (900, Warn),
                (1000, Error),
            ],
            1000,
        ),
        NumberScale::Telemetry => (
            &[
                (1, Trace),
                (5, Debug),
                (9, Info),
                (13, Warn),
                (17, Error),
                (21, Fatal),
            ],
            24,
        ),
        NumberScale::SecurityEvent => (&[(0, Info), (4, Warn), (7, Error), (9, Fatal)], 10),
    }
}

/// So many different numbers are counted: no scale has more in use.
const MAX_NUMBERS: usize = 16;

/// Fewer lines prove little.
const ENOUGH: u32 = 8;

/// The numbers that the lines of a source have where a level may be, and how many of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct NumberTally {
    counts: Vec<(u32, u32)>,
    /// There were more numbers than any scale has.
    is_full: bool,
}

impl NumberTally {
    /// One more line.
    pub(crate) fn add(&mut self, number: u32) {
        if let Some(known) = self.counts.iter_mut().find(|known| known.0 == number) {
            known.1 += 1;
        } else if self.counts.len() < MAX_NUMBERS {
            self.counts.push((number, 1));
        } else {
            self.is_full = true;
        }
    }

    /// How many lines had a number.
    pub(crate) fn total(&self) -> u32 {
        self.counts.iter().map(|known| known.1).sum()
    }

    /// The one scale that numbers like these are of.
    pub(crate) fn scale(&self) -> Option<NumberScale> {
        if self.is_full || self.total() < ENOUGH {
            return None;
        }
        let most = self.counts.iter().max_by_key(|known| known.1)?.0;
        let highest = self.counts.iter().map(|known| known.0).max()?;
        if self.counts.len() == 1 {
            // A source that says one thing only; debug and information of syslog are the only
            // numbers that nothing else would say all the time.
            return matches!(most, 6 | 7).then_some(NumberScale::Syslog);
        }
        match highest {
            0..=4 => self.is_mostly(1).then_some(NumberScale::Nextcloud),
            5..=7 => (most >= 6 || (most == 5 && highest > 5)).then_some(NumberScale::Syslog),
            10..=60 if self.are_multiples_of(10) => self.in_tens(most, highest),
            200..=600 if self.has(250) || self.has(550) => Some(NumberScale::Monolog),
            900 | 1000 if most == 800 => Some(NumberScale::JavaUtil),
            10_000..=50_000 if self.are_multiples_of(5000) => Some(NumberScale::Logback),
            _ => None,
        }
    }

    fn in_tens(&self, most: u32, highest: u32) -> Option<NumberScale> {
        if highest == 60 || self.is_mostly(30) {
            return Some(NumberScale::Bunyan);
        }
        (self.is_mostly(20) && most == 20).then_some(NumberScale::Python)
    }

    /// Whether half of all lines have this number, and it has no near rival.
    fn is_mostly(&self, number: u32) -> bool {
        let count = |of: u32| {
            self.counts
                .iter()
                .find(|known| known.0 == of)
                .map_or(0, |k| k.1)
        };
        let most = count(number);
        let next = self
            .counts
            .iter()
            .filter(|known| known.0 != number)
            .map(|known| known.1)
            .max();
        most * 2 >= self.total() && next.is_none_or(|next| next * 2 <= most)
    }

    fn has(&self, number: u32) -> bool {
        self.counts.iter().any(|known| known.0 == number)
    }

    fn are_multiples_of(&self, step: u32) -> bool {
        self.counts.iter().all(|known| known.0 % step == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale_of(counts: &[(u32, u32)]) -> Option<NumberScale> {
        let mut tally = NumberTally::default();
        for &(number, count) in counts {
            (0..count).for_each(|_| tally.add(number));
        }
        tally.scale()
    }

    #[test]
    fn a_scale_is_told_by_its_numbers_and_by_which_is_the_most_common() {
        for (counts, scale) in [
            (&[(6, 40), (4, 3), (3, 1)][..], Some(NumberScale::Syslog)),
            (&[(7, 40), (6, 30)], Some(NumberScale::Syslog)),
            (&[(6, 20)], Some(NumberScale::Syslog)),
            (
                &[(1, 40), (0, 3), (2, 5), (3, 2)],
                Some(NumberScale::Nextcloud),
            ),
            (&[(30, 40), (40, 3), (50, 1)], Some(NumberScale::Bunyan)),
            (&[(20, 40), (30, 30), (60, 1)], Some(NumberScale::Bunyan)),
            (&[(20, 40), (30, 3), (40, 1)], Some(NumberScale::Python)),
            (&[(20_000, 9), (40_000, 1)], Some(NumberScale::Logback)),
            (&[(200, 9), (250, 1)], Some(NumberScale::Monolog)),
            (&[(800, 9), (1000, 1)], Some(NumberScale::JavaUtil)),
            // Too few, one thing only, or what two scales would have.
            (&[(6, 7)], None),
            (&[(30, 100)], None),
            (&[(2, 40), (1, 10), (3, 2)], None),
            (&[(20, 40), (30, 40)], None),
            (&[(200, 9), (400, 1)], None),
            (&[(3, 50)], None),
        ] {
            assert_eq!(scale_of(counts), scale, "{counts:?}");
        }
    }

    #[test]
    fn the_fields_beside_a_number_tell_its_scale() {
        for (names, scale) in [
            (&["reqId", "level", "app"][..], Some(NumberScale::Nextcloud)),
            (
                &["version", "host", "short_message"],
                Some(NumberScale::Syslog),
            ),
            (
                &["level", "time", "pid", "hostname"],
                Some(NumberScale::Bunyan),
            ),
            (&["level", "msg", "funcName"], Some(NumberScale::Python)),
            (&["level", "EventId", "Category"], Some(NumberScale::DotNet)),
            (&["Level", "EventID", "Channel"], Some(NumberScale::Windows)),
            (
                &["severity", "logName", "resource"],
                Some(NumberScale::GoogleCloud),
            ),
            (&["level", "app", "msg"], None),
            (&["level", "pid"], None),
        ] {
            let mut beside = FieldsBeside::default();
            names.iter().for_each(|name| beside.note(name.as_bytes()));
            assert_eq!(beside.scale(), scale, "{names:?}");
        }
    }

    #[test]
    fn the_names_beside_numbers_fit_their_bits() {
        assert!(names_beside().count() <= 64);
    }

    #[test]
    fn numbers_beyond_a_scale_are_no_level() {
        for (scale, number, expected) in [
            (NumberScale::Syslog, 3, Some(Level::Error)),
            (NumberScale::Syslog, 8, None),
            (NumberScale::Nextcloud, 3, Some(Level::Error)),
            (NumberScale::Nextcloud, 5, None),
            (NumberScale::Bunyan, 35, Some(Level::Info)),
            (NumberScale::Bunyan, 9, None),
            (NumberScale::Python, 40, Some(Level::Error)),
            (NumberScale::Logback, 30_000, Some(Level::Warn)),
            (NumberScale::Telemetry, 17, Some(Level::Error)),
            (NumberScale::Telemetry, 0, None),
            (NumberScale::Log4j, 400, Some(Level::Info)),
        ] {
            assert_eq!(level(scale, number), expected, "{scale:?} {number}");
        }
    }
}
