//! A line as people read it next to columns that have its time and its level already.
//!
//! [`LineDisplay`] leaves out the stamp, the priority of syslog and the quotes of JSON, so that the
//! message begins where the eye looks for it. Searching, copying and storing are done with the raw
//! line; styles are the view's.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::bytes::{quoted, within};
use super::escapes::decoded;
use super::{fields, level};
use crate::model::level::Level;
use crate::model::text::{without_beginning, without_colours};

/// How a line is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineDisplay {
    /// Every byte of it.
    Raw,
    /// With its stamp, but without a priority, and objects as fields.
    Stamped,
    /// Without its stamp too, which is shown elsewhere.
    Bare,
}

/// Longer lines are shown as they are: no message is that long, and each line on the screen is read
/// for each frame.
const MAX_BYTES: usize = 16 * 1024;

/// How far into a line the stamp of an access log is looked for.
const ACCESS_STAMP_WITHIN: usize = 256;

/// Longer names are no names.
const MAX_KEY: usize = 64;

/// Keys of its time.
const TIMES: [&str; 8] = [
    "time",
    "ts",
    "timestamp",
    "@timestamp",
    "datetime",
    "date",
    "@t",
    "t",
];

/// `2026-11-20T13:02:11.123Z `, `[2026/11/20 13:02:11,5 +0100] `, `Nov 20 13:02:11 `, `E1120
/// 13:02:11.123456 `: stamps that begin a line, with one blank.
static STAMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = r"\d{4}[-/]\d\d[-/]\d\d[Tt _]|[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?|[IWEF]\d{4} ";
    let time = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:[Zz]|UTC|[+-]\d\d:?\d\d))?";
    Regex::new(&format!(r"^\[?(?:{date}){time}\]?[ \t]")).ok()
});

/// ` [20/Nov/2026:13:02:11 +0000]`, in the middle of lines of access logs.
static ACCESS_STAMP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r" \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]").ok());

impl LineDisplay {
    /// The line in this reading. Never empty where the line is not.
    #[must_use]
    pub fn of(self, line: &[u8]) -> Cow<'_, [u8]> {
        self.of_stamped(line, None)
    }

    /// The same for a line whose stamp is known to be at a place; otherwise the usual ones are
    /// looked for.
    #[must_use]
    pub fn of_stamped(self, line: &[u8], stamp: Option<Range<usize>>) -> Cow<'_, [u8]> {
        if self == Self::Raw || line.len() > MAX_BYTES {
            return Cow::Borrowed(line);
        }
        let Cow::Owned(plain) = without_colours(line) else {
            return self.of_plain(line, stamp);
        };
        let place = |at: usize| without_colours(&line[..at.min(line.len())]).len();
        match self.of_plain(
            &plain,
            stamp.map(|stamp| place(stamp.start)..place(stamp.end)),
        ) {
            // All that is left out was at its beginning.
            Cow::Borrowed(rest) if rest.len() < plain.len() => {
                Cow::Owned(without_beginning(line, plain.len() - rest.len()))
            }
            Cow::Borrowed(_) => Cow::Borrowed(line),
            Cow::Owned(text) => Cow::Owned(text),
        }
    }

    /// Of a line without colours. Borrowed, it is an end of the line.
    fn of_plain(self, line: &[u8], stamp: Option<Range<usize>>) -> Cow<'_, [u8]> {
        let is_bare = self == Self::Bare;
        let rest = match level::without_priority(line) {
            [] => line,
            rest => rest,
        };
        if rest.starts_with(b"{") && rest.trim_ascii_end().ends_with(b"}") {
            return members(rest, is_bare).map_or(Cow::Borrowed(rest), into_bytes);
        }
        if !is_bare {
            return Cow::Borrowed(rest);
        }
        if let Some(text) = pairs(rest) {
            return Cow::Owned(text);
        }
        let stamp = stamp.and_then(|stamp| moved(stamp, line.len() - rest.len(), rest.len()));
        let rest = match stamp.or_else(|| stamp_in(rest)) {
            Some(stamp) => without(rest, stamp),
            None => Cow::Borrowed(rest),
        };
        match rest {
            Cow::Borrowed(rest) => Cow::Borrowed(without_level(rest, level::of(line))),
            owned => owned,
        }
    }
}

fn into_bytes<'a>(text: String) -> Cow<'a, [u8]> {
    Cow::Owned(text.into_bytes())
}

/// A range in a text whose beginning is left out; `None` where it is not in what is left.
fn moved(range: Range<usize>, by: usize, len: usize) -> Option<Range<usize>> {
    let moved = range.start.checked_sub(by)?..range.end.checked_sub(by)?;
    (moved.start < moved.end && moved.end <= len).then_some(moved)
}

