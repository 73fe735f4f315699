//! How lines look: the stamps of each kind of log, and the parts that are the same everywhere.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cast::LineForm;

/// Appends the stamp of a moment (milliseconds since 1970) as this kind of log writes it. Logs
/// without a zone in their stamps write the local time of this machine, as on any host.
pub(super) fn stamp(line: &mut String, form: LineForm, at_ms: i64, zone: &TimeZone) {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    let local = at.to_zoned(zone.clone());
    let pattern = match form {
        LineForm::Access => "%d/%b/%Y:%H:%M:%S %z",
        LineForm::ProxyError => "%Y/%m/%d %H:%M:%S",
        LineForm::AppJson => return push(line, format_args!("{at:.3}")),
        LineForm::Service => "%Y-%m-%dT%H:%M:%S.%3f%:z",
        LineForm::Database => "%Y-%m-%d %H:%M:%S.%3f%:z",
        LineForm::Worker => "%Y-%m-%d %H:%M:%S,%3f",
        LineForm::Syslog => "%b %e %H:%M:%S",
    };
    push(line, format_args!("{}", local.strftime(pattern)));
}

/// Writing to a string cannot fail.
fn push(line: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = line.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_log_has_the_stamp_of_its_kind() {
        let check = |form, expect: &str| {
            let mut line = String::new();
            let zone = TimeZone::fixed(jiff::tz::offset(2));
            stamp(&mut line, form, 1_767_225_600_042, &zone);
            assert_eq!(line, expect);
        };
        check(LineForm::Access, "01/Jan/2026:02:00:00 +0200");
        check(LineForm::ProxyError, "2026/01/01 02:00:00");
        check(LineForm::AppJson, "2026-01-01T00:00:00.042Z");
        check(LineForm::Service, "2026-01-01T02:00:00.042+02:00");
        check(LineForm::Database, "2026-01-01 02:00:00.042+02:00");
        check(LineForm::Worker, "2026-01-01 02:00:00,042");
        check(LineForm::Syslog, "Jan  1 02:00:00");
    }
}
