//! The ids of a line: of the request, the trace, the span and the user.
//!
//! They stand in fields with the usual names, some of them packed together (`traceparent`), or in
//! forms that have no name: OpenStack's `[req-…]`, Spring's `[shop,trace,span]`, a UUID as a tag or
//! behind a word that says what it is.

use std::borrow::Cow;

use super::names::{NameSet, REQUEST, Rank, SPAN, TRACE, USER, USER_NAMES};
use super::{
    FieldPath, FieldShape, FieldValue, FieldVisitor, FieldWish, Flow, LineIds, ValueKind, walk,
};

/// Longer values are no ids.
const MAX_ID: usize = 128;

/// How far into a line forms without a name are looked for.
const FORMS_WITHIN: usize = 2 * 1024;

/// How many brackets and UUIDs are looked at.
const MAX_FORMS: usize = 16;

/// Lists of names for each kind of id, better ones first.
static KINDS: [&[NameSet]; 4] = [&[REQUEST], &[TRACE], &[SPAN], &[USER, USER_NAMES]];

/// Places in that list.
const OF_TRACE: usize = 1;
const OF_SPAN: usize = 2;

pub(super) fn find(line: &[u8]) -> LineIds<'_> {
    let is_object = line.trim_ascii_start().first() == Some(&b'{');
    let mut collector = IdCollector {
        is_object,
        ..IdCollector::default()
    };
    let _ = walk(line, &mut collector);
    let [request, trace, span, user] = collector.best.map(|best| best.map(|(_, id)| id));
    let mut ids = LineIds {
        request,
        trace,
        span,
        user,
    };
    if !is_object && (ids.request.is_none() || ids.trace.is_none()) {
        let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
        forms(&line[..end.min(FORMS_WITHIN)], &mut ids);
    }
    ids
}

/// The best of each kind of id so far, with its rank.
#[derive(Default)]
struct IdCollector<'a> {
    best: [Option<(Rank, Cow<'a, [u8]>)>; 4],
    /// What the next value is taken for.
    wished: [Option<Rank>; 4],
    /// The last part of its name says that it is a user of the system.
    is_uid: bool,
    /// It is called `trace` or `span`, which may be something else.
    is_vague: bool,
    is_object: bool,
}

impl<'a> FieldVisitor<'a> for IdCollector<'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        match shape {
            FieldShape::Object => return FieldWish::Enter,
            FieldShape::Array => return FieldWish::Skip,
            FieldShape::Leaf => {}
        }
        for (kind, sets) in KINDS.iter().enumerate() {
            let rank = sets
                .iter()
                .zip(0..)
                .find_map(|(set, at)| Some(at * 100 + set.position(path)?));
            let better = |rank: &Rank| self.best[kind].as_ref().is_none_or(|(best, _)| rank < best);
            self.wished[kind] = rank.filter(better);
        }
        if self.wished.iter().all(Option::is_none) {
            return FieldWish::Skip;
        }
        self.is_uid = path.key.eq_ignore_ascii_case(b"uid");
        self.is_vague =
            path.key.eq_ignore_ascii_case(b"trace") || path.key.eq_ignore_ascii_case(b"span");
        FieldWish::Take
    }

    fn take(&mut self, _: &FieldPath<'_>, value: FieldValue<'a>) -> Flow {
        // Numbers of users of the system, in lines of auditd and PAM, are not those of a service.
        let of_system = self.is_uid && !self.is_object && value.kind == ValueKind::Number;
        for kind in 0..KINDS.len() {
            if let Some(rank) = self.wished[kind]
                .take()
                .filter(|_| !of_system && is_id(&value))
                && let Some(id) = unpacked(kind, &value.text)
                && (!self.is_vague || is_hexadecimal(&id))
            {
                self.best[kind] = Some((rank, id));
            }
        }
        Flow::Continue(())
    }
}

fn is_id(value: &FieldValue<'_>) -> bool {
    let text = &*value.text;
    matches!(value.kind, ValueKind::Text | ValueKind::Number)
        && (1..=MAX_ID).contains(&text.len())
        && text.iter().all(|b| b.is_ascii_graphic() || !b.is_ascii())
        && !matches!(
            text,
            b"-" | b"null" | b"nil" | b"none" | b"None" | b"undefined" | b"(null)"
        )
        && !(text.len() > 7 && text.iter().all(|b| b"0-".contains(b)))
}

fn is_hexadecimal(id: &[u8]) -> bool {
    id.len() > 7
        && id.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
        && id.iter().any(u8::is_ascii_digit)
}

/// The id of a kind in a value that may have several of them.
fn unpacked<'a>(kind: usize, text: &Cow<'a, [u8]>) -> Option<Cow<'a, [u8]>> {
    let range = match kind {
        OF_TRACE | OF_SPAN => part(kind == OF_SPAN, text)?,
        _ => 0..text.len(),
    };
    if range.is_empty() {
        return None;
    }
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_vec()),
    })
}

