//! Words: names with an operator and a value, or text.

use super::QueryReader;
use crate::model::level::Level;
use crate::parse::{fields, level};
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

impl QueryReader<'_> {
    /// A condition on a field, or text.
    pub(super) fn word(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        if let Some(expr) = self.condition()? {
            return Ok(expr);
        }
        Ok(self.text_from(start))
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
        let is_compared = matches!(sign, RelationSign::Compare(_));
        if !is_compared && self.ends(&self.rest()[length..]) {
            return Ok(None);
        }
        if name == "level" {
            self.at += length;
            return self.level(sign, start);
        }
        let is_name = matches!(name, "host" | "source");
        let negated = is_name && sign == RelationSign::Compare(ComparisonOp::Unequal);
        if !negated && is_compared {
            let message = format!("{name} cannot be compared: write {name}:{}", example(name));
            return self.error(self.at..self.at + length, message);
        }
        self.at += length;
        let term = match name {
            "host" => QueryExpr::Term(QueryTerm::Host(self.glob()?)),
            "source" => QueryExpr::Term(QueryTerm::Source(self.glob()?)),
            name => return self.bound(name == "until"),
        };
        if negated {
            return Ok(Some(QueryExpr::Not(Box::new(term))));
        }
        Ok(Some(term))
    }

    /// A level; what is none is a field, unless a level was certainly meant.
    fn level(&mut self, sign: RelationSign, term: usize) -> Result<Option<QueryExpr>, QueryError> {
        let start = self.at;
        let value = self.value_text();
        let name = value.as_str();
        let order = match sign {
            RelationSign::Colon | RelationSign::Equals => ComparisonOp::Equal,
            RelationSign::Compare(order) => order,
        };
        if name == "*" && order == ComparisonOp::Equal {
            let any = QueryTerm::Level(ComparisonOp::AtLeast, Level::Trace);
            return Ok(Some(QueryExpr::Term(any)));
        }
        if let Some(level) = level::named_by(name) {
            return Ok(Some(QueryExpr::Term(QueryTerm::Level(order, level))));
        }
        if !matches!(sign, RelationSign::Compare(_)) && near_level(name).is_none() {
            self.at = term + "level".len();
            return self.field_named("level", term);
        }
        let what = if name.is_empty() {
            "a level is missing".to_owned()
        } else {
            format!("{name:?} is not a level")
        };
        self.error(start..self.at, format!("{what}: {}", level_hint(name)))
    }

    fn glob(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let pattern = self.value_text();
        match expression::glob(&pattern) {
            Ok(_) => Ok(pattern),
            Err(cause) => self.error(
                start..self.at,
                format!(
                    "{pattern:?} is not a pattern: {}; put text in \"quotes\"",
                    cause.kind()
                ),
            ),
        }
    }

    /// A value without wildcards, in quotes or not.
    fn value_text(&mut self) -> String {
        let start = self.at;
        if self.rest().starts_with('"')
            && let Some(text) = self.quoted()
        {
            return text;
        }
        self.at = start;
        without_marks(self.bare()).to_owned()
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
        let is_other = sign == RelationSign::Equals && value.starts_with(['=', '~']);
        // A value of nothing but brackets and commas.
        let is_empty =
            !value.starts_with('"') && without_marks(self.bare_from(self.at + length)).is_empty();
        if is_other || is_empty {
            return Ok(None);
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
                None => ValueTest::Like(self.pieces()),
            },
            RelationSign::Equals => ValueTest::Is(self.value_text()),
            RelationSign::Compare(ComparisonOp::Unequal) => ValueTest::IsNot(self.value_text()),
            RelationSign::Compare(order) => return self.number(name, order, start),
        }))
    }

    /// `status:>=500`, as other tools write it.
    fn compared_after_colon(&mut self) -> Option<ValueTest> {
        let (RelationSign::Compare(order), length) = self.sign()? else {
            return None;
        };
        let number = WrittenNumber::parse(without_closing(self.bare_at().get(length..)?))
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
        let value = without_closing(self.bare());
        let begins = value.strip_prefix(['-', '+', '.']).unwrap_or(value);
        match WrittenNumber::parse(value) {
            Some(number) => Ok(Some(ValueTest::Number(order, number))),
            None if matches!(order, ComparisonOp::Above | ComparisonOp::Below)
                || !begins.starts_with(|c: char| c.is_ascii_digit()) =>
            {
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
                    format!("{value:?} is not a number: write {hint}; put text in \"quotes\""),
                )
            }
        }
    }

    /// A value in which `*` is any text, except in quotes: `"no stock"*`.
    fn pieces(&mut self) -> Vec<ValuePiece> {
        let start = self.at;
        self.pieces_with_quotes().unwrap_or_else(|| {
            self.at = start;
            let mut pieces = Vec::new();
            wildcards(without_marks(self.bare()), &mut pieces);
            pieces
        })
    }

    /// `None` where there are no quotes, or where something unexpected follows them.
    fn pieces_with_quotes(&mut self) -> Option<Vec<ValuePiece>> {
        let rest = self.rest();
        rest[..self.bare_at().len()].contains('"').then_some(())?;
        let mut pieces = Vec::new();
        loop {
            if self.rest().starts_with('"') {
                let start = self.at;
                let text = self.quoted_piece()?;
                if !self.rest().starts_with('*') {
                    self.at = start;
                    self.quoted()?;
                }
                push(&mut pieces, &text);
            }
            let word = self.bare_at();
            let (text, star) = word
                .find('*')
                .map_or((word, false), |at| (&word[..at], true));
            if text.contains('"') {
                return None;
            }
            push(&mut pieces, text);
            self.at += text.len() + usize::from(star);
            if !star {
                return Some(pieces);
            }
            push_any(&mut pieces);
        }
    }
}

/// The pieces of a value without quotes.
fn wildcards(value: &str, pieces: &mut Vec<ValuePiece>) {
    for (index, text) in value.split('*').enumerate() {
        if index > 0 {
            push_any(pieces);
        }
        push(pieces, text);
    }
}

fn push_any(pieces: &mut Vec<ValuePiece>) {
    if pieces.last() != Some(&ValuePiece::Any) {
        pieces.push(ValuePiece::Any);
    }
}

/// A value without the signs that stand behind it in a line: a comma, a bracket that was opened
/// before it.
fn without_closing(value: &str) -> &str {
    let mut value = value;
    while let Some(last) = value.chars().next_back() {
        let rest = &value[..value.len() - last.len_utf8()];
        let opening = match last {
            ',' | ';' => None,
            ')' => Some('('),
            ']' => Some('['),
            '}' => Some('{'),
            _ => return value,
        };
        let is_open = |open: char| value.matches(open).count() >= value.matches(last).count();
        if opening.is_some_and(is_open) {
            return value;
        }
        value = rest;
    }
    value
}

/// The same, without the brackets or quotes around it.
fn without_marks(value: &str) -> &str {
    let value = without_closing(value);
    fields::without_brackets(value.as_bytes())
        .and_then(|inner| std::str::from_utf8(inner).ok())
        .unwrap_or(value)
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

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The level that a word with a slip of the finger means.
fn near_level(name: &str) -> Option<Level> {
    let distance = |level: Level| strsim::levenshtein(level.as_str(), &name.to_lowercase());
    Level::ALL
        .into_iter()
        .min_by_key(|&level| distance(level))
        .filter(|&level| is_word(name) && distance(level) <= 2)
}

fn level_hint(name: &str) -> String {
    match near_level(name) {
        Some(level) => format!("did you mean {level}?"),
        None => format!("use one of {}", Level::ALL.map(Level::as_str).join(", ")),
    }
}
