//! The ids of a line: of the request, the trace, the span and the user.
//!
//! They are in fields with the usual names, some of them packed together (`traceparent`), or in
//! forms that have no name: OpenStack's `[req-…]`, Spring's `[shop,trace,span]`, a UUID as a tag or
//! behind a word that says what it is.

use std::borrow::Cow;
use std::ops::Range;

use super::names::{NameSet, REQUEST, Rank, SPAN, TRACE, USER, USER_NAMES};
use super::value::{FieldValue, ValueKind};
use super::visitor::{FieldPath, FieldShape, FieldVisitor, FieldWish, Flow};
use super::walk::{walk, walk_in};
use crate::model::dialect::LineDialect;
use crate::parse::bytes::{first_line, split_once, within};

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

/// The ids that a line names. Each as it was written, but without what surrounds it in a
/// `traceparent`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineIds<'a> {
    /// Of the request.
    pub request: Option<Cow<'a, [u8]>>,
    /// Of the trace, over all services.
    pub trace: Option<Cow<'a, [u8]>>,
    /// Of the part of the trace.
    pub span: Option<Cow<'a, [u8]>>,
    /// Who it was for: an id where there is one, else a name.
    pub user: Option<Cow<'a, [u8]>>,
}

pub(super) fn find(line: &[u8]) -> LineIds<'_> {
    let mut collector = IdCollector::of(line);
    let _ = walk(line, &mut collector);
    collector.into_ids(line)
}

/// The same, while another visitor sees the fields too.
pub(super) fn find_beside<'a>(
    line: &'a [u8],
    dialect: Option<&LineDialect>,
    other: &mut dyn FieldVisitor<'a>,
) -> LineIds<'a> {
    let mut both = VisitorPair {
        ids: IdCollector::of(line),
        other,
        other_takes: false,
    };
    let _ = walk_in(line, dialect, &mut both);
    both.ids.into_ids(line)
}

/// Shows fields to the collector of ids and to another visitor, which sees them all.
struct VisitorPair<'v, 'a> {
    ids: IdCollector<'a>,
    other: &'v mut dyn FieldVisitor<'a>,
    other_takes: bool,
}

impl<'a> FieldVisitor<'a> for VisitorPair<'_, 'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        let ids = self.ids.wish(path, shape);
        let other = self.other.wish(path, shape);
        self.other_takes = other == FieldWish::Take;
        if ids == FieldWish::Skip { other } else { ids }
    }

    fn take(&mut self, path: &FieldPath<'_>, value: FieldValue<'a>) -> Flow {
        if self.ids.wishes() {
            self.ids.take(path, value.clone())?;
        }
        if self.other_takes {
            self.other.take(path, value)?;
        }
        Flow::Continue(())
    }

    fn wants_columns(&self) -> bool {
        self.other.wants_columns()
    }
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

impl<'a> IdCollector<'a> {
    fn of(line: &[u8]) -> Self {
        Self {
            is_object: line.trim_ascii_start().first() == Some(&b'{'),
            ..Self::default()
        }
    }

    /// Whether the value of the field that was shown last is wanted.
    fn wishes(&self) -> bool {
        self.wished.iter().any(Option::is_some)
    }

    fn into_ids(self, line: &'a [u8]) -> LineIds<'a> {
        let [request, trace, span, user] = self.best.map(|best| best.map(|(_, id)| id));
        let mut ids = LineIds {
            request,
            trace,
            span,
            user,
        };
        if !self.is_object && (ids.request.is_none() || ids.trace.is_none()) {
            forms(within(first_line(line), FORMS_WITHIN), &mut ids);
        }
        ids
    }
}

impl<'a> FieldVisitor<'a> for IdCollector<'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        match shape {
            FieldShape::Object => return FieldWish::Enter,
            FieldShape::Array => return FieldWish::Skip,
            FieldShape::Leaf => {}
        }
        for (kind, sets) in KINDS.iter().enumerate() {
            let best = self.best[kind].as_ref().map(|(best, _)| *best);
            self.wished[kind] =
                rank(sets, path).filter(|rank| best.is_none_or(|best| *rank < best));
        }
        if !self.wishes() {
            return FieldWish::Skip;
        }
        let is = |name: &[u8]| path.key.eq_ignore_ascii_case(name);
        self.is_uid = is(b"uid");
        self.is_vague = is(b"trace") || is(b"span");
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

