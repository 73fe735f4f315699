//! Stamps in fields with names: JSON, logfmt, and the few programs that have a notation of their
//! own.
//!
//! Only as much of a line is read as is needed to find the field, and nothing of it twice but its
//! head.

use memchr::{memchr, memchr2, memmem};

use super::counted;
use super::hour::{self, date_only};
use super::moment::{CalendarDate, ParsedStamp, WrittenMoment};
use super::notation;
use super::scan::StampScanner;
use super::zone::ZoneNames;
use crate::parse::bytes::{split_digits, within};

/// So much of a line is read before its last bytes are looked at.
const HEAD: usize = 4096;

/// Docker writes the time behind the line, however long that is: so many bytes at the end are
/// looked at before what is between.
const TAIL: usize = 160;

/// How far into a line an object may begin.
const OBJECT_WITHIN: usize = 128;

/// How deep a time may be in objects and lists: OpenTelemetry has
/// `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{`.
const MAX_DEPTH: u32 = 8;

/// The longest name of a field with a time.
const MAX_KEY: usize = 32;

/// How much the name of a field says about a value that is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FieldRank {
    /// When the line was written.
    Strong,
    /// When the thing began, or was made: the next best.
    Weak,
}

/// Times by their name, whatever its case and punctuation: `@timestamp`, `event.time`, `eventTime`,
/// `__REALTIME_TIMESTAMP`.
fn rank(key: &[u8]) -> Option<FieldRank> {
    // This sorts out most of the many other names.
    let has_t = key.iter().any(|&b| b | 0x20 == b't');
    if key.len() > MAX_KEY || !(has_t || key == b"epoch" || key == b"msec" || key == b"end") {
        return None;
    }
    let mut name = [0; MAX_KEY];
    let mut length = 0;
    for &b in key.iter().filter(|b| b.is_ascii_alphanumeric()) {
        name[length] = b.to_ascii_lowercase();
        length += 1;
    }
    let name = std::str::from_utf8(&name[..length]).ok()?;
    if STRONG.contains(&name) {
        Some(FieldRank::Strong)
    } else if WEAK.contains(&name) {
        Some(FieldRank::Weak)
    } else {
        None
    }
}

/// When the line was written.
#[rustfmt::skip]
const STRONG: [&str; 36] = [
    "time", "ts", "timestamp", "t", "datetime", "dt", "eventtime", "logtime", "asctime", "instant", "epoch", "msec", "rt",
    "realtimetimestamp", "timemillis", "timestampms", "tsms", "timems", "timens", "timestampns", "timeus", "timeunix",
    "timeunixnano", "unixtime", "timeiso8601", "timelocal", "timeutc", "utctime", "timestamputc", "startutc",
    "logtimestamp", "eventtimestamp", "localtime", "datetimeutc", "isotime", "deviceeventtime",
];

/// When something began, was seen or was made.
#[rustfmt::skip]
const WEAK: [&str; 20] = [
    "date", "created", "createdat", "startlocal", "starttime", "start", "stagetimestamp", "requestreceivedtimestamp",
    "sourcerealtimetimestamp", "observedtimestamp", "receivedat", "generatedtime", "timegenerated", "systemtime",
    "ingesttime", "eventcreated", "loggedat", "recordtime", "end",
    "endtime",
];

/// A field whose name is that of a time.
#[derive(Clone, Copy)]
struct TimeField<'a> {
    text: &'a [u8],
    /// Where its value begins in the text.
    at: usize,
    /// Objects around it.
    depth: u32,
    rank: FieldRank,
}

/// The best of the fields seen so far.
struct BestField<'n> {
    names: &'n ZoneNames,
    found: Option<ParsedStamp>,
    /// Rank and depth of it.
    worth: Option<(u32, FieldRank)>,
    /// A day and a time of day that have fields of their own.
    date: Option<(CalendarDate, usize)>,
    clock: Option<ParsedStamp>,
}

impl<'n> BestField<'n> {
    fn new(names: &'n ZoneNames) -> Self {
        Self {
            names,
            found: None,
            worth: None,
            date: None,
            clock: None,
        }
    }

