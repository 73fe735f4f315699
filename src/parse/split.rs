//! From the bytes of a file to its lines, whatever they are and wherever they are cut.
//!
//! A line keeps the offset of its first byte. What cannot be a line (a hole of NUL bytes, what lies
//! beyond the longest line) becomes a gap. UTF-16 is cut at its own line ends and becomes UTF-8;
//! other encodings are left to [`super::line_reader`], and what a line means to the model.

use std::borrow::Cow;

use bytes::Bytes;

use super::encoding::Utf16;
use crate::model::gap::GapReason;

/// A part of a file in the order of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilePiece {
    /// A line without its line end (LF or CRLF).
    Line {
        /// Offset of its first byte.
        offset: u64,
        /// Its bytes, in an allocation of their own.
        bytes: Bytes,
        /// Those of the file, where they are not the same: it is in UTF-16.
        stored: Option<Box<[u8]>>,
    },
    /// Bytes that are not shown.
    Gap {
        /// Offset of the first.
        from: u64,
        /// Offset after the last; `None` where it cannot be known.
        to: Option<u64>,
        /// Why.
        reason: GapReason,
    },
}

/// The longest line that is kept, in bytes: longer than any that a person reads, short enough for a
/// thousand files. What a line has beyond it is counted in a gap.
pub const MAX_LINE: usize = 1 << 20;

/// More bytes without a line end tell what they consist of.
const MAX_UNDECIDED: usize = 4 << 10;

/// Cuts one generation of a file into lines.
#[derive(Debug, Clone, Default)]
pub struct FileLineSplitter {
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Offset of the next byte.
    offset: u64,
    /// Offset from which an overlong line or a hole is being passed over.
    passing: Option<(u64, GapReason)>,
    /// The first line is cut at its beginning: pass over it without a word.
    cut: bool,
    units: CodeUnits,
}

/// What the bytes of a file consist of.
#[derive(Debug, Clone, Copy, Default)]
enum CodeUnits {
    /// Nothing has shown it.
    #[default]
    Unknown,
    /// Lines end in the byte LF.
    Bytes,
    /// Units of two bytes each; the first one of a unit whose second has not come.
    Pairs(Utf16, Option<u8>),
}

impl FileLineSplitter {
    /// Begins at `offset`; `cut` where that is in the middle of a line, which is then left out.
    #[must_use]
    pub fn new(offset: u64, cut: bool) -> Self {
        Self {
            offset,
            cut,
            ..Self::default()
        }
    }

    /// Takes the bytes that follow and adds what they complete to `out`.
    pub fn push(&mut self, mut data: &[u8], out: &mut Vec<FilePiece>) {
        if matches!(self.units, CodeUnits::Unknown) {
            self.recognise(data);
        }
        if let CodeUnits::Pairs(kind, half) = self.units {
            return self.push_pairs(kind, half, data, out);
        }
        while !data.is_empty() {
            data = self.step(data, out);
        }
    }

    /// The line whose end has not come, as far as it is known, and the offset of its first byte.
    #[must_use]
    pub fn unfinished(&self) -> Option<(u64, Cow<'_, [u8]>)> {
        let is_shown = !self.partial.is_empty() && !self.cut && self.passing.is_none();
        let text = match self.units {
            CodeUnits::Pairs(kind, _) => kind.decoded(&self.partial).into_bytes().into(),
            CodeUnits::Unknown | CodeUnits::Bytes => Cow::Borrowed(&self.partial[..]),
        };
        is_shown.then(|| (self.offset - self.partial.len() as u64, text))
    }

    /// Bytes that were pushed and belong to a line whose end has not come.
    #[must_use]
    pub fn under_way(&self) -> usize {
        if self.cut || self.passing.is_some() {
            return 0;
        }
        let half = matches!(self.units, CodeUnits::Pairs(_, Some(_)));
        self.partial.len() + usize::from(half)
    }

