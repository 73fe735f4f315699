//! What a host says of itself in plain mode: the answer to the script's `describe`.

use jiff::Timestamp;

use crate::host::driver::facts::{ClockReading, RawFacts, RoundTrip};
use crate::host::driver::follow::HostDescription;

/// Reads the answer to a question that took this round trip.
#[must_use]
pub(crate) fn parse(text: &[u8], trip: RoundTrip) -> HostDescription {
    let text = String::from_utf8_lossy(text);
    let mut description = HostDescription::default();
    let mut raw = RawFacts::default();
    for line in text.lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            "user" => value.clone_into(&mut description.user),
            "journal" => description.journal = true,
            name => parse_fact(name, value, &mut raw),
        }
    }
    description.facts = raw.facts(trip);
    description
}

fn parse_fact(name: &str, value: &str, raw: &mut RawFacts) {
    match name {
        "clock" => parse_clock(value, raw),
        "uname" => parse_uname(value, raw),
        "hostname" => value.clone_into(&mut raw.hostname),
        "zone" => value.clone_into(&mut raw.zone_rules),
        "btime" => raw.booted = value.trim().parse().ok(),
        "MemTotal:" => value.clone_into(&mut raw.memory),
        "uptime" => value.clone_into(&mut raw.uptime),
        "boot" => raw.boot_id = Some(value.to_owned()),
        "cores" => raw.cores = value.trim().parse().unwrap_or(0),
        _ => {}
    }
}

fn parse_uname(value: &str, raw: &mut RawFacts) {
    let mut words = value.splitn(3, ' ').map(str::to_owned);
    raw.os = words.next().unwrap_or_default();
    raw.arch = words.next().unwrap_or_default();
    raw.kernel = words.next().unwrap_or_default();
}

/// `SECONDS.NANOSECONDS ZONE`. A `date` that knows no nanoseconds prints something else after the
/// dot, or nothing.
fn parse_clock(value: &str, raw: &mut RawFacts) {
    let (clock, zone) = value.split_once(' ').unwrap_or((value, ""));
    raw.utc_offset_s = parse_zone(zone);
    raw.clock = parse_reading(clock);
}

fn parse_reading(clock: &str) -> Option<ClockReading> {
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let seconds = seconds.parse().ok()?;
    let is_precise = fraction.len() == 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let (nanos, resolution_ms) = if is_precise {
        (fraction.parse().ok()?, 0)
    } else {
        (500_000_000, 500)
    };
    let at = Timestamp::new(seconds, nanos).ok()?;
    Some(ClockReading { at, resolution_ms })
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
    use crate::model::time::Time;

    const AT: Time = Time(1_795_188_137_000_000_000);

    /// Asked at that time, and answered so much later.
    fn described(text: &[u8], ms: i64) -> HostDescription {
        let trip = RoundTrip {
            sent: AT,
            received: AT.plus_millis(ms),
        };
        parse(text, trip)
    }

    #[test]
    fn facts_are_read_with_the_offset_of_the_clock() {
        let text = b"clock 1795188138.250000000 -0330\nuname Linux x86_64 6.1.0-13-amd64\nhostname web-1\nboot abc\ncores 8\nMemTotal:       16384 kB\nuptime 86400.51\nuser ops adm\njournal\n";
        let description = described(text, 100);
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
        let of_text = |text: &str| described(text.as_bytes(), 0).facts;
        let facts = of_text(
            "clock 1795188138.0 +0100\nzone CET-1CEST,M3.5.0,M10.5.0/3\nbtime 1795000000\n",
        );
        let summer = "2026-07-01T12:00:00Z".parse().expect("a time");
        assert_eq!(facts.clock().zone.to_offset(summer).seconds(), 7200);
        assert_eq!(facts.clock().boot, Some(Time(1_795_000_000_000_000_000)));
        for other in ["EST5EDT,M3.2.0,M11.1.0", "TZif2", ""] {
            let facts = of_text(&format!("clock 1795188138.0 +0100\nzone {other}\n"));
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
            let facts = described(format!("clock {clock}\n").as_bytes(), 0).facts;
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
            described(b"clock x\nuname\n\xff\xfe\ncores many\n", 0),
            HostDescription::default()
        );
    }
}
