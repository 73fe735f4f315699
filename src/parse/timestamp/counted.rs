//! Timestamps that count: seconds or parts of them since 1970, since the host was started, or in
//! TAI64N. Dates are left to `notation`.

use super::moment::{ParsedStamp, WrittenMoment};
use super::scan::{MAX_DECIMALS, StampScanner};
use super::zone::ZoneNames;

/// Seconds have ten digits from 2001 to 2286, milliseconds 13, microseconds 16 and nanoseconds 19:
/// numbers of any other length are taken for something else. zap's console has
/// `1.7951796011234567e+09`.
pub(super) fn epoch(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let moment = WrittenMoment::Epoch(number(&mut scan)?);
    scan.stamp(text, moment).filter(|_| scan.ends_word())
}

/// A number of seconds or of thousandths, millionths or billionths of it, as nanoseconds.
pub(super) fn number(scan: &mut StampScanner<'_>) -> Option<i64> {
    let run = scan.run_of_digits();
    let scale = match run {
        1 => return with_exponent(scan),
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    let mut number: i64 = 0;
    for _ in 0..run {
        number = number
            .checked_mul(10)?
            .checked_add(i64::from(scan.digit()?))?;
    }
    // Of a second, or of a thousandth of it; below a millionth of a second it is less than what
    // clocks measure.
    let fraction = scan.attempt(|scan| {
        scan.take(b".")?;
        scan.decimals()
    });
    let nanos = number
        .checked_mul(scale)?
        .checked_add(i64::from(fraction.unwrap_or(0)) * scale / 1_000_000_000)?;
    (nanos >= EARLIEST_S * 1_000_000_000).then_some(nanos)
}

/// Ten digits: 9 September 2001.
const EARLIEST_S: i64 = 1_000_000_000;

/// `1.7951796011234567e+09`: seconds.
fn with_exponent(scan: &mut StampScanner<'_>) -> Option<i64> {
    let mut ahead = *scan;
    let mut nanos = i64::from(ahead.digit()?) * 1_000_000_000_000_000_000;
    let mut unit = 100_000_000_000_000_000_i64;
    if ahead.take(b".").is_some() {
        for _ in 0..MAX_DECIMALS {
            let Some(digit) = ahead.digit() else { break };
            nanos = nanos.checked_add(i64::from(digit).checked_mul(unit)?)?;
            unit /= 10;
        }
    }
    ahead.take(b"eE")?;
    ahead.take(b"+");
    let exponent = ahead.run_of_digits();
    // Whatever the unit, its exponent only says which it is: the digits are the same.
    ahead
        .digits(exponent)
        .filter(|exponent| matches!(exponent, 9 | 12 | 15 | 18))?;
    *scan = ahead;
    (nanos > 0).then_some(nanos)
}

/// `[    5.123456]`
pub(super) fn since_boot(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    scan.skip(b"[")?;
    scan.blanks(12);
    let run = scan.run_of_digits();
    if !(1..=8).contains(&run) {
        return None;
    }
    let seconds = i64::from(scan.digits(run)?);
    scan.skip(b".")?;
    if !matches!(scan.run_of_digits(), 3 | 6 | 9) {
        return None;
    }
    let nanos = i64::from(scan.decimals()?);
    // printk may add the thread or processor: `[    5.123456][  T1]`, or `[    5.123456@0]`.
    if scan.take(b"@").is_some() {
        let run = scan.run_of_digits();
        scan.digits(run)?;
    }
    scan.skip(b"]")?;
    let moment = WrittenMoment::SinceBoot(seconds * 1_000_000_000 + nanos);
    Some(scan.found(text, moment))
}

/// `@4000000065f1b2c32ab6c71c`: <https://cr.yp.to/libtai/tai64.html>, with the 10 seconds by which
/// daemontools, runit and s6 are ahead of UTC (they do not count leap seconds either).
pub(super) fn tai64n(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    const EPOCH: u64 = (1 << 62) + 10;
    let mut scan = StampScanner(text.strip_prefix(b"@")?);
    let seconds = i64::try_from(hexadecimal(&mut scan, 16)?.checked_sub(EPOCH)?).ok()?;
    let nanos = i64::try_from(hexadecimal(&mut scan, 8)?)
        .ok()
        .filter(|&nanos| nanos < 1_000_000_000)?;
    let time = seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
    scan.word(text, WrittenMoment::Epoch(time))
}

/// `6b0a43b0.075bcde8`: OpenLDAP's own log since 2.5 has seconds and their billionths so.
pub(super) fn hexadecimal_seconds(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let seconds = seconds_of_our_time(&mut scan)?;
    scan.skip(b".")?;
    let nanos = i64::try_from(hexadecimal(&mut scan, 8)?)
        .ok()
        .filter(|&nanos| nanos < 1_000_000_000)?;
    let moment = WrittenMoment::Epoch(seconds * 1_000_000_000 + nanos);
    scan.word(text, moment)
}

/// `6b0a43b0`: the same before 2.5. Any eight digits may be one, so only many lines prove it.
pub(super) fn whole_hexadecimal_seconds(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let seconds = seconds_of_our_time(&mut scan)?;
    let found = scan.word(text, WrittenMoment::Epoch(seconds * 1_000_000_000));
    found.filter(|_| scan.peek().is_none_or(|b| b == b' '))
}

/// From 2001 to 2038.
fn seconds_of_our_time(scan: &mut StampScanner<'_>) -> Option<i64> {
    let seconds = i64::try_from(hexadecimal(scan, 8)?).ok()?;
    (EARLIEST_S..1 << 31).contains(&seconds).then_some(seconds)
}

fn hexadecimal(scan: &mut StampScanner<'_>, count: usize) -> Option<u64> {
    let (digits, rest) = scan.0.split_at_checked(count)?;
    scan.0 = rest;
    digits.iter().try_fold(0_u64, |number, &b| {
        Some(number << 4 | u64::from(char::from(b).to_digit(16)?))
    })
}
