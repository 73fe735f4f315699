//! What a line looks like to someone who asks whether it begins a record: by its text alone,
//! without its neighbours.
//!
//! The shapes are those in which runtimes print what went wrong: the JVM, Python, Go, Rust, Node,
//! .NET, PHP and Ruby; and those of statements and objects that are printed over several lines.
//! What follows from a shape is left to the joiner.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::parse::bytes::{split_digits, within};
use crate::parse::level;

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineShape {
    /// Nothing, or blanks.
    Blank,
    /// What only goes on: indented, `Caused by: …`, `}`.
    Rest,
    /// The same, of a stack: `    at add (/srv/shop/cart.js:3:11)`.
    Frame,
    /// The same for a line with a stamp of its own: PostgreSQL's `DETAIL:  …`, MySQL's `SET
    /// timestamp=…`, the `End-Date: …` of apt's history.
    Addendum,
    /// `Traceback (most recent call last):`.
    TracebackHead,
    /// `During handling of the above exception, …`; the caret below a line of source.
    Chain,
    /// `shop.errors.OutOfStock: no more`, `TypeError: x is not a function`.
    Exception,
    /// `panic: …`, `fatal error: …` of Go.
    GoPanic,
    /// `goroutine 1 [running]:`.
    Goroutine,
    /// `main.main()`, `created by …`, `exit status 2`.
    GoFrame,
    /// `thread 'main' panicked at src/main.rs:2:5:`: the message is in the next line.
    CutShort,
    /// `# User@Host: …`, which begins a record of MySQL's slow log unless `# Time: …` has.
    SlowUser,
    /// It states a level of its own.
    Level,
    /// It begins a record whatever comes before it.
    Head,
    /// Anything else.
    Plain,
}

/// What is in front of a line in spite of its not being the first of a record.
const RESTS: &[&[u8]] = &[
    b"at ",
    b"Caused by: ",
    b"Suppressed: ",
    b"... ",
    b"--- End of ",
    b"Stack trace:",
    b"Backtrace:",
    b"stack backtrace:",
    b"note: run with `RUST_BACKTRACE",
    b"note: Some details are omitted",
    b"[signal ",
    b"Node.js v",
    b"thrown in ",
];

/// Between two exceptions in Python, one of which led to the other.
const CHAINS: &[&[u8]] = &[
    b"During handling of the above exception, ",
    b"The above exception was the direct cause of ",
];

/// Beginnings of reports that have nothing to do with the line before them.
const HEADS: &[&[u8]] = &[
    b"Exception in thread ",
    b"Unhandled exception",
    b"Uncaught Exception",
    b"Fatal Python error",
];

/// Additions of PostgreSQL to a message, each a line with its own stamp.
const ADDENDA: &[&[u8]] = &[
    b"DETAIL",
    b"HINT",
    b"QUERY",
    b"CONTEXT",
    b"LOCATION",
    b"BACKTRACE",
    b"STATEMENT",
];

/// How far into a line such an addition is looked for.
const PREFIX_BYTES: usize = 256;

impl LineShape {
    /// Of a line without a stamp, or of the text in a wrapper.
    pub(super) fn of(text: &[u8]) -> Self {
        let Some(&first) = text.first() else {
            return Self::Blank;
        };
        if first == b' ' || first == b'\t' {
            return if is_general_query(text) {
                Self::Head
            } else {
                Self::of_indented(text.trim_ascii())
            };
        }
        Self::of_first_byte(first, text).unwrap_or_else(|| Self::of_words(text))
    }

    fn of_first_byte(first: u8, text: &[u8]) -> Option<Self> {
        let is_goroutine = || text.starts_with(b"goroutine ") && text.ends_with(b":");
        match first {
            b'<' if level::without_priority(text).len() < text.len() => Some(Self::Head),
            b'}' | b']' | b')' if text.iter().all(|b| b"}]);,".contains(b)) => Some(Self::Rest),
            b'#' if numbered(text) => Some(Self::Rest),
            b'#' if text.starts_with(b"# User@Host:") => Some(Self::SlowUser),
            b'g' if is_goroutine() => Some(Self::Goroutine),
            _ => None,
        }
    }

    fn of_words(text: &[u8]) -> Self {
        let starts = |words: &[&[u8]]| words.iter().any(|word| text.starts_with(word));
        if starts(&[b"panic: ", b"fatal error: "]) {
            Self::GoPanic
        } else if starts(&[b"Traceback (most recent call last)"]) {
            Self::TracebackHead
        } else if starts(CHAINS) {
            Self::Chain
        } else if starts(RESTS) {
            Self::Rest
        } else if starts(HEADS) {
            Self::Head
        } else if is_rust_panic(text) && text.ends_with(b":") {
            Self::CutShort
        } else if is_rust_panic(text) {
            Self::Head
        } else if is_exception(text) {
            Self::Exception
        } else if is_frame(text) {
            Self::GoFrame
        } else if level::of(text).is_some() {
            Self::Level
        } else {
            Self::Plain
        }
    }

