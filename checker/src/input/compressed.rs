//! Compressed inputs, gzip and Zstandard, known by their first bytes.
//!
//! Both formats may be several pieces one after the other, as `cat a.gz b.gz` and parallel
//! compressors make them; all pieces are one input.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
}

impl Compression {
    /// All that are understood.
    pub(super) const ALL: [Compression; 2] = [Compression::Gzip, Compression::Zstandard];

    /// What a file that starts with these bytes is compressed with.
    pub(super) fn of(head: &[u8]) -> Option<Compression> {
        Compression::ALL
            .into_iter()
            .find(|compression| head.starts_with(compression.magic()))
    }

    fn magic(self) -> &'static [u8] {
        match self {
            Compression::Gzip => &[0x1f, 0x8b, 8],
            Compression::Zstandard => &[0x28, 0xb5, 0x2f, 0xfd],
        }
    }

    /// What such a file's name ends with.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Compression::Gzip => "gz",
            Compression::Zstandard => "zst",
        }
    }
}

/// What is in there, as it is read.
pub(super) fn reader<'a>(compression: Compression, bytes: impl BufRead + 'a) -> Box<dyn Read + 'a> {
    match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(bytes)),
        Compression::Zstandard => Box::new(Frames {
            bytes,
            decoder: FrameDecoder::new(),
        }),
    }
}

/// Zstandard frames one after the other.
struct Frames<R> {
    bytes: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Frames<R> {
    /// Begins the next frame; `false` if there is none.
    fn begin(&mut self) -> io::Result<bool> {
        if self.bytes.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.init(&mut self.bytes) {
            Ok(()) => {}
            // Some frames are for other programs.
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                io::copy(&mut (&mut self.bytes).take(length.into()), &mut io::sink())?;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(true)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if !self.decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.bytes, some);
                decoded.map_err(io::Error::other)?;
            } else if !self.begin()? {
                return Ok(0);
            }
        }
        self.decoder.read(into)
    }
}
