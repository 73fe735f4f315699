//! Small steps over the bytes of a line that its readers share.

/// So much of the beginning, or all where there is less.
pub(crate) fn within(text: &[u8], most: usize) -> &[u8] {
    text.get(..most).unwrap_or(text)
}

/// The text up to its first line end.
pub(crate) fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())]
}

/// The digits that a text begins with, and the rest.
pub(crate) fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|b| b.is_ascii_digit()).count())
}

/// Whether a text is one digit or more, and nothing else.
pub(crate) fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// A number of at most six digits with which a text begins.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    let (digits, _) = split_digits(within(text, 7));
    (1..=6).contains(&digits.len()).then(|| {
        digits
            .iter()
            .fold(0, |number, b| number * 10 + u32::from(b - b'0'))
    })
}

/// Where a short text is found. Searching for one byte of it is faster in a line than making a
/// searcher of all.
pub(crate) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let anchor = needle.iter().position(|&b| b != b' ')?;
    memchr::memchr_iter(needle[anchor], text)
        .filter_map(|at| at.checked_sub(anchor))
        .find(|&at| text[at..].starts_with(needle))
}

/// What precedes and follows the first such byte.
pub(crate) fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// A word and what follows the blanks after it.
pub(crate) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr3(b' ', b'\t', b'\n', text).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// A text of words that are taken one by one.
pub(crate) struct Words<'a>(pub(crate) &'a [u8]);

impl<'a> Words<'a> {
    /// The next word; empty where there is none.
    pub(crate) fn take(&mut self) -> &'a [u8] {
        let (word, rest) = word(self.0);
        self.0 = rest;
        word
    }
}

/// What follows an opening quote, up to the first quote without a backslash before it; and what
/// follows that quote.
pub(crate) fn split_quoted(inner: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inner.get(at..)?)?;
        if inner[at] == b'"' {
            return Some((&inner[..at], &inner[at + 1..]));
        }
        at += 2;
    }
}

/// A text between quotes with its escapes, and what follows it.
pub(crate) fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    split_quoted(text.strip_prefix(b"\"")?)
}

/// The escaped line in `{"log":"…","stream":"stdout","time":"…"}`, as docker's json-file driver
/// writes it.
pub(crate) fn docker_log(object: &[u8]) -> Option<&[u8]> {
    let (log, rest) = split_quoted(object.strip_prefix(b"{\"log\":\"")?)?;
    let is_docker = [&b",\"stream\":"[..], b",\"attrs\":", b",\"time\":"]
        .iter()
        .any(|next| rest.starts_with(next));
    is_docker.then_some(log)
}
