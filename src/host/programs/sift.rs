//! What is wanted of lines that come in their order: the first or the last of them, records that
//! match, or their number.
//!
//! Bounded in memory whatever comes: what may be wanted later is held up to a number of bytes, and
//! the oldest goes first.

use crate::parse::level;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::model::level::Level;
use crate::model::line::Line;
use crate::model::record::RecordText;
use crate::model::time::Time;
use crate::query::request::{
    HistogramBucket, HistogramRequest, LogResponse, PageRequest, PageStart, SearchHit,
    SearchRequest,
};
use crate::query::{MatchInput, Query};

/// Most bytes of lines that are held for one question.
const MOST_BYTES: usize = 8 << 20;

/// More buckets than a screen, or a file of a spreadsheet, has room for.
const MOST_BUCKETS: usize = 100_000;

/// What a line takes beside its bytes, about.
const OVERHEAD: usize = 100;

/// Lines in a queue of so many, and so many bytes.
#[derive(Default)]
pub(super) struct Last {
    lines: VecDeque<Line>,
    bytes: usize,
    /// One had to go because of the bytes.
    pub(super) is_full: bool,
}

impl Last {
    /// Keeps the last so many.
    pub(super) fn push(&mut self, line: Line, most: usize) {
        self.bytes += line.raw.len() + OVERHEAD;
        self.lines.push_back(line);
        self.is_full |= self.bytes > MOST_BYTES && self.lines.len() <= most;
        while self.lines.len() > most || (self.bytes > MOST_BYTES && self.lines.len() > 1) {
            let Some(gone) = self.lines.pop_front() else {
                return;
            };
            self.bytes -= gone.raw.len() + OVERHEAD;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn take(&mut self) -> Vec<Line> {
        self.bytes = 0;
        std::mem::take(&mut self.lines).into()
    }
}

/// Whether more lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    Wanted,
    Enough,
}

/// A page forwards, from a place on.
pub(super) struct Forwards<'a> {
    page: &'a PageRequest,
    begun: bool,
    /// The line of the cursor was met.
    pub(super) met: bool,
    pub(super) lines: Vec<Line>,
    bytes: usize,
    pub(super) more: bool,
}

impl<'a> Forwards<'a> {
    pub(super) fn new(page: &'a PageRequest) -> Self {
        Self {
            page,
            begun: false,
            met: false,
            lines: Vec::new(),
            bytes: 0,
            more: false,
        }
    }

    pub(super) fn line(&mut self, line: Line) -> More {
        if !self.begun && !self.begins(&line) {
            return More::Wanted;
        }
        if line.time >= self.page.window.end {
            return More::Enough;
        }
        if line.time < self.page.window.start {
            return More::Wanted;
        }
        if self.lines.len() >= self.page.lines as usize || self.bytes > MOST_BYTES {
            self.more = true;
            return More::Enough;
        }
        self.bytes += line.raw.len() + OVERHEAD;
        self.lines.push(line);
        More::Wanted
    }

    /// Whether the page begins with this line.
    fn begins(&mut self, line: &Line) -> bool {
        self.begun = match self.page.start {
            PageStart::Oldest => true,
            PageStart::Newest => false,
            PageStart::At(time) => line.time >= time,
            PageStart::Cursor(place) | PageStart::After(place)
                if line.cursor.offset == place.cursor.offset =>
            {
                self.met = place.fits(&line.raw);
                self.begun = self.met && matches!(self.page.start, PageStart::After(_));
                return !self.begun;
            }
            PageStart::Cursor(place) | PageStart::After(place) => {
                line.cursor.offset > place.cursor.offset
            }
        };
        self.begun
    }
}

/// Whether a line stands before where a page backwards begins.
pub(super) fn is_before(line: &Line, start: &PageStart) -> bool {
    match start {
        PageStart::Oldest => false,
        PageStart::Newest => true,
        PageStart::At(time) => line.time < *time,
        PageStart::Cursor(place) => line.cursor.offset < place.cursor.offset,
        PageStart::After(place) => line.cursor.offset <= place.cursor.offset,
    }
}