    /// Takes a value into account; true where nothing better can follow.
    fn offer(&mut self, field: TimeField<'_>, found: Option<ParsedStamp>) -> bool {
        let Some(found) = found else {
            self.offer_half(field.text, field.at);
            return false;
        };
        let worth = (field.depth, field.rank);
        if self.worth.is_none_or(|best| worth < best) {
            self.worth = Some(worth);
            self.found = Some(found);
        }
        worth == (1, FieldRank::Strong)
    }

    fn offer_half(&mut self, text: &[u8], at: usize) {
        let start = at + usize::from(text.get(at) == Some(&b'"'));
        let value = text.get(start..).unwrap_or_default();
        if self.date.is_none()
            && let Some(date) = date_only(value)
        {
            self.date = Some((date, start));
        } else if self.clock.is_none() {
            let clock = hour::time_only(value, self.names);
            self.clock = clock.map(|found| found.shifted(start));
        }
    }

    fn take(self) -> Option<ParsedStamp> {
        self.found.or_else(|| {
            let (date, at) = self.date?;
            let clock = self.clock?;
            let WrittenMoment::Clock(time, zone) = clock.moment else {
                return None;
            };
            Some(ParsedStamp {
                moment: WrittenMoment::Civil(date, time, zone),
                start: at.min(clock.start),
                end: clock.end,
            })
        })
    }
}

/// The time of an object: a member with such a name, the outermost first.
pub(super) fn json(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let head = within(line, HEAD);
    if let Some(found) = printed_member(head, names) {
        return Some(found);
    }
    let mut best = BestField::new(names);
    walk(head, object(head)?, &mut best);
    let is_told = best.worth == Some((1, FieldRank::Strong));
    if !is_told && line.len() > HEAD {
        if let Some(found) = json_tail(line, names) {
            return Some(found);
        }
        // The head may have been cut in the middle of a member.
        best = BestField::new(names);
        walk(line, object(head)?, &mut best);
    }
    best.take()
}

/// The name and where the value begins of a member that has a line of its own, as objects have that
/// are printed over several lines.
fn member_of_line(line: &[u8]) -> Option<(&[u8], usize)> {
    let indent = line.iter().take_while(|b| b.is_ascii_whitespace()).count();
    if line.get(indent) != Some(&b'"') || indent == 0 {
        return None;
    }
    let close = string_end(within(line, indent + MAX_KEY + 2), indent + 1)?;
    Some((&line[indent + 1..close], behind_colon(line, close + 1)?))
}

/// Whether a line is the member of a printed object with the time of it.
pub(super) fn is_printed_member(line: &[u8]) -> bool {
    member_of_line(line).is_some_and(|(key, _)| rank(key) == Some(FieldRank::Strong))
}

fn printed_member(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let (key, value) = member_of_line(line)?;
    (rank(key) == Some(FieldRank::Strong))
        .then(|| value_at(line, value, names))
        .flatten()
}

/// `<date>2026-11-20T13:00:01Z</date>` in a line of its own, as `java.util.logging` and others have
/// it; Windows has `<TimeCreated SystemTime='2026-11-20T13:00:01Z'/>`.
pub(super) fn xml(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    const WINDOWS: &[u8] = b"TimeCreated SystemTime=";
    let begin = line.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let text = line.get(begin..)?.strip_prefix(b"<")?;
    let at = if text.starts_with(WINDOWS) {
        begin + 1 + WINDOWS.len() + 1
    } else {
        let name = key(within(text, MAX_KEY));
        let is_time = name == b"date" || rank(name) == Some(FieldRank::Strong);
        (is_time && text.get(name.len()) == Some(&b'>')).then_some(begin + name.len() + 2)?
    };
    shifted(notation::any(line.get(at..)?, names), at)
}

/// `** Alert 1795179601.1000: - syslog`, of OSSEC and Wazuh: seconds, and a number of the alert.
pub(super) fn alert(line: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    const HEAD: &[u8] = b"** Alert ";
    let (digits, rest) = split_digits(line.strip_prefix(HEAD)?);
    let seconds: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let is_alert = digits.len() == 10 && matches!(rest, [b'.' | b':', ..]);
    is_alert.then(|| ParsedStamp {
        moment: WrittenMoment::Epoch(seconds * 1_000_000_000),
        start: HEAD.len(),
        end: HEAD.len() + digits.len(),
    })
}