    fn of_indented(text: &[u8]) -> Self {
        match text {
            [] => Self::Blank,
            [b'^' | b'~', rest @ ..] if rest.iter().all(|b| b"^~".contains(b)) => Self::Chain,
            _ if text.starts_with(b"at ") => Self::Frame,
            _ => Self::Rest,
        }
    }

    /// Of a line with a stamp that ends at `end`.
    fn of_stamped(line: &[u8], end: usize) -> Self {
        if line.starts_with(b"SET timestamp=") || line.starts_with(b"End-Date: ") {
            return Self::Addendum;
        }
        let text = line
            .get(end..line.len().min(end.saturating_add(PREFIX_BYTES)))
            .unwrap_or_default();
        let Some(colon) = memchr::memmem::find(text, b":  ") else {
            return Self::Head;
        };
        let before = &text[..colon];
        let is_addendum = ADDENDA.iter().any(|word| {
            before
                .strip_suffix(*word)
                .is_some_and(|rest| rest.last().is_none_or(|b| !b.is_ascii_alphanumeric()))
        });
        if is_addendum {
            Self::Addendum
        } else {
            Self::Head
        }
    }
}

fn is_rust_panic(text: &[u8]) -> bool {
    text.starts_with(b"thread '") && memchr::memmem::find(text, b"' panicked at ").is_some()
}

/// `#0 /srv/shop/cart.php(12): …`, `#12 {main}`
fn numbered(text: &[u8]) -> bool {
    let digits = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && text.get(1 + digits) == Some(&b' ')
}

/// `\t\t     4 Query\tselect 1`: a record of MySQL's general log in the second of the one before,
/// which has the time.
fn is_general_query(text: &[u8]) -> bool {
    let Some(text) = text.strip_prefix(b"\t\t") else {
        return false;
    };
    let text = text.trim_ascii_start();
    let (digits, rest) = split_digits(text);
    !digits.is_empty() && matches!(rest, [b' ', b'A'..=b'Z', ..])
}

/// A name with an ending that says so, alone or before a colon.
fn is_exception(text: &[u8]) -> bool {
    const ENDINGS: &[&[u8]] = &[
        b"Error",
        b"Exception",
        b"Throwable",
        b"Warning",
        b"Interrupt",
        b"SystemExit",
        b"Fault",
        b"Failure",
    ];
    let end = memchr::memchr3(b':', b' ', b'[', text).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let follows =
        rest.is_empty() || rest.starts_with(b": ") || rest == b":" || rest.starts_with(b" [");
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"._$".contains(b);
    let last = name.rsplit(|b| b"._$".contains(b)).next();
    let is_error = |last: &[u8]| {
        last.first().is_some_and(u8::is_ascii_uppercase)
            && ENDINGS.iter().any(|ending| last.ends_with(ending))
    };
    follows && name.iter().all(is_name) && last.is_some_and(is_error)
}

fn is_frame(text: &[u8]) -> bool {
    let call = text.ends_with(b")")
        && memchr::memchr(b'(', text).is_some_and(|at| !text[..at].contains(&b' '));
    call || text.starts_with(b"created by ") || text.starts_with(b"exit status ")
}

/// A line that may be wrapped: by syslog, by the log of a container, by `docker compose logs`.
#[derive(Debug)]
pub(super) struct WrappedLine<'a> {
    /// What was wrapped; the whole line where nothing was.
    pub(super) text: &'a [u8],
    /// There is a stamp.
    pub(super) stamped: bool,
    /// Where it ends.
    stamp_end: usize,
    /// Who wrote it, as a hash; 0 where it is not wrapped.
    pub(super) owner: u64,
    /// Only shapes that cannot be anything else count: others indent their messages too.
    strict: bool,
    /// The wrapper says that the text goes on in the next line.
    pub(super) is_cut: bool,
}

