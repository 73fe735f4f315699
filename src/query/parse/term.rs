//! Words: names with an operator and a value, or text.

use super::QueryReader;
use crate::model::level::Level;
use crate::parse::level;
use crate::query::ast::{ComparisonOp, FieldTest, QueryExpr, QueryTerm, ValuePiece, ValueTest};
use crate::query::error::QueryError;
use crate::query::expression;
use crate::query::number::WrittenNumber;

/// Names that mean something else than a field of the line. With a dot before it, each is a field:
/// `.level:x`.
pub(in crate::query) const RESERVED: [&str; 5] = ["level", "host", "source", "since", "until"];

/// What is between a name and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelationSign {
    Colon,
    Equals,
    Compare(ComparisonOp),
}

/// The longer ones first, since the shorter ones begin them.
const SIGNS: [(&str, RelationSign); 7] = [
    (":", RelationSign::Colon),
    ("!=", RelationSign::Compare(ComparisonOp::Unequal)),
    (">=", RelationSign::Compare(ComparisonOp::AtLeast)),
    ("<=", RelationSign::Compare(ComparisonOp::AtMost)),
    ("=", RelationSign::Equals),
    (">", RelationSign::Compare(ComparisonOp::Above)),
    ("<", RelationSign::Compare(ComparisonOp::Below)),
];

/// Signs that join terms elsewhere, and the words that do here.
const JOINING: [(&str, &str); 3] = [("|", "OR"), ("||", "OR"), ("&&", "AND")];

impl QueryReader<'_> {
    /// A condition on a field, or text.
    pub(super) fn word(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        if let Some(expr) = self.condition()? {
            return Ok(expr);
        }
        self.at = start;
        let word = self.bare();
        if word.is_empty() {
            return self.missing();
        }
        // A search for the sign itself would find next to nothing, without a reason.
        if let Some((sign, meant)) = JOINING.iter().find(|(sign, _)| *sign == word) {
            let message =
                format!("to join terms write {meant}; to find the sign itself write \"{sign}\"");
            return self.error(start..self.at, message);
        }
        Ok(QueryExpr::Term(QueryTerm::Text(word.to_owned())))
    }

    fn condition(&mut self) -> Result<Option<QueryExpr>, QueryError> {
        let start = self.at;
        let Some(name) = name_of(self.bare_at()) else {
            return Ok(None);
        };
        self.at += name.len();
        if RESERVED.contains(&name) {
            self.reserved(name, start)
        } else {
            self.field_named(name.strip_prefix('.').unwrap_or(name), start)
        }
    }

    fn sign(&self) -> Option<(RelationSign, usize)> {
        let rest = self.rest();
        SIGNS
            .iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .map(|(sign, meaning)| (*meaning, sign.len()))
    }

    fn reserved(&mut self, name: &str, start: usize) -> Result<Option<QueryExpr>, QueryError> {
        let Some((sign, length)) = self.sign() else {
            return Ok(None);
        };
        if name == "level" {
            self.at += length;
            return self.level(sign).map(Some);
        }
        let is_name = matches!(name, "host" | "source");
        let negated = is_name && sign == RelationSign::Compare(ComparisonOp::Unequal);
        if !negated && matches!(sign, RelationSign::Compare(_)) {
            let message = format!("{name} cannot be compared: write {name}:{}", example(name));
            return self.error(self.at..self.at + length, message);
        }
        self.at += length;
        let term = match name {
            "host" => QueryExpr::Term(QueryTerm::Host(self.glob(name)?)),
            "source" => QueryExpr::Term(QueryTerm::Source(self.glob(name)?)),
            name => self.bound(start, name == "until")?,
        };
        if negated {
            return Ok(Some(QueryExpr::Not(Box::new(term))));
        }
        Ok(Some(term))
    }

    fn level(&mut self, sign: RelationSign) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        let name = self.bare();
        let order = match sign {
            RelationSign::Colon | RelationSign::Equals => ComparisonOp::Equal,
            RelationSign::Compare(order) => order,
        };
        if name == "*" && order == ComparisonOp::Equal {
            let any = QueryTerm::Level(ComparisonOp::AtLeast, Level::Trace);
            return Ok(QueryExpr::Term(any));
        }
        if let Some(level) = level::named_by(name) {
            return Ok(QueryExpr::Term(QueryTerm::Level(order, level)));
        }
        let what = if name.is_empty() {
            "a level is missing".to_owned()
        } else {
            format!("{name:?} is not a level")
        };
        self.error(start..self.at, format!("{what}: {}", level_hint(name)))
    }

    fn glob(&mut self, name: &str) -> Result<String, QueryError> {
        let start = self.at;
        let pattern = self.value_text()?;
        if pattern.is_empty() {
            let message = format!(
                "{name}: needs a name or a pattern, as in {name}:{}",
                example(name)
            );
            return self.error(start..self.at, message);
        }
        match expression::glob(&pattern) {
            Ok(_) => Ok(pattern),
            Err(cause) => self.error(
                start..self.at,
                format!("{pattern:?} is not a pattern: {}", cause.kind()),
            ),
        }
    }

    /// A value without wildcards, in quotes or not.
    fn value_text(&mut self) -> Result<String, QueryError> {
        if !self.rest().starts_with('"') {
            return Ok(self.bare().to_owned());
        }
        let text = self.quoted()?;
        self.ended("the closing quote")?;
        Ok(text)
    }

    /// The condition on a field whose name has just been read; `None` where this is text after all.
    pub(super) fn field_named(
        &mut self,
        name: &str,
        start: usize,
    ) -> Result<Option<QueryExpr>, QueryError> {
        let Some((sign, length)) = self.sign() else {
            return Ok(None);
        };
        let value = &self.rest()[length..];
        if self.ends(value) || is_text(name, sign, value) {
            return Ok(None);
        }
        if sign == RelationSign::Equals && value.starts_with(['=', '~']) {
            if self.ends(&value[1..]) {
                return Ok(None);
            }
            let hint =
                "write name=value, name:value with * for any text, or put text in \"quotes\"";
            return self.error(self.at..self.at + length + 1, hint);
        }
        self.at += length;
        let test = self.test(name, sign, start)?;
        let name = name.to_owned();
        Ok(test.map(|test| QueryExpr::Term(QueryTerm::Field(FieldTest { name, test }))))
    }

    /// What a field is to be, behind the sign.
    fn test(
        &mut self,
        name: &str,
        sign: RelationSign,
        start: usize,
    ) -> Result<Option<ValueTest>, QueryError> {
        Ok(Some(match sign {
            RelationSign::Colon => match self.compared_after_colon() {
                Some(test) => test,
                None => ValueTest::Like(self.pieces()?),
            },
            RelationSign::Equals => ValueTest::Is(self.value_text()?),
            RelationSign::Compare(ComparisonOp::Unequal) => ValueTest::IsNot(self.value_text()?),
            RelationSign::Compare(order) => return self.number(name, order, start),
        }))
    }

    /// `status:>=500`, as other tools write it.
    fn compared_after_colon(&mut self) -> Option<ValueTest> {
        let (RelationSign::Compare(order), length) = self.sign()? else {
            return None;
        };
        let number = WrittenNumber::parse(self.bare_at().get(length..)?)
            .filter(|_| order != ComparisonOp::Unequal)?;
        self.bare();
        Some(ValueTest::Number(order, number))
    }

    /// The number of a comparison. `a->b` and `Vec<u8>` are text, but with `>=` a comparison was
    /// certainly meant.
    fn number(
        &mut self,
        name: &str,
        order: ComparisonOp,
        start: usize,
    ) -> Result<Option<ValueTest>, QueryError> {
        let value_at = self.at;
        let value = self.bare();
        match WrittenNumber::parse(value) {
            Some(number) => Ok(Some(ValueTest::Number(order, number))),
            None if matches!(order, ComparisonOp::Above | ComparisonOp::Below) => {
                self.at = start;
                Ok(None)
            }
            None => {
                let hint = format!(
                    "{name}{}500, or a duration or size as in {name}{0}1.5s",
                    order.sign()
                );
                self.error(
                    value_at..self.at,
                    format!("{value:?} is not a number: write {hint}"),
                )
            }
        }
    }

    /// A value in which `*` is any text, except in quotes: `"no stock"*`.
    fn pieces(&mut self) -> Result<Vec<ValuePiece>, QueryError> {
        let mut pieces = Vec::new();
        loop {
            if self.rest().starts_with('"') {
                push(&mut pieces, &self.quoted()?);
                if !self.rest().starts_with('*') {
                    self.ended("the closing quote")?;
                }
            }
            let word = self.bare_at();
            let (text, star) = word
                .find('*')
                .map_or((word, false), |at| (&word[..at], true));
            push(&mut pieces, text);
            self.at += text.len() + usize::from(star);
            if !star {
                return Ok(pieces);
            }
            if pieces.last() != Some(&ValuePiece::Any) {
                pieces.push(ValuePiece::Any);
            }
        }
    }
}