/// How good a name is among some sets of names, better sets first.
fn rank(sets: &[NameSet], path: &FieldPath<'_>) -> Option<Rank> {
    sets.iter()
        .zip(0..)
        .find_map(|(set, at)| Some(at * 100 + set.position(path)?))
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

/// Where the trace, or the span, is in a value.
fn part(span: bool, text: &[u8]) -> Option<Range<usize>> {
    if let Some(separator) = separator_of_ids(text) {
        // W3C's traceparent begins with its version.
        let trace = usize::from(is_traceparent(text));
        return nth_part(text, separator, trace + usize::from(span));
    }
    if span {
        return Some(0..text.len());
    }
    // Amazon's Root=1-…;Parent=…, Google's projects/…/traces/….
    if let Some(root) = memchr::memmem::find(text, b"Root=") {
        let start = root + 5;
        let len = memchr::memchr(b';', &text[start..]);
        return Some(start..len.map_or(text.len(), |len| start + len));
    }
    let start = memchr::memmem::rfind(text, b"/traces/").map_or(0, |at| at + 8);
    Some(start..text.len())
}

/// What is between the ids of a value that has a trace and a span.
fn separator_of_ids(text: &[u8]) -> Option<u8> {
    let are_hex = |mark: u8| text.iter().all(|b| b.is_ascii_hexdigit() || *b == mark);
    // X-B3: trace-span-sampled, Spring's too.
    let ends_at =
        |at: &usize| text.get(*at) == Some(&b'-') && text.get(at + 17).is_none_or(|b| *b == b'-');
    let is_b3 = text.len() > 32 && [16, 32].iter().any(ends_at) && are_hex(b'-');
    if is_traceparent(text) || is_b3 {
        return Some(b'-');
    }
    // Jaeger's uber-trace-id: trace:span:parent:flags.
    let is_jaeger = memchr::memchr_iter(b':', text).count() == 3 && are_hex(b':');
    is_jaeger.then_some(b':')
}

/// W3C's traceparent: version-trace-span-flags.
fn is_traceparent(text: &[u8]) -> bool {
    text.len() == 55 && text[2] == b'-' && text[35] == b'-' && text[52] == b'-'
}

fn nth_part(text: &[u8], separator: u8, n: usize) -> Option<Range<usize>> {
    let start = match n.checked_sub(1) {
        Some(before) => memchr::memchr_iter(separator, text).nth(before)? + 1,
        None => 0,
    };
    let len = memchr::memchr(separator, &text[start..]).unwrap_or(text.len() - start);
    Some(start..start + len)
}

/// Ids without a name.
fn forms<'a>(line: &'a [u8], ids: &mut LineIds<'a>) {
    for at in memchr::memchr_iter(b'[', line).take(MAX_FORMS) {
        let Some((inner, _)) = split_once(&line[at + 1..], b']') else {
            break;
        };
        bracket(inner, ids);
    }
    let goes_on = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    for start in memchr::memchr_iter(b'-', line)
        .filter_map(|dash| dash.checked_sub(8))
        .filter(|start| is_uuid(&line[*start..]))
        .take(MAX_FORMS)
    {
        let before = &line[..start];
        if !before.last().is_some_and(goes_on) {
            uuid(before, &line[start..], ids);
        }
    }
}

fn set<'a>(id: &mut Option<Cow<'a, [u8]>>, found: Option<&'a [u8]>) {
    if id.is_none() {
        *id = found.map(Cow::Borrowed);
    }
}

/// What is in brackets.
fn bracket<'a>(inner: &'a [u8], ids: &mut LineIds<'a>) {
    if inner.starts_with(b"req-") {
        openstack(inner, ids);
    } else {
        spring(inner, ids);
    }
}

/// `req-… user project - - -`
fn openstack<'a>(inner: &'a [u8], ids: &mut LineIds<'a>) {
    let mut words = inner.split(|b| *b == b' ');
    let request = words.next().filter(|id| is_uuid(&id[4..]));
    let user = words
        .next()
        .filter(|id| is_hexadecimal(id) && id.len() > 31);
    set(&mut ids.request, request);
    set(&mut ids.user, user);
}

/// `shop,trace,span` and `shop,trace-span`
fn spring<'a>(inner: &'a [u8], ids: &mut LineIds<'a>) {
    let mut parts = inner
        .rsplit(|b| b",- ".contains(b))
        .skip_while(|part| matches!(*part, b"true" | b"false"));
    let is_hex = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
    let span = parts.next().filter(|id| id.len() == 16 && is_hex(id));
    let trace = parts
        .next()
        .filter(|id| matches!(id.len(), 16 | 32) && is_hex(id));
    if span.is_some() && trace.is_some() {
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
    let owner = owner(near);
    let is = |name: &[u8]| within(owner, name.len()).eq_ignore_ascii_case(name);
    if is(b"trace") {
        set(&mut ids.trace, Some(id));
    } else if is(b"user") || is(b"account") || is(b"customer") {
        set(&mut ids.user, Some(id));
    } else if is_tag || is(b"req") || is(b"correlation") {
        set(&mut ids.request, Some(id));
    }
}

/// The last word of a text, before `id` where that is the last.
fn owner(text: &[u8]) -> &[u8] {
    text.rsplit(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .filter(|word| !word.is_empty())
        .take(2)
        .find(|word| !word.eq_ignore_ascii_case(b"id"))
        .unwrap_or_default()
}
