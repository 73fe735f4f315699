//! Pieces of a file's text, and how long it is.

use bytes::Bytes;

use crate::files::access::{FileChunk, FileError};
use crate::model::log_file::{Compression, LogFile};

use super::StopFlag;
use super::text::PlainText;

/// Text that is unpacked at once where only its length is wanted.
const BLOCK: usize = 256 << 10;

/// The last compressed file that was read, kept open: paging through it forwards unpacks it
/// once.
#[derive(Default)]
pub struct CachingReader {
    kept: Option<(LogFile, PlainText)>,
}

impl CachingReader {
    /// Text of a file from an offset on, at most `most` bytes. Of a damaged file what is good comes
    /// first.
    ///
    /// # Errors
    /// When the file is gone, another one, damaged, or may not be read.
    pub fn read(
        &mut self,
        file: &LogFile,
        from: u64,
        most: usize,
        stop: &StopFlag,
    ) -> Result<FileChunk, FileError> {
        let mut text = match self.kept.take() {
            Some((kept, text)) if kept == *file && text.offset() <= from => text,
            _ => PlainText::open(file)?,
        };
        let chunk = chunk(&mut text, from, most, stop);
        if file.compression != Compression::Plain {
            self.kept = Some((file.clone(), text));
        }
        chunk
    }
}

fn chunk(
    text: &mut PlainText,
    from: u64,
    most: usize,
    stop: &StopFlag,
) -> Result<FileChunk, FileError> {
    if !text.skip_to(from, stop)? {
        return Ok(FileChunk {
            bytes: Bytes::new(),
            at_end: true,
        });
    }
    let mut bytes = vec![0; most];
    let read = text.read(&mut bytes, stop)?;
    bytes.truncate(read);
    Ok(FileChunk {
        bytes: bytes.into(),
        at_end: text.is_at_end(),
    })
}

/// How long the text of a file is. A compressed one is unpacked for that.
///
/// # Errors
/// As with [`CachingReader::read`]; also where only the end is damaged.
pub fn measure(file: &LogFile, stop: &StopFlag) -> Result<u64, FileError> {
    let mut text = PlainText::open(file)?;
    if let Some(length) = text.length() {
        return Ok(length);
    }
    let mut block = vec![0; BLOCK];
    while text.read(&mut block, stop)? > 0 {}
    Ok(text.offset())
}