/// Where an object begins.
fn object(head: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'{', within(head, OBJECT_WITHIN)).find(|open| {
        let inside = within(&head[open + 1..], OBJECT_WITHIN - 1);
        inside.trim_ascii_start().starts_with(b"\"")
    })
}

fn walk(text: &[u8], open: usize, best: &mut BestField<'_>) {
    let mut at = open;
    let mut depth = 0_u32;
    while let Some(&b) = text.get(at) {
        at += 1;
        match b {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return,
            b'}' | b']' => depth -= 1,
            b'"' => match member(text, at, depth, best) {
                Some(next) => at = next,
                None => return,
            },
            _ => {}
        }
    }
}

/// Takes the member into account whose name begins here, if it is one; answers with where to go
/// on, or with nothing at the end or where nothing better can follow.
#[inline]
fn member(text: &[u8], at: usize, depth: u32, best: &mut BestField<'_>) -> Option<usize> {
    let close = string_end(text, at)?;
    let Some(value) = behind_colon(text, close + 1) else {
        return Some(close + 1);
    };
    if depth <= MAX_DEPTH
        && let Some(rank) = rank(&text[at..close])
    {
        let found = value_at(text, value, best.names);
        let field = TimeField {
            text,
            at: value,
            depth,
            rank,
        };
        if best.offer(field, found) {
            return None;
        }
    }
    behind_string(text, value)
}

/// Where to go on behind the string that begins here, or here where there is none.
#[inline]
fn behind_string(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return Some(at);
    }
    string_end(text, at + 1).map(|close| close + 1)
}