    /// Whether nothing is being passed over: what was pushed last ends with a line, or with the
    /// beginning of one.
    #[must_use]
    pub fn is_at_line(&self) -> bool {
        !self.cut && self.passing.is_none()
    }

    /// Passes over bytes that follow and were not read: a hole.
    pub fn skip(&mut self, length: u64) {
        let reason = if self.partial.is_empty() {
            GapReason::NulBytes
        } else {
            GapReason::LineTooLong
        };
        if !self.cut {
            self.passing.get_or_insert((self.offset, reason));
        }
        self.offset += length;
    }

    /// No more will come: what is there is the last line.
    pub fn finish(&mut self, out: &mut Vec<FilePiece>) {
        if let Some((from, reason)) = self.passing.take() {
            out.push(FilePiece::Gap {
                from,
                to: Some(self.offset),
                reason,
            });
        }
        if !self.partial.is_empty() && !self.cut {
            let partial = std::mem::take(&mut self.partial);
            self.emit(&partial, out);
        }
    }

    /// Finds out what the bytes consist of, unless they are too few to tell. UTF-16 has NUL bytes at
    /// the ends of its lines.
    fn recognise(&mut self, data: &[u8]) {
        let start = self.offset - self.partial.len() as u64;
        let joined: Vec<u8>;
        let sample = if self.partial.is_empty() {
            data
        } else {
            joined = [&self.partial, data].concat();
            &joined
        };
        if let Some(kind) = Utf16::recognise(start, sample) {
            self.align(kind, start);
        } else if sample.len() > MAX_UNDECIDED
            || memchr::memchr(b'\n', sample).is_some() && memchr::memchr(0, sample).is_none()
        {
            self.units = CodeUnits::Bytes;
        }
    }

    /// What was held back before its units were known may begin and end in the middle of one.
    fn align(&mut self, kind: Utf16, start: u64) {
        if start % 2 == 1 && !self.partial.is_empty() {
            self.partial.remove(0);
        }
        let half = if self.offset % 2 == 1 {
            self.partial.pop()
        } else {
            None
        };
        self.offset -= u64::from(half.is_some());
        self.units = CodeUnits::Pairs(kind, half);
    }

    /// The same as [`Self::push`] for UTF-16.
    fn push_pairs(&mut self, kind: Utf16, half: Option<u8>, data: &[u8], out: &mut Vec<FilePiece>) {
        // A line that follows a LF found byte by byte begins with the other half of it.
        let is_rest = half.is_none() && self.offset % 2 == 1 && !data.is_empty();
        let data = &data[usize::from(is_rest)..];
        self.offset += u64::from(is_rest);
        let joined: Vec<u8>;
        let data = match half {
            Some(half) => {
                joined = [&[half], data].concat();
                &joined
            }
            None => data,
        };
        let (mut pairs, rest) = data.split_at(data.len() & !1);
        while !pairs.is_empty() {
            pairs = self.step_pairs(kind, pairs, out);
        }
        self.units = CodeUnits::Pairs(kind, rest.first().copied());
    }

