//! Encodings that are undone. Each says whether it ended as it should; what came out until then is kept.

pub(super) mod base64;
mod brotli;
mod flate;
pub(super) mod hex;
pub(super) mod percent;
pub(super) mod utf16;
mod zstd;

pub(super) use flate::Inflater;
use telltale_model::Form;

/// How bytes were compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compressed {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Zstd,
}

/// What came of unpacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpacked {
    /// All of it, and nothing is left over.
    Whole,
    /// It is damaged, cut off, followed by something else, or larger than it may be.
    Part,
}

impl Compressed {
    /// The format whose first bytes these are.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // RFC 1952 2.3: deflate is the only method.
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            // RFC 8878 3.1.1.
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // RFC 1950 2.2: deflate, a window of at most 32 KiB, no dictionary, a check.
            [method, flags, ..]
                if method & 0x8f == 8
                    && flags & 0x20 == 0
                    && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0 =>
            {
                Some(Self::Zlib)
            }
            _ => None,
        }
    }

    pub(super) fn form(self) -> Form {
        match self {
            Self::Gzip => Form::Gzip,
            Self::Zlib | Self::Deflate => Form::Deflate,
            Self::Brotli => Form::Brotli,
            Self::Zstd => Form::Zstd,
        }
    }

    /// Unpacks at most `most` bytes.
    pub(super) fn unpack(
        self,
        bytes: &[u8],
        most: usize,
        inflater: &mut Inflater,
        to: &mut Vec<u8>,
    ) -> Unpacked {
        to.clear();
        match self {
            Self::Gzip => inflater.gzip(bytes, most, to),
            Self::Zlib => inflater.inflate(bytes, true, most, to),
            Self::Deflate => inflater.inflate(bytes, false, most, to),
            Self::Brotli => brotli::unpack(bytes, most, to),
            Self::Zstd => zstd::unpack(bytes, most, to),
        }
    }
}

#[cfg(test)]
mod tests;
