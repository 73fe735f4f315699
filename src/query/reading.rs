//! How a query was read, in words: for somebody who wonders why it finds nothing.

use std::fmt;

use super::ast::{FieldTest, QueryExpr, QueryTerm, ValueTest};
use super::copied::is_text;
use super::print::Quoted;

/// Signs that join terms elsewhere, and the words that do here.
const JOINING: [(&str, &str); 3] = [("|", "OR"), ("||", "OR"), ("&&", "AND")];

/// More terms than these say no more to a reader.
const MAX_TERMS: usize = 8;

/// How a query was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryReading {
    /// What a line must be.
    pub meaning: String,
    /// The query for the text as it was typed, where that is something else.
    pub quoted: Option<String>,
    /// A sign that was taken for text, and the word that joins.
    joining: Option<(&'static str, &'static str)>,
}

impl QueryReading {
    pub(super) fn of(typed: &str, expr: &QueryExpr) -> Self {
        let sign = |(sign, _): &&(&str, &str)| typed.split_whitespace().any(|word| word == *sign);
        Self {
            meaning: meaning(expr),
            quoted: (!is_text(expr)).then(|| Quoted(typed).to_string()),
            joining: JOINING.iter().find(sign).copied(),
        }
    }

    /// The same, with what is quoted in quotes for a shell.
    #[must_use]
    pub fn for_shell(&self) -> Self {
        let in_quotes = |text: &String| format!("'{}'", text.replace('\'', r"'\''"));
        Self {
            quoted: self.quoted.as_ref().map(in_quotes),
            ..self.clone()
        }
    }
}

impl fmt::Display for QueryReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "looked for {}", self.meaning)?;
        if let Some((sign, word)) = self.joining {
            write!(f, "; to join terms write {word} in place of {sign}")?;
        }
        match &self.quoted {
            Some(quoted) => write!(f, "; for the text itself write {quoted}"),
            None => Ok(()),
        }
    }
}

fn meaning(expr: &QueryExpr) -> String {
    match expr {
        QueryExpr::All(parts) if parts.is_empty() => "any line".to_owned(),
        QueryExpr::All(parts) => listed(parts, " and "),
        QueryExpr::Any(parts) => listed(parts, " or "),
        QueryExpr::Not(inner) => format!("no {}", within(inner)),
        QueryExpr::Term(term) => meaning_of_term(term),
    }
}

fn listed(parts: &[QueryExpr], between: &str) -> String {
    let mut words: Vec<String> = parts.iter().take(MAX_TERMS).map(within).collect();
    if let Some(more) = parts.len().checked_sub(MAX_TERMS + 1) {
        words.push(format!("{} more", more + 1));
    }
    words.join(between)
}

/// In parentheses where it has parts of its own.
fn within(expr: &QueryExpr) -> String {
    match expr {
        QueryExpr::All(_) | QueryExpr::Any(_) => format!("({})", meaning(expr)),
        QueryExpr::Not(_) | QueryExpr::Term(_) => meaning(expr),
    }
}

fn meaning_of_term(term: &QueryTerm) -> String {
    match term {
        QueryTerm::Text(text) | QueryTerm::AsTyped(text) => Quoted(text).to_string(),
        QueryTerm::Regex(pattern) => format!("a match of the regular expression {pattern}"),
        QueryTerm::Host(glob) => format!("a host named {}", Quoted(glob)),
        QueryTerm::Source(glob) => format!("a source named {}", Quoted(glob)),
        QueryTerm::Level(order, level) => format!("a level {} {level}", order.sign()),
        QueryTerm::Field(field) => meaning_of_field(field),
        QueryTerm::Time(span) => format!("a time in {span}"),
    }
}

fn meaning_of_field(FieldTest { name, test }: &FieldTest) -> String {
    let name = Quoted(name);
    match test {
        ValueTest::Like(_) => format!("a field {name} like {}", AfterSign(test)),
        ValueTest::Is(value) => format!("a field {name} that is {}", Quoted(value)),
        ValueTest::IsNot(value) => format!("a field {name} that is not {}", Quoted(value)),
        ValueTest::Number(order, number) => format!("a field {name} {} {number}", order.sign()),
    }
}

/// A value with wildcards as it is printed, without the name.
struct AfterSign<'a>(&'a ValueTest);

impl fmt::Display for AfterSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let test = self.0.clone();
        let name = "x".to_owned();
        f.write_str(&FieldTest { name, test }.to_string()[2..])
    }
}

#[cfg(test)]
mod tests {
    use crate::query::{Query, ReferenceTime};

    fn reading(text: &str) -> String {
        let query = Query::parse(text, &ReferenceTime::default()).expect("a query");
        query.reading().for_shell().to_string()
    }

    #[test]
    fn a_query_says_in_words_what_it_looks_for() {
        for (text, expected) in [
            ("foo bar", "looked for \"foo\" and \"bar\""),
            ("\"foo bar\"", "looked for \"foo bar\""),
            (
                "error -healthz",
                "looked for \"error\" and no \"healthz\"; for the text itself write '\"error -healthz\"'",
            ),
            (
                "a | it's",
                "looked for \"a\" and \"|\" and \"it's\"; to join terms write OR in place of |",
            ),
            (
                "rip=192.0.2.1, x:a*",
                "looked for a field \"rip\" that is \"192.0.2.1\" and a field \"x\" like a*; for the text itself write '\"rip=192.0.2.1, x:a*\"'",
            ),
            (
                "/it's/ OR (a -(b c))",
                "looked for a match of the regular expression /it's/ or (\"a\" and no (\"b\" and \"c\")); for the text itself write '\"/it'\\''s/ OR (a -(b c))\"'",
            ),
            (
                "level>=warn since:15m host:a",
                "looked for a level >= warn and a time in since:15m and a host named \"a\"; for the text itself write '\"level>=warn since:15m host:a\"'",
            ),
        ] {
            assert_eq!(reading(text), expected, "{text}");
        }
        let many = reading(&vec!["x"; 20].join(" "));
        assert!(many.ends_with("and 12 more"), "{many}");
    }

    #[test]
    fn what_is_offered_is_the_text_as_it_was_typed() {
        let text = r#"a -b "c\"d" C:\x"#;
        let query = Query::parse(text, &ReferenceTime::default()).expect("a query");
        let quoted = query.reading().quoted.expect("another reading");
        let quoted = Query::parse(&quoted, &ReferenceTime::default()).expect("a query");
        assert_eq!(quoted.reading().quoted, None);
        let line = crate::query::MatchInput {
            host: "",
            source: "",
            time: crate::model::time::Time(0),
            dialect: None,
            raw: text.as_bytes(),
        };
        assert!(quoted.matches(&line));
    }
}
