//! What holds for any bytes whatever: of stamps, records, queries, safe text and fields. The fuzz
//! targets try it on what they come up with, the tests on the corpora beside this file.
//!
//! Each body panics where something does not hold. What the first bytes of an input choose is said
//! at each.

use jiff::tz::TimeZone;
use logtrail::model::text::{self, ColourHandling, MAX_SHOWN_BYTES, SafeText};
use logtrail::model::time::{HostClock, Time, TimeSource};
use logtrail::parse::display::LineDisplay;
use logtrail::parse::fields::ValueKind;
use logtrail::parse::multiline::{self, RecordJoiner};
use logtrail::parse::timestamp::{ParsedTime, TimeFormat, TimestampReader};
use logtrail::parse::{fields, level};
use logtrail::query::{MatchInput, Prefilter, Query, QueryError, ReferenceTime};
use serde::de::IgnoredAny;

/// 2026-11-20T13:00:00Z.
const NOW: Time = Time(1_795_179_600_000_000_000);

/// As many fields of a line are listed, and of names as long.
const MAX_FIELDS: usize = 512;
const MAX_NAME_BYTES: usize = 1024;

/// The first byte chooses the zone and whether a sample is learnt first, the second the format;
/// then lines.
pub(crate) fn stamps(data: &[u8]) {
    let Some((mut stamper, lines)) = stamper(data) else {
        return;
    };
    let lines: Vec<&[u8]> = lines.split(|b| *b == b'\n').collect();
    if data[0] & 4 != 0 && stamper.wants_sample() {
        stamper.learn(&mut lines.iter().copied(), NOW);
    }
    let mut previous: Option<Time> = None;
    for line in lines {
        let before = stamper.clone();
        let stamped = stamper.stamp(line, NOW);
        assert_eq!(
            before.clone().stamp(line, NOW),
            stamped,
            "the same line is stamped otherwise the second time"
        );
        match stamped.from {
            TimeSource::Stamp => {
                previous = Some(stamped.time);
                assert_span(line, &stamped);
            }
            // Before the first stamp there may be a time too: of a source with times of day, from
            // its sample.
            TimeSource::Previous => {
                assert!(
                    previous.is_none_or(|previous| previous == stamped.time),
                    "not the time of the line before"
                );
                previous = Some(stamped.time);
            }
            TimeSource::Arrival => assert!(
                previous.is_none() && stamped.time == NOW,
                "another time than now"
            ),
        }
        assert!(
            stamped.from == TimeSource::Stamp || stamped.span.is_none(),
            "a stamp that was not read"
        );
    }
}

/// The span of a stamp lies in its line.
fn assert_span(line: &[u8], stamped: &ParsedTime) {
    if let Some(span) = &stamped.span {
        assert!(
            span.start < span.end && span.end <= line.len(),
            "{span:?} is not in the line"
        );
    }
}

/// A stamper as the first two bytes choose it, and the rest.
fn stamper(data: &[u8]) -> Option<(TimestampReader, &[u8])> {
    let [zone, format, lines @ ..] = data else {
        return None;
    };
    let clock = match zone % 4 {
        0 => HostClock::fixed(0),
        1 => HostClock::fixed(-9 * 3600 - 1800),
        2 => HostClock {
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").ok()?,
            boot: None,
        },
        _ => HostClock {
            zone: TimeZone::UTC,
            boot: Some(Time(NOW.0 - 86_400_000_000_000)),
        },
    };
    let names: Vec<&str> = TimeFormat::names().collect();
    // An ASCII letter, so that corpora can be read; everything from `~` on stands for detection.
    let chosen = usize::from(format.saturating_sub(b'!'));
    let stamper = match names.get(chosen).map(|name| TimeFormat::parse(name)) {
        Some(format) => TimestampReader::with_format(&clock, &format.expect("a name is a format")),
        None => TimestampReader::new(&clock),
    };
    Some((stamper, lines))
}

