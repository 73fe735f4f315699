//! Recognises lines of IIS by their columns: their times are in UTC without saying so.

use std::net::IpAddr;

/// As much of a line as its first columns take.
const HEAD: usize = 4096;

/// Whether what follows a day and a time are the columns that IIS has by default, in a log whose
/// head was not read: `10.0.0.1 GET /path - 80 - 10.0.0.2 …`, and before it the name of the site,
/// and of the server. No other program is known to write these seven. With other columns, a log
/// without its head is taken for one of local time.
#[inline]
pub(super) fn is_iis(behind: &[u8]) -> bool {
    let [b' ', first, ..] = behind else {
        return false;
    };
    (first.is_ascii_hexdigit() || matches!(first, b':' | b'W')) && has_columns_of_iis(behind)
}

fn has_columns_of_iis(behind: &[u8]) -> bool {
    let head = &behind[1..behind.len().min(HEAD)];
    let names = if head.starts_with(b"W3SVC") { 2 } else { 0 };
    let mut columns = head
        .split(|b| *b == b' ')
        .enumerate()
        .skip_while(|(at, word)| *at < names && !is_address(word));
    let mut next = || columns.next().map_or(&[][..], |(_, word)| word);
    let server = is_address(next());
    let method = next();
    let is_request =
        !method.is_empty() && method.iter().all(u8::is_ascii_uppercase) && next().starts_with(b"/");
    if !(server && is_request && !next().is_empty()) {
        return false;
    }
    let port = next();
    let is_port = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    is_port && !next().is_empty() && is_address(next())
}

fn is_address(word: &[u8]) -> bool {
    // `fe80::1%4`: of the fourth interface.
    let word = word.split(|b| *b == b'%').next().unwrap_or_default();
    std::str::from_utf8(word).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}
