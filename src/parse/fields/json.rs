//! Objects of JSON, read lazily: keys are compared, and values that are not wanted are stepped over.
//!
//! What is cut off or broken gives the fields before the flaw. Steps over values need no stack,
//! whatever their depth.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::value::{FieldValue, ValueKind};
use super::visitor::{FieldPath, FieldShape, FieldVisitor, FieldWish};
use crate::parse::bytes::split_quoted;
use crate::parse::escapes::decoded;

/// Objects in objects are looked into so deep; deeper ones are values as they are.
const MAX_DEPTH: usize = 128;

/// Whether `{` is followed by a key or by the end of the object.
pub(super) fn is_object(text: &[u8]) -> bool {
    matches!(
        text.strip_prefix(b"{")
            .and_then(|rest| rest.trim_ascii_start().first()),
        Some(b'"' | b'}')
    )
}

/// What was read of an object.
pub(super) struct ReadObject<'a> {
    /// Where that ends.
    pub(super) end: usize,
    /// The escaped object that is the message of this one.
    pub(super) inner: Option<&'a [u8]>,
}

/// Members in which the line of a program may be an object again.
const LINES: [&[u8]; 6] = [b"log", b"message", b"msg", b"MESSAGE", b"line", b"event"];

/// Shows the members of the object with which a text begins.
pub(super) fn walk<'a>(
    text: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), ReadObject<'a>> {
    let mut scan = JsonScanner {
        text,
        at: 1,
        inner: None,
    };
    scan.members(None, 1, visit)?;
    ControlFlow::Continue(ReadObject {
        end: scan.at,
        inner: scan.inner,
    })
}

/// A break ends the whole walk; after `None` the text is broken, and nothing more of the object is
/// read.
type ScanFlow = ControlFlow<(), Option<()>>;

struct JsonScanner<'a> {
    text: &'a [u8],
    at: usize,
    /// See [`ReadObject::inner`].
    inner: Option<&'a [u8]>,
}

impl<'a> JsonScanner<'a> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    /// What is between quotes, with its escapes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.skip(b'"')?;
        let (string, rest) = split_quoted(self.text.get(self.at..)?)?;
        self.at = self.text.len() - rest.len();
        Some(string)
    }

    /// Behind the `{` to behind its `}`.
    fn members(
        &mut self,
        parent: Option<&FieldPath<'_>>,
        depth: usize,
        visit: &mut dyn FieldVisitor<'a>,
    ) -> ScanFlow {
        while self.peek() == Some(b'"') {
            let Some(key) = self.key() else {
                return ScanFlow::Continue(None);
            };
            let path = FieldPath::member(parent, &key);
            if depth == 1 {
                self.note_inner(&key);
            }
            if self.member(&path, depth, visit)?.is_none() || self.skip(b',').is_none() {
                break;
            }
        }
        ScanFlow::Continue(self.skip(b'}'))
    }

    /// Notes a message that is an object.
    fn note_inner(&mut self, key: &[u8]) {
        if self.peek() != Some(b'"') || self.text.get(self.at + 1) != Some(&b'{') {
            return;
        }
        let inner = &self.text[self.at + 2..];
        let is_object = matches!(inner.trim_ascii_start(), [b'\\', b'"' | b'n' | b't', ..]);
        if is_object && LINES.contains(&key) {
            self.inner = split_quoted(&self.text[self.at + 1..]).map(|(text, _)| text);
        }
    }

    /// A name and its colon.
    fn key(&mut self) -> Option<Cow<'a, [u8]>> {
        let key = self.string()?;
        self.skip(b':')?;
        Some(decoded(key))
    }

    /// One value.
    fn member(
        &mut self,
        path: &FieldPath<'_>,
        depth: usize,
        visit: &mut dyn FieldVisitor<'a>,
    ) -> ScanFlow {
        let shape = self.shape(depth);
        match (visit.wish(path, shape), shape) {
            (FieldWish::Enter, FieldShape::Object) => {
                self.at += 1;
                self.members(Some(path), depth + 1, visit)
            }
            (FieldWish::Enter, FieldShape::Array) => {
                self.at += 1;
                self.elements(path, depth + 1, visit)
            }
            (FieldWish::Take, _) => self.take(path, visit),
            (FieldWish::Skip | FieldWish::Enter, _) => ScanFlow::Continue(self.step_over()),
        }
    }

    fn take(&mut self, path: &FieldPath<'_>, visit: &mut dyn FieldVisitor<'a>) -> ScanFlow {
        let start = self.at;
        if self.step_over().is_none() {
            return ScanFlow::Continue(None);
        }
        visit.take(path, value(&self.text[start..self.at]))?;
        ScanFlow::Continue(Some(()))
    }

    /// Behind the `[` to behind its `]`.
    fn elements(
        &mut self,
        parent: &FieldPath<'_>,
        depth: usize,
        visit: &mut dyn FieldVisitor<'a>,
    ) -> ScanFlow {
        let mut index = 0_usize;
        while !matches!(self.peek(), None | Some(b']')) {
            let key = index.to_string();
            let path = FieldPath::element(parent, &key);
            if self.member(&path, depth, visit)?.is_none() || self.skip(b',').is_none() {
                break;
            }
            index += 1;
        }
        ScanFlow::Continue(self.skip(b']'))
    }

    fn shape(&mut self, depth: usize) -> FieldShape {
        match self.peek() {
            Some(b'[') if depth < MAX_DEPTH => FieldShape::Array,
            Some(b'{') if depth < MAX_DEPTH => {
                match self.text[self.at + 1..].trim_ascii_start().first() {
                    Some(b'}') => FieldShape::Leaf,
                    _ => FieldShape::Object,
                }
            }
            _ => FieldShape::Leaf,
        }
    }

    /// To behind a value of any kind and depth.
    fn step_over(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.step_over_nested(),
            _ => {
                let rest = &self.text[self.at..];
                let len = rest
                    .iter()
                    .position(|b| b",}] \t\r\n".contains(b))
                    .unwrap_or(rest.len());
                self.at += len;
                (len > 0).then_some(())
            }
        }
    }

    fn step_over_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

fn value(raw: &[u8]) -> FieldValue<'_> {
    let kind = match raw {
        [b'"', text @ .., b'"'] => {
            return FieldValue::of_text(decoded(text));
        }
        [b'{' | b'[', ..] => ValueKind::Json,
        b"true" | b"false" => ValueKind::Bool,
        b"null" => ValueKind::Null,
        [b'-' | b'0'..=b'9', ..] => ValueKind::Number,
        // Not JSON, but written by some: NaN, undefined.
        _ => ValueKind::Text,
    };
    FieldValue {
        kind,
        text: Cow::Borrowed(raw),
    }
}
