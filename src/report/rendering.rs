//! Lines as bytes, in the form that was asked for; those of a large batch by several threads.
//!
//! What of a line is shown is decided by [`super::text`], [`super::json`] and [`super::csv`]; when
//! the bytes go out, and what is remembered of them, by [`super::run`].

use std::io;
use std::num::NonZero;
use std::thread;

use super::options::OutputFormat;
use super::table::ReportTable;
use super::text::TextStyle;
use super::{csv, json};
use crate::model::line::FleetLine;

/// Fewer lines than this are not worth a thread of their own.
const LINES_PER_THREAD: usize = 512;

/// More threads would take the cores from those that read.
const MAX_THREADS: usize = 4;

/// Makes bytes of lines. Threads share it.
#[derive(Clone, Copy)]
pub(super) struct LineRenderer<'r> {
    pub(super) form: OutputFormat,
    pub(super) text: &'r TextStyle,
    pub(super) table: &'r ReportTable<'r>,
}

/// Lines one behind the other.
#[derive(Default)]
pub(super) struct RenderedLines {
    bytes: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl RenderedLines {
    /// The bytes of each line.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }
}

impl LineRenderer<'_> {
    /// The lines in their order, in one piece for each thread that was used.
    ///
    /// # Errors
    /// When a line cannot be written in this form.
    pub(super) fn render(self, lines: &[FleetLine]) -> io::Result<Vec<RenderedLines>> {
        let threads = (lines.len() / LINES_PER_THREAD).min(MAX_THREADS);
        if threads < 2 {
            return Ok(vec![self.part(lines)?]);
        }
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let mut parts = lines.chunks(lines.len().div_ceil(threads.min(cores)));
        let first = parts.next().unwrap_or_default();
        thread::scope(|scope| {
            let others: Vec<_> = parts
                .map(|part| scope.spawn(move || self.part(part)))
                .collect();
            let first = self.part(first);
            let joined = others.into_iter().map(|other| {
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            [first].into_iter().chain(joined).collect()
        })
    }

    fn part(self, lines: &[FleetLine]) -> io::Result<RenderedLines> {
        let mut rendered = RenderedLines::default();
        let mut place = (None, String::new());
        for line in lines {
            let name = self.table.name(line.host, line.source);
            let out = &mut rendered.bytes;
            match self.form {
                OutputFormat::Json => json::write(out, &json::LineObject::new(name, line))?,
                OutputFormat::Csv(cells) => csv::line(out, cells, name, line)?,
                OutputFormat::Text => {
                    let source = Some((line.host, line.source));
                    if place.0 != source {
                        place = (source, self.text.place(name));
                    }
                    self.text.line(out, &place.1, line)?;
                }
            }
            rendered.ends.push(rendered.bytes.len());
        }
        Ok(rendered)
    }
}
