//! Stamps in fields with names: JSON, logfmt, and the few programs that have a notation of their
//! own.
//!
//! Only as much of a line is read as is needed to find the field, and never more than its head and
//! its last bytes.

use memchr::{memchr, memchr2, memmem};

use super::moment::{CalendarDate, WrittenMoment};
use super::notation::{self, ParsedStamp, date_only};
use super::scan::StampScanner;
use super::zone::ZoneNames;

/// How far into a line a field with the time may begin.
const HEAD: usize = 4096;

/// Docker writes the time behind the line, however long that is: so many bytes at the end are
/// looked at too.
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
    // Of the many other names, most are told by this.
    let has_t = key.iter().any(|&b| b | 0x20 == b't');
    if key.len() > MAX_KEY || !(has_t || key == b"epoch" || key == b"msec") {
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
const WEAK: [&str; 18] = [
    "date", "created", "createdat", "startlocal", "starttime", "start", "stagetimestamp", "requestreceivedtimestamp",
    "sourcerealtimetimestamp", "observedtimestamp", "receivedat", "generatedtime", "timegenerated", "systemtime",
    "ingesttime", "eventcreated", "loggedat", "recordtime",
];

/// The best of the fields seen so far.
#[derive(Default)]
struct BestField {
    found: Option<ParsedStamp>,
    /// Rank and depth of it.
    worth: Option<(u32, FieldRank)>,
    /// A day and a time of day that have fields of their own.
    date: Option<(CalendarDate, usize)>,
    clock: Option<ParsedStamp>,
}

impl BestField {
    /// Takes a value into account; true where nothing better can follow.
    fn offer(
        &mut self,
        found: Option<ParsedStamp>,
        text: &[u8],
        at: usize,
        depth: u32,
        rank: FieldRank,
        names: &ZoneNames,
    ) -> bool {
        let Some(found) = found else {
            self.offer_half(text, at, names);
            return false;
        };
        let worth = (depth, rank);
        if self.worth.is_none_or(|best| worth < best) {
            (self.worth, self.found) = (Some(worth), Some(found));
        }
        worth == (1, FieldRank::Strong)
    }

    fn offer_half(&mut self, text: &[u8], at: usize, names: &ZoneNames) {
        let quoted = usize::from(text.get(at) == Some(&b'"'));
        let (start, value) = (at + quoted, text.get(at + quoted..).unwrap_or_default());
        if self.date.is_none()
            && let Some(date) = date_only(value)
        {
            self.date = Some((date, start));
        } else if self.clock.is_none()
            && let Some(found) = notation::time_only(value, names)
        {
            self.clock = Some(ParsedStamp {
                start,
                end: start + found.end,
                ..found
            });
        }
    }

    fn take(self) -> Option<ParsedStamp> {
        self.found.or_else(|| {
            let (date, at) = self.date?;
            let clock = self.clock?;
            let WrittenMoment::Clock(time, zone) = clock.moment else {
                return None;
            };
            let start = if at < clock.start { at } else { clock.start };
            Some(ParsedStamp {
                moment: WrittenMoment::Civil(date, time, zone),
                start,
                end: clock.end,
            })
        })
    }
}

/// The time of an object: a member with such a name, the outermost first.
pub(super) fn json(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let head = &line[..line.len().min(HEAD)];
    let open = object(head)?;
    let mut best = BestField::default();
    walk(head, open, names, &mut best);
    if best.worth.is_none_or(|(_, rank)| rank == FieldRank::Weak)
        && line.len() > HEAD
        && let Some(found) = json_tail(line, names)
    {
        return Some(found);
    }
    best.take()
}

/// Where an object begins.
fn object(head: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr(b'{', head.get(from..OBJECT_WITHIN.min(head.len()))?) {
        let open = from + at;
        if head[open + 1..head.len().min(open + OBJECT_WITHIN)]
            .trim_ascii_start()
            .first()
            == Some(&b'"')
        {
            return Some(open);
        }
        from = open + 1;
    }
    None
}

fn walk(text: &[u8], open: usize, names: &ZoneNames, best: &mut BestField) {
    let (mut at, mut depth) = (open, 0_u32);
    while let Some(&b) = text.get(at) {
        at += 1;
        match b {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let Some(close) = string_end(text, at) else {
                    return;
                };
                let key = &text[at..close];
                at = close + 1;
                let Some(value) = behind_colon(text, at) else {
                    continue;
                };
                at = value;
                if depth <= MAX_DEPTH
                    && let Some(rank) = rank(key)
                    && best.offer(
                        value_at(text, value, names),
                        text,
                        value,
                        depth,
                        rank,
                        names,
                    )
                {
                    return;
                }
                if text.get(at) == Some(&b'"') {
                    let Some(close) = string_end(text, at + 1) else {
                        return;
                    };
                    at = close + 1;
                }
            }
            _ => {}
        }
    }
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

/// Where the value begins of which this is behind the name.
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
            let mut scan = StampScanner(&text[at..]);
            let moment = WrittenMoment::Epoch(notation::number(&mut scan)?);
            scan.ends_word().then(|| ParsedStamp {
                moment,
                start: at,
                end: text.len() - scan.0.len(),
            })
        }
        b'{' => split(text, at, names),
        _ => None,
    }
}

