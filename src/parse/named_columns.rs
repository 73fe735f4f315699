//! Rows of values whose names are elsewhere: in the head of the log (W3C's extended format, IIS,
//! CloudFront, Zeek, CSV), or in the documentation of a program whose rows have a shape that no
//! other has.
//!
//! Reading heads is left to `dialect`, showing values as fields to `fields`.

use super::bytes::{Words, first_line, is_digits, split_quoted, word};
use crate::model::dialect::{ColumnSeparator, NamedColumns};

/// The values of a row, in its order.
#[derive(Debug, Clone)]
pub(super) struct RowValues<'a> {
    /// `None` behind the last.
    rest: Option<&'a [u8]>,
    separator: ColumnSeparator,
}

impl<'a> RowValues<'a> {
    /// Of a line.
    pub(super) fn of(line: &'a [u8], separator: ColumnSeparator) -> Self {
        let has_tab = || memchr::memchr(b'\t', line).is_some();
        let separator = match separator {
            ColumnSeparator::Blank if has_tab() => ColumnSeparator::Byte(b'\t'),
            other => other,
        };
        Self {
            rest: Some(line),
            separator,
        }
    }

    /// A value in quotes, with what follows it.
    fn quoted(rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        split_quoted(rest.strip_prefix(b"\"")?)
    }

    /// A value of CSV in quotes, in which two quotes stand for one.
    fn doubly_quoted(rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let inner = rest.strip_prefix(b"\"")?;
        let mut at = 0;
        loop {
            at += memchr::memchr(b'"', &inner[at..])?;
            if inner.get(at + 1) != Some(&b'"') {
                return Some((&inner[..at], &inner[at + 1..]));
            }
            at += 2;
        }
    }
}

impl<'a> Iterator for RowValues<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut rest = self.rest?;
        let (byte, in_quotes) = match self.separator {
            ColumnSeparator::Blank => {
                rest = rest.trim_ascii_start();
                (b' ', Self::quoted(rest))
            }
            ColumnSeparator::Byte(byte) => (byte, None),
            ColumnSeparator::Quoted(byte) => (byte, Self::doubly_quoted(rest)),
        };
        let (value, after) = match in_quotes {
            Some((value, after)) => (Some(value), after),
            None => (None, rest),
        };
        let end = memchr::memchr(byte, after);
        self.rest = end.map(|end| &after[end + 1..]);
        let plain = &after[..end.unwrap_or(after.len())];
        if rest.is_empty() && self.separator == ColumnSeparator::Blank {
            self.rest = None;
            return None;
        }
        Some(value.unwrap_or(plain))
    }
}

/// The first line of a record, or all of it where a value may have line ends.
pub(super) fn row(record: &[u8], separator: ColumnSeparator) -> &[u8] {
    let line = match separator {
        ColumnSeparator::Quoted(_) => record,
        ColumnSeparator::Blank | ColumnSeparator::Byte(_) => first_line(record),
    };
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a line is a row of these columns: it has a value for each of them.
pub(super) fn is_row(line: &[u8], columns: &NamedColumns) -> bool {
    !line.starts_with(b"#")
        && RowValues::of(line, columns.separator)
            .take(columns.names.len())
            .count()
            == columns.names.len()
}

/// Columns that a row has without a head.
#[derive(Debug)]
pub(super) struct RowShape {
    /// Their names, by the documentation of the program.
    pub(super) names: &'static [&'static str],
    pub(super) separator: ColumnSeparator,
    pub(super) status: usize,
}

/// The balancer of AWS for HTTP:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html>.
static APPLICATION_BALANCER: RowShape = RowShape {
    names: &[
        "type",
        "time",
        "elb",
        "client",
        "target",
        "request_processing_time",
        "target_processing_time",
        "response_processing_time",
        "elb_status_code",
        "target_status_code",
        "received_bytes",
        "sent_bytes",
        "request",
        "user_agent",
        "ssl_cipher",
        "ssl_protocol",
        "target_group_arn",
        "trace_id",
        "domain_name",
        "chosen_cert_arn",
        "matched_rule_priority",
        "request_creation_time",
        "actions_executed",
        "redirect_url",
        "error_reason",
        "target_list",
        "target_status_code_list",
        "classification",
        "classification_reason",
        "conn_trace_id",
    ],
    separator: ColumnSeparator::Blank,
    status: 8,
};

/// The one before it.
static CLASSIC_BALANCER: RowShape = RowShape {
    names: &[
        "time",
        "elb",
        "client",
        "backend",
        "request_processing_time",
        "backend_processing_time",
        "response_processing_time",
        "elb_status_code",
        "backend_status_code",
        "received_bytes",
        "sent_bytes",
        "request",
        "user_agent",
        "ssl_cipher",
        "ssl_protocol",
    ],
    separator: ColumnSeparator::Blank,
    status: 7,
};

/// CloudFront's standard logs:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html>.
static CLOUD_FRONT: RowShape = RowShape {
    names: &[
        "date",
        "time",
        "x-edge-location",
        "sc-bytes",
        "c-ip",
        "cs-method",
        "cs(Host)",
        "cs-uri-stem",
        "sc-status",
        "cs(Referer)",
        "cs(User-Agent)",
        "cs-uri-query",
        "cs(Cookie)",
        "x-edge-result-type",
        "x-edge-request-id",
        "x-host-header",
        "cs-protocol",
        "cs-bytes",
        "time-taken",
        "x-forwarded-for",
        "ssl-protocol",
        "ssl-cipher",
        "x-edge-response-result-type",
        "cs-protocol-version",
        "fle-status",
        "fle-encrypted-fields",
        "c-port",
        "time-to-first-byte",
        "x-edge-detailed-result-type",
        "sc-content-type",
        "sc-content-len",
        "sc-range-start",
        "sc-range-end",
    ],
    separator: ColumnSeparator::Byte(b'\t'),
    status: 8,
};