/// The quote that ends a string.
#[inline]
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    // Most strings are too short for a search by vectors to pay: measured, it takes half of the
    // time of a line.
    let short = text.len().min(at + SHORT_STRING);
    while at < short {
        match text[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    loop {
        let found = at + memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// Bytes of a string that are looked at one by one.
const SHORT_STRING: usize = 24;

/// Where the value begins, from behind the name.
#[inline]
fn behind_colon(text: &[u8], at: usize) -> Option<usize> {
    let blanks = |at: usize| {
        text.get(at..)
            .map(|rest| at + rest.iter().take_while(|b| b.is_ascii_whitespace()).count())
    };
    let colon = blanks(at)?;
    (text.get(colon) == Some(&b':'))
        .then(|| blanks(colon + 1))
        .flatten()
}

/// A string or a number that is a time, or an object that has one inside.
fn value_at(text: &[u8], at: usize, names: &ZoneNames) -> Option<ParsedStamp> {
    match text.get(at)? {
        b'"' => shifted(notation::any(&text[at + 1..], names), at + 1),
        b'0'..=b'9' => {
            let number = &text[at..];
            let mut scan = StampScanner(number);
            let moment = WrittenMoment::Epoch(counted::number(&mut scan)?);
            shifted(scan.word(number, moment), at)
        }
        b'{' => shifted(object_of_time(&text[at..], names), at),
        _ => None,
    }
}

/// `{"epochSecond":1795179601,"nanoOfSecond":5}`, `{"seconds":1795179601,"nanos":5}`,
/// `{"$date":"…"}`.
fn object_of_time(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let inside = within(text, 128);
    let inside = &inside[..memchr(b'}', inside).map_or(inside.len(), |end| end + 1)];
    if let Some(nanos) = seconds_and_nanos(inside) {
        return Some(ParsedStamp {
            moment: WrittenMoment::Epoch(nanos),
            start: 0,
            end: inside.len(),
        });
    }
    ["\"$date\"", "\"$numberLong\""]
        .iter()
        .filter_map(|name| behind_name(inside, name))
        .filter(|at| matches!(inside.get(*at), Some(b'"' | b'0'..=b'9')))
        .find_map(|at| value_at(inside, at, names))
}

fn seconds_and_nanos(object: &[u8]) -> Option<i64> {
    let number = |name: &str| whole_number(object.get(behind_name(object, name)?..)?);
    let seconds = number("\"epochSecond\"").or_else(|| number("\"seconds\""))?;
    let nanos = number("\"nanoOfSecond\"").or_else(|| number("\"nanos\""));
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(nanos.unwrap_or(0))
}

/// Where the value of the member with this name begins.
fn behind_name(object: &[u8], name: &str) -> Option<usize> {
    let at = memmem::find(object, name.as_bytes())?;
    behind_colon(object, at + name.len())
}

fn whole_number(text: &[u8]) -> Option<i64> {
    let (digits, rest) = split_digits(text);
    let number = std::str::from_utf8(digits).ok()?.parse().ok();
    number.filter(|_| StampScanner(rest).ends_word())
}

/// The last members of an object that is longer than its head.
fn json_tail(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let from = line.len().saturating_sub(TAIL);
    let tail = &line[from..];
    if tail.trim_ascii_end().last() != Some(&b'}') {
        return None;
    }
    let at = memmem::rfind(tail, b"\"time\":")
        .map(|at| at + 7)
        .or_else(|| memmem::rfind(tail, b"\"@timestamp\":").map(|at| at + 13))?;
    shifted(value_at(tail, behind_colon(tail, at - 1)?, names), from)
}

pub(super) fn shifted(found: Option<ParsedStamp>, by: usize) -> Option<ParsedStamp> {
    found.map(|found| found.shifted(by))
}

/// `key=value` with the name of a time, the first that is one.
pub(super) fn logfmt(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let head = line;
    memchr(b'=', head)?;
    let mut best = BestField::new(names);
    let mut at = 0;
    while at < head.len() {
        let key = key(&head[at..]);
        at += key.len();
        if !key.is_empty() && head.get(at) == Some(&b'=') {
            at += 1;
            if is_best_pair(key, head, at, &mut best) {
                break;
            }
            at = behind_string(head, at).unwrap_or(head.len());
        }
        let is_gap = |b: &u8| matches!(b, b' ' | b'\t' | b',' | b';' | b'|' | b'<' | b'[' | b'(');
        match head[at..].iter().position(is_gap) {
            Some(gap) => at += gap + 1,
            None => break,
        }
    }
    best.take()
}

/// Takes a pair into account; true where nothing better can follow.
fn is_best_pair(key: &[u8], text: &[u8], at: usize, best: &mut BestField<'_>) -> bool {
    let Some(rank) = rank(key) else {
        return false;
    };
    let from = at + usize::from(text.get(at) == Some(&b'"'));
    let found = text
        .get(from..)
        .and_then(|text| notation::any(text, best.names));
    let field = TimeField {
        text,
        at,
        depth: 1,
        rank,
    };
    best.offer(field, shifted(found, from))
}

/// The name of a field of logfmt that a text may begin with.
pub(super) fn key(text: &[u8]) -> &[u8] {
    let is_key = |b: &&u8| b.is_ascii_alphanumeric() || b"_.@-".contains(b);
    &text[..text.iter().take_while(is_key).count()]
}

/// `type=SYSCALL msg=audit(1795179601.123:456): …`
pub(super) fn audit(line: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let head = within(line, OBJECT_WITHIN);
    let start = memmem::find(head, b"audit(")? + 6;
    let number = &head[start..];
    let mut scan = StampScanner(number);
    let moment = WrittenMoment::Epoch(counted::number(&mut scan)?);
    matches!(scan.peek(), Some(b':' | b')')).then(|| scan.found(number, moment).shifted(start))
}

/// `# Time: 2026-11-20T13:00:01.123456Z`, `# Time: 261120  9:00:01`, `SET timestamp=1795179601;`
pub(super) fn mysql_slow(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    if let Some(rest) = line.strip_prefix(b"# Time: ") {
        return shifted(notation::any(rest, names), line.len() - rest.len());
    }
    let number = line.strip_prefix(b"SET timestamp=")?;
    let mut scan = StampScanner(number);
    let moment = WrittenMoment::Epoch(counted::number(&mut scan)?);
    let found = scan
        .found(number, moment)
        .shifted(line.len() - number.len());
    (scan.peek() == Some(b';')).then_some(found)
}