fn push(pieces: &mut Vec<ValuePiece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(ValuePiece::Text(before)) => before.push_str(text),
        _ => pieces.push(ValuePiece::Text(text.to_owned())),
    }
}

/// The name that begins a word, where one does: letters first, or a dot that says that it is one. A
/// name in a query has no other characters than `_`, `-`, `.`, `@` besides letters and digits.
fn name_of(word: &str) -> Option<&str> {
    let forced = word.starts_with('.');
    let name = &word[usize::from(forced)..];
    let end = name
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_-.@".contains(c)))
        .unwrap_or(name.len());
    let first =
        |c: char| c.is_ascii_alphabetic() || c == '_' || c == '@' || forced && c.is_ascii_digit();
    let good = name.starts_with(first) && !name[..end].ends_with(['-', '.']);
    good.then(|| &word[..usize::from(forced) + end])
}

/// Whether a name in a printed query can be without quotes.
pub(in crate::query) fn is_name(name: &str) -> bool {
    name_of(name) == Some(name) && !name.starts_with('.')
}

/// What looks like a field and is everyday text: `std::io`, `http://x`, `C:\x`, `C:/x`, `a=>b`.
fn is_text(name: &str, sign: RelationSign, value: &str) -> bool {
    match sign {
        RelationSign::Colon => {
            value.starts_with([':', '\\'])
                || value.starts_with("//")
                || name.len() == 1 && value.starts_with('/')
        }
        RelationSign::Equals => value.starts_with('>'),
        RelationSign::Compare(_) => false,
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "host" => "web-*",
        "source" => "nginx*",
        _ => "15m",
    }
}

fn level_hint(name: &str) -> String {
    let near = Level::ALL
        .into_iter()
        .min_by_key(|level| strsim::levenshtein(level.as_str(), &name.to_lowercase()));
    match near.filter(|level| {
        !name.is_empty() && strsim::levenshtein(level.as_str(), &name.to_lowercase()) <= 2
    }) {
        Some(level) => format!("did you mean {level}?"),
        None => format!("use one of {}", Level::ALL.map(Level::as_str).join(", ")),
    }
}
