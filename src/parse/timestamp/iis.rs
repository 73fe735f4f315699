//! Recognises lines of IIS by their columns: their times are in UTC without saying so.

use std::net::IpAddr;

use crate::parse::bytes::{is_digits, within};

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
    let mut columns = within(&behind[1..], HEAD).split(|b| *b == b' ');
    let mut next = || columns.next().unwrap_or_default();
    let mut server = next();
    if server.starts_with(b"W3SVC") {
        server = next();
        if !is_address(server) {
            server = next();
        }
    }
    if !is_address(server) || !is_method(next()) || !next().starts_with(b"/") {
        return false;
    }
    let query = next();
    let port = next();
    let user = next();
    let is_port = port.len() <= 5 && is_digits(port);
    !query.is_empty() && is_port && !user.is_empty() && is_address(next())
}

fn is_method(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_uppercase)
}

fn is_address(word: &[u8]) -> bool {
    // `fe80::1%4`: of the fourth interface.
    let word = word.split(|b| *b == b'%').next().unwrap_or_default();
    std::str::from_utf8(word).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}
