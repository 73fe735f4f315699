//! Formats of stamps as the inventory gives them: by name, as a pattern, as a regular expression.
//!
//! What the names mean is left to `formats`; how patterns are read to `pattern` and `expression`.

use std::sync::Arc;

use super::expression::TimestampRegex;
use super::formats::{self, FORMATS};
use super::layout::TimestampLayout;
use super::moment::ParsedStamp;
use super::notation::TimestampNotation;
use super::pattern::TimestampPattern;
use super::spots::PREFIX_BYTES;
use super::zone::ZoneNames;

/// The format of the stamps of a source, as the inventory has it.
#[derive(Debug, Clone)]
pub struct TimeFormat(FormatKind);

#[derive(Debug, Clone)]
enum FormatKind {
    Named(&'static TimestampNotation),
    Pattern(Arc<TimestampPattern>),
    Expression(Arc<TimestampRegex>),
}

impl TimeFormat {
    /// The format that a text of the inventory means: one of [`names`](Self::names); a pattern with
    /// the fields of `strftime` (`%d.%m.%Y %H:%M:%S`); or, between slashes, a regular expression
    /// with named groups (`/at (?<epoch>\d+)ms/`).
    ///
    /// # Errors
    /// What is wrong with it, in a part of a line. An unknown name is `unknown time format "…"`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let kind = if let Some(format) = formats::named(text) {
            FormatKind::Named(format)
        } else if let Some(inside) = text.strip_prefix('/') {
            let inside = inside
                .strip_suffix('/')
                .ok_or("the regular expression of a time ends with '/'")?;
            FormatKind::Expression(Arc::new(TimestampRegex::parse(inside)?))
        } else if text.contains('%') {
            FormatKind::Pattern(Arc::new(TimestampPattern::parse(text)?))
        } else {
            return Err(format!("unknown time format {text:?}"));
        };
        Ok(Self(kind))
    }

    /// The names of formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|format| format.name)
    }

    /// The names of formats with what each looks like.
    pub fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
        FORMATS.iter().map(|format| (format.name, format.example))
    }

    /// What it is called where a word must do.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.0 {
            FormatKind::Named(format) => format.name,
            FormatKind::Pattern(_) => "pattern",
            FormatKind::Expression(_) => "regex",
        }
    }

    /// The stamp of a line. `at`: where it was in the line before; where it is in this one.
    pub(super) fn find(
        &self,
        line: &[u8],
        at: &mut usize,
        names: &ZoneNames,
    ) -> Option<ParsedStamp> {
        match &self.0 {
            FormatKind::Named(format) => {
                let (layout, found) = TimestampLayout {
                    at: *at,
                    ..TimestampLayout::anywhere(format)
                }
                .find(line, names)?;
                *at = layout.at;
                Some(found)
            }
            FormatKind::Pattern(pattern) => pattern.find(line, at, PREFIX_BYTES, names),
            FormatKind::Expression(expression) => expression.find(line, names),
        }
    }
}
