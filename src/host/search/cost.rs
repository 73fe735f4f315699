//! Estimates what a request would cost. Only what tells the place of a time is read for it.
//!
//! The commands are those that a person would type for the same; the drivers pass everything as
//! data instead.

use std::ops::Range;

use crate::host::Files;
use crate::model::log_file::{Compression, LogFile};
use crate::query::request::{PageRequest, PageStart, RequestCost, RequestKind};
use crate::query::{Prefilter, Query};

use super::match_scan::MatchScan;
use super::matches::SearchCriteria;
use super::part_buffer::PartLimits;
use super::stop_reason::StopReason;
use super::text::{At, LogText};
use super::{histogram, hits, page};

/// The most patterns of `grep` that are shown.
const PATTERNS_SHOWN: usize = 4;

/// About how many times what a page shows is read for it.
const PAGE_EXCESS: u64 = 2;

/// What a request would cost in a log.
pub(super) async fn estimate<F: Files>(
    text: LogText<'_, F>,
    host: &str,
    what: &RequestKind,
) -> Result<RequestCost, StopReason> {
    let mut cost = match what {
        RequestKind::Search(asked) => of_search(text, hits::criteria(host, asked)).await?,
        RequestKind::Histogram(asked) => of_search(text, histogram::criteria(host, asked)).await?,
        RequestKind::Page(asked) => of_page(text, asked).await?,
        RequestKind::List | RequestKind::Estimate(_) => RequestCost::default(),
    };
    if !F::RUNS_PROGRAMS {
        cost.commands.clear();
    }
    Ok(cost)
}

async fn of_search<F: Files>(
    text: LogText<'_, F>,
    criteria: Option<SearchCriteria<'_>>,
) -> Result<RequestCost, StopReason> {
    let mut cost = RequestCost::default();
    let Some(criteria) = criteria else {
        return Ok(cost);
    };
    let (scan, _) = MatchScan::plan(text, &criteria, PartLimits::default()).await?;
    let grep = grep(criteria.query);
    for (file, range) in scan.ranges() {
        // A compressed file is unpacked as a whole.
        let bytes = match file.compression {
            Compression::Plain => range.end - range.start,
            _ => file.size,
        };
        cost.add(file, bytes, format!("{} | {grep}", reading(file, &range)));
    }
    Ok(cost)
}

async fn of_page<F: Files>(
    mut text: LogText<'_, F>,
    asked: &PageRequest,
) -> Result<RequestCost, StopReason> {
    let mut cost = RequestCost::default();
    if text.log.files.is_empty() || asked.window.is_empty() {
        return Ok(cost);
    }
    let begin = page_begin(&mut text, asked).await?;
    let generations: Vec<usize> = if asked.backwards {
        (0..=begin.file).rev().collect()
    } else {
        (begin.file..text.log.files.len()).collect()
    };
    let mut left = u64::from(asked.lines);
    for number in generations {
        let line = text.head(number).await?.line as u64;
        let file = text.file(number);
        let is_plain = file.compression == Compression::Plain;
        let there = if is_plain && asked.backwards && number == begin.file {
            file.size.min(begin.offset)
        } else {
            file.size
        };
        let bytes = if is_plain {
            there.min(left.saturating_mul(line).saturating_mul(PAGE_EXCESS))
        } else {
            there
        };
        let part = if asked.backwards {
            there - bytes..there
        } else {
            0..bytes
        };
        cost.add(file, bytes, reading(file, &part));
        left = left.saturating_sub(there / line.max(1));
        if left == 0 {
            break;
        }
    }
    Ok(cost)
}

/// About where a page begins. Only a time has to be looked for.
async fn page_begin<F: Files>(
    text: &mut LogText<'_, F>,
    asked: &PageRequest,
) -> Result<At, StopReason> {
    match asked.start {
        PageStart::Cursor(_) | PageStart::After(_) => text.end().await,
        _ => page::place(text, asked).await,
    }
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
    let mut words = vec!["grep".to_owned()];
    words.extend(patterns.options().into_iter().map(str::to_owned));
    for pattern in patterns.list.iter().take(PATTERNS_SHOWN) {
        words.push(format!("-e {}", quoted(&String::from_utf8_lossy(pattern))));
    }
    if patterns.list.len() > PATTERNS_SHOWN {
        words.push("…".to_owned());
    }
    words.join(" ")
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
