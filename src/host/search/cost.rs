//! What a question would cost: nothing is read but what tells where a time stands.
//!
//! The commands are those that a person would type for the same; the drivers pass everything as
//! data instead.

use std::ops::Range;

use crate::host::Files;
use crate::model::log_file::{Compression, LogFile};
use crate::query::request::{LogResponse, PageRequest, PageStart, RequestCost, RequestKind};
use crate::query::{Prefilter, Query};

use super::match_scan::{MatchScan, PartLimits};
use super::matches::SearchCriteria;
use super::sources::Log;
use super::text::LogText;
use super::{Halt, LogAnswerer, histogram, hits, page};

/// Patterns that are shown of a question to `grep`.
const PATTERNS_SHOWN: usize = 4;

/// A page is read with about so much more than it shows.
const PAGE_EXCESS: u64 = 2;

/// Sends what a question would cost in a log.
pub(super) async fn estimate<F: Files>(
    answerer: &mut LogAnswerer<'_, F>,
    log: Log,
    what: &RequestKind,
) -> Result<(), Halt> {
    let host = answerer.host_name();
    let name = log.info.name.clone();
    let text = LogText::new(&mut *answerer.files, log, &answerer.clock);
    let mut cost = match what {
        RequestKind::Search(asked) => match hits::criteria(host, asked) {
            Some(criteria) => of_search(text, &criteria).await?,
            None => RequestCost::default(),
        },
        RequestKind::Histogram(asked) => match histogram::criteria(host, asked) {
            Some(criteria) => of_search(text, &criteria).await?,
            None => RequestCost::default(),
        },
        RequestKind::Page(asked) => of_page(text, asked).await?,
        RequestKind::List | RequestKind::Estimate(_) => RequestCost::default(),
    };
    if !F::RUNS_PROGRAMS {
        cost.commands.clear();
    }
    answerer.out.send(LogResponse::Cost(name, cost)).await
}

async fn of_search<F: Files>(
    text: LogText<'_, F>,
    criteria: &SearchCriteria<'_>,
) -> Result<RequestCost, Halt> {
    let (scan, _) = MatchScan::plan(text, criteria, PartLimits::default()).await?;
    let mut cost = RequestCost::default();
    for (file, range) in scan.ranges() {
        // A compressed file is unpacked as a whole.
        let bytes = if file.compression == Compression::Plain {
            range.end - range.start
        } else {
            file.size
        };
        cost.add(
            file,
            bytes,
            format!("{} | {}", reading(file, &range), grep(criteria.query)),
        );
    }
    Ok(cost)
}

async fn of_page<F: Files>(
    mut text: LogText<'_, F>,
    asked: &PageRequest,
) -> Result<RequestCost, Halt> {
    let mut cost = RequestCost::default();
    if text.log.files.is_empty() || asked.window.is_empty() {
        return Ok(cost);
    }
    // Only a time has to be looked for to know where a page begins.
    let at = match asked.start {
        PageStart::Cursor(_) | PageStart::After(_) => text.end().await?,
        _ => page::place(&mut text, asked).await?,
    };
    let mut left = u64::from(asked.lines);
    let older = (0..=at.file)
        .rev()
        .map(|file| (file, if file == at.file { at.offset } else { u64::MAX }));
    let newer = at.file..text.log.files.len();
    let generations: Vec<(usize, u64)> = if asked.backwards {
        older.collect()
    } else {
        newer.map(|file| (file, u64::MAX)).collect()
    };
    for (number, end) in generations {
        let line = text.head(number).await?.line as u64;
        let file = text.file(number);
        let is_plain = file.compression == Compression::Plain;
        let there = if is_plain {
            file.size.min(end)
        } else {
            file.size
        };
        let wanted = left.saturating_mul(line);
        let bytes = if is_plain {
            there.min(wanted.saturating_mul(PAGE_EXCESS))
        } else {
            there
        };
        let most = if asked.backwards {
            there.saturating_sub(bytes)..there
        } else {
            0..bytes
        };
        cost.add(file, bytes, reading(file, &most));
        left = left.saturating_sub(there / line.max(1));
        if left == 0 {
            break;
        }
    }
    Ok(cost)
}

impl RequestCost {
    fn add(&mut self, file: &LogFile, bytes: u64, command: String) {
        self.bytes += bytes;
        self.files
            .push((String::from_utf8_lossy(&file.path).into_owned(), bytes));
        self.commands.push(command);
    }
}

/// How a part of a file is read.
fn reading(file: &LogFile, range: &Range<u64>) -> String {
    let path = quoted(&String::from_utf8_lossy(&file.path));
    match file.compression {
        Compression::Plain if range.start == 0 && range.end >= file.size => format!("cat {path}"),
        Compression::Plain => format!(
            "tail -c +{} {path} | head -c {}",
            range.start + 1,
            range.end - range.start
        ),
        compression => format!("{} -dc {path}", compression.as_str()),
    }
}

/// What is asked of `grep`.
fn grep(query: &Query) -> String {
    let Prefilter::Lines(patterns) = query.prefilter() else {
        return "cat".to_owned();
    };
    let shown = patterns.list.iter().take(PATTERNS_SHOWN);
    let shown: Vec<String> = shown
        .map(|pattern| format!("-e {}", quoted(&String::from_utf8_lossy(pattern))))
        .collect();
    let more = if patterns.list.len() > PATTERNS_SHOWN {
        " …"
    } else {
        ""
    };
    format!(
        "grep {} {}{more}",
        patterns.options().join(" "),
        shown.join(" ")
    )
}

/// As a person quotes it for a shell; only shown.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:=@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::FileId;
    use crate::query::ReferenceTime;

    #[test]
    fn commands_are_shown_as_a_person_would_type_them() {
        let file = |path: &str| LogFile {
            path: path.into(),
            id: FileId::default(),
            size: 1000,
            modified: crate::model::time::Time(0),
            compression: Compression::of_name(path.as_bytes()),
        };
        for (path, range, expected) in [
            ("/l/a", 0..1000, "cat /l/a"),
            ("/l/a b", 200..1000, "tail -c +201 '/l/a b' | head -c 800"),
            ("/l/a.2.gz", 0..u64::MAX, "gzip -dc /l/a.2.gz"),
            ("/l/a.3.zst", 0..u64::MAX, "zstd -dc /l/a.3.zst"),
        ] {
            assert_eq!(reading(&file(path), &range), expected);
        }
        let query = |text| Query::parse(text, &ReferenceTime::default()).expect("a query");
        assert_eq!(grep(&query("\"it's\"")), r"grep -a -F -i -e 'it'\''s'");
        assert_eq!(grep(&query("-x")), "cat");
    }
}
