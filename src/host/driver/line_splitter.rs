//! The output of a program, cut into lines. A mark may end it, which carries the exit status; where
//! a driver learns of the end otherwise, there is none.

use bytes::Bytes;

/// Lines that are longer come in several parts.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// Cuts pieces of any size into lines.
#[derive(Default)]
pub(crate) struct LineSplitter {
    /// What the mark begins with; empty where there is none.
    mark: Vec<u8>,
    partial: Vec<u8>,
    /// What is under way goes on with a part that is out already.
    is_rest: bool,
    /// An empty line waits: one right before the mark is not the program's.
    empty: bool,
    /// The program's exit status, once it has ended.
    ended: Option<i32>,
    /// It ended in the middle of a line.
    is_unended: bool,
}

/// A line without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawLine {
    pub(crate) bytes: Bytes,
    /// It goes on with the line before it, which was too long.
    pub(crate) is_rest: bool,
}

impl RawLine {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            bytes,
            is_rest: false,
        }
    }

    pub(crate) fn rest(bytes: Bytes) -> Self {
        Self {
            bytes,
            is_rest: true,
        }
    }
}

impl LineSplitter {
    /// For output that ends with a line of this mark and the exit status.
    pub(crate) fn new(mark: &str) -> Self {
        Self {
            mark: mark.into(),
            ..Self::default()
        }
    }

    /// The program's exit status, once it has ended.
    pub(crate) fn ended(&self) -> Option<i32> {
        self.ended
    }

    /// Whether the last line had no line end when the program ended.
    pub(crate) fn is_unended(&self) -> bool {
        self.is_unended
    }

    /// Takes a piece, cut anywhere; adds the lines that it completes.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<RawLine>) {
        let mut rest = piece;
        while self.ended.is_none() {
            let end = memchr::memchr(b'\n', rest);
            self.grow(&rest[..end.unwrap_or(rest.len())], out);
            let Some(end) = end else { return };
            self.end_line(out);
            rest = &rest[end + 1..];
        }
    }

    /// What was under way when everything ended.
    pub(crate) fn finish(&mut self, out: &mut Vec<RawLine>) {
        if !self.partial.is_empty() {
            self.end_line(out);
        }
    }

    fn end_line(&mut self, out: &mut Vec<RawLine>) {
        let mut line = std::mem::take(&mut self.partial);
        if let Some(code) = line
            .strip_prefix(&self.mark[..])
            .filter(|_| !self.mark.is_empty())
        {
            self.ended = Some(String::from_utf8_lossy(code).trim().parse().unwrap_or(-1));
            // Else there would be two line ends before the mark: the program's and the mark's.
            self.is_unended = !self.empty;
            return;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let is_rest = std::mem::take(&mut self.is_rest);
        self.let_out_empty(out);
        if line.is_empty() && !is_rest {
            self.empty = true;
        } else {
            out.push(RawLine {
                bytes: line.into(),
                is_rest,
            });
        }
    }

    fn let_out_empty(&mut self, out: &mut Vec<RawLine>) {
        if std::mem::take(&mut self.empty) {
            out.push(RawLine::whole(Bytes::new()));
        }
    }

    /// Adds to the line under way; a line that is too long goes out in parts.
    fn grow(&mut self, mut more: &[u8], out: &mut Vec<RawLine>) {
        while self.partial.len() + more.len() > MAX_LINE {
            let (now, later) = more.split_at(MAX_LINE - self.partial.len());
            self.partial.extend_from_slice(now);
            self.let_out_empty(out);
            let bytes = std::mem::take(&mut self.partial).into();
            out.push(RawLine {
                bytes,
                is_rest: std::mem::replace(&mut self.is_rest, true),
            });
            more = later;
        }
        self.partial.extend_from_slice(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]]) -> (Vec<String>, Option<i32>) {
        let (mut splitter, mut out) = (LineSplitter::new("abc:exit "), Vec::new());
        pieces
            .iter()
            .for_each(|piece| splitter.push(piece, &mut out));
        splitter.finish(&mut out);
        (
            out.iter()
                .map(|line| String::from_utf8_lossy(&line.bytes).into_owned())
                .collect(),
            splitter.ended(),
        )
    }

    #[test]
    fn the_mark_ends_the_lines_whether_the_last_has_a_line_end_or_not() {
        for (text, lines) in [
            ("one\ntwo\n\nabc:exit 3\n", vec!["one", "two"]),
            ("one\ntwo\nabc:exit 3\n", vec!["one", "two"]),
            ("\n\nabc:exit 3\n", vec![""]),
            ("one\n\n\nabc:exit 3\nafter", vec!["one", ""]),
            ("one\r\nabc:exit 3\n", vec!["one"]),
        ] {
            assert_eq!(
                cut(&[text.as_bytes()]),
                (lines.iter().map(ToString::to_string).collect(), Some(3)),
                "{text:?}"
            );
        }
        assert_eq!(
            cut(&[b"abcd:exit 3\nx"]),
            (vec!["abcd:exit 3".to_owned(), "x".to_owned()], None)
        );
    }

    #[test]
    fn a_program_that_ended_in_the_middle_of_a_line_is_known_by_it() {
        for (text, expect) in [
            ("one\n\nabc:exit 3\n", false),
            ("one\nabc:exit 3\n", true),
            ("\nabc:exit 0\n", false),
            ("one\n\n\nabc:exit 3\n", false),
        ] {
            let (mut splitter, mut out) = (LineSplitter::new("abc:exit "), Vec::new());
            splitter.push(text.as_bytes(), &mut out);
            assert_eq!(splitter.is_unended(), expect, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_parts() {
        let (mut splitter, mut out) = (LineSplitter::new("abc:exit "), Vec::new());
        let text = [vec![b'x'; 2 * MAX_LINE + 5], b"\nnext\n".to_vec()].concat();
        text.chunks(70_000)
            .for_each(|piece| splitter.push(piece, &mut out));
        let parts: Vec<_> = out
            .iter()
            .map(|line| (line.bytes.len(), line.is_rest))
            .collect();
        assert_eq!(
            parts,
            [(MAX_LINE, false), (MAX_LINE, true), (5, true), (4, false)]
        );
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(
            lines in prop::collection::vec("[a-c\n]{0,6}", 0..8),
            size in 1usize..9,
        ) {
            let text = lines.join("\n") + "\nabc:exit 0\n";
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(cut(&pieces), cut(&[text.as_bytes()]));
        }
    }
}
