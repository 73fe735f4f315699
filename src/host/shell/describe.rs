//! What a host says of itself in plain mode: the answer to the script's `describe`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::host::SystemFacts;
use crate::model::time::Time;

/// Facts, and what else was found out in the same breath.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Description {
    /// For the screen and the JSON.
    pub facts: SystemFacts,
    /// There is a journal that could be read.
    pub journal: bool,
    /// The login and its groups, for hints about permissions.
    pub user: String,
}

/// Reads the answer, which was asked for at `sent` and had come at `received` by our clock.
///
/// The clock offset is that of the classic algorithm (RFC 5905, section 8) with one stamp of the
/// host: its clock minus the middle of the round trip, right to within half of the round trip and
/// the resolution of its stamp.
#[must_use]
pub(crate) fn parse(text: &[u8], sent: Time, received: Time) -> Description {
    let text = String::from_utf8_lossy(text);
    let mut description = Description::default();
    for line in text.lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let facts = &mut description.facts;
        match name {
            "clock" => parse_clock(value, sent, received, facts),
            "uname" => parse_uname(value, facts),
            "hostname" => value.clone_into(&mut facts.hostname),
            "zone" => facts.zone = agreed(value, facts.utc_offset_s, received),
            "btime" => facts.booted = value.trim().parse().ok().and_then(seconds),
            "MemTotal:" => facts.memory_bytes = kibibytes(value).unwrap_or(0),
            "uptime" => {
                facts.uptime_s = value
                    .split('.')
                    .next()
                    .and_then(|s| s.parse().ok())
                    .unwrap_or(0);
            }
            "boot" => facts.boot_id = Some(value.to_owned()),
            "cores" => facts.cores = value.trim().parse().unwrap_or(0),
            "user" => value.clone_into(&mut description.user),
            "journal" => description.journal = true,
            _ => {}
        }
    }
    description
}

/// The rules of a zone, unless the clock's offset is another: a login may have a zone of its own.
fn agreed(rules: &str, utc_offset_s: Option<i32>, at: Time) -> Option<String> {
    let zone = TimeZone::posix(rules).ok()?;
    let offset = zone.to_offset(at.to_timestamp()).seconds();
    (Some(offset) == utc_offset_s).then(|| rules.to_owned())
}

/// `16384 kB`
fn kibibytes(value: &str) -> Option<u64> {
    value
        .trim()
        .strip_suffix("kB")?
        .trim_end()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

fn seconds(since_epoch: i64) -> Option<Time> {
    Timestamp::from_second(since_epoch)
        .ok()
        .map(Time::from_timestamp)
}

fn parse_uname(value: &str, facts: &mut SystemFacts) {
    let mut words = value.splitn(3, ' ');
    facts.os = words.next().unwrap_or_default().to_ascii_lowercase();
    facts.arch = words.next().unwrap_or_default().to_owned();
    facts.kernel = words.next().unwrap_or_default().to_owned();
}

/// `SECONDS.NANOSECONDS ZONE`. A `date` that knows no nanoseconds prints something else after the
/// dot, or nothing.
fn parse_clock(value: &str, sent: Time, received: Time, facts: &mut SystemFacts) {
    let (clock, zone) = value.split_once(' ').unwrap_or((value, ""));
    facts.utc_offset_s = parse_zone(zone);
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let Ok(seconds) = seconds.parse::<i64>() else {
        return;
    };
    let precise = fraction.len() == 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos = if precise {
        fraction.parse().unwrap_or(0)
    } else {
        500_000_000
    };
    let Ok(host) = Timestamp::new(seconds, nanos) else {
        return;
    };
    let middle = sent.0 / 2 + received.0 / 2;
    let round_trip = received.0.saturating_sub(sent.0).max(0);
    let resolution = if precise { 0.0 } else { 500.0 };
    facts.clock_offset_ms =
        Some((Time::from_timestamp(host).0.saturating_sub(middle)) as f64 / 1e6);
    facts.clock_error_ms = Some(round_trip as f64 / 2e6 + resolution);
}

/// `+0130` in seconds.
fn parse_zone(zone: &str) -> Option<i32> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let number: i32 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Time = Time(1_795_188_137_000_000_000);

    #[test]
    fn facts_are_read_with_the_offset_of_the_clock() {
        let text = b"clock 1795188138.250000000 -0330\nuname Linux x86_64 6.1.0-13-amd64\nhostname web-1\nboot abc\ncores 8\nMemTotal:       16384 kB\nuptime 86400.51\nuser ops adm\njournal\n";
        let description = parse(text, AT, AT.plus_millis(100));
        let facts = &description.facts;
        assert_eq!(
            (
                facts.os.as_str(),
                facts.arch.as_str(),
                facts.kernel.as_str()
            ),
            ("linux", "x86_64", "6.1.0-13-amd64")
        );
        assert_eq!(
            (facts.hostname.as_str(), facts.cores, facts.utc_offset_s),
            ("web-1", 8, Some(-12600))
        );
        assert_eq!(
            (facts.clock_offset_ms, facts.clock_error_ms),
            (Some(1200.0), Some(50.0))
        );
        assert_eq!((facts.memory_bytes, facts.uptime_s), (16384 * 1024, 86_400));
        assert!(description.journal);
    }

    #[test]
    fn the_zone_has_its_rules_where_they_agree_with_the_clock() {
        let described = |text: &str| parse(text.as_bytes(), AT, AT).facts;
        let facts = described(
            "clock 1795188138.0 +0100\nzone CET-1CEST,M3.5.0,M10.5.0/3\nbtime 1795000000\n",
        );
        let summer = "2026-07-01T12:00:00Z".parse().expect("a time");
        assert_eq!(facts.clock().zone.to_offset(summer).seconds(), 7200);
        assert_eq!(facts.clock().boot, Some(Time(1_795_000_000_000_000_000)));
        for other in ["EST5EDT,M3.2.0,M11.1.0", "TZif2", ""] {
            let facts = described(&format!("clock 1795188138.0 +0100\nzone {other}\n"));
            assert_eq!(facts.zone, None);
            assert_eq!(facts.clock().zone.to_offset(summer).seconds(), 3600);
        }
    }

    #[test]
    fn a_clock_without_nanoseconds_is_right_to_half_a_second() {
        for clock in [
            "1795188137.N +0000",
            "1795188137.%N +0000",
            "1795188137 +0000",
        ] {
            let facts = parse(format!("clock {clock}\n").as_bytes(), AT, AT).facts;
            assert_eq!(
                (facts.clock_offset_ms, facts.clock_error_ms),
                (Some(500.0), Some(500.0)),
                "{clock}"
            );
        }
    }

    #[test]
    fn nonsense_leaves_facts_empty() {
        assert_eq!(
            parse(b"clock x\nuname\n\xff\xfe\ncores many\n", AT, AT),
            Description::default()
        );
    }
}
