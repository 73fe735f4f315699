//! Ranges of times: `13:00..13:05`, `-2h..-1h`, `2026-11-20 13:00..`, `yesterday 03:14..04:00`,
//! `yesterday`, `since:15m`.

use super::QueryReader;
use crate::query::ast::{QueryExpr, QueryTerm};
use crate::query::error::QueryError;
use crate::query::when::{EXAMPLES, TimeSpan, WrittenTime};

/// The most words of a time: `Fri Nov 20 13:00:01 CET 2026`, and one more.
const TIME_WORDS: usize = 7;

impl QueryReader<'_> {
    /// The range that is here, if there is one. Words with two dots that are no times (`../x`,
    /// `a..b`) are text.
    pub(super) fn range(&mut self) -> Result<Option<QueryExpr>, QueryError> {
        let start = self.at;
        let word = self.bare_at();
        let Some(dots) = self.dots_of_range(word) else {
            if is_day_name(word) {
                self.at += word.len();
                return Ok(Some(whole_day(word)));
            }
            return Ok(None);
        };
        let from = &self.text[start..dots];
        let begin = WrittenTime::parse(from);
        let (finish, end) = self.end_of_range(dots + "..".len());
        let to = &self.text[dots + "..".len()..end];
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
        let span = TimeSpan {
            from: begin,
            to: finish,
        };
        self.checked(start, span).map(Some)
    }

    /// Where the two dots are of a range that begins with a word, or with a time of which it is the
    /// first word.
    fn dots_of_range(&self, word: &str) -> Option<usize> {
        if let Some(at) = word.find("..") {
            return Some(self.at + at);
        }
        let end = self.ends_of_words(self.at).last()?;
        let dots = self.at + self.text[self.at..end].find("..")?;
        WrittenTime::parse(&self.text[self.at..dots]).map(|_| dots)
    }

    /// The time that a range ends with, and where it ends; the word that is there, where it is none.
    fn end_of_range(&self, at: usize) -> (Option<WrittenTime>, usize) {
        match self.time_at(at) {
            Some((time, end)) => (Some(time), end),
            None => (None, at + self.bare_from(at).len()),
        }
    }

    /// The value of `since:` or `until:`, which comes next; `None` where it is no time at all.
    pub(super) fn bound(&mut self, until: bool) -> Result<Option<QueryExpr>, QueryError> {
        let value_at = self.at;
        let when = if self.rest().starts_with('"') {
            self.quoted()
                .and_then(|text| WrittenTime::parse(text.trim()))
        } else {
            self.time_at(value_at).map(|(when, end)| {
                self.at = end;
                when
            })
        };
        let Some(when) = when else {
            let value = self.bare_from(value_at).len();
            let text = &self.text[value_at..self.at.max(value_at + value)];
            let has_digit = text.bytes().any(|b| b.is_ascii_digit());
            return if has_digit {
                self.no_time(value_at, text).map(Some)
            } else {
                Ok(None)
            };
        };
        let (from, to) = if until {
            (None, Some(when))
        } else {
            (Some(when), None)
        };
        self.checked(value_at, TimeSpan { from, to }).map(Some)
    }

    /// The longest time that begins at a place, and where it ends: a day, and the time of day that
    /// follows it, are meant together.
    fn time_at(&self, at: usize) -> Option<(WrittenTime, usize)> {
        let ends: Vec<usize> = self.ends_of_words(at).collect();
        ends.into_iter()
            .rev()
            .find_map(|end| Some((WrittenTime::parse(self.text.get(at..end)?)?, end)))
    }

    /// The ends of the words from a place on, as many as a time may have. What joins terms is in no
    /// time, though it may be a word before one in some language.
    fn ends_of_words(&self, at: usize) -> impl Iterator<Item = usize> {
        let mut next = Some(at);
        std::iter::from_fn(move || {
            let start = next?;
            let word = self.bare_from(start);
            let end = start + word.len();
            if matches!(word, "AND" | "OR" | "NOT") {
                return None;
            }
            let rest = &self.text[end..];
            let blanks = rest.len() - rest.trim_start().len();
            next = (blanks > 0).then_some(end + blanks);
            (end > start).then_some(end)
        })
        .take(TIME_WORDS)
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
        self.error(
            at..at + text.len(),
            format!("{what}: write {EXAMPLES}; put text in \"quotes\""),
        )
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