/// The place of a stamp of the usual kinds.
fn stamp_in(line: &[u8]) -> Option<Range<usize>> {
    let head = within(line, ACCESS_STAMP_WITHIN);
    let first = STAMP.as_ref().and_then(|stamp| stamp.find(head));
    first
        .or_else(|| ACCESS_STAMP.as_ref()?.find(head))
        .map(|found| found.range())
}

/// A line without its stamp, the brackets or the name and the quotes around it, and one blank; the
/// line itself where that would be nothing.
fn without(line: &[u8], stamp: Range<usize>) -> Cow<'_, [u8]> {
    let stamp = with_name(line, stamp);
    let is_bracketed = line[..stamp.start].ends_with(b"[") && line[stamp.end..].starts_with(b"]");
    let brackets = usize::from(is_bracketed);
    let before = &line[..stamp.start - brackets];
    let after = &line[stamp.end + brackets..];
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
    if before.is_empty() {
        let has_blank = is_blank(&line[stamp.end + brackets - 1]);
        let blanks = usize::from(!has_blank && after.first().is_some_and(is_blank));
        let rest = &after[blanks..];
        return Cow::Borrowed(if rest.is_empty() { line } else { rest });
    }
    let is_word = line[before.len()] != b' ' && after.first().is_none_or(is_blank);
    let blanks = usize::from(is_word && before.last().is_some_and(is_blank));
    let rest = [&before[..before.len() - blanks], after].concat();
    if rest.is_empty() {
        Cow::Borrowed(line)
    } else {
        Cow::Owned(rest)
    }
}

/// The place of a stamp with its name, where it is the value of a field: `time="…"`.
fn with_name(line: &[u8], stamp: Range<usize>) -> Range<usize> {
    let before = &line[..stamp.start];
    let (name, quotes) = match before.strip_suffix(b"=\"") {
        Some(name) if line[stamp.end..].starts_with(b"\"") => (name, 1),
        _ => match before.strip_suffix(b"=") {
            Some(name) => (name, 0),
            None => return stamp,
        },
    };
    let is_of_name = |b: &u8| b.is_ascii_alphanumeric() || b"_.@-".contains(b);
    let start = name
        .iter()
        .rposition(|b| !is_of_name(b))
        .map_or(0, |at| at + 1);
    start..stamp.end + quotes
}

/// `the message key=value other="a value"` of a line that is nothing but pairs and has a message;
/// without its time and its level, which have columns of their own.
fn pairs(line: &[u8]) -> Option<Vec<u8>> {
    let mut rest = line.trim_ascii_end();
    let (mut message, mut others) = (None, Vec::with_capacity(line.len()));
    while !rest.is_empty() {
        let equals = memchr::memchr(b'=', within(rest, MAX_KEY))?;
        let (key, value) = (&rest[..equals], &rest[equals + 1..]);
        if !fields::is_key(key) {
            return None;
        }
        let (plain, len) = match quoted(value) {
            Some((text, _)) => (text, text.len() + 2),
            None => {
                let end = memchr::memchr2(b' ', b'"', value).unwrap_or(value.len());
                (&value[..end], end)
            }
        };
        let key = std::str::from_utf8(key).ok()?;
        if message.is_none() && matches!(key, "msg" | "message") {
            message = Some(decoded(plain));
        } else if !TIMES.contains(&key) && !is_level(key, plain) {
            others.push(b' ');
            others.extend_from_slice(&rest[..equals + 1 + len]);
        }
        let after = &value[len..];
        rest = after.trim_ascii_start();
        if rest.len() == after.len() && !rest.is_empty() {
            return None;
        }
    }
    let mut text = message.filter(|text| !text.is_empty())?.into_owned();
    text.extend(others);
    Some(text)
}

/// Whether a pair says what the level's own column shows.
fn is_level(key: &str, value: &[u8]) -> bool {
    let word = std::str::from_utf8(value).ok();
    level::is_field(key) && word.and_then(level::named_by).is_some()
}

/// A line without `ERROR ` or `[error] ` at its beginning, where that is the level of the whole
/// line, which its column shows. Other spellings may be words of the message.
fn without_level(line: &[u8], shown: Option<Level>) -> &[u8] {
    let text = line.trim_ascii_start();
    let end = text
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(text.len());
    let word = &text[..end];
    let rest = text[end..].trim_ascii_start();
    let name = match word {
        [b'[', name @ .., b']'] => name,
        name if name.iter().any(u8::is_ascii_lowercase) => return line,
        name => name.strip_suffix(b":").unwrap_or(name),
    };
    let level = std::str::from_utf8(name).ok().and_then(level::named_by);
    if level.is_some() && level == shown && !rest.is_empty() {
        rest
    } else {
        line
    }
}