impl<'a> WrappedLine<'a> {
    /// Takes a line apart; `stamp` is where its stamp is.
    pub(super) fn of(line: &'a [u8], stamp: Option<Range<usize>>) -> Self {
        let stamped = stamp.is_some();
        let (start, end) = stamp.map_or((0, 0), |stamp| (stamp.start, stamp.end));
        let rest = line.get(end..).unwrap_or_default();
        let plain = Self {
            text: line,
            stamped,
            stamp_end: end,
            owner: 0,
            strict: false,
            is_cut: false,
        };
        if !stamped {
            return plain;
        }
        if line.starts_with(b"{\"log\":\"") {
            return Self {
                stamped,
                ..docker(line).unwrap_or(plain)
            };
        }
        match (start, rest) {
            (0, [b' ', ..]) => {
                cri(rest)
                    .or_else(|| syslog(line, 0, rest))
                    .map_or(plain, |wrapped| Self {
                        stamp_end: end,
                        ..wrapped
                    })
            }
            (1..=5, _) if line.first() == Some(&b'<') => syslog(line, start, rest).unwrap_or(plain),
            _ => plain,
        }
    }

    /// Its shape, as far as its wrapper shows it.
    pub(super) fn shape(&self) -> LineShape {
        match () {
            () if self.owner == 0 && self.stamped => {
                LineShape::of_stamped(self.text, self.stamp_end)
            }
            () if self.strict => strict(self.text),
            () => LineShape::of(self.text),
        }
    }
}

/// A trace in syslog: each of its lines has the same program and process before it.
fn strict(text: &[u8]) -> LineShape {
    match LineShape::of(text) {
        LineShape::Rest if !is_trace(text.trim_ascii_start()) => LineShape::Plain,
        shape @ (LineShape::Rest
        | LineShape::Frame
        | LineShape::TracebackHead
        | LineShape::Goroutine
        | LineShape::GoPanic
        | LineShape::CutShort) => shape,
        shape @ (LineShape::Exception | LineShape::Chain | LineShape::GoFrame) => shape,
        _ => LineShape::Head,
    }
}

fn is_trace(text: &[u8]) -> bool {
    RESTS.iter().any(|word| text.starts_with(word))
        || text.starts_with(b"File \"")
        || text.starts_with(b"from ")
}

fn owner(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish().max(1)
}

/// `2026-11-20T13:00:00.123456789Z stdout F text`, from behind the stamp; `P` where it goes on in
/// the next line.
fn cri(rest: &[u8]) -> Option<WrappedLine<'_>> {
    let text = rest
        .strip_prefix(b" stdout ")
        .or_else(|| rest.strip_prefix(b" stderr "))?;
    let stream = &rest[..7];
    let (is_cut, text) = match text {
        [b'P', b' ', text @ ..] => (true, text),
        [b'F', b' ', text @ ..] => (false, text),
        [b'F'] => (false, &[][..]),
        _ => return None,
    };
    Some(WrappedLine {
        text,
        stamped: true,
        stamp_end: 0,
        owner: owner(stream),
        strict: false,
        is_cut,
    })
}

/// `{"log":"text\n","stream":"stdout","time":…}`: without `\n` where it goes on in the next line.
fn docker(line: &[u8]) -> Option<WrappedLine<'_>> {
    let text = line.strip_prefix(b"{\"log\":\"")?;
    let end = memchr::memmem::rfind(text, b"\",\"stream\":\"")?;
    let stream = text.get(end + 12..end + 18)?;
    let whole = text[..end].strip_suffix(b"\\n");
    let is_cut = whole.is_none();
    let text = whole.unwrap_or(&text[..end]);
    let text = text.strip_suffix(b"\\r").unwrap_or(text);
    // The tab is the only escape that a shape begins with.
    let text = if text.starts_with(b"\\t") {
        b"\t."
    } else {
        text
    };
    Some(WrappedLine {
        text,
        stamped: true,
        stamp_end: 0,
        owner: owner(stream),
        strict: false,
        is_cut,
    })
}

/// `Nov 20 13:00:00 web-1 shop[811]: text`, from behind the stamp; a process where the stamp is not
/// that of syslog.
fn syslog<'a>(line: &'a [u8], start: usize, rest: &'a [u8]) -> Option<WrappedLine<'a>> {
    const TAG_BYTES: usize = 128;
    let rest = rest.strip_prefix(b" ")?;
    let colon = memchr::memmem::find(within(rest, TAG_BYTES), b": ")?;
    let tag = &rest[..colon];
    let (_, program) = tag.split_at(memchr::memchr(b' ', tag)? + 1);
    let is_traditional = line.get(start)?.is_ascii_uppercase();
    let is_tag = !program.is_empty()
        && !program.contains(&b' ')
        && (is_traditional || program.ends_with(b"]"));
    let text = &rest[colon + 2..];
    is_tag.then(|| WrappedLine {
        text,
        stamped: true,
        stamp_end: 0,
        owner: owner(tag),
        strict: true,
        is_cut: false,
    })
}
