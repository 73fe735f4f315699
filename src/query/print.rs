//! Queries as text that reads back as the same query.

use std::fmt;

use super::ast::{
    ComparisonOp, FieldTest, QueryExpr, QueryTerm, RegexPattern, ValuePiece, ValueTest,
};
use super::parse;
use super::when::{date, time_of_day};

impl fmt::Display for QueryExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " ", |part| {
                matches!(part, Self::Any(_) | Self::All(_))
            }),
            Self::Any(parts) => joined(f, parts, " OR ", |part| matches!(part, Self::Any(_))),
            Self::Not(inner) => {
                let text = inner.to_string();
                let single = matches!(**inner, Self::Term(_)) && !text.starts_with('-');
                if single {
                    write!(f, "-{text}")
                } else {
                    write!(f, "-({text})")
                }
            }
            Self::Term(term) => write!(f, "{term}"),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[QueryExpr],
    between: &str,
    grouped: fn(&QueryExpr) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        f.write_str(if index > 0 { between } else { "" })?;
        if grouped(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for QueryTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if is_bare(text) => f.write_str(text),
            Self::Text(text) | Self::AsTyped(text) => write!(f, "{}", Quoted(text)),
            Self::Regex(pattern) => write!(f, "{pattern}"),
            Self::Host(glob) => write!(f, "host:{}", Glob(glob)),
            Self::Source(glob) => write!(f, "source:{}", Glob(glob)),
            Self::Level(order, level) => write!(f, "level{}{level}", order.sign()),
            Self::Field(field) => write!(f, "{field}"),
            Self::Time(span) => write!(f, "{span}"),
        }
    }
}

/// Whether a text means itself without quotes wherever it is. A date or a time of day might be
/// taken together with a range next to it.
fn is_bare(text: &str) -> bool {
    date(text).is_none()
        && time_of_day(text).is_none()
        && !["AND", "OR", "NOT"].contains(&text)
        && !text.contains(['"', '(', ')', '*'])
        // With a dash before it, it might be a zone.
        && !parse::is_zone(&format!("-{text}"), "0:00:00")
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && parse::expression(text, None) == Ok(QueryExpr::Term(QueryTerm::Text(text.to_owned())))
        // A path might find its end as an expression in what follows.
        && !text.starts_with('/')
}

impl fmt::Display for RegexPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        let mut escaped = false;
        for c in self.text.chars() {
            if c == '/' && !escaped {
                f.write_str("\\")?;
            }
            escaped = c == '\\' && !escaped;
            write!(f, "{c}")?;
        }
        f.write_str(if self.either_case { "/i" } else { "/" })
    }
}

impl fmt::Display for FieldTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if parse::is_name(&self.name) {
            let is_reserved = parse::RESERVED.contains(&self.name.as_str());
            write!(f, "{}{}", if is_reserved { "." } else { "" }, self.name)?;
        } else {
            write!(f, "{}", Quoted(&self.name))?;
        }
        match &self.test {
            ValueTest::Like(pieces) => self.write_pieces(f, pieces),
            ValueTest::Is(value) => write!(f, "={}", PrintedValue(value)),
            ValueTest::IsNot(value) => write!(f, "!={}", PrintedValue(value)),
            ValueTest::Number(order, number) => {
                debug_assert!(!matches!(
                    order,
                    ComparisonOp::Equal | ComparisonOp::Unequal
                ));
                write!(f, "{}{number}", order.sign())
            }
        }
    }
}

impl FieldTest {
    fn write_pieces(&self, f: &mut fmt::Formatter<'_>, pieces: &[ValuePiece]) -> fmt::Result {
        f.write_str(if pieces.is_empty() { ":\"\"" } else { ":" })?;
        pieces.iter().try_for_each(|piece| match piece {
            // `a:/x` is text, for the letter may be a drive.
            ValuePiece::Text(text) if self.name.len() == 1 && text.starts_with('/') => {
                write!(f, "{}", Quoted(text))
            }
            ValuePiece::Text(text) => write!(f, "{}", PrintedValue(text)),
            ValuePiece::Any => f.write_str("*"),
        })
    }
}

/// A value, in quotes unless it is certain that it needs none.
struct PrintedValue<'a>(&'a str);

impl fmt::Display for PrintedValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "_-.@%+/,".contains(c);
        let path = self.0.len() > 1 && self.0.starts_with('/') && !self.0.starts_with("//");
        let starts = path
            || self
                .0
                .starts_with(|c: char| c.is_alphanumeric() || "_-.@".contains(c));
        if starts && self.0.chars().all(plain) && !self.0.ends_with(',') {
            f.write_str(self.0)
        } else {
            write!(f, "{}", Quoted(self.0))
        }
    }
}

/// A pattern for names: its wildcards are not in quotes.
struct Glob<'a>(&'a str);

impl fmt::Display for Glob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "_-.@/*?".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            f.write_str(self.0)
        } else {
            write!(f, "{}", Quoted(self.0))
        }
    }
}

pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\"",
            self.0.replace('\\', "\\\\").replace('"', "\\\"")
        )
    }
}
