//! Events of security products: ArcSight's CEF and QRadar's LEEF, perhaps behind a head of syslog.

use super::bytes::within;

/// How far into a line an event may begin.
const WITHIN: usize = 256;

/// The columns of each format before its pairs.
const CEF: [&str; 6] = [
    "device_vendor",
    "device_product",
    "device_version",
    "signature_id",
    "name",
    "severity",
];
const LEEF: [&str; 4] = [
    "device_vendor",
    "device_product",
    "device_version",
    "event_id",
];

/// An event with what it has columns for, and its pairs.
#[derive(Debug)]
pub(super) struct SecurityEvent<'a> {
    names: &'static [&'static str],
    columns: Vec<&'a [u8]>,
    pairs: &'a [u8],
    /// What is between two pairs, where a blank may be in a value.
    delimiter: Option<u8>,
}

impl<'a> SecurityEvent<'a> {
    /// The event in a line.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        let head = within(line, WITHIN);
        // Few lines have one, and this is seen sooner.
        memchr::memchr(b'|', head)?;
        let at = memchr::memmem::find_iter(head, b"EF:")
            .find_map(|at| start_of(head, at).map(|start| (start, at + 3)));
        let (start, behind) = at?;
        let mut rest = HeadColumns(&line[behind..]);
        let version = rest.next()?;
        if line[start] == b'C' {
            let columns: Vec<_> = rest.by_ref().take(CEF.len()).collect();
            return (columns.len() == CEF.len()).then_some(Self {
                names: &CEF,
                columns,
                pairs: rest.0,
                delimiter: None,
            });
        }
        let columns: Vec<_> = rest.by_ref().take(LEEF.len()).collect();
        let delimiter = if version.starts_with(b"2") {
            delimiter(rest.next()?)
        } else {
            b'\t'
        };
        (columns.len() == LEEF.len()).then_some(Self {
            names: &LEEF,
            columns,
            pairs: rest.0,
            delimiter: Some(delimiter),
        })
    }

    /// Its columns and its pairs.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        let columns = self
            .names
            .iter()
            .map(|name| name.as_bytes())
            .zip(self.columns.iter().copied());
        columns.chain(EventPairs {
            rest: self.pairs,
            delimiter: self.delimiter,
        })
    }

    /// How grave it is: a number, or a word.
    pub(super) fn severity(&self) -> Option<&'a [u8]> {
        let pair = |name: &[u8]| self.fields().find(|(of, _)| *of == name);
        pair(b"severity")
            .or_else(|| pair(b"sev"))
            .map(|(_, value)| value)
    }
}

/// Where `CEF:0|` or `LEEF:1.0|` begins whose `EF:` is there.
fn start_of(head: &[u8], at: usize) -> Option<usize> {
    let start = match head[..at] {
        [.., b'L', b'E'] => at - 2,
        [.., b'C'] => at - 1,
        _ => return None,
    };
    let is_apart = start == 0 || matches!(head[start - 1], b' ' | b'\t' | b']' | b'\xbf');
    let has_version = head.get(at + 3).is_some_and(u8::is_ascii_digit)
        && within(&head[at + 3..], 5).contains(&b'|');
    (is_apart && has_version).then_some(start)
}

/// `^`, `x09` or `0x09`; a tab where it is empty.
fn delimiter(text: &[u8]) -> u8 {
    match text {
        [byte] => *byte,
        _ => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim_start_matches('0').strip_prefix('x'))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or(b'\t'),
    }
}

/// The columns up to the pairs: a bar ends each, unless a backslash is before it.
struct HeadColumns<'a>(&'a [u8]);

impl<'a> Iterator for HeadColumns<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0;
        let end =
            memchr::memchr_iter(b'|', text).find(|end| *end == 0 || text[end - 1] != b'\\')?;
        self.0 = &text[end + 1..];
        Some(&text[..end])
    }
}

/// `src=10.0.0.1 msg=a text with blanks suser=bob`
struct EventPairs<'a> {
    rest: &'a [u8],
    delimiter: Option<u8>,
}

impl<'a> EventPairs<'a> {
    /// Where a value ends, and where the next pair begins.
    fn end(&self, value: &[u8]) -> (usize, usize) {
        if let Some(delimiter) = self.delimiter {
            let end = memchr::memchr(delimiter, value).unwrap_or(value.len());
            return (end, (end + 1).min(value.len()));
        }
        let next = memchr::memchr_iter(b'=', value)
            .filter_map(|equals| start_of_key(value, equals))
            .next();
        next.map_or((value.len(), value.len()), |start| (start - 1, start))
    }
}

/// Where a name begins that a blank precedes and an equals sign follows.
fn start_of_key(text: &[u8], equals: usize) -> Option<usize> {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"_.-[]".contains(b);
    let from = equals.saturating_sub(64);
    let start = text[from..equals].iter().rposition(|b| !is_name(b))? + from + 1;
    (start < equals && text[start - 1] == b' ').then_some(start)
}

impl<'a> Iterator for EventPairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let equals = memchr::memchr(b'=', self.rest)?;
        let key = self.rest[..equals].trim_ascii();
        let value = &self.rest[equals + 1..];
        let (end, next) = self.end(value);
        self.rest = &value[next..];
        Some((key, value[..end].trim_ascii_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_columns_pairs_and_a_level() {
        let line = b"<14>Nov 20 13:00:00 fw CEF:0|Acme|Fire\\|wall|1.0|100|port scan|8|src=10.0.0.1 msg=from a = b host suser=bob";
        let event = SecurityEvent::of(line).expect("an event");
        let fields: Vec<_> = event
            .fields()
            .map(|(name, value)| {
                (
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(value),
                )
            })
            .collect();
        let has = |name: &str, value: &str| fields.contains(&(name.into(), value.into()));
        assert!(has("device_product", "Fire\\|wall"), "{fields:?}");
        assert!(has("name", "port scan"));
        assert!(has("src", "10.0.0.1"));
        assert!(has("msg", "from a = b host"));
        assert!(has("suser", "bob"));
    }
}
