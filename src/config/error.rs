//! What is wrong with the configuration, where, and what was probably meant: one line, below which
//! a query is shown with a caret under the place.

use std::fmt;
use std::path::PathBuf;

use crate::query::QueryError;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it goes wrong.
    pub place: ErrorPlace,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Where the configuration goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorPlace {
    /// A character of a file; line and column count from 1, the column in characters.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// A file as a whole.
    WholeFile(PathBuf),
    /// An option, `--hosts`, or a variable of the environment.
    Option(&'static str),
    /// A part of a query.
    Query {
        /// The option.
        option: &'static str,
        /// The query with carets under the part: two lines without characters that a terminal
        /// obeys.
        picture: String,
    },
}

impl ConfigError {
    /// An error in the value of an option.
    #[must_use]
    pub fn option(option: &'static str, message: impl Into<String>) -> Self {
        Self {
            place: ErrorPlace::Option(option),
            message: message.into(),
        }
    }

    /// An error in the query that an option or an argument has.
    pub(super) fn query(option: &'static str, text: &str, error: QueryError) -> Self {
        Self {
            place: ErrorPlace::Query {
                option,
                picture: error.picture(text),
            },
            message: error.message,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            ErrorPlace::File { path, line, column } => {
                format!("{}:{line}:{column}", path.display())
            }
            ErrorPlace::WholeFile(path) => path.display().to_string(),
            ErrorPlace::Option(option) | ErrorPlace::Query { option, .. } => (*option).to_owned(),
        };
        // File names and messages of libraries may contain anything; an error stays one line
        // whatever they do.
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        f.write_str(
            &format!("{place}: {}", self.message)
                .chars()
                .map(one_line)
                .collect::<String>(),
        )?;
        match &self.place {
            ErrorPlace::Query { picture, .. } => write!(f, "\n{picture}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Likeness from which a name is worth suggesting. clap has 0.7 for its options, which are long;
/// names here are short, and with 0.7 "custom" is like "auto".
const ALIKE: f64 = 0.8;

/// The candidate that is most like what was given, if any is.
pub(super) fn closest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let scored = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro(given, candidate), candidate));
    let good = scored.filter(|(score, _)| *score > ALIKE);
    // Of equals the first, so that the message is the same each time.
    let best = good.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, candidate)| candidate)
}

/// `; did you mean "x"?`, or nothing.
pub(super) fn suggestion<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(given, candidates)
        .map(|name| format!("; did you mean {name:?}?"))
        .unwrap_or_default()
}

/// The same, or where nothing is alike `; ` and what to say in its place.
pub(super) fn suggestion_or<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    match suggestion(given, candidates) {
        hint if hint.is_empty() => format!("; {}", otherwise()),
        hint => hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_it_contains() {
        let error = ConfigError {
            place: ErrorPlace::WholeFile("a\nb".into()),
            message: "x\r\ny".into(),
        };
        assert_eq!(error.to_string(), "a b: x  y");
    }

    #[test]
    fn a_typing_error_is_recognised_and_something_else_is_not() {
        assert_eq!(closest("adress", ["address", "port"]), Some("address"));
        assert_eq!(closest("prdo", ["prod", "core"]), Some("prod"));
        assert_eq!(closest("zzz", ["address", "port"]), None);
        assert_eq!(closest("custom", ["auto", "russh", "system"]), None);
    }
}
