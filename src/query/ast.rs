//! The parts of a query as they were written, with times relative as they were typed. How they are
//! spelt is left to `parse` and `print`, what they mean to `matcher`.

use crate::model::level::Level;

use super::number::WrittenNumber;
use super::when::TimeSpan;

/// Conditions on a line, joined.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryExpr {
    /// All must hold; of none: every line.
    All(Vec<QueryExpr>),
    /// One must hold.
    Any(Vec<QueryExpr>),
    /// Must not hold.
    Not(Box<QueryExpr>),
    /// A single condition.
    Term(QueryTerm),
}

/// A single condition on a line.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryTerm {
    /// This text is in it, as a word of the query or in quotes. Never empty.
    Text(String),
    /// This text stands in it as it was typed, apart from what surrounds it. Never written in a query:
    /// added to one that may have been copied from a line.
    AsTyped(String),
    /// This expression matches in it.
    Regex(RegexPattern),
    /// The name of the host matches a glob.
    Host(String),
    /// The name of the source matches a glob.
    Source(String),
    /// The level it states is in this relation to another.
    Level(ComparisonOp, Level),
    /// A field of it, or its text where it has no such field.
    Field(FieldTest),
    /// Its time is within this.
    Time(TimeSpan),
}

/// A regular expression as the `regex` crate reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexPattern {
    /// The expression; a slash in it is not escaped.
    pub text: String,
    /// Letters match in either case.
    pub either_case: bool,
}

/// A condition on a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldTest {
    /// The field's name, with dots where objects are nested.
    pub name: String,
    /// What is asked of it.
    pub test: ValueTest,
}

/// What is asked of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueTest {
    /// `name:value`: its whole value is like this.
    Like(Vec<ValuePiece>),
    /// `name=value`: its value is exactly this.
    Is(String),
    /// `name!=value`: it is there and its value is another.
    IsNot(String),
    /// `name>=500`: its value is a number (or a duration, or a size) in this relation.
    Number(ComparisonOp, WrittenNumber),
}

/// A piece of a value with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePiece {
    /// This text. Never empty, and never after another one.
    Text(String),
    /// `*`: any text. Never after another one.
    Any,
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonOp {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `:`, of levels.
    Equal,
    /// `!=`, of levels.
    Unequal,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl ComparisonOp {
    /// Whether the left compares so with the right. What cannot be compared (NaN) never does.
    #[must_use]
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::AtLeast => left >= right,
            Self::Above => left > right,
        }
    }

    /// As it is printed.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equal => ":",
            Self::Unequal => "!=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

impl QueryExpr {
    /// The expression that every line matches.
    #[must_use]
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// All of these, without parentheses that mean nothing.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        joined(parts, Self::All, |part| match part {
            Self::All(parts) => Ok(parts),
            other => Err(other),
        })
    }

    /// One of these, without parentheses that mean nothing.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        joined(parts, Self::Any, |part| match part {
            Self::Any(parts) => Ok(parts),
            other => Err(other),
        })
    }
}

fn joined(
    parts: Vec<QueryExpr>,
    join: fn(Vec<QueryExpr>) -> QueryExpr,
    open: fn(QueryExpr) -> Result<Vec<QueryExpr>, QueryExpr>,
) -> QueryExpr {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match open(part) {
            Ok(inner) => flat.extend(inner),
            Err(part) => flat.push(part),
        }
    }
    if flat.len() == 1 {
        flat.remove(0)
    } else {
        join(flat)
    }
}