/// Where the trace, or the span, stands in a value.
fn part(span: bool, text: &[u8]) -> Option<std::ops::Range<usize>> {
    let pick = |separator: u8, first: usize| {
        let from = if span { first + 1 } else { first };
        let start = from.checked_sub(1).map_or(Some(0), |nth| {
            Some(memchr::memchr_iter(separator, text).nth(nth)? + 1)
        })?;
        let len = memchr::memchr(separator, &text[start..]).unwrap_or(text.len() - start);
        Some(start..start + len)
    };
    // W3C's traceparent: version-trace-span-flags.
    let is_parent = text.len() == 55 && text[2] == b'-' && text[35] == b'-' && text[52] == b'-';
    // X-B3: trace-span-sampled, Spring's too.
    let is_b3 = [16, 32]
        .iter()
        .any(|at| text.get(*at) == Some(&b'-') && text.get(at + 17).is_none_or(|b| *b == b'-'));
    if is_parent {
        return pick(b'-', 1);
    }
    if is_b3 && text.len() > 32 && text.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-') {
        return pick(b'-', 0);
    }
    // Jaeger's uber-trace-id: trace:span:parent:flags.
    if memchr::memchr_iter(b':', text).count() == 3
        && text.iter().all(|b| b.is_ascii_hexdigit() || *b == b':')
    {
        return pick(b':', 0);
    }
    if span {
        return Some(0..text.len());
    }
    // Amazon's Root=1-…;Parent=…, Google's projects/…/traces/….
    if let Some(root) = memchr::memmem::find(text, b"Root=") {
        let start = root + 5;
        return Some(
            start..start + memchr::memchr(b';', &text[start..]).unwrap_or(text.len() - start),
        );
    }
    let start = memchr::memmem::rfind(text, b"/traces/").map_or(0, |at| at + 8);
    Some(start..text.len())
}

/// Ids that stand without a name.
fn forms<'a>(line: &'a [u8], ids: &mut LineIds<'a>) {
    for at in memchr::memchr_iter(b'[', line).take(MAX_FORMS) {
        let inner = &line[at + 1..];
        let Some(end) = memchr::memchr(b']', inner) else {
            break;
        };
        bracket(&inner[..end], ids);
    }
    let dashes = memchr::memchr_iter(b'-', line).filter_map(|dash| dash.checked_sub(8));
    for start in dashes
        .filter(|start| is_uuid(&line[*start..]))
        .take(MAX_FORMS)
    {
        let before = &line[..start];
        if start == 0 || !(before[start - 1].is_ascii_hexdigit() || before[start - 1] == b'-') {
            uuid(before, &line[start..], ids);
        }
    }
}

fn set<'a>(id: &mut Option<Cow<'a, [u8]>>, text: &'a [u8]) {
    if id.is_none() && !text.is_empty() {
        *id = Some(Cow::Borrowed(text));
    }
}

/// What stands in brackets: OpenStack's `req-… user project - - -`, Spring's `shop,trace,span` and
/// `shop,trace-span`.
fn bracket<'a>(inner: &'a [u8], ids: &mut LineIds<'a>) {
    if inner.starts_with(b"req-") {
        let mut words = inner.split(|b| *b == b' ');
        set(
            &mut ids.request,
            words
                .next()
                .filter(|id| is_uuid(&id[4..]))
                .unwrap_or_default(),
        );
        set(
            &mut ids.user,
            words
                .next()
                .filter(|id| is_hexadecimal(id) && id.len() > 31)
                .unwrap_or_default(),
        );
        return;
    }
    let mut parts = inner
        .rsplit(|b| b",- ".contains(b))
        .skip_while(|part| matches!(*part, b"true" | b"false"));
    let (Some(span), Some(trace)) = (parts.next(), parts.next()) else {
        return;
    };
    let is_hex = |text: &[u8], lens: &[usize]| {
        lens.contains(&text.len()) && text.iter().all(u8::is_ascii_hexdigit)
    };
    if is_hex(span, &[16]) && is_hex(trace, &[16, 32]) {
        set(&mut ids.trace, trace);
        set(&mut ids.span, span);
    }
}

/// 8-4-4-4-12 hexadecimal digits, and then something else.
fn is_uuid(text: &[u8]) -> bool {
    let Some(uuid) = text.get(..36) else {
        return false;
    };
    let fits = |(at, b): (usize, &u8)| {
        if matches!(at, 8 | 13 | 18 | 23) {
            *b == b'-'
        } else {
            b.is_ascii_hexdigit()
        }
    };
    uuid.iter().enumerate().all(fits) && !text.get(36).is_some_and(u8::is_ascii_alphanumeric)
}

/// A UUID and the words before it, which may say whose it is.
fn uuid<'a>(before: &[u8], text: &'a [u8], ids: &mut LineIds<'a>) {
    let id = &text[..36];
    let near = &before[before.len().saturating_sub(24)..];
    // `[uuid]` is a tag of Rails, tabs are AWS Lambda's.
    let is_tag = matches!(
        (near.last(), text.get(36)),
        (Some(b'['), Some(b']')) | (Some(b'\t'), Some(b'\t'))
    );
    let mut words = near
        .rsplit(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .filter(|word| !word.is_empty());
    let word = match words.next().unwrap_or_default() {
        word if word.eq_ignore_ascii_case(b"id") => words.next().unwrap_or_default(),
        word => word,
    };
    let is = |name: &[u8]| {
        word.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    if is(b"trace") {
        set(&mut ids.trace, id);
    } else if is(b"user") || is(b"account") || is(b"customer") {
        set(&mut ids.user, id);
    } else if is_tag || is(b"req") || is(b"correlation") {
        set(&mut ids.request, id);
    }
}
