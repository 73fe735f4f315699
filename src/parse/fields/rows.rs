//! Rows whose values have their names elsewhere: in the head of the log, or in the shape of a row that
//! only one program writes.

use super::access;
use super::value::FieldValue;
use super::visitor::{FieldPath, FieldVisitor, Flow};
use crate::model::dialect::{ColumnSeparator, NamedColumns};
use crate::parse::named_columns::{self, RowShape, RowValues};
use std::borrow::Cow;

/// A row, and what names its values.
pub(super) enum NamedRow<'a, 'n> {
    /// By the head of the log.
    Head(&'a [u8], &'n NamedColumns),
    /// By its shape.
    Shape(&'a [u8], &'static RowShape),
}

/// A line as a row of these columns, if it is one.
pub(super) fn of_head<'a, 'n>(
    line: &'a [u8],
    columns: &'n NamedColumns,
) -> Option<NamedRow<'a, 'n>> {
    let row = named_columns::row(line, columns.separator);
    named_columns::is_row(row, columns).then_some(NamedRow::Head(row, columns))
}

/// A line as a row that only one program writes, if it is one.
pub(super) fn of_shape(line: &[u8]) -> Option<NamedRow<'_, 'static>> {
    let row = named_columns::row(line, ColumnSeparator::Blank);
    Some(NamedRow::Shape(row, named_columns::shape(row)?))
}

impl<'a> NamedRow<'a, '_> {
    /// Shows its values.
    pub(super) fn walk(self, visit: &mut dyn FieldVisitor<'a>) -> Flow {
        match self {
            Self::Head(line, columns) => {
                let values = RowValues::of(line, columns.separator);
                let in_quotes = matches!(columns.separator, ColumnSeparator::Quoted(_));
                columns
                    .names
                    .iter()
                    .zip(values)
                    .try_for_each(|(name, value)| show(name, value, in_quotes, visit))
            }
            Self::Shape(line, shape) => {
                let values = RowValues::of(line, shape.separator);
                shape
                    .names
                    .iter()
                    .zip(values)
                    .try_for_each(|(name, value)| show(name.as_bytes(), value, false, visit))
            }
        }
    }
}

/// A value under its name, and what is in it where that is a request or an address with its port.
fn show<'a>(
    name: &[u8],
    value: &'a [u8],
    in_quotes: bool,
    visit: &mut dyn FieldVisitor<'a>,
) -> Flow {
    if matches!(value, b"" | b"-" | b"(empty)") {
        return Flow::Continue(());
    }
    if in_quotes && memchr::memmem::find(value, b"\"\"").is_some() {
        let path = FieldPath::member(None, name);
        return visit.offer(&path, || FieldValue::of_text(Cow::Owned(undoubled(value))));
    }
    visit.sniffed(name, value)?;
    match name {
        b"request" if value.contains(&b' ') => access::request(value, visit),
        b"client" => match memchr::memrchr(b':', value) {
            Some(colon) => visit.text(b"client_ip", &value[..colon]),
            None => Flow::Continue(()),
        },
        _ => Flow::Continue(()),
    }
}

/// A value of CSV with one quote for two.
fn undoubled(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memmem::find(rest, b"\"\"") {
        text.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
    text
}
