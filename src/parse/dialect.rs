//! Finds out what the lines of a source mean that no line says by itself ([`LineDialect`]).
//!
//! The first lines of a source show which word is the level, and how its numbers count; the head of
//! a log with columns has their names, wherever it is. What a line means then is left to
//! [`super::level`] and [`super::fields`].

use std::sync::Arc;

use super::bytes::first_line;
use super::level::column::{self, ColumnTally};
use super::level::{self, NumberEvidence, NumberTally};
use super::named_columns::RowValues;
use crate::model::dialect::{ColumnSeparator, LineDialect, NamedColumns, NumberScale};

/// So many lines of a source are looked at. Those after them show nothing else.
const SAMPLE_LINES: u32 = 256;

/// Longer heads are none, and so are those with more columns.
const MAX_HEAD: usize = 16 * 1024;
const MAX_COLUMNS: usize = 512;

/// Learns what the lines of one source mean.
#[derive(Debug, Clone, Default)]
pub struct DialectReader {
    known: Option<Arc<LineDialect>>,
    sample: DialectSample,
    /// So many lines were learnt from before they are read.
    ahead: usize,
    /// What separates the columns of Zeek's logs.
    zeek: Option<u8>,
}

/// What a sample of lines has shown.
#[derive(Debug, Clone, Default)]
struct DialectSample {
    lines: u32,
    columns: ColumnTally,
    numbers: NumberTally,
    scale: Option<NumberScale>,
}

impl DialectReader {
    /// Learns from lines that are about to be read.
    pub fn learn<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) {
        for line in lines {
            if self.sample.is_done() {
                return;
            }
            self.ahead += 1;
            self.sample.add(line);
        }
        self.adopt_sample();
    }

    /// Takes in the next line, which is the first of a file or not, and says what is known of it.
    #[inline]
    pub fn see(&mut self, line: &[u8], is_first: bool) -> Option<Arc<LineDialect>> {
        if is_first || line.first() == Some(&b'#') {
            self.read_head(line, is_first);
        }
        if self.ahead > 0 {
            self.ahead -= 1;
        } else if !self.sample.is_done() {
            self.sample.add(line);
            // What is known after each line would be computed for each line.
            if self.sample.lines.is_power_of_two() || self.sample.is_done() {
                self.adopt_sample();
            }
        }
        self.known.clone()
    }

    fn adopt_sample(&mut self) {
        let scale = self.sample.scale();
        let level = self.sample.columns.column();
        self.change(|known| {
            // What many lines have shown is not unlearnt of a few that a search has picked.
            known.scale = known.scale.or(scale);
            known.level = known.level.or(level);
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut LineDialect)) {
        let mut changed = self.known.as_deref().cloned().unwrap_or_default();
        change(&mut changed);
        if self.known.as_deref() == Some(&changed) {
            return;
        }
        self.known = Some(changed)
            .filter(|changed| !changed.is_plain())
            .map(Arc::new);
    }

    /// A line that may name the columns of those after it.
    fn read_head(&mut self, line: &[u8], is_first: bool) {
        if line.len() > MAX_HEAD {
            return;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(separator) = line.strip_prefix(b"#separator ") {
            self.zeek = byte_of(separator);
            return;
        }
        let columns = w3c(line)
            .or_else(|| zeek(line, self.zeek.unwrap_or(b'\t')))
            .or_else(|| csv(line).filter(|_| is_first));
        if columns.is_some() || is_first {
            self.change(|known| known.columns = columns);
        }
    }
}

impl DialectSample {
    fn is_done(&self) -> bool {
        self.lines >= SAMPLE_LINES
    }

    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        level::with_bare(line, |text| {
            match level::number_evidence(text) {
                Some(NumberEvidence::Scale(scale)) => self.scale = self.scale.or(Some(scale)),
                Some(NumberEvidence::Bare(number)) => self.numbers.add(number),
                None => {}
            }
            if column::begins_record(text) {
                self.columns.add(text);
            }
        });
    }

    fn scale(&self) -> Option<NumberScale> {
        self.scale.or_else(|| self.numbers.scale())
    }
}