/// `the message key=value other="a value"`, in the order of the object; `None` where it is none or
/// nothing is left.
fn members(line: &[u8], bare: bool) -> Option<String> {
    let JsonObject(members) = serde_json::from_slice(line).ok()?;
    let mut members = spread(members);
    let mut text = String::with_capacity(line.len());
    if let Some(message) = take_message(&mut members) {
        text += message.trim_end_matches('\n');
    }
    for (key, value) in &members {
        if says_level(key, value) || (bare && TIMES.contains(&key.as_str())) {
            continue;
        }
        text += if text.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{key}={}", PlainValue(value));
    }
    Some(text).filter(|text| !text.is_empty())
}

/// Takes the member out that is most surely the message.
fn take_message(members: &mut Vec<(String, Value)>) -> Option<String> {
    let (_, at) = members
        .iter()
        .enumerate()
        .filter(|(_, (_, value))| value.is_string())
        .filter_map(|(at, (key, _))| Some((fields::message_rank(key)?, at)))
        .min()?;
    match members.remove(at).1 {
        Value::String(message) => Some(message),
        _ => None,
    }
}

/// Members with those of `fields` in its place, where that is the object in which tracing puts what
/// it was given.
fn spread(members: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut all = Vec::with_capacity(members.len());
    for (key, value) in members {
        match value {
            Value::Object(inner) if key == "fields" && inner.contains_key("message") => {
                all.extend(inner);
            }
            value => all.push((key, value)),
        }
    }
    all
}

/// Whether a member says what the level's own column shows.
fn says_level(key: &str, value: &Value) -> bool {
    level::is_field(key)
        && value
            .as_str()
            .is_some_and(|word| level::named_by(word).is_some())
}

/// A value without quotes, where it is distinct from its neighbours without them.
struct PlainValue<'a>(&'a Value);

impl fmt::Display for PlainValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text)
                if !text.is_empty() && !text.contains([' ', '"', '=', '\n', '\t']) =>
            {
                f.write_str(text)
            }
            value => write!(f, "{value}"),
        }
    }
}

