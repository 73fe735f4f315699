//! The lines as CSV, for spreadsheets: quotes as RFC 4180 has them, rows that end in a line feed, a
//! header.
//!
//! | column | |
//! |---|---|
//! | `time` | RFC 3339 in UTC with nine digits |
//! | `time_from` | stamp, previous or arrival; `gap` in the row of a gap, whose time is its end |
//! | `level` | trace, debug, info, notice, warn, error, fatal, or nothing |
//! | `host`, `source` | their names |
//! | `text` | the line; of a gap what is missing and why |
//! | `cursor` | the byte at which the line begins; nothing for a gap |
//! | `continues` | whether the line belongs to the record of the line before it in its source: true, false, or nothing |
//!
//! A spreadsheet computes a cell that begins with `=`, `+`, `-` or `@`, and a line of a log is a
//! stranger's. So such a cell begins with `'` ([`CsvCells::Guarded`]), and so does what would be a
//! cell if the reader had another separator: what follows `,`, `;`, `|`, a tab or a line end.
//! Source: OWASP, "CSV Injection".
//!
//! Control characters, and those that reorder or hide text, are `\x1B` and `\u{202E}`; bytes that
//! are not UTF-8 are `\xNN`. This is for reading; what must come back byte by byte is left to JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use ::csv::{QuoteStyle, Terminator, WriterBuilder};

use super::json::is_treacherous;
use super::{json, text};
use crate::model::gap::Gap;
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::parse::level;
use crate::stages::SourceName;

/// What is done about cells that a spreadsheet would compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvCells {
    /// They begin with `'`.
    Guarded,
    /// Nothing: the reader is not a spreadsheet.
    Raw,
}

const HEADER: [&str; 8] = [
    "time",
    "time_from",
    "level",
    "host",
    "source",
    "text",
    "cursor",
    "continues",
];

/// Characters that begin a formula, and those that programs skip or normalise on the way to one.
const TRIGGERS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What separates cells in some country's setting, or rows.
const SEPARATORS: [char; 5] = [',', ';', '|', '\t', '\n'];

pub(super) fn header(out: &mut impl Write) -> io::Result<()> {
    row(out, &HEADER)
}

pub(super) fn line(
    out: &mut impl Write,
    cells: CsvCells,
    name: SourceName<'_>,
    line: &FleetLine,
) -> io::Result<()> {
    let cursor = line.content.place().to_string();
    let level = level::of_line(line).map_or("", Level::as_str);
    let SourceName { host, source } = name;
    let [host, source, text] =
        [host.as_bytes(), source.as_bytes(), &line.content.raw].map(|bytes| cell(bytes, cells));
    row(
        out,
        &[
            &json::time(line.content.time),
            line.content.time_from.as_str(),
            level,
            &host,
            &source,
            &text,
            &cursor,
            if line.content.continues {
                "true"
            } else {
                "false"
            },
        ],
    )
}

pub(super) fn gap(
    out: &mut impl Write,
    cells: CsvCells,
    name: SourceName<'_>,
    gap: &Gap,
) -> io::Result<()> {
    let [host, source] = [name.host, name.source].map(|name| cell(name.as_bytes(), cells));
    row(
        out,
        &[
            &json::time(gap.until),
            "gap",
            "",
            &host,
            &source,
            &text::lost(gap),
            "",
            "",
        ],
    )
}

fn row(out: &mut impl Write, cells: &[&str]) -> io::Result<()> {
    let mut builder = WriterBuilder::new();
    builder
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(1024);
    let mut writer = builder.from_writer(Unflushed(out));
    writer.write_record(cells).map_err(io::Error::from)?;
    writer.flush()
}

/// Passes bytes on, and leaves it to the report when they go out.
struct Unflushed<'a, W: Write>(&'a mut W);

impl<W: Write> Write for Unflushed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The cell for bytes of a stranger.
fn cell(bytes: &[u8], cells: CsvCells) -> String {
    let mut out = String::with_capacity(bytes.len());
    // Where a cell may begin for somebody: nothing but quotes since a separator.
    let mut begins = true;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if begins && cells == CsvCells::Guarded && TRIGGERS.contains(&c) {
                out.push('\'');
            }
            begins = SEPARATORS.contains(&c) || begins && c == '"';
            push(c, &mut out);
        }
        for byte in chunk.invalid() {
            begins = false;
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{byte:02X}");
        }
    }
    out
}

fn push(c: char, out: &mut String) {
    let _ = match c {
        '\t' | '\n' => out.write_char(c),
        '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02X}", u32::from(c)),
        c if is_treacherous(c) => write!(out, "\\u{{{:04X}}}", u32::from(c)),
        c => out.write_char(c),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_compute_begins_with_an_apostrophe() {
        for (text, guarded) in [
            ("plain = text", "plain = text"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\\x0D=1"),
            ("\"=1", "\"'=1"),
            ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
            ("a,\"\"=1", "a,\"\"'=1"),
            ("a|@b\n-c", "a|'@b\n'-c"),
            ("10.0.0.1 - - [x] \"-\" a=b", "10.0.0.1 - - [x] \"-\" a=b"),
            ("＝1", "'＝1"),
        ] {
            assert_eq!(
                cell(text.as_bytes(), CsvCells::Guarded),
                guarded,
                "{text:?}"
            );
            assert_eq!(
                cell(text.as_bytes(), CsvCells::Raw),
                text.replace('\r', "\\x0D"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_not_text_is_written_as_text() {
        for (bytes, cell_text) in [
            (b"a\x1b[31m\x07\0".as_slice(), "a\\x1B[31m\\x07\\x00"),
            (b"caf\xe9 \xff=", "caf\\xE9 \\xFF="),
            (
                "a\u{202e}b\u{9b}c\u{e0041}".as_bytes(),
                "a\\u{202E}b\\u{009B}c\\u{E0041}",
            ),
            ("größe 日本".as_bytes(), "größe 日本"),
        ] {
            assert_eq!(cell(bytes, CsvCells::Guarded), cell_text);
        }
    }

    proptest! {
        #[test]
        fn any_cells_come_back_and_none_begins_a_formula(
            texts in prop::collection::vec("[=+@\",;|'\\t\\n\\r\u{1b}a-]{0,12}|.{0,12}", 7)
        ) {
            let cells: Vec<String> = texts.iter().map(|text| cell(text.as_bytes(), CsvCells::Guarded)).collect();
            let mut out = Vec::new();
            row(&mut out, &cells.iter().map(String::as_str).collect::<Vec<_>>()).expect("a vector takes everything");
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
            let back = reader.records().next().expect("a row").expect("in order");
            prop_assert!(back.iter().eq(cells.iter().map(String::as_str)));
            for text in &cells {
                let pieces = text.split(SEPARATORS).map(|piece| piece.trim_start_matches('"'));
                prop_assert!(!pieces.clone().any(|piece| piece.starts_with(['=', '+', '-', '@', '\r'])), "{text:?}");
                prop_assert!(!text.chars().any(|c| c.is_control() && !"\t\n".contains(c)));
            }
        }
    }
}
