//! The text of one open file as a stream, whatever form it is stored in. `block` cuts it into lines.

use std::fs::File;
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::files::access::FileError;
use crate::model::log_file::{Compression, LogFile};

use super::StopFlag;
use super::open::{open, system};
use super::unpack::Unpacker;

/// Text that is unpacked and thrown away at once, on the way to an offset.
const SKIPPED: usize = 256 << 10;

/// The text of an open file, and where it is being read.
pub(super) struct PlainText {
    form: TextForm,
    offset: u64,
    /// Bytes of it when it was opened; `None` where the file does not tell: compressed, or of
    /// `/proc`.
    length: Option<u64>,
    /// What has been read of it to see whether there is more.
    ahead: Option<u8>,
    /// Why it cannot be read any further.
    failed: Option<FileError>,
}

enum TextForm {
    Plain(File),
    Packed(Box<Unpacker>),
}

impl PlainText {
    /// Opens a file at its beginning.
    pub(super) fn open(file: &LogFile) -> Result<Self, FileError> {
        let (opened, now) = open(file)?;
        let length = (file.compression == Compression::Plain && now.size > 0).then_some(now.size);
        let form = match file.compression {
            Compression::Plain => TextForm::Plain(opened),
            compression => {
                TextForm::Packed(Box::new(Unpacker::new(opened, now.size, compression)?))
            }
        };
        Ok(Self {
            form,
            offset: 0,
            length,
            ahead: None,
            failed: None,
        })
    }

    /// Of the byte that is read next.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// How long it was when it was opened, where that is known without reading it.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Goes on at this offset, which must not have been passed where the file is compressed;
    /// `false` where the text ends before it.
    pub(super) fn skip_to(&mut self, offset: u64, stop: &StopFlag) -> Result<bool, FileError> {
        if let TextForm::Plain(_) = self.form {
            self.offset = offset;
        }
        let mut waste = Vec::new();
        while self.offset < offset {
            waste.resize(SKIPPED, 0);
            let most = usize::try_from(offset - self.offset)
                .unwrap_or(SKIPPED)
                .min(SKIPPED);
            if self.read(&mut waste[..most], stop)? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The text that follows: fewer bytes than there is room for only at the end, or where the file
    /// cannot be read any further; what is good comes first, and the error with the next question.
    pub(super) fn read(&mut self, buffer: &mut [u8], stop: &StopFlag) -> Result<usize, FileError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut filled = 0;
        while filled < buffer.len() {
            stop.check()?;
            match self.read_some(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => {
                    filled += read;
                    self.offset += read as u64;
                }
                Err(error) => {
                    self.failed = Some(error.clone());
                    if filled == 0 {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        Ok(filled)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, FileError> {
        if let Some(byte) = self.ahead.take() {
            buffer[0] = byte;
            return Ok(1);
        }
        match &mut self.form {
            TextForm::Plain(file) => {
                // What is beyond is not there yet: a network file system may give NUL bytes for it.
                let left = self
                    .length
                    .map_or(u64::MAX, |length| length.saturating_sub(self.offset));
                let room = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len());
                read_plain(file, &mut buffer[..room], self.offset)
            }
            TextForm::Packed(unpacker) => unpacker.read(buffer),
        }
    }

    /// Why it could not be read any further, if that was so.
    pub(super) fn failure(&self) -> Option<FileError> {
        self.failed.clone()
    }

    /// Whether nothing follows at present. An error that follows does, too.
    pub(super) fn is_at_end(&mut self) -> bool {
        let mut byte = [0];
        if self.ahead.is_some() || self.failed.is_some() {
            return false;
        }
        match self.read_some(&mut byte) {
            Ok(0) => return true,
            Ok(_) => {
                self.ahead = Some(byte[0]).filter(|_| matches!(self.form, TextForm::Packed(_)));
            }
            Err(error) => self.failed = Some(error),
        }
        false
    }

    /// Goes on behind a hole that has been reached: bytes that were never written, which read as
    /// NUL.
    pub(super) fn skip_hole(&mut self) {
        if let (TextForm::Plain(file), Some(length)) = (&self.form, self.length) {
            self.offset = hole_end(file, self.offset, length).max(self.offset);
        }
    }

    /// Says that what was read before this offset is not needed again, so that it does not drive
    /// out of memory what others need.
    pub(super) fn forget(&self, range: Range<u64>) {
        #[cfg(target_os = "linux")]
        if let (TextForm::Plain(file), Some(length)) =
            (&self.form, NonZeroU64::new(range.end - range.start))
        {
            // Advice only.
            let _ = rustix::fs::fadvise(
                file,
                range.start,
                Some(length),
                rustix::fs::Advice::DontNeed,
            );
        }
    }
}

fn read_plain(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize, FileError> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read.map_err(system),
        }
    }
}

/// The first byte from `offset` on that was written.
fn hole_end(file: &File, offset: u64, length: u64) -> u64 {
    #[cfg(target_os = "linux")]
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(offset)) {
        Ok(data) => return data,
        // There is none.
        Err(rustix::io::Errno::NXIO) => return length,
        Err(_) => {}
    }
    let _ = (file, length);
    offset
}