/// What IIS has chosen where nobody has chosen others.
static IIS: RowShape = RowShape {
    names: &[
        "date",
        "time",
        "s-ip",
        "cs-method",
        "cs-uri-stem",
        "cs-uri-query",
        "s-port",
        "cs-username",
        "c-ip",
        "cs(User-Agent)",
        "cs(Referer)",
        "sc-status",
        "sc-substatus",
        "sc-win32-status",
        "time-taken",
    ],
    separator: ColumnSeparator::Blank,
    status: 11,
};

/// Before its version 8, which has added the referer.
static OLD_IIS: RowShape = RowShape {
    names: &[
        "date",
        "time",
        "s-ip",
        "cs-method",
        "cs-uri-stem",
        "cs-uri-query",
        "s-port",
        "cs-username",
        "c-ip",
        "cs(User-Agent)",
        "sc-status",
        "sc-substatus",
        "sc-win32-status",
        "time-taken",
    ],
    separator: ColumnSeparator::Blank,
    status: 10,
};

/// The version of IIS whose row has as many columns as a line.
fn iis(line: &[u8]) -> Option<&'static RowShape> {
    let columns = line.trim_ascii_end().split(|b| *b == b' ').count();
    [&IIS, &OLD_IIS]
        .into_iter()
        .find(|shape| shape.names.len() == columns)
}

/// The shape of a row that no other program writes.
pub(super) fn shape(line: &[u8]) -> Option<&'static RowShape> {
    let (first, rest) = word(line);
    let found = match first {
        b"http" | b"https" | b"h2" | b"grpcs" | b"ws" | b"wss" => {
            is_zulu(word(rest).0).then_some(&APPLICATION_BALANCER)
        }
        [b'0'..=b'9', ..] if first.len() == 10 && first[4] == b'-' => {
            if line.get(10) == Some(&b'\t') {
                is_of_cloud_front(rest).then_some(&CLOUD_FRONT)
            } else {
                iis(line).filter(|_| is_of_iis(rest))
            }
        }
        stamp if is_zulu(stamp) && is_of_balancer(rest) => Some(&CLASSIC_BALANCER),
        _ => None,
    }?;
    let status = RowValues::of(line, found.separator).nth(found.status)?;
    (status == b"-" || (status.len() == 3 && is_digits(status))).then_some(found)
}

/// `2026-11-13T17:00:00.000000Z`
fn is_zulu(stamp: &[u8]) -> bool {
    stamp.len() == 27 && stamp[10] == b'T' && stamp.ends_with(b"Z")
}

/// `my-elb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 …`
fn is_of_balancer(rest: &[u8]) -> bool {
    let mut words = Words(rest);
    let _name = words.take();
    let client = words.take();
    let _target = words.take();
    let is_time = |text: &[u8]| {
        text == b"-1"
            || (text.contains(&b'.') && text.iter().all(|b| b.is_ascii_digit() || *b == b'.'))
    };
    client.contains(&b':')
        && is_time(words.take())
        && is_time(words.take())
        && is_time(words.take())
}

/// `17:00:00 ⇥ FRA56-C1 ⇥ 2390 ⇥ 192.0.2.10 ⇥ GET ⇥ …`
fn is_of_cloud_front(rest: &[u8]) -> bool {
    let mut values = RowValues::of(rest, ColumnSeparator::Byte(b'\t')).skip(1);
    let edge = values.next().unwrap_or_default();
    let bytes = values.next().unwrap_or_default();
    let is_edge = edge.len() > 6
        && edge[..3].iter().all(u8::is_ascii_uppercase)
        && edge[3..]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    is_edge && is_digits(bytes) && values.nth(1).is_some_and(is_method)
}

/// `13:00:00 10.0.0.1 GET /path - 443 - 10.0.0.2 …`
fn is_of_iis(rest: &[u8]) -> bool {
    let mut words = Words(rest);
    let (_time, _server) = (words.take(), words.take());
    let is_request = is_method(words.take()) && words.take().starts_with(b"/");
    let _query = words.take();
    let is_port = is_digits(words.take());
    is_request && is_port
}

fn is_method(text: &[u8]) -> bool {
    (3..=7).contains(&text.len()) && text.iter().all(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str, separator: ColumnSeparator) -> Vec<&str> {
        RowValues::of(line.as_bytes(), separator)
            .map(|value| std::str::from_utf8(value).expect("text"))
            .collect()
    }

    #[test]
    fn the_values_of_a_row_are_split() {
        for (line, separator, split) in [
            (
                "a  b \"c d\" e",
                ColumnSeparator::Blank,
                &["a", "b", "c d", "e"][..],
            ),
            (
                "a b\tc\t\td",
                ColumnSeparator::Blank,
                &["a b", "c", "", "d"],
            ),
            (
                "a,\"b,\"\"c\"\"\",,d",
                ColumnSeparator::Quoted(b','),
                &["a", "b,\"\"c\"\"", "", "d"],
            ),
            ("a|\"b|c", ColumnSeparator::Byte(b'|'), &["a", "\"b", "c"]),
            ("a,\"open", ColumnSeparator::Quoted(b','), &["a", "\"open"]),
            ("", ColumnSeparator::Blank, &[]),
        ] {
            assert_eq!(values(line, separator), split, "{line}");
        }
    }
}