    fn step_pairs<'a>(
        &mut self,
        kind: Utf16,
        data: &'a [u8],
        out: &mut Vec<FilePiece>,
    ) -> &'a [u8] {
        if self.in_hole(data) && data[1] == 0 {
            let nuls = data.iter().take_while(|&&byte| byte == 0).count() & !1;
            self.pass(nuls, GapReason::NulBytes);
            return &data[nuls..];
        }
        self.end_hole(out);
        let end = kind.unit(b'\n');
        let Some(units) = data.chunks_exact(2).position(|unit| unit == end) else {
            self.hold(data);
            return &[];
        };
        self.end_line(&data[..units * 2], out);
        self.offset += 2;
        &data[units * 2 + 2..]
    }

    /// Deals with the first line, or part of a line, and returns the rest.
    fn step<'a>(&mut self, data: &'a [u8], out: &mut Vec<FilePiece>) -> &'a [u8] {
        if self.in_hole(data) {
            let nuls = data.iter().take_while(|&&byte| byte == 0).count();
            self.pass(nuls, GapReason::NulBytes);
            return &data[nuls..];
        }
        self.end_hole(out);
        let Some(length) = memchr::memchr(b'\n', data) else {
            self.hold(data);
            return &[];
        };
        self.end_line(&data[..length], out);
        self.offset += 1;
        &data[length + 1..]
    }

    /// A hole begins where a line would and consists of NUL bytes.
    fn in_hole(&self, data: &[u8]) -> bool {
        let begins = self.partial.is_empty() && !self.cut && self.passing.is_none();
        data[0] == 0 && (begins || matches!(self.passing, Some((_, GapReason::NulBytes))))
    }

    /// Whether all since the last line was NUL bytes.
    pub fn is_in_hole(&self) -> bool {
        matches!(self.passing, Some((_, GapReason::NulBytes)))
    }

    fn end_hole(&mut self, out: &mut Vec<FilePiece>) {
        if let Some((from, reason @ GapReason::NulBytes)) = self.passing {
            out.push(FilePiece::Gap {
                from,
                to: Some(self.offset),
                reason,
            });
            self.passing = None;
        }
    }

    fn pass(&mut self, length: usize, reason: GapReason) {
        self.passing.get_or_insert((self.offset, reason));
        self.offset += length as u64;
    }

    /// Keeps a part of a line until its end comes.
    fn hold(&mut self, data: &[u8]) {
        if self.cut {
            self.offset += data.len() as u64;
            return;
        }
        let room = if self.passing.is_some() {
            0
        } else {
            MAX_LINE - self.partial.len()
        };
        let kept = &data[..data.len().min(room)];
        self.partial.extend_from_slice(kept);
        self.offset += kept.len() as u64;
        if kept.len() < data.len() {
            self.pass(data.len() - kept.len(), GapReason::LineTooLong);
        }
    }

    fn end_line(&mut self, data: &[u8], out: &mut Vec<FilePiece>) {
        if self.cut || !self.partial.is_empty() || data.len() > MAX_LINE {
            self.hold(data);
            let partial = std::mem::take(&mut self.partial);
            if !std::mem::take(&mut self.cut) {
                self.emit(&partial, out);
            }
            return;
        }
        self.offset += data.len() as u64;
        self.emit(data, out);
    }

    /// A line that ends at the present offset, and the gap for what of it was not kept.
    fn emit(&mut self, line: &[u8], out: &mut Vec<FilePiece>) {
        let passed = self.passing.take();
        let end = passed.map_or(self.offset, |(from, _)| from);
        let offset = end - line.len() as u64;
        let (bytes, stored) = match self.units {
            CodeUnits::Pairs(kind, _) => {
                let whole = line.strip_suffix(&kind.unit(b'\r')).unwrap_or(line);
                (kind.decoded(whole).into(), Some(whole.into()))
            }
            CodeUnits::Unknown | CodeUnits::Bytes => {
                let whole = line.strip_suffix(b"\r").unwrap_or(line);
                (Bytes::copy_from_slice(whole), None)
            }
        };
        out.push(FilePiece::Line {
            offset,
            bytes,
            stored,
        });
        if let Some((from, reason)) = passed {
            out.push(FilePiece::Gap {
                from,
                to: Some(self.offset),
                reason,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(lines: &mut FileLineSplitter, parts: &[&[u8]]) -> Vec<FilePiece> {
        let mut out = Vec::new();
        for part in parts {
            lines.push(part, &mut out);
        }
        out
    }

    fn line(offset: u64, text: &str) -> FilePiece {
        FilePiece::Line {
            offset,
            bytes: Bytes::copy_from_slice(text.as_bytes()),
            stored: None,
        }
    }

    #[test]
    fn lines_keep_the_offsets_of_their_first_bytes() {
        let out = pieces(
            &mut FileLineSplitter::new(100, false),
            &[b"one\ntw", b"o\n\r\nlast"],
        );
        assert_eq!(out, [line(100, "one"), line(104, "two"), line(108, "")]);
    }

    #[test]
    fn the_line_under_way_is_known_with_its_offset() {
        let mut lines = FileLineSplitter::new(10, false);
        assert_eq!(lines.unfinished(), None);
        pieces(&mut lines, &[b"one\ntw", b"o"]);
        assert_eq!(lines.unfinished(), Some((14, b"two"[..].into())));
        pieces(&mut lines, &[b"\n"]);
        assert_eq!(lines.unfinished(), None);
        assert_eq!(FileLineSplitter::new(10, true).unfinished(), None);
    }

    #[test]
    fn an_unfinished_last_line_is_given_at_the_end_only() {
        let mut lines = FileLineSplitter::new(0, false);
        let mut out = pieces(&mut lines, &[b"one\ntwo"]);
        assert_eq!(out, [line(0, "one")]);
        lines.finish(&mut out);
        assert_eq!(out[1..], [line(4, "two")]);
    }

    #[test]
    fn a_line_cut_at_its_beginning_is_left_out() {
        assert_eq!(
            pieces(
                &mut FileLineSplitter::new(7, true),
                &[b"est of", b" it\nwhole\n"]
            ),
            [line(17, "whole")]
        );
    }

    #[test]
    fn a_hole_of_nul_bytes_is_one_gap() {
        let out = pieces(
            &mut FileLineSplitter::new(0, false),
            &[b"a\n\0\0", b"\0\0b\n"],
        );
        let gap = FilePiece::Gap {
            from: 2,
            to: Some(6),
            reason: GapReason::NulBytes,
        };
        assert_eq!(out, [line(0, "a"), gap, line(6, "b")]);
    }

    #[test]
    fn a_hole_that_was_not_read_is_a_gap_like_one_that_was() {
        for (before, expected) in [
            ("a\n\0", GapReason::NulBytes),
            ("a\nbc", GapReason::LineTooLong),
        ] {
            let mut lines = FileLineSplitter::new(0, false);
            let mut out = pieces(&mut lines, &[before.as_bytes()]);
            lines.skip(100);
            lines.push(b"\0d\ne\n", &mut out);
            let gap = out.iter().find_map(|piece| match piece {
                FilePiece::Gap { from, to, reason } => Some((*from, *to, *reason)),
                FilePiece::Line { .. } => None,
            });
            let wanted = match expected {
                GapReason::NulBytes => (2, Some(104), expected),
                _ => (4, Some(106), expected),
            };
            assert_eq!(gap, Some(wanted));
            assert_eq!(
                out.last(),
                Some(&line(107 - u64::from(expected == GapReason::NulBytes), "e"))
            );
        }
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_rest_counted() {
        let long = vec![b'x'; MAX_LINE + 10];
        let out = pieces(
            &mut FileLineSplitter::new(0, false),
            &[&long, b"yy\nnext\n"],
        );
        let end = long.len() as u64 + 2;
        let kept = FilePiece::Line {
            offset: 0,
            bytes: Bytes::copy_from_slice(&long[..MAX_LINE]),
            stored: None,
        };
        let gap = FilePiece::Gap {
            from: MAX_LINE as u64,
            to: Some(end),
            reason: GapReason::LineTooLong,
        };
        assert_eq!(out, [kept, gap, line(end + 1, "next")]);
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    /// Offset and text of each line.
    fn lines_of(data: &[u8], start: u64, cut: bool, size: usize) -> Vec<(u64, String)> {
        let mut lines = FileLineSplitter::new(start, cut);
        let mut out = pieces(&mut lines, &data.chunks(size).collect::<Vec<_>>());
        lines.finish(&mut out);
        let text = |piece: FilePiece| match piece {
            FilePiece::Line { offset, bytes, .. } => {
                (offset, String::from_utf8_lossy(&bytes).into_owned())
            }
            FilePiece::Gap { .. } => panic!("{piece:?} in {data:?}"),
        };
        out.into_iter().map(text).collect()
    }

    #[test]
    fn utf_16_is_cut_at_its_own_line_ends_and_becomes_utf_8() {
        // U+0A0A has the byte of a line feed twice, and is none.
        let text = "\u{feff}first, ok\r\n注文 \u{a0a} 12\nlast";
        for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let data = utf16(text, to_bytes);
            let expected = [
                (0, "first, ok".to_owned()),
                (24, "注文 \u{a0a} 12".to_owned()),
                (40, "last".to_owned()),
            ];
            for size in [data.len(), 7, 16] {
                assert_eq!(
                    lines_of(&data, 0, false, size),
                    expected,
                    "{size} bytes at once"
                );
            }
        }
    }

    #[test]
    fn utf_16_may_begin_in_the_middle_of_a_line_or_of_a_line_end() {
        let text = "first line\nsecond line\nthird line\n";
        for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let data = utf16(text, to_bytes);
            let second = (22, "second line".to_owned());
            let third = (46, "third line".to_owned());
            let both = [second, third];
            for start in [5, 6] {
                assert_eq!(lines_of(&data[start..], start as u64, true, 9), both);
            }
            // Behind the byte LF, where whoever counts bytes thinks that a line begins.
            let behind = memchr::memchr(b'\n', &data).expect("a line end") + 1;
            assert_eq!(lines_of(&data[behind..], behind as u64, false, 9), both);
        }
    }

    #[test]
    fn a_line_of_utf_16_keeps_the_bytes_of_its_file() {
        let data = utf16("größer\r\nnext line\n", u16::to_le_bytes);
        let out = pieces(&mut FileLineSplitter::new(0, false), &[&data]);
        let FilePiece::Line { stored, bytes, .. } = &out[0] else {
            panic!("{out:?}")
        };
        assert_eq!(bytes, "größer".as_bytes());
        assert_eq!(
            stored.as_deref(),
            Some(&utf16("größer", u16::to_le_bytes)[..])
        );
    }

    #[test]
    fn a_hole_in_utf_16_is_a_gap() {
        let mut data = utf16("first line\n", u16::to_le_bytes);
        data.extend([0; 64]);
        data.extend(utf16("second line\n", u16::to_le_bytes));
        let mut lines = FileLineSplitter::new(0, false);
        let out = pieces(&mut lines, &[&data[..22], &data[22..]]);
        let gap = FilePiece::Gap {
            from: 22,
            to: Some(86),
            reason: GapReason::NulBytes,
        };
        assert_eq!((out.len(), &out[1]), (3, &gap));
    }

    proptest! {
        #[test]
        fn every_byte_is_in_a_line_a_gap_or_a_line_end(
            data in prop::collection::vec(prop_oneof![Just(b'\n'), Just(0u8), Just(b'\r'), any::<u8>()], 0..400),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
            at.extend([0, data.len()]);
            at.sort_unstable();
            let parts: Vec<&[u8]> = at.windows(2).map(|pair| &data[pair[0]..pair[1]]).collect();
            let mut lines = FileLineSplitter::new(0, false);
            let mut out = pieces(&mut lines, &parts);
            lines.finish(&mut out);

            let mut next = 0;
            for piece in &out {
                match piece {
                    FilePiece::Line { offset, bytes, stored } => {
                        let bytes = stored.as_deref().unwrap_or(bytes);
                        prop_assert_eq!(*offset as usize, next);
                        prop_assert_eq!(&data[next..next + bytes.len()], bytes);
                        next += bytes.len();
                        if data.get(next) == Some(&b'\r') { next += 1; }
                        if data.get(next) == Some(&b'\n') { next += 1; }
                    }
                    FilePiece::Gap { from, to, .. } => {
                        prop_assert_eq!(*from as usize, next);
                        next = to.unwrap() as usize;
                    }
                }
            }
            prop_assert_eq!(next, data.len());
        }
    }
}