/// The first two bytes as in [`stamps`]; then lines. A line that begins with 0xFF stands for a gap.
pub(crate) fn records(data: &[u8]) {
    let Some((mut stamper, lines)) = stamper(data) else {
        return;
    };
    let mut joiner = RecordJoiner::default();
    let mut record: Vec<u8> = Vec::new();
    let (mut count, mut is_cut) = (0, true);
    for line in lines.split(|b| *b == b'\n') {
        if line.first() == Some(&0xff) {
            joiner.cut();
            is_cut = true;
            continue;
        }
        let stamped = stamper.stamp(line, NOW);
        if joiner.continues(line, stamped.span) {
            assert!(!is_cut, "a line goes on with what is missing");
            record.push(b'\n');
            count += 1;
        } else {
            assert_record(&record);
            record.clear();
            count = 1;
        }
        record.extend_from_slice(line);
        is_cut = false;
        assert!(count <= multiline::MAX_LINES, "a record of {count} lines");
        let most = multiline::MAX_BYTES + line.len() + multiline::MAX_LINES as usize;
        assert!(record.len() <= most, "a record of {} bytes", record.len());
        assert_line(line);
    }
    assert_record(&record);
}

/// The first line of a record states its level, and another only where the first does not.
fn assert_record(record: &[u8]) {
    let first = record.split(|b| *b == b'\n').next().unwrap_or_default();
    if let Some(level) = level::of(first) {
        assert_eq!(
            level::of(record),
            Some(level),
            "the level is not that of the first line"
        );
    }
}

/// A line is read without becoming nothing, or more than it is.
fn assert_line(line: &[u8]) {
    assert_eq!(level::of(line), level::of(line));
    for reading in [LineDisplay::Raw, LineDisplay::Stamped, LineDisplay::Bare] {
        let read = reading.of(line);
        assert_eq!(
            read.is_empty(),
            line.is_empty(),
            "{reading:?} leaves nothing"
        );
        assert!(read.len() <= line.len(), "{reading:?} adds");
    }
    assert_eq!(&*LineDisplay::Raw.of(line), line);
}

/// A query, a line end, then lines.
pub(crate) fn queries(data: &[u8]) {
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let Ok(typed) = std::str::from_utf8(&data[..end]) else {
        return;
    };
    let block = data.get(end + 1..).unwrap_or_default();
    let now = ReferenceTime {
        time: NOW,
        zone: TimeZone::UTC,
    };
    let query = match Query::parse(typed, &now) {
        Ok(query) => query,
        Err(error) => return assert_error(typed, &error),
    };
    let printed = query.to_string();
    let again = Query::parse(&printed, &now);
    let again =
        again.unwrap_or_else(|error| panic!("{typed:?} is printed as {printed:?}: {error}"));
    assert_eq!(
        again.expr(),
        query.expr(),
        "{typed:?} is printed as {printed:?}"
    );
    assert_eq!(
        again.to_string(),
        printed,
        "{typed:?} is printed otherwise the second time"
    );
    assert_eq!(query.explain().query, printed);
    let mut one_by_one = Vec::new();
    let mut at = 0;
    for line in block.split_inclusive(|b| *b == b'\n') {
        let raw = line.strip_suffix(b"\n").unwrap_or(line);
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        if query.matches(&subject(raw)) {
            one_by_one.push(at..at + raw.len());
            assert_sent(&query, raw);
        }
        assert_eq!(
            again.matches(&subject(raw)),
            query.matches(&subject(raw)),
            "{typed:?} and {printed:?} differ"
        );
        assert_highlights(
            &query,
            &SafeText::line(raw, ColourHandling::Kept, MAX_SHOWN_BYTES),
        );
        at += line.len();
    }
    let found: Vec<_> = query.find_lines(block, subject).collect();
    assert_eq!(found, one_by_one, "{typed:?} finds other lines in a buffer");
}

fn subject(raw: &[u8]) -> MatchInput<'_> {
    MatchInput {
        host: "web-1",
        source: "app",
        time: NOW,
        dialect: None,
        raw,
    }
}

