//! The frames of one direction of a stream (RFC 9114 7.1), as their bytes come.

use crate::reader::Reader;

/// RFC 9000 16: as long as its first two bits say.
pub(crate) fn varint(reader: &mut Reader<'_>) -> Option<u64> {
    let mut ahead = *reader;
    let first = u64::from(ahead.u8()?);
    let more = ahead.take((1 << (first >> 6)) - 1)?;
    *reader = ahead;
    Some(more.iter().fold(first & 0x3f, |value, byte| value << 8 | u64::from(*byte)))
}

/// A number that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number {
    value: u64,
    /// Bytes of it that are still to come, once its first one is there.
    left: Option<u8>,
}

impl Number {
    /// Takes a byte of it; gives it once it is whole, and begins anew.
    pub(super) fn push(&mut self, byte: u8) -> Option<u64> {
        let left = match self.left {
            None => {
                self.value = u64::from(byte & 0x3f);
                (1 << (byte >> 6)) - 1
            }
            Some(left) => {
                self.value = self.value << 8 | u64::from(byte);
                left - 1
            }
        };
        self.left = (left > 0).then_some(left);
        (left == 0).then_some(self.value)
    }
}

/// Cuts a direction of a stream into frames.
#[derive(Debug, Default)]
pub(super) struct Frames {
    number: Number,
    /// The type of the frame whose length or payload comes.
    kind: Option<u64>,
    /// Payload that is still to come.
    left: u64,
}

/// Some bytes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read<'a> {
    pub(super) kind: u64,
    pub(super) payload: &'a [u8],
    /// Whether these are the last ones.
    pub(super) ends: bool,
}

impl Frames {
    /// Takes bytes from the front: payload, or none where only a header was there.
    pub(super) fn read<'a>(&mut self, rest: &mut &'a [u8]) -> Option<Read<'a>> {
        while self.left == 0 {
            let (first, after) = rest.split_first()?;
            *rest = after;
            let Some(number) = self.number.push(*first) else { continue };
            let Some(kind) = self.kind else {
                self.kind = Some(number);
                continue;
            };
            self.left = number;
            if number == 0 {
                self.kind = None;
                return Some(Read { kind, payload: &[], ends: true });
            }
        }
        let kind = self.kind?;
        let len = rest.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let (payload, after) = rest.split_at_checked(len).filter(|(payload, _)| !payload.is_empty())?;
        *rest = after;
        self.left -= payload.len() as u64;
        let ends = self.left == 0;
        if ends {
            self.kind = None;
        }
        Some(Read { kind, payload, ends })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_any_pieces() {
        let stream = [&[0x40, 0x01, 2, 7, 8][..], &[0x21, 0], &[0x00, 0x40, 1, 9]].concat();
        for size in 1..stream.len() {
            let (mut frames, mut seen) = (Frames::default(), Vec::new());
            for mut piece in stream.chunks(size) {
                while let Some(read) = frames.read(&mut piece) {
                    seen.extend(read.payload.iter().map(|byte| (read.kind, *byte)));
                    if read.ends {
                        seen.push((read.kind, 0xff));
                    }
                }
            }
            assert_eq!(seen, [(1, 7), (1, 8), (1, 0xff), (0x21, 0xff), (0, 9), (0, 0xff)], "{size}");
        }
    }
}