/// `#Fields: date time cs-method`, of W3C's extended format; Exchange has commas between them.
fn w3c(line: &[u8]) -> Option<NamedColumns> {
    let names = line.strip_prefix(b"#Fields:")?.trim_ascii();
    if names.contains(&b',') {
        return named(
            RowValues::of(names, ColumnSeparator::Quoted(b',')),
            ColumnSeparator::Quoted(b','),
        );
    }
    let names = names
        .split(u8::is_ascii_whitespace)
        .filter(|name| !name.is_empty());
    named(names, ColumnSeparator::Blank)
}

/// `#fields`, and the names behind tabs.
fn zeek(line: &[u8], separator: u8) -> Option<NamedColumns> {
    let names = line.strip_prefix(b"#fields")?;
    let names = names.strip_prefix(&[separator])?;
    named(
        names.split(|b| *b == separator),
        ColumnSeparator::Byte(separator),
    )
}

/// `\x09`
fn byte_of(text: &[u8]) -> Option<u8> {
    match text.strip_prefix(b"\\x") {
        Some(digits) => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok(),
        None => text.first().copied(),
    }
}

/// Words in the names of columns of which a log has at least one.
const USUAL_NAMES: &[&str] = &[
    "time",
    "date",
    "level",
    "severity",
    "status",
    "message",
    "msg",
    "host",
    "user",
    "event",
    "action",
    "source",
    "ip",
    "type",
    "method",
    "url",
    "id",
    "ts",
    "timestamp",
    "@timestamp",
];

/// The first line of a file with comma separated values, or with tabs or semicolons: nothing but
/// names, each another one.
fn csv(line: &[u8]) -> Option<NamedColumns> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let line = first_line(line);
    let separator = [b',', b'\t', b';', b'|']
        .into_iter()
        .find(|separator| memchr::memchr(*separator, line).is_some())?;
    let separator = ColumnSeparator::Quoted(separator);
    let columns = named(RowValues::of(line, separator), separator)?;
    let mut sorted: Vec<&[u8]> = columns.names.iter().map(|name| &**name).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let are_names = columns.names.len() > 2
        && sorted.len() == columns.names.len()
        && columns.names.iter().all(|name| is_column_name(name))
        && columns.names.iter().any(|name| is_usual(name));
    are_names.then_some(columns)
}

fn is_column_name(name: &[u8]) -> bool {
    let is_of_name = |b: &u8| b.is_ascii_alphanumeric() || b"_-.@# ()/".contains(b);
    (1..=64).contains(&name.len())
        && (name[0].is_ascii_alphabetic() || b"_@#".contains(&name[0]))
        && name.iter().all(is_of_name)
        && name.split(|b| *b == b' ').count() < 5
}

fn is_usual(name: &[u8]) -> bool {
    name.split(|b| b"_-. ".contains(b)).any(|part| {
        USUAL_NAMES
            .iter()
            .any(|of| part.eq_ignore_ascii_case(of.as_bytes()))
    })
}

