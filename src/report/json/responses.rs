//! Objects of responses: hits, sources, buckets, counts, costs, notes.

use serde::Serialize;

use super::LineObject;
use super::encoding::{JsonText, VERSION, time};
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::log_file::LogFile;
use crate::model::source::SourceInfo;
use crate::model::time::Time;
use crate::parse::level;
use crate::query::request::{HistogramBucket, RequestCost};
use crate::stages::SourceName;

/// `"type":"hit"`: a line with those around it.
#[derive(Debug, Serialize)]
pub(crate) struct Hit<'a> {
    #[serde(flatten)]
    line: LineObject<'a>,
    before: Vec<Near<'a>>,
    after: Vec<Near<'a>>,
}

#[derive(Debug, Serialize)]
struct Near<'a> {
    time: String,
    time_from: &'static str,
    level: Option<&'static str>,
    cursor: String,
    text: JsonText<'a>,
    continues: bool,
}

impl<'a> Hit<'a> {
    pub(crate) fn new(
        name: SourceName<'a>,
        hit: &'a FleetLine,
        before: &'a [FleetLine],
        after: &'a [FleetLine],
    ) -> Self {
        Self {
            line: LineObject {
                r#type: "hit",
                ..LineObject::new(name, hit)
            },
            before: before.iter().map(Near::new).collect(),
            after: after.iter().map(Near::new).collect(),
        }
    }
}

impl<'a> Near<'a> {
    fn new(line: &'a FleetLine) -> Self {
        Self {
            time: time(line.content.time),
            time_from: line.content.time_from.as_str(),
            level: level::of_line(line).map(Level::as_str),
            cursor: line.content.place().to_string(),
            text: JsonText::new(&line.content.raw),
            continues: line.content.continues,
        }
    }
}

/// `"type":"source"`.
#[derive(Debug, Serialize)]
pub(crate) struct SourceLine<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    name: &'a str,
    path: &'a str,
    kind: &'a str,
    problem: Option<&'a str>,
    files: Vec<FilePart<'a>>,
}

#[derive(Debug, Serialize)]
struct FilePart<'a> {
    path: JsonText<'a>,
    bytes: u64,
    packing: &'static str,
    modified: String,
}

impl<'a> SourceLine<'a> {
    pub(crate) fn new(host: &'a str, info: &'a SourceInfo, files: &'a [LogFile]) -> Self {
        Self {
            v: VERSION,
            r#type: "source",
            host,
            name: &info.name,
            path: &info.path,
            kind: kind(&info.path),
            problem: info.problem.as_deref(),
            files: files.iter().map(FilePart::new).collect(),
        }
    }
}

impl<'a> FilePart<'a> {
    fn new(file: &'a LogFile) -> Self {
        Self {
            path: JsonText::new(&file.path),
            bytes: file.size,
            packing: file.compression.as_str(),
            modified: time(file.modified),
        }
    }
}

/// What comes before the first colon of what is no path: `journal`.
pub(crate) fn kind(path: &str) -> &str {
    match path.split_once(':') {
        Some((kind, _)) if !kind.contains('/') => kind,
        _ => "file",
    }
}

/// `"type":"bucket"`.
#[derive(Debug, Serialize)]
pub(crate) struct BucketLine<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    source: &'a str,
    time: String,
    until: String,
    lines: u64,
    levels: Levels,
}

/// Lines by the level that they state; `none` of those that state none.
#[derive(Debug, Serialize)]
struct Levels {
    none: u64,
    trace: u64,
    debug: u64,
    info: u64,
    notice: u64,
    warn: u64,
    error: u64,
    fatal: u64,
}

impl<'a> BucketLine<'a> {
    pub(crate) fn new(name: SourceName<'a>, bucket: &HistogramBucket, until: Time) -> Self {
        let [none, trace, debug, info, notice, warn, error, fatal] = bucket.counts;
        Self {
            v: VERSION,
            r#type: "bucket",
            host: name.host,
            source: name.source,
            time: time(bucket.start),
            until: time(until),
            lines: bucket.counts.iter().sum(),
            levels: Levels {
                none,
                trace,
                debug,
                info,
                notice,
                warn,
                error,
                fatal,
            },
        }
    }
}

/// `"type":"count"`.
#[derive(Debug, Serialize)]
pub(crate) struct CountLine<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    hits: u64,
}

impl<'a> CountLine<'a> {
    pub(crate) fn new(host: &'a str, hits: u64) -> Self {
        Self {
            v: VERSION,
            r#type: "count",
            host,
            hits,
        }
    }
}

/// `"type":"note"`.
#[derive(Debug, Serialize)]
pub(crate) struct NoteLine<'a> {
    v: u8,
    r#type: &'static str,
    host: Option<&'a str>,
    source: Option<&'a str>,
    text: &'a str,
    failed: bool,
}

impl<'a> NoteLine<'a> {
    pub(crate) fn new(name: SourceName<'a>, text: &'a str, failed: bool) -> Self {
        Self {
            v: VERSION,
            r#type: "note",
            host: Some(name.host),
            source: Some(name.source),
            text,
            failed,
        }
    }

    /// Of the answer as a whole.
    pub(crate) fn of_answer(text: &'a str) -> Self {
        Self {
            v: VERSION,
            r#type: "note",
            host: None,
            source: None,
            text,
            failed: false,
        }
    }
}

/// `"type":"cost"`.
#[derive(Debug, Serialize)]
pub(crate) struct CostLine<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    source: &'a str,
    bytes: u64,
    files: Vec<CostFile<'a>>,
    commands: &'a [String],
}

#[derive(Debug, Serialize)]
struct CostFile<'a> {
    path: &'a str,
    bytes: u64,
}

impl<'a> CostLine<'a> {
    pub(crate) fn new(name: SourceName<'a>, cost: &'a RequestCost) -> Self {
        let files = cost.files.iter();
        Self {
            v: VERSION,
            r#type: "cost",
            host: name.host,
            source: name.source,
            bytes: cost.bytes,
            files: files
                .map(|&(ref path, bytes)| CostFile { path, bytes })
                .collect(),
            commands: &cost.commands,
        }
    }
}
