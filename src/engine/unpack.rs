//! The text inside a compressed file, as a stream: of any number of members in a row, and within
//! limits, for a small file can hold more text than there is time to read.
//!
//! As with the programs of the same names, what follows the last member and is none is skipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::files::access::FileError;
use crate::model::log_file::Compression;

/// No log that a person keeps has more text.
const MAX_TEXT: u64 = 64 << 30;

/// Text is at most so many times longer than its compressed form, where there is more than a little
/// of it. Logs reach 200 and gzip cannot go beyond 1032.
const MAX_RATIO: u64 = 2000;
const RATIO_FROM: u64 = 1 << 30;

/// The most time that is spent on unpacking one file.
const MAX_TIME: Duration = Duration::from_secs(600);

/// The most memory that xz may take, in KiB: enough for `xz -9`.
const MAX_XZ_KIB: u32 = 100 << 10;

/// Compressed bytes that are read at once.
const INPUT: usize = 64 << 10;

type Input = BufReader<File>;

/// What unpacks one member.
enum ArchiveMember {
    Gzip(Box<GzDecoder<Input>>),
    Bzip2(Box<BzDecoder<Input>>),
    Xz(Box<XzReader<Input>>),
    Zstd(Box<ZstdFrames>),
}

/// The text of a compressed file.
pub(super) struct Unpacker {
    compression: Compression,
    /// `None` behind the last.
    member: Option<ArchiveMember>,
    limit: u64,
    /// Text given out so far, and the time it took.
    given: u64,
    spent: Duration,
}

impl Unpacker {
    /// Begins with the first byte of a file of this size.
    pub(super) fn new(file: File, size: u64, compression: Compression) -> Result<Self, FileError> {
        let limit = size.saturating_mul(MAX_RATIO).clamp(RATIO_FROM, MAX_TEXT);
        let member = ArchiveMember::new(compression, BufReader::with_capacity(INPUT, file))
            .map_err(damaged)?;
        Ok(Self {
            compression,
            member,
            limit,
            given: 0,
            spent: Duration::ZERO,
        })
    }

    /// The text that follows; 0 at its end only.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FileError> {
        let began = Instant::now();
        let read = self.read_member(buffer).map_err(damaged)?;
        self.spent += began.elapsed();
        self.given += read as u64;
        if self.given > self.limit {
            return Err(FileError::TooMuch(format!(
                "it unpacks to more than {} GiB",
                self.limit >> 30
            )));
        }
        if self.spent > MAX_TIME {
            return Err(FileError::TooMuch(format!(
                "unpacking it takes more than {} s",
                MAX_TIME.as_secs()
            )));
        }
        Ok(read)
    }

    fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(member) = self.member.take() {
                self.member = self.next_member(member.end()?)?;
            }
        }
        Ok(0)
    }

    /// The member that begins where the last one ended, but for zeroes, with which archives are
    /// filled up.
    fn next_member(&self, mut input: Input) -> io::Result<Option<ArchiveMember>> {
        loop {
            let ahead = input.fill_buf()?;
            let zeroes = ahead.iter().take_while(|&&byte| byte == 0).count();
            match ahead.get(zeroes) {
                Some(&first) if may_begin(self.compression, first) => {
                    input.consume(zeroes);
                    return ArchiveMember::new(self.compression, input);
                }
                Some(_) => return Ok(None),
                None if zeroes == 0 => return Ok(None),
                None => input.consume(zeroes),
            }
        }
    }
}

/// By the first byte of the magic number.
fn may_begin(compression: Compression, first: u8) -> bool {
    match compression {
        Compression::Plain => false,
        Compression::Gzip => first == 0x1f,
        Compression::Bzip2 => first == b'B',
        Compression::Xz => first == 0xfd,
        // The second: a frame that holds no text.
        Compression::Zstd => first == 0x28 || first & 0xf0 == 0x50,
    }
}

impl ArchiveMember {
    fn new(compression: Compression, input: Input) -> io::Result<Option<Self>> {
        Ok(Some(match compression {
            Compression::Plain => return Ok(None),
            Compression::Gzip => Self::Gzip(Box::new(GzDecoder::new(input))),
            Compression::Bzip2 => Self::Bzip2(Box::new(BzDecoder::new(input))),
            Compression::Xz => {
                Self::Xz(Box::new(XzReader::new_mem_limit(input, false, MAX_XZ_KIB)))
            }
            Compression::Zstd => {
                return Ok(ZstdFrames::new(input)?.map(|decoder| Self::Zstd(Box::new(decoder))));
            }
        }))
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }

    /// What follows a member that has been read to its end.
    fn end(self) -> io::Result<Input> {
        Ok(match self {
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Bzip2(decoder) => decoder.into_inner(),
            Self::Xz(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => return decoder.end(),
        })
    }
}

/// Frames of zstd, one behind the other.
struct ZstdFrames {
    input: Input,
    decoder: FrameDecoder,
}

impl ZstdFrames {
    /// The next frame that holds text; `None` where the file ends with one that holds none.
    fn new(mut input: Input) -> io::Result<Option<Self>> {
        let mut decoder = FrameDecoder::new();
        loop {
            match decoder.init(&mut input) {
                Ok(()) => return Ok(Some(Self { input, decoder })),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut input).take(u64::from(length)), &mut io::sink())?;
                    if input.fill_buf()?.is_empty() {
                        return Ok(None);
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::ErrorKind::OutOfMemory.into());
                }
                Err(error) => return Err(invalid(&error)),
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let one = BlockDecodingStrategy::UptoBlocks(1);
            self.decoder
                .decode_blocks(&mut self.input, one)
                .map_err(|error| invalid(&error))?;
        }
        self.decoder.read(buffer)
    }

    /// It leaves it to us to compare the checksums.
    fn end(self) -> io::Result<Input> {
        let stated = self.decoder.get_checksum_from_data();
        if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
            return Err(invalid(&"wrong checksum"));
        }
        Ok(self.input)
    }
}

fn invalid(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// What a decoder says is about the file's contents, unless the system said it.
fn damaged(error: io::Error) -> FileError {
    match error.kind() {
        _ if error.raw_os_error().is_some() => super::open::system(error),
        io::ErrorKind::OutOfMemory => {
            FileError::TooMuch("it takes too much memory to unpack".to_owned())
        }
        io::ErrorKind::UnexpectedEof => FileError::Damaged("it ends too early".to_owned()),
        _ => FileError::Damaged(error.to_string()),
    }
}