/// The members of an object, in its order and with those that occur twice.
struct JsonObject(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct MemberVisitor;
        impl<'de> Visitor<'de> for MemberVisitor {
            type Value = JsonObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(JsonObject(members))
            }
        }
        from.deserialize_map(MemberVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bare(line: &str) -> String {
        String::from_utf8_lossy(&LineDisplay::Bare.of(line.as_bytes())).into_owned()
    }

    #[test]
    fn a_stamp_and_a_level_that_begin_a_line_are_left_out() {
        for (line, read) in [
            ("2026-11-20T13:02:11.123Z INFO up", "up"),
            ("2026-11-20T13:02:11.123+00:00  WARN up", "up"),
            (
                "2026-11-20 13:02:11.123+00:00 [2007] LOG: x",
                "[2007] LOG: x",
            ),
            ("[2026-11-20 13:02:11,5 +0100] x", "x"),
            ("2026/11/20 13:02:11 [error] 811#8: x", "811#8: x"),
            ("ERROR: no such table", "no such table"),
            ("error reading INFO", "error reading INFO"),
            ("WARN", "WARN"),
            ("<30>WARN up", "WARN up"),
            ("Nov 20 13:02:11 web-1 sshd[1]: x", "web-1 sshd[1]: x"),
            ("<30>Nov  2 13:02:11 web-1 sshd[1]: x", "web-1 sshd[1]: x"),
            (
                "E1120 13:02:11.123456       1 file.go:12] x",
                "      1 file.go:12] x",
            ),
            (
                "10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET /\" 200",
                "10.0.0.1 - - \"GET /\" 200",
            ),
            (
                "at 2026-11-20T13:02:11Z it was",
                "at 2026-11-20T13:02:11Z it was",
            ),
            ("2026-11-20T13:02:11Z ", "2026-11-20T13:02:11Z "),
            ("<30>", "<30>"),
            ("", ""),
        ] {
            assert_eq!(bare(line), read, "{line}");
        }
    }

    #[test]
    fn colours_do_not_hide_a_stamp_and_stay_with_the_rest() {
        for (line, read) in [
            (
                "\x1b[2m2026-11-20T13:02:11Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mshop\x1b[0m: up",
                "shop: up",
            ),
            (
                "\x1b[31m2026-11-20 13:02:11 ERROR it broke\x1b[0m",
                "it broke",
            ),
            ("\x1b[1mup\x1b[0m", "up"),
            ("\x1b[2m{\"msg\":\"up\",\"id\":7}\x1b[0m", "up id=7"),
        ] {
            let bare = LineDisplay::Bare.of(line.as_bytes());
            assert_eq!(without_colours(&bare), read.as_bytes(), "{line:?}");
        }
        let red = LineDisplay::Bare.of(b"\x1b[31m2026-11-20 13:02:11 it broke");
        assert_eq!(&*red, b"\x1b[31mit broke");
    }

    #[test]
    fn an_object_is_its_message_and_then_its_fields_in_order() {
        let line = r#"{"time":"2026-11-20T13:00:00Z","level":"info","msg":"order placed","id":7,"user":"a b","to":{"x":1},"note":""}"#;
        assert_eq!(
            bare(line),
            r#"order placed id=7 user="a b" to={"x":1} note="""#
        );
        let stamped = LineDisplay::Stamped.of(line.as_bytes());
        assert!(stamped.starts_with(b"order placed time=2026-11-20T13:00:00Z id=7"));
        assert_eq!(LineDisplay::Raw.of(line.as_bytes()), line.as_bytes());
    }

    #[test]
    fn what_tracing_and_docker_put_around_a_message_is_taken_off() {
        let tracing = r#"{"timestamp":"2026-11-20T13:00:00Z","level":"INFO","fields":{"message":"placed","id":7},"target":"shop"}"#;
        assert_eq!(bare(tracing), "placed id=7 target=shop");
        let docker = r#"{"log":"hello\n","stream":"stderr","time":"2026-11-20T13:00:00Z"}"#;
        assert_eq!(bare(docker), "hello stream=stderr");
    }

    #[test]
    fn a_stamp_whose_place_is_known_is_left_out_wherever_it_is() {
        for (line, stamp, read) in [
            ("20261120 130000 up", 0..15, "up"),
            ("[20.11.26 13:00] up", 1..15, "up"),
            ("web-1 | 13.00.00 | up", 8..16, "web-1 | | up"),
            ("up at 13.00.00", 6..14, "up at"),
            ("<30>20261120 130000 up", 4..19, "up"),
            ("13.00.00", 0..8, "13.00.00"),
            ("short", 3..900, "short"),
            ("<30>short", 0..3, "short"),
        ] {
            let read_as = LineDisplay::Bare.of_stamped(line.as_bytes(), Some(stamp));
            assert_eq!(String::from_utf8_lossy(&read_as), read, "{line}");
        }
    }

    #[test]
    fn pairs_are_a_message_and_then_the_others_without_time_and_level() {
        for (line, read) in [
            (
                "time=2026-11-20T13:00:00.1Z level=info msg=\"order placed\" id=7 note=\"a b\"",
                "order placed id=7 note=\"a b\"",
            ),
            (
                "ts=2026-11-20T13:00:00Z caller=main.go:1 level=warn msg=slow",
                "slow caller=main.go:1",
            ),
            ("level=error msg=\"say \\\"no\\\"\"", "say \"no\""),
            // Not all of it is pairs, or there is no message: only the stamp goes.
            (
                "time=2026-11-20T13:00:00Z level=info order placed",
                "level=info order placed",
            ),
            (
                "time=\"2026-11-20T13:00:00Z\" level=info id=7",
                "level=info id=7",
            ),
            ("up time=2026-11-20T13:00:00Z now", "up now"),
            ("a=b", "a=b"),
        ] {
            let stamp = memchr::memmem::find(line.as_bytes(), b"2026-").map(|start| {
                let end = line[start..].find('Z').expect("a stamp");
                start..start + end + 1
            });
            let read_as = LineDisplay::Bare.of_stamped(line.as_bytes(), stamp);
            assert_eq!(String::from_utf8_lossy(&read_as), read, "{line}");
        }
    }

    #[test]
    fn what_is_no_object_or_would_be_nothing_stays_as_it_is() {
        for line in [
            "{",
            "{}",
            "{\"a\":",
            "{\"level\":\"info\"}",
            "{x} y",
            "{\"a\":1} {\"b\":2}",
        ] {
            assert_eq!(bare(line), line);
        }
        assert_eq!(bare("{\"level\":3}"), "level=3");
    }

    proptest! {
        #[test]
        fn no_line_becomes_empty_or_much_longer(line in ".{1,80}") {
            for reading in [LineDisplay::Raw, LineDisplay::Stamped, LineDisplay::Bare] {
                let read = reading.of(line.as_bytes());
                prop_assert!(!read.is_empty() && read.len() <= line.len());
            }
        }

        #[test]
        fn any_place_of_a_stamp_is_survived(line in "[ a\\[\\]<>1]{1,12}", start in 0..14_usize, end in 0..14_usize) {
            let read = LineDisplay::Bare.of_stamped(line.as_bytes(), Some(start..end));
            prop_assert!(!read.is_empty());
        }
    }
}