/// An error has its place in the text, and its picture can be shown.
fn assert_error(typed: &str, error: &QueryError) {
    assert!(
        typed.get(error.span.clone()).is_some(),
        "{error:?} is not in {typed:?}"
    );
    assert!(error.column >= 1 && !error.message.is_empty(), "{error:?}");
    let picture = error.picture(typed);
    assert!(
        !picture.contains(|c: char| c.is_control() && c != '\n'),
        "{picture:?}"
    );
    assert_eq!(picture.lines().count(), 2, "{picture:?}");
}

/// A line that matches is among those that a host's grep finds, as far as that can be told without
/// one.
fn assert_sent(query: &Query, raw: &[u8]) {
    let Prefilter::Lines(patterns) = query.prefilter() else {
        return;
    };
    let unsafe_in_a_file =
        |pattern: &Vec<u8>| pattern.is_empty() || pattern.iter().any(|b| b"\n\0".contains(b));
    assert!(
        !patterns.list.is_empty() && !patterns.list.iter().any(unsafe_in_a_file),
        "{patterns:?}"
    );
    if patterns.fixed {
        let fold = |text: &[u8]| {
            if patterns.either_case {
                text.to_ascii_lowercase()
            } else {
                text.to_vec()
            }
        };
        let line = fold(
            &raw.iter()
                .map(|b| if *b == 0 { 1 } else { *b })
                .collect::<Vec<_>>(),
        );
        let is_found = |pattern: &Vec<u8>| {
            line.windows(pattern.len())
                .any(|part| part == fold(pattern))
        };
        assert!(
            patterns.list.iter().any(is_found),
            "{query} would not be sent: {patterns:?}"
        );
    }
}

/// What stands out is a part of the text, in order.
fn assert_highlights(query: &Query, shown: &SafeText) {
    let mut at = 0;
    for found in query.highlights(shown.as_str()) {
        assert!(
            found.start >= at && found.start < found.end,
            "{found:?} after {at}"
        );
        assert!(
            shown.as_str().get(found.clone()).is_some(),
            "{found:?} cuts a character"
        );
        at = found.end;
    }
}

/// The first byte chooses a width and a limit; then a line.
pub(crate) fn text(data: &[u8]) {
    let Some((first, line)) = data.split_first() else {
        return;
    };
    let limit = if first % 2 == 0 {
        MAX_SHOWN_BYTES
    } else {
        64 + usize::from(*first)
    };
    let plain = SafeText::line(line, ColourHandling::Shown, limit);
    let coloured = SafeText::line(line, ColourHandling::Kept, limit);
    for shown in [&plain, &coloured] {
        assert_safe(shown, limit);
        assert_windows(shown, usize::from(*first));
    }
    assert_eq!(plain.looks().count(), 0, "colours are shown and kept");
    assert_eq!(
        SafeText::new(plain.as_str()),
        plain,
        "not the same when it is made safe again"
    );
    assert_eq!(SafeText::new(coloured.as_str()).as_str(), coloured.as_str());
    assert_eq!(
        line.strip_suffix(b"\r").unwrap_or(line).is_empty(),
        plain.as_str().is_empty(),
        "something is not shown"
    );
    assert_without_colours(line, &coloured, limit);
    let settled = text::settled(line);
    assert!(
        line.is_empty() || settled.len() <= line.len() + 24,
        "a progress bar that grows"
    );
}

/// No control or invisible character, within its bounds, and its looks lie in it.
fn assert_safe(shown: &SafeText, limit: usize) {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    assert!(!shown.as_str().contains(unseen), "{shown:?}");
    assert!(
        shown.as_str().len() <= limit,
        "{} bytes of {limit}",
        shown.as_str().len()
    );
    assert_eq!(
        shown.width(),
        shown.cells().map(|(_, cells)| cells).sum::<usize>()
    );
    let mut at = 0;
    for (range, look) in shown.looks() {
        assert!(
            range.start >= at && !range.is_empty() && !look.is_plain(),
            "{range:?} after {at}: {look:?}"
        );
        assert!(
            shown.as_str().get(range.clone()).is_some(),
            "{range:?} cuts a character"
        );
        at = range.end;
    }
}