/// What is made of the records that match.
enum Catch<'a> {
    Hits(&'a SearchRequest),
    Counts(
        &'a HistogramRequest,
        BTreeMap<Time, [u64; 1 + Level::COUNT]>,
    ),
}

/// Records that match, with what stands around them.
pub(super) struct Matches<'a> {
    host: &'a str,
    source: &'a str,
    query: &'a Query,
    window: Range<Time>,
    catch: Catch<'a>,
    /// The record under way.
    record: Vec<Line>,
    before: Last,
    /// Hits whose lines after them have not all come, and those that wait for their turn.
    hits: VecDeque<(SearchHit, usize)>,
    bytes: usize,
    /// Found, whether they are held or not.
    found: u64,
    /// Not told, for there were too many.
    left_out: u64,
    limit: u64,
}

impl<'a> Matches<'a> {
    /// For a search, of which `limit` hits are still wanted.
    pub(super) fn search(
        host: &'a str,
        source: &'a str,
        search: &'a SearchRequest,
        limit: u64,
    ) -> Self {
        Self::new(
            host,
            source,
            &search.query,
            search.window.clone(),
            Catch::Hits(search),
            limit,
        )
    }

    /// For a histogram.
    pub(super) fn histogram(host: &'a str, source: &'a str, asked: &'a HistogramRequest) -> Self {
        let catch = Catch::Counts(asked, BTreeMap::new());
        Self::new(
            host,
            source,
            &asked.query,
            asked.window.clone(),
            catch,
            u64::MAX,
        )
    }

    fn new(
        host: &'a str,
        source: &'a str,
        query: &'a Query,
        window: Range<Time>,
        catch: Catch<'a>,
        limit: u64,
    ) -> Self {
        let (record, before, hits) = (Vec::new(), Last::default(), VecDeque::new());
        Self {
            host,
            source,
            query,
            window,
            catch,
            record,
            before,
            hits,
            bytes: 0,
            found: 0,
            left_out: 0,
            limit,
        }
    }

    /// Takes a line; adds the hits that are ready to `out`.
    pub(super) fn line(&mut self, line: Line, out: &mut Vec<LogResponse>) -> More {
        if line.time >= self.window.end {
            return More::Enough;
        }
        if line.time < self.window.start {
            return More::Wanted;
        }
        if !line.continues {
            self.end_record();
        }
        self.record.push(line);
        self.let_out(out);
        let is_over = self.is_enough() && self.hits.is_empty() && !self.holds_newest();
        if is_over { More::Enough } else { More::Wanted }
    }

    /// No more lines come.
    pub(super) fn finish(&mut self, out: &mut Vec<LogResponse>) {
        self.end_record();
        for (_, waits) in &mut self.hits {
            *waits = 0;
        }
        if self.holds_newest() {
            let newest = std::mem::take(&mut self.hits);
            out.extend(newest.into_iter().rev().map(|(hit, _)| self.reply(hit)));
        }
        self.let_out(out);
        if let Catch::Counts(_, counts) = &mut self.catch {
            let buckets: Vec<HistogramBucket> = std::mem::take(counts)
                .into_iter()
                .map(|(start, counts)| HistogramBucket { start, counts })
                .collect();
            out.extend(
                buckets
                    .chunks(1000)
                    .map(|part| LogResponse::Buckets(self.source.into(), part.to_vec())),
            );
        }
    }

    /// How many are told, and what is to be said of the others; an empty text where their number is
    /// no surprise.
    pub(super) fn told(&self) -> (u64, Option<String>) {
        let why = (self.left_out > 0).then(|| match &self.catch {
            Catch::Counts(..) => {
                format!(
                    "{} are not counted: there are more than {MOST_BUCKETS} buckets",
                    self.left_out
                )
            }
            Catch::Hits(_) if self.found - self.left_out >= self.limit => String::new(),
            Catch::Hits(_) => format!(
                "{} hits are left out, for the others are too long",
                self.left_out
            ),
        });
        (self.found - self.left_out, why)
    }

