//! Rows whose values have their names elsewhere: in the head of the log, or in the shape of a row that
//! only one program writes.

use std::borrow::Cow;

use super::access;
use super::value::FieldValue;
use super::visitor::{FieldPath, FieldVisitor, Flow};
use crate::model::dialect::{ColumnSeparator, NamedColumns};
use crate::parse::named_columns::{self, RowShape, RowValues};

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

#[cfg(test)]
mod tests {
    use crate::parse::fields::{get, ids};

    fn field(line: &str, name: &str) -> Option<String> {
        get(line.as_bytes(), name).map(|value| String::from_utf8_lossy(&value.text).into_owned())
    }

    const BALANCER: &str = "https 2026-11-13T17:00:00.000000Z app/lb/1 192.0.2.1:2817 10.0.0.66:9000 0.086 0.048 0.037 502 - 57 812 \"GET https://shop.example:443/cart?id=1 HTTP/1.1\" \"curl/8.5 (x)\" ECDHE TLSv1.2 arn:aws:x \"Root=1-58337262-36d228ad5d99923122bbe354\" \"shop.example\"";
    const CLOUD_FRONT: &str = "2026-11-13\t17:55:07\tFRA56-C1\t2390\t192.0.2.10\tGET\td1.example\t/index.html\t404\t-\tcurl/8.5.0\t-";
    const IIS: &str =
        "2026-11-20 13:00:00 10.0.0.1 GET /a.aspx x=1 443 bob 10.0.0.2 Mozilla/5.0 - 500 0 64 15";
    const CEF: &str = "Nov 20 13:00:00 fw CEF:0|Acme|Wall|1.0|100|port scan|8|src=10.0.0.1 msg=a text of words status=denied";
    const NESTED: &str = r#"{"log": "{\"level\":\"error\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"order\":{\"id\":7}}\n", "stream":"stderr"}"#;

    #[test]
    fn the_values_of_known_rows_have_names() {
        for (line, name, value) in [
            (BALANCER, "status", Some("502")),
            (BALANCER, "elb_status_code", Some("502")),
            (BALANCER, "target_status_code", None),
            (BALANCER, "method", Some("GET")),
            (BALANCER, "path", Some("https://shop.example:443/cart?id=1")),
            (BALANCER, "remote_addr", Some("192.0.2.1")),
            (BALANCER, "user_agent", Some("curl/8.5 (x)")),
            (CLOUD_FRONT, "status", Some("404")),
            (CLOUD_FRONT, "path", Some("/index.html")),
            (CLOUD_FRONT, "remote_addr", Some("192.0.2.10")),
            (CLOUD_FRONT, "referer", None),
            (IIS, "status", Some("500")),
            (IIS, "user", Some("bob")),
            (IIS, "remote_addr", Some("10.0.0.2")),
            (CEF, "severity", Some("8")),
            (CEF, "msg", Some("a text of words")),
            (CEF, "status", Some("denied")),
            (CEF, "device_vendor", Some("Acme")),
            (NESTED, "order.id", Some("7")),
            (NESTED, "stream", Some("stderr")),
        ] {
            assert_eq!(field(line, name).as_deref(), value, "{name} of {line}");
        }
    }

    #[test]
    fn ids_in_an_object_in_an_object_are_found() {
        let trace = ids(NESTED.as_bytes()).trace.expect("a trace");
        assert_eq!(&*trace, b"4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
