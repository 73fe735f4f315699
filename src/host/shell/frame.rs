//! Frames: how the output of a shell of ours is cut into answers.
//!
//! A frame is `"\n" TOKEN " " header "\n" body`, and ends where the next begins. The token is 128
//! random bits made for this one shell, so that neither noise from a `.bashrc` nor the content of a
//! log can look like a frame. Bytes in, values out; what the headers mean is left to the driver.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

/// What a host said: the words after the token, and the bytes that followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header line without the token.
    pub header: String,
    /// All up to the next frame.
    pub body: Bytes,
}

/// The host sent more than any answer of ours can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host sent more than {limit} bytes in one answer")]
pub struct FrameTooLong {
    /// The limit in bytes.
    pub limit: usize,
}

/// The longest answer by far is a read of a file, which asks for at most 1 MiB and two blocks of 64
/// KiB around it. What a login script prints before the first frame is not kept.
pub const MAX_FRAME: usize = 2 << 20;

/// Cuts a stream of bytes, in pieces of any size, into frames.
pub struct Frames {
    boundary: Finder<'static>,
    boundary_len: usize,
    buffer: BytesMut,
    /// Where the search for the next boundary goes on.
    searched: usize,
    /// Header of the frame whose body is being read; `None` before the first and after an end.
    open: Option<String>,
    /// An end was found with the frame before it.
    ended: bool,
}

/// The header of a frame that ends a series of answers. It has no body, and so is whole at once.
pub const END: &str = ".";

impl Frames {
    /// For frames that begin with `token`.
    #[must_use]
    pub fn new(token: &str) -> Self {
        let boundary = format!("\n{token} ");
        Self {
            boundary: Finder::new(&boundary).into_owned(),
            boundary_len: boundary.len(),
            buffer: BytesMut::new(),
            searched: 0,
            open: None,
            ended: false,
        }
    }

    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame: one whose end is in sight, which is the beginning of the one after it.
    ///
    /// # Errors
    /// When more than [`MAX_FRAME`] bytes have come without one.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameTooLong> {
        loop {
            if std::mem::take(&mut self.ended) {
                return Ok(Some(Frame {
                    header: END.to_owned(),
                    body: Bytes::new(),
                }));
            }
            let Some((at, header, end)) = self.find_header() else {
                if self.open.is_none() {
                    // Noise belongs to no frame, and may be of any length.
                    let _ = self.buffer.split_to(std::mem::take(&mut self.searched));
                }
                return if self.buffer.len() > MAX_FRAME {
                    Err(FrameTooLong { limit: MAX_FRAME })
                } else {
                    Ok(None)
                };
            };
            let body = self.buffer.split_to(at).freeze();
            let _ = self.buffer.split_to(end - at);
            self.searched = 0;
            self.ended = header == END;
            let before = std::mem::replace(&mut self.open, (!self.ended).then_some(header));
            if let Some(header) = before {
                return Ok(Some(Frame { header, body }));
            }
        }
    }

    /// Where the next boundary begins, its header, and where its header line ends.
    fn find_header(&mut self) -> Option<(usize, String, usize)> {
        let from = self.searched;
        let Some(found) = self.boundary.find(&self.buffer[from..]) else {
            // The boundary may be cut: search again from where it could begin.
            self.searched = self.buffer.len().saturating_sub(self.boundary_len - 1);
            return None;
        };
        let at = from + found;
        self.searched = at;
        let start = at + self.boundary_len;
        let length = memchr::memchr(b'\n', &self.buffer[start..])?;
        let header = String::from_utf8_lossy(&self.buffer[start..start + length]).into_owned();
        Some((at, header, start + length + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "00112233445566778899aabbccddeeff";

    fn frames_of(pieces: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
        let mut frames = Frames::new(TOKEN);
        let mut out = Vec::new();
        for piece in pieces {
            frames.push(piece);
            while let Some(frame) = frames.next_frame().unwrap() {
                out.push((frame.header, frame.body.to_vec()));
            }
        }
        out
    }

    fn end() -> (String, Vec<u8>) {
        (END.to_owned(), Vec::new())
    }

    #[test]
    fn noise_before_the_first_frame_is_passed_over() {
        let text = format!("Welcome!\r\nlast login…\n{TOKEN} R 1\n\n{TOKEN} .\n");
        assert_eq!(
            frames_of(&[text.as_bytes()]),
            [("R 1".to_owned(), Vec::new()), end()]
        );
    }

    #[test]
    fn r41_noise_of_any_length_is_passed_over_and_not_kept() {
        let mut frames = Frames::new(TOKEN);
        for _ in 0..100 {
            frames.push(&vec![b'x'; 100_000]);
            assert_eq!(frames.next_frame(), Ok(None));
            assert!(frames.buffer.len() < 100, "{}", frames.buffer.len());
        }
        frames.push(format!("\n{TOKEN} R 1\n\n{TOKEN} .\n").as_bytes());
        assert_eq!(
            frames
                .next_frame()
                .map(|frame| frame.map(|frame| frame.header)),
            Ok(Some("R 1".to_owned()))
        );
    }

    #[test]
    fn a_body_keeps_its_bytes_and_its_line_ends() {
        let text = format!("\n{TOKEN} F 1\nline\n\n{TOKEN}x\n\n{TOKEN} .\n");
        assert_eq!(
            frames_of(&[text.as_bytes()]),
            [
                ("F 1".to_owned(), format!("line\n\n{TOKEN}x\n").into_bytes()),
                end()
            ]
        );
    }

    #[test]
    fn r53_more_than_any_answer_is_an_error() {
        let mut frames = Frames::new(TOKEN);
        frames.push(format!("\n{TOKEN} F 1\n").as_bytes());
        frames.push(&vec![b'x'; MAX_FRAME + 1]);
        assert_eq!(frames.next_frame(), Err(FrameTooLong { limit: MAX_FRAME }));
    }

    proptest! {
        #[test]
        fn any_split_of_a_stream_gives_the_same_frames(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut stream = b"noise\n".to_vec();
            for (n, body) in bodies.iter().enumerate() {
                stream.extend_from_slice(format!("\n{TOKEN} F {n}\n").as_bytes());
                stream.extend_from_slice(body);
            }
            stream.extend_from_slice(format!("\n{TOKEN} .\n").as_bytes());
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            at.extend([0, stream.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            let frames = bodies.into_iter().enumerate().map(|(n, body)| (format!("F {n}"), body));
            let expected: Vec<_> = frames.chain([end()]).collect();
            prop_assert_eq!(frames_of(&pieces), expected);
        }
    }
}
