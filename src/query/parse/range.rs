//! Ranges of times: `13:00..13:05`, `-2h..-1h`, `2026-11-20 13:00..`, `yesterday 03:14..04:00`,
//! `yesterday`, `since:15m`.

use super::QueryReader;
use crate::query::ast::{QueryExpr, QueryTerm};
use crate::query::error::QueryError;
use crate::query::when::{EXAMPLES, TimeSpan, WrittenTime, date, time_of_day};

impl QueryReader<'_> {
    /// The range that is here, if there is one. Words with two dots that are no times (`../x`,
    /// `a..b`) are text.
    pub(super) fn range(&mut self) -> Result<Option<QueryExpr>, QueryError> {
        let start = self.at;
        let word = self.bare_at();
        let end = match self.time_of_range_after(word) {
            Some(end) => end,
            None if is_day_name(word) => {
                self.at += word.len();
                return Ok(Some(whole_day(word)));
            }
            None => start + word.len(),
        };
        let Some((from, to)) = self.text[start..end].split_once("..") else {
            return Ok(None);
        };
        let begin = WrittenTime::parse(from);
        let finish = WrittenTime::parse(to);
        if begin.is_none() && finish.is_none() {
            return Ok(None);
        }
        if begin.is_none() && !from.is_empty() {
            // A dash before a time is the negation of a range.
            if is_negated_time(from) || !looks_like_a_time(from) {
                return Ok(None);
            }
            return self.no_time(start, from).map(Some);
        }
        if finish.is_none() && !to.is_empty() {
            if !looks_like_a_time(to) || is_negated_time(from) {
                return Ok(None);
            }
            return self.no_time(end - to.len(), to).map(Some);
        }
        self.at = end;
        let to = finish.map(|when| self.with_time(when));
        self.checked(start, TimeSpan { from: begin, to }).map(Some)
    }

    /// A day and a blank may come before the time at which a range begins: where that range ends.
    fn time_of_range_after(&self, day: &str) -> Option<usize> {
        if !is_day_name(day) && date(day).is_none() {
            return None;
        }
        let (at, next) = self.next_word(self.at + day.len())?;
        let (from, _) = next.split_once("..")?;
        time_of_day(from).map(|_| at + next.len())
    }

    /// The value of `since:` or `until:`, which comes next.
    pub(super) fn bound(&mut self, start: usize, until: bool) -> Result<QueryExpr, QueryError> {
        let value_at = self.at;
        let quoted = self.rest().starts_with('"');
        let text = if quoted {
            self.quoted()?
        } else {
            self.bare().to_owned()
        };
        if quoted {
            self.ended("the closing quote")?;
        }
        let Some(mut when) = WrittenTime::parse(text.trim()) else {
            return self.no_time(value_at, &self.text[value_at..self.at]);
        };
        if !quoted {
            when = self.with_time(when);
        }
        let (from, to) = if until {
            (None, Some(when))
        } else {
            (Some(when), None)
        };
        self.checked(start, TimeSpan { from, to })
    }

    /// A day that a time of day follows is meant together with it.
    fn with_time(&mut self, when: WrittenTime) -> WrittenTime {
        let next = self
            .next_word(self.at)
            .and_then(|(at, next)| Some((at + next.len(), time_of_day(next)?)));
        match next.and_then(|(end, time)| Some((end, when.with(time)?))) {
            Some((end, with_time)) => {
                self.at = end;
                with_time
            }
            None => when,
        }
    }

    /// The word at a place, after the blanks that must be there.
    fn next_word(&self, at: usize) -> Option<(usize, &str)> {
        let rest = self.text.get(at..)?;
        let blanks = rest.len() - rest.trim_start().len();
        let next = QueryReader {
            at: at + blanks,
            ..*self
        }
        .bare_at();
        (blanks > 0 && !next.is_empty()).then(|| {
            (
                at + blanks,
                &self.text[at + blanks..at + blanks + next.len()],
            )
        })
    }

    fn checked(&self, start: usize, span: TimeSpan) -> Result<QueryExpr, QueryError> {
        let backwards = self
            .now
            .map(|now| span.resolve(now))
            .is_some_and(|range| range.start >= range.end);
        if backwards {
            return self.error(start..self.at, "this range ends before it begins");
        }
        Ok(QueryExpr::Term(QueryTerm::Time(span)))
    }

    fn no_time<T>(&self, at: usize, text: &str) -> Result<T, QueryError> {
        let what = if text.is_empty() {
            "a time is missing".to_owned()
        } else {
            format!("{text:?} is not a time")
        };
        self.error(at..at + text.len(), format!("{what}: write {EXAMPLES}"))
    }
}

fn is_day_name(word: &str) -> bool {
    matches!(word, "today" | "yesterday")
}

fn whole_day(name: &str) -> QueryExpr {
    let day = WrittenTime::parse(name);
    QueryExpr::Term(QueryTerm::Time(TimeSpan {
        from: day.clone(),
        to: day,
    }))
}

fn is_negated_time(from: &str) -> bool {
    from.strip_prefix('-')
        .is_some_and(|rest| rest.is_empty() || WrittenTime::parse(rest).is_some())
}

/// Enough to report a typing error: `13:0O..14:00`.
fn looks_like_a_time(text: &str) -> bool {
    text.trim_start_matches('-')
        .starts_with(|c: char| c.is_ascii_digit())
}
