//! The output of `--explain`: what becomes of a query, without connecting.

use std::io::{self, Write};
use std::ops::Range;

use base64::Engine as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::text::SafeText;
use crate::model::time::Time;
use crate::query::{GrepPatterns, Prefilter, QueryExplanation};

/// For people, with times in a zone.
///
/// # Errors
/// When the output cannot be written.
pub fn write_explanation_text(
    explained: &QueryExplanation,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let all = explained.query.is_empty();
    let query = if all {
        "(every line)"
    } else {
        &explained.query
    };
    writeln!(out, "query    {}", SafeText::new(query))?;
    for (written, range) in &explained.times {
        let written = SafeText::new(written);
        writeln!(out, "times    {written}: {}", span(range, zone))?;
    }
    writeln!(out, "to hosts")?;
    match &explained.window {
        None => writeln!(out, "    nothing: no line can match")?,
        Some(window) => {
            writeln!(out, "    lines  {}", span(window, zone))?;
            write_prefilter(&explained.prefilter, out)?;
        }
    }
    writeln!(out, "checked here, in each line that comes back")?;
    for term in explained.checked.iter().filter(|term| !term.is_empty()) {
        writeln!(out, "    {}", SafeText::new(term))?;
    }
    if all {
        writeln!(out, "    nothing")?;
    }
    Ok(())
}

fn write_prefilter(prefilter: &Prefilter, out: &mut dyn Write) -> io::Result<()> {
    match prefilter {
        Prefilter::Everything => writeln!(
            out,
            "    grep   not used: every line may match, so all of them are sent"
        ),
        Prefilter::Lines(patterns) => {
            writeln!(
                out,
                "    grep   {}, for one of",
                patterns.options().join(" ")
            )?;
            patterns.list.iter().try_for_each(|pattern| {
                writeln!(out, "           {}", SafeText::from_bytes(pattern))
            })
        }
    }
}

/// `from 2026-11-20 13:00:00 +01:00 to …`
fn span(range: &Range<Time>, zone: &TimeZone) -> String {
    // To a millisecond: the moment of the call has nine digits, and a typed time has fewer.
    let at = |time: Time| {
        let time = Time(time.0 - time.0.rem_euclid(1_000_000))
            .to_timestamp()
            .to_zoned(zone.clone());
        time.strftime("%Y-%m-%d %H:%M:%S%.f %:z").to_string()
    };
    match (range.start, range.end) {
        (Time(i64::MIN), Time(i64::MAX)) => "whatever their time".to_owned(),
        (Time(i64::MIN), end) => format!("before {}", at(end)),
        (start, Time(i64::MAX)) => format!("from {}", at(start)),
        (start, end) => format!("from {} to before {}", at(start), at(end)),
    }
}

/// One JSON object.
///
/// # Errors
/// When the output cannot be written.
pub fn write_explanation_json(explained: &QueryExplanation, out: &mut dyn Write) -> io::Result<()> {
    let times: Vec<Value> = explained
        .times
        .iter()
        .map(|(written, range)| json!({"text": written, "from": moment(range.start), "to": moment(range.end)}))
        .collect();
    let grep = match &explained.prefilter {
        Prefilter::Everything => Value::Null,
        Prefilter::Lines(patterns) => grep(patterns),
    };
    let asked = explained.window.as_ref().map(
        |window| json!({"from": moment(window.start), "to": moment(window.end), "grep": grep}),
    );
    let object = json!({
        "v": 1, "type": "explanation", "query": explained.query, "times": times, "asked": asked, "checked": explained.checked,
    });
    writeln!(out, "{object}")
}

/// In UTC; `null` where there is no bound.
fn moment(time: Time) -> Value {
    if matches!(time, Time(i64::MIN | i64::MAX)) {
        Value::Null
    } else {
        json!(time.to_timestamp().to_string())
    }
}

fn grep(patterns: &GrepPatterns) -> Value {
    let list: Vec<Value> = patterns.list.iter().map(|pattern| bytes(pattern)).collect();
    json!({"options": patterns.options(), "patterns": list})
}

/// Text, or an object where the bytes are none.
fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"bytes": base64::engine::general_purpose::STANDARD.encode(bytes)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Query, ReferenceTime};

    fn explained(text: &str) -> QueryExplanation {
        let at = "2026-11-20T13:30:00Z".parse().expect("a moment");
        let now = ReferenceTime {
            time: Time::from_timestamp(at),
            zone: TimeZone::UTC,
        };
        Query::parse(text, &now).expect("a query").explain()
    }

    fn text(query: &str) -> String {
        let mut out = Vec::new();
        write_explanation_text(&explained(query), &TimeZone::UTC, &mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn people_read_what_is_asked_and_what_is_checked() {
        assert_eq!(
            text("Cart -healthz since:15m"),
            "\
query    Cart -healthz since:15m
times    since:15m: from 2026-11-20 13:15:00 +00:00
to hosts
    lines  from 2026-11-20 13:15:00 +00:00
    grep   -a -F, for one of
           Cart
checked here, in each line that comes back
    Cart
    -healthz
    since:15m
"
        );
        assert!(text("-a").contains("all of them are sent"));
        assert!(text("since:1h until:2h").contains("nothing: no line can match"));
    }

    #[test]
    fn scripts_read_the_same() {
        let mut out = Vec::new();
        write_explanation_json(&explained("/(?-u:\\xff)/ today"), &mut out).expect("memory");
        let object: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(
            object,
            json!({
                "v": 1, "type": "explanation", "query": "/(?-u:\\xff)/ today",
                "times": [{"text": "today", "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}],
                "asked": {
                    "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z",
                    "grep": {"options": ["-a", "-E"], "patterns": [{"bytes": "/w=="}]},
                },
                "checked": ["/(?-u:\\xff)/", "today"],
            })
        );
    }
}