    fn reply(&self, hit: SearchHit) -> LogResponse {
        LogResponse::Hits(self.source.into(), vec![hit])
    }

    /// Hits go out when all is over, the newest first.
    fn holds_newest(&self) -> bool {
        matches!(&self.catch, Catch::Hits(search) if search.newest_first && !search.count_only)
    }

    fn is_enough(&self) -> bool {
        self.found >= self.limit
    }

    /// Decides the record under way, and gives its lines to the hits that want them.
    fn end_record(&mut self) {
        let record = std::mem::take(&mut self.record);
        let Some(text) = RecordText::of(&record) else {
            return;
        };
        let is_over = self.is_enough() && !self.holds_newest();
        let subject = MatchInput::of_record(self.host, self.source, &text);
        let is_hit = !is_over && self.query.matches(&subject);
        for (hit, waits) in &mut self.hits {
            let wanted = record.iter().take(*waits);
            hit.after.extend(wanted.cloned());
            *waits = waits.saturating_sub(record.len());
        }
        if is_hit {
            self.found += 1;
            self.catch_it(&record);
        }
        if let Catch::Hits(SearchRequest {
            before,
            count_only: false,
            ..
        }) = &self.catch
        {
            record
                .into_iter()
                .for_each(|line| self.before.push(line, *before as usize));
        }
    }

    fn catch_it(&mut self, record: &[Line]) {
        match &mut self.catch {
            Catch::Hits(search) if search.count_only => {}
            Catch::Hits(search) => {
                let before = self.before.lines.iter().cloned().collect();
                let hit = SearchHit {
                    line: record[0].clone(),
                    before,
                    after: record[1..].to_vec(),
                };
                self.hits.push_back((hit, search.after as usize));
                self.bytes += record
                    .iter()
                    .map(|line| line.raw.len() + OVERHEAD)
                    .sum::<usize>();
                let most = if search.newest_first {
                    self.limit
                } else {
                    u64::MAX
                };
                while self.hits.len() as u64 > most
                    || (self.bytes > MOST_BYTES && self.hits.len() > 1)
                {
                    let Some((gone, _)) = self.hits.pop_front() else {
                        return;
                    };
                    let lines = std::iter::once(&gone.line).chain(&gone.after);
                    self.bytes = self
                        .bytes
                        .saturating_sub(lines.map(|line| line.raw.len() + OVERHEAD).sum());
                    self.left_out += 1;
                }
            }
            Catch::Counts(asked, counts) => {
                let bucket = i64::try_from(asked.bucket.as_nanos())
                    .unwrap_or(i64::MAX)
                    .max(1);
                let start = Time(record[0].time.0.div_euclid(bucket).saturating_mul(bucket));
                if counts.len() >= MOST_BUCKETS && !counts.contains_key(&start) {
                    self.left_out += 1;
                    return;
                }
                let level = level::of(&record[0].raw);
                let column =
                    level.and_then(|level| Level::ALL.iter().position(|other| *other == level));
                counts.entry(start).or_default()[column.map_or(0, |at| at + 1)] += 1;
            }
        }
    }

    fn let_out(&mut self, out: &mut Vec<LogResponse>) {
        if self.holds_newest() {
            return;
        }
        while self.hits.front().is_some_and(|(_, waits)| *waits == 0) {
            let Some((hit, _)) = self.hits.pop_front() else {
                return;
            };
            let lines = std::iter::once(&hit.line).chain(&hit.after);
            self.bytes = self
                .bytes
                .saturating_sub(lines.map(|line| line.raw.len() + OVERHEAD).sum());
            out.push(self.reply(hit));
        }
    }
}