/// Rows make up the text, and a window is as wide as it can be.
fn assert_windows(shown: &SafeText, width: usize) {
    let rows = shown.rows(width);
    assert_eq!(
        rows.iter().map(ExactSizeIterator::len).sum::<usize>(),
        shown.as_str().len()
    );
    for row in rows.iter().take(50) {
        let row = SafeText::new(&shown.as_str()[row.clone()]);
        assert!(
            row.width() <= width.max(2),
            "a row of {} cells",
            row.width()
        );
    }
    for skip in [0, 1, width / 2] {
        let seen = shown.slice_cells(skip, width);
        assert_eq!(
            seen.width(),
            width.min(shown.width().saturating_sub(skip)),
            "the window from {skip}"
        );
        assert_safe(&seen, usize::MAX);
    }
}

/// Colours change nothing but looks.
fn assert_without_colours(line: &[u8], coloured: &SafeText, limit: usize) {
    let plain = text::without_colours(line);
    assert!(plain.len() <= line.len());
    // Without what stood between them, two halves may be a colour, or NUL bytes a run; and other
    // lines are cut elsewhere.
    let is_new =
        *text::without_colours(&plain) != *plain || line.contains(&0) || line.ends_with(b"m");
    if !is_new && line.len() < limit / 8 && std::str::from_utf8(line).is_ok() {
        assert_eq!(
            SafeText::line(&plain, ColourHandling::Kept, limit).as_str(),
            coloured.as_str()
        );
    }
}

/// A line.
pub(crate) fn fields(line: &[u8]) {
    let all = fields::all(line);
    assert!(all.list.len() <= MAX_FIELDS, "{} fields", all.list.len());
    // Names that are very long are left out too; a byte that is no text takes three in a name.
    let may_be_left_out = all.list.len() == MAX_FIELDS || 3 * line.len() > MAX_NAME_BYTES;
    assert!(
        all.left_out == 0 || may_be_left_out,
        "{} are left out of {}",
        all.left_out,
        all.list.len()
    );
    let is_broken = has_broken_object(line);
    for (index, field) in all.list.iter().enumerate().take(40) {
        let first = all.list.iter().position(|other| other.name == field.name);
        // A name that is not text is not found by what is shown of it, and no name by nothing.
        if first != Some(index)
            || field.name.contains(char::REPLACEMENT_CHARACTER)
            || field.name.is_empty()
        {
            continue;
        }
        // Objects have names too, and are not listed but for what is in them. Of a broken one each
        // makes what it can.
        match fields::get(line, &field.name) {
            Some(found) if found.kind == ValueKind::Json => {}
            _ if is_broken => {}
            found => assert_eq!(
                found.as_ref(),
                Some(&field.value),
                "{:?} is another field alone",
                field.name
            ),
        }
        if let Some(number) = field.value.as_number() {
            assert!(!number.is_nan(), "{field:?}");
        }
    }
    let ids = fields::ids(line);
    assert_eq!(ids, fields::ids(line));
    for (name, id) in [
        ("request_id", ids.request),
        ("trace_id", ids.trace),
        ("span_id", ids.span),
        ("user_id", ids.user),
    ] {
        assert!(
            id.as_ref().is_none_or(|id| !id.is_empty()),
            "{name} is empty"
        );
        assert!(
            id.is_none() || fields::get(line, name).is_some(),
            "{name} is an id and no field"
        );
    }
}

/// Whether something that begins like an object is none.
fn has_broken_object(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(start) = rest.iter().position(|b| *b == b'{') {
        let mut values =
            serde_json::Deserializer::from_slice(&rest[start..]).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => rest = &rest[start + values.byte_offset()..],
            _ => return true,
        }
    }
    false
}