/// `{"epochSecond":1795179601,"nanoOfSecond":5}`, `{"seconds":1795179601,"nanos":5}`,
/// `{"$date":"…"}`.
fn split(text: &[u8], open: usize, names: &ZoneNames) -> Option<ParsedStamp> {
    let inside = &text[open..text.len().min(open + 128)];
    let inside = &inside[..memchr(b'}', inside).map_or(inside.len(), |end| end + 1)];
    let number = |name: &[u8]| {
        let at = behind_colon(inside, memmem::find(inside, name)? + name.len())?;
        let mut scan = StampScanner(&inside[at..]);
        let run = scan.run_of_digits();
        let digits = std::str::from_utf8(inside.get(at..at + run)?).ok()?;
        scan.0 = &scan.0[run..];
        digits.parse::<i64>().ok().filter(|_| scan.ends_word())
    };
    if let Some(seconds) = number(b"\"epochSecond\"").or_else(|| number(b"\"seconds\"")) {
        let nanos = number(b"\"nanoOfSecond\"")
            .or_else(|| number(b"\"nanos\""))
            .unwrap_or(0);
        let moment = WrittenMoment::Epoch(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?);
        return Some(ParsedStamp {
            moment,
            start: open,
            end: open + inside.len(),
        });
    }
    let date = ["\"$date\"", "\"$numberLong\""].iter().find_map(|name| {
        let at = behind_colon(inside, memmem::find(inside, name.as_bytes())? + name.len())?;
        matches!(inside.get(at), Some(b'"' | b'0'..=b'9'))
            .then(|| value_at(inside, at, names))
            .flatten()
    });
    shifted(date, open)
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
    found.map(|found| ParsedStamp {
        start: found.start + by,
        end: found.end + by,
        ..found
    })
}

/// `key=value` with the name of a time, the first that is one.
pub(super) fn logfmt(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let head = &line[..line.len().min(HEAD / 4)];
    memchr(b'=', head)?;
    let mut best = BestField::default();
    let mut at = 0;
    while at < head.len() {
        let start = at;
        while head
            .get(at)
            .is_some_and(|&b| b.is_ascii_alphanumeric() || b"_.@-".contains(&b))
        {
            at += 1;
        }
        if at > start && head.get(at) == Some(&b'=') {
            let value = at + 1;
            let quoted = head.get(value) == Some(&b'"');
            if let Some(rank) = rank(&head[start..at]) {
                let from = value + usize::from(quoted);
                let found = shifted(
                    head.get(from..).and_then(|text| notation::any(text, names)),
                    from,
                );
                if best.offer(found, head, value, 1, rank, names) {
                    break;
                }
            }
            at = if quoted {
                string_end(head, value + 1).map_or(head.len(), |end| end + 1)
            } else {
                value
            };
        }
        // To the next word.
        match head
            .get(at..)
            .and_then(|rest| rest.iter().position(|b| b" \t,;|<[(".contains(b)))
        {
            Some(gap) => at += gap + 1,
            None => break,
        }
    }
    best.take()
}

/// `type=SYSCALL msg=audit(1795179601.123:456): …`
pub(super) fn audit(line: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let head = &line[..line.len().min(OBJECT_WITHIN)];
    let start = memmem::find(head, b"audit(")? + 6;
    let mut scan = StampScanner(&head[start..]);
    let moment = WrittenMoment::Epoch(notation::number(&mut scan)?);
    let end = head.len() - scan.0.len();
    scan.take(b":)")?;
    Some(ParsedStamp { moment, start, end })
}

/// `# Time: 2026-11-20T13:00:01.123456Z`, `# Time: 261120  9:00:01`, `SET timestamp=1795179601;`
pub(super) fn mysql_slow(line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    if let Some(rest) = line.strip_prefix(b"# Time: ") {
        return shifted(notation::any(rest, names), line.len() - rest.len());
    }
    let rest = line.strip_prefix(b"SET timestamp=")?;
    let mut scan = StampScanner(rest);
    let moment = WrittenMoment::Epoch(notation::number(&mut scan)?);
    let start = line.len() - rest.len();
    scan.take(b";").map(|_| ParsedStamp {
        moment,
        start,
        end: line.len() - scan.0.len() - 1,
    })
}
