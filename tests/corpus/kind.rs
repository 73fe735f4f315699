//! Reading a kind of log from its folder: `log`, `expected.tsv` and `about.toml`, with errors for
//! people.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use logtrail::model::level::Level;
use logtrail::model::time::Time;
use serde::Deserialize;

/// A log and what is expected of it.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Of its folder.
    pub(crate) name: String,
    /// Of stamps that do not say their zone.
    pub(crate) zone: TimeZone,
    /// When the log was taken.
    pub(crate) now: Time,
    /// When its host was started, where that is known.
    pub(crate) boot: Option<Time>,
    /// In their order.
    pub(crate) lines: Vec<Line>,
}

/// A line and what a person reads in it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) raw: Bytes,
    pub(crate) time: Want<Option<Time>>,
    pub(crate) level: Want<Option<Level>>,
    pub(crate) continues: Want<bool>,
}

/// What is expected, where something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want<T> {
    /// `?`: people may differ.
    Any,
    /// This and nothing else.
    Is(T),
}

/// What `about.toml` must say; it says more, for people.
#[derive(Deserialize)]
struct About {
    zone: Option<String>,
    now: String,
    boot: Option<String>,
}

/// The kinds below a folder, or the one that it is itself.
///
/// # Errors
///
/// One line that says which file or which line of it is broken, and how.
pub(crate) fn read(folder: &Path) -> Result<Vec<Kind>, String> {
    if folder.join("log").is_file() {
        return Ok(vec![read_kind(folder)?]);
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut folders: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!(
            "{}: no kind of log in it: it has no folder with log, expected.tsv and about.toml",
            folder.display()
        ));
    }
    folders.iter().map(|folder| read_kind(folder)).collect()
}

fn read_kind(folder: &Path) -> Result<Kind, String> {
    let name = folder.file_name().map_or_else(
        || folder.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    let at = |file: &str| folder.join(file).display().to_string();
    let bytes =
        |file: &str| fs::read(folder.join(file)).map_err(|error| format!("{}: {error}", at(file)));
    let text = |file: &str| {
        String::from_utf8(bytes(file)?).map_err(|_| format!("{}: not UTF-8", at(file)))
    };
    let about: About = toml::from_str(&text("about.toml")?)
        .map_err(|error| format!("{}: {}", at("about.toml"), error.message()))?;
    let of_about = |what: String| format!("{}: {what}", at("about.toml"));
    let log = lines_of(&bytes("log")?);
    let expected = text("expected.tsv")?;
    let rows: Vec<&str> = expected.lines().collect();
    if rows.len() != log.len() {
        return Err(format!(
            "{}: {} lines for the {} lines of log",
            at("expected.tsv"),
            rows.len(),
            log.len()
        ));
    }
    let line = |(index, (raw, row)): (usize, (Bytes, &&str))| {
        line(raw, row, index + 1)
            .map_err(|what| format!("{}:{}: {what}: {row:?}", at("expected.tsv"), index + 1))
    };
    Ok(Kind {
        name,
        zone: zone(about.zone.as_deref().unwrap_or("UTC")).map_err(of_about)?,
        now: time(&about.now).map_err(of_about)?,
        boot: about
            .boot
            .as_deref()
            .map(time)
            .transpose()
            .map_err(of_about)?,
        lines: log
            .into_iter()
            .zip(&rows)
            .enumerate()
            .map(line)
            .collect::<Result<_, _>>()?,
    })
}

/// Lines without their ends (LF or CRLF).
fn lines_of(log: &[u8]) -> Vec<Bytes> {
    let log = log.strip_suffix(b"\n").unwrap_or(log);
    let lines = log
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.map(Bytes::copy_from_slice).collect()
}

fn line(raw: Bytes, row: &str, number: usize) -> Result<Line, String> {
    let fields: Vec<&str> = row.split('\t').collect();
    let (of, at, level, continues) = match fields[..] {
        [of, at, level, continues] => (of, at, level, continues),
        // Editors take blanks at the ends of lines away.
        [of, at, level] => (of, at, level, ""),
        _ => {
            let count = fields.len();
            return Err(format!(
                "{count} fields, where number, time, level and `+` were expected with tabs between"
            ));
        }
    };
    if of.parse() != Ok(number) {
        return Err(format!("line {of}, where {number} was expected"));
    }
    Ok(Line {
        raw,
        time: want(at, |text| {
            if text == "-" {
                Ok(None)
            } else {
                time(text).map(Some)
            }
        })?,
        level: want(level, |text| {
            if text == "-" {
                Ok(None)
            } else {
                level_of(text).map(Some)
            }
        })?,
        continues: want(continues, |text| match text {
            "" => Ok(false),
            "+" => Ok(true),
            other => Err(format!("{other:?} is neither `+` nor nothing")),
        })?,
    })
}

fn want<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Want<T>, String> {
    if text == "?" {
        Ok(Want::Any)
    } else {
        parse(text).map(Want::Is)
    }
}

fn time(text: &str) -> Result<Time, String> {
    let at: Timestamp = text
        .parse()
        .map_err(|_| format!("{text:?} is no time as in RFC 3339"))?;
    Ok(Time::from_timestamp(at))
}

fn level_of(text: &str) -> Result<Level, String> {
    let all = Level::ALL.map(Level::as_str).join(", ");
    Level::ALL
        .into_iter()
        .find(|level| level.as_str() == text)
        .ok_or_else(|| format!("{text:?} is no level ({all}, - or ?)"))
}

/// Of the time zone database, or as POSIX writes rules (`CET-1CEST,M3.5.0,M10.5.0/3`).
fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .or_else(|_| TimeZone::posix(name))
        .map_err(|_| format!("unknown time zone {name:?}"))
}