fn named<'n>(
    names: impl Iterator<Item = &'n [u8]>,
    separator: ColumnSeparator,
) -> Option<NamedColumns> {
    let names: Vec<Box<[u8]>> = names
        .take(MAX_COLUMNS + 1)
        .map(|name| name.trim_ascii().into())
        .collect();
    if !(1..=MAX_COLUMNS).contains(&names.len()) {
        return None;
    }
    let (level, status) = level::columns_of(names.iter().map(|name| &**name));
    Some(NamedColumns {
        names,
        level,
        status,
        separator,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::level::Level;
    use crate::parse::fields;

    /// The levels of lines that are learnt from before they are read.
    fn levels(log: &str) -> Vec<Option<Level>> {
        let mut reader = DialectReader::default();
        reader.learn(log.lines().map(str::as_bytes));
        log.lines()
            .enumerate()
            .map(|(number, line)| {
                let dialect = reader.see(line.as_bytes(), number == 0);
                level::of_in(line.as_bytes(), dialect.as_deref())
            })
            .collect()
    }

    /// A field of the last of some lines.
    fn last(log: &str, name: &str) -> Option<String> {
        let mut reader = DialectReader::default();
        let mut dialect = None;
        for (number, line) in log.lines().enumerate() {
            dialect = reader.see(line.as_bytes(), number == 0);
        }
        let line = log.lines().last()?.as_bytes();
        let found = fields::get_in(line, dialect.as_deref(), name)?;
        Some(String::from_utf8_lossy(&found.text).into_owned())
    }

    #[test]
    fn the_head_of_a_log_names_its_columns() {
        for (log, name, value) in [
            (
                "#Fields: date time sc-status\n2026-11-20 13:00:00 502",
                "status",
                "502",
            ),
            (
                "#Fields: date time cs-method cs-uri-stem sc-status\n2026-11-20\t13:00:00\tGET\t/a\t404",
                "path",
                "/a",
            ),
            (
                "#separator \\x09\n#fields\tts\thost\tstatus_code\n1.5\tweb\t500",
                "status",
                "500",
            ),
            (
                "time,level,message\n2026-11-20 13:00:00,error,\"a, b\"",
                "message",
                "a, b",
            ),
            ("id;user name;status\n1;bob;404", "user name", "bob"),
            (
                "#Fields: date-time,client-ip,event-id\n2026-11-20T13:00:00Z,10.0.0.1,SEND",
                "event-id",
                "SEND",
            ),
        ] {
            assert_eq!(last(log, name).as_deref(), Some(value), "{log}");
        }
    }

    #[test]
    fn a_column_by_name_states_the_level() {
        use Level::{Error, Info, Warn};
        for (log, level) in [
            (
                "#Fields: date time cs-method sc-status\n2026-11-20 13:00:00 GET 502",
                Some(Error),
            ),
            (
                "#fields\tts\tmethod\tstatus_code\n1.5\tGET\t404",
                Some(Warn),
            ),
            (
                "time,level,message\n2026-11-20 13:00:00,INFO,an ERROR: x",
                Some(Info),
            ),
            ("time,severity,message\n2026-11-20 13:00:00,W,x", Some(Warn)),
            ("time,job,status\n2026-11-20 13:00:00,x,500", None),
        ] {
            assert_eq!(levels(log).last().copied().flatten(), level, "{log}");
        }
    }

    #[test]
    fn a_first_line_that_is_no_head_names_nothing() {
        for line in [
            "2026-11-20 13:00:00,level,message",
            "error, warning, info",
            "shop started, order placed, done",
            "a,b,c",
            "time,time,level",
        ] {
            assert_eq!(csv(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn numbers_count_as_the_whole_source_shows() {
        let log: String = (0..20)
            .map(|at| {
                format!(
                    "{{\"severity\":{},\"msg\":\"x\"}}\n",
                    if at % 5 == 0 { 3 } else { 6 }
                )
            })
            .collect();
        let found = levels(&log);
        assert_eq!(found[0], Some(Level::Error));
        assert_eq!(found[1], Some(Level::Info));
        let mut reader = DialectReader::default();
        let nextcloud = br#"{"reqId":"a","level":3,"app":"core"}"#;
        let dialect = reader.see(nextcloud, true).expect("a scale");
        assert_eq!(dialect.scale, Some(NumberScale::Nextcloud));
        // Others of the source count alike, without the fields that told.
        let other = br#"{"level":1,"message":"x"}"#;
        assert_eq!(level::of_in(other, Some(&*dialect)), Some(Level::Info));
        assert_eq!(level::of(other), None);
    }

    #[test]
    fn a_word_in_the_place_of_the_level_is_it_whatever_the_message_shouts() {
        let log: String = (0..20)
            .map(|at| {
                let level = ["Info", "Warn", "Debug"][at % 3];
                format!("2026-11-28 03:01:{at:02}.246 {level} Server: AUTH-ERROR: x\n")
            })
            .collect();
        let found = levels(&log);
        assert_eq!(found[0], Some(Level::Info));
        assert_eq!(found[1], Some(Level::Warn));
    }
}
