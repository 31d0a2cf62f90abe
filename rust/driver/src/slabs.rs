//! Buffers that reads go into, used again as soon as nobody keeps a part of them: in steady state
//! nothing is allocated, and the same few cache lines are filled again and again.

use std::io;

use bytes::{Bytes, BytesMut};

use crate::sys::PIECES;

/// A few buffers of equal size. Each read takes its bytes out of the front of one.
pub(crate) struct Slabs {
    slabs: Vec<BytesMut>,
    current: usize,
    room: usize,
    size: usize,
    most: usize,
}

impl Slabs {
    /// Buffers of `size` bytes, of which every read finds at least `room` free. At most `most` of
    /// them are remembered; a buffer beyond that lives only as long as its bytes are kept.
    pub(crate) fn new(room: usize, size: usize, most: usize) -> Self {
        Self { slabs: Vec::new(), current: 0, room, size: size.max(room), most: most.max(1) }
    }

    /// Bytes that one piece of a buffer keeps alive.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Starts again with the first buffer, from its front where nobody keeps a part of it.
    pub(crate) fn rewind(&mut self) {
        self.current = 0;
        if let Some(first) = self.slabs.first_mut() {
            // Where somebody keeps a part of it, the rest of it serves as well.
            let _ = first.try_reclaim(self.size);
        }
    }

    /// Forgets all buffers but the first: there will be new ones when they are needed.
    pub(crate) fn rest(&mut self) {
        self.slabs.truncate(1);
        self.current = 0;
    }

    /// Bytes of the buffers that [`Self::rest`] would forget.
    pub(crate) fn spare(&self) -> usize {
        self.slabs.len().saturating_sub(1) * self.size
    }

    /// Lets `read` append to a buffer, and gives what it appended without copying it.
    pub(crate) fn read(
        &mut self,
        read: impl FnOnce(&mut BytesMut) -> io::Result<usize>,
    ) -> io::Result<Bytes> {
        let slab = self.roomy();
        read(slab)?;
        Ok(slab.split().freeze())
    }

    /// Lets `read` fill several empty buffers in turn, enough for `limit` bytes or [`PIECES`], and gives
    /// what each got with the bytes that this keeps alive. A little is copied out, so that it does not keep
    /// a whole buffer. Answers how many bytes there were.
    pub(crate) fn read_pieces(
        &mut self,
        limit: usize,
        pieces: &mut Vec<(Bytes, usize)>,
        read: impl FnOnce(&mut [BytesMut]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let size = self.size;
        let buffers = self.empty(limit.div_ceil(size).clamp(1, PIECES.min(self.most)));
        let len = read(buffers)?;
        for buffer in buffers.iter_mut().filter(|buffer| !buffer.is_empty()) {
            pieces.push(if buffer.len() >= size / KEPT_SHARE {
                (buffer.split().freeze(), size)
            } else {
                let copy = Bytes::copy_from_slice(buffer);
                buffer.clear();
                let len = copy.len();
                (copy, len)
            });
        }
        Ok(len)
    }

    /// So many buffers that nobody keeps a part of, at the front, where they are found again first.
    fn empty(&mut self, count: usize) -> &mut [BytesMut] {
        let mut found = 0;
        for place in 0..self.slabs.len() {
            if found == count {
                break;
            }
            if self.slabs.get_mut(place).is_some_and(|slab| slab.try_reclaim(self.size)) {
                self.slabs.swap(found, place);
                found += 1;
            }
        }
        for place in found..count {
            self.slabs.truncate(self.most - 1);
            self.slabs.insert(place, BytesMut::with_capacity(self.size));
        }
        self.slabs.get_mut(..count).unwrap_or_default()
    }

    fn roomy(&mut self) -> &mut BytesMut {
        let room = self.room;
        let free = self.slabs.iter_mut().skip(self.current).position(|slab| slab.try_reclaim(room));
        self.current = match free {
            Some(further) => self.current + further,
            None => self.grow(),
        };
        #[expect(clippy::indexing_slicing, reason = "the index was found, or grow() has just filled it")]
        &mut self.slabs[self.current]
    }

    /// Every buffer is kept by somebody: takes a new one, in the place of the last if need be.
    fn grow(&mut self) -> usize {
        self.slabs.truncate(self.most - 1);
        self.slabs.push(BytesMut::with_capacity(self.size));
        self.slabs.len() - 1
    }
}

/// A read under this fraction (1/n) of its buffer is copied out of it.
const KEPT_SHARE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn write<'a>(bytes: &'a [u8]) -> impl FnOnce(&mut BytesMut) -> io::Result<usize> + 'a {
        |buffer| {
            buffer.extend_from_slice(bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn a_buffer_that_nobody_keeps_is_used_again() {
        let mut slabs = Slabs::new(4, 16, 2);
        let first = slabs.read(write(b"one")).unwrap().as_ptr();
        slabs.rewind();
        assert_eq!(slabs.read(write(b"two")).unwrap().as_ptr(), first);
    }

    #[test]
    fn what_is_kept_is_never_overwritten() {
        let mut slabs = Slabs::new(4, 8, 2);
        let kept: Vec<Bytes> = (0..100_u8)
            .map(|value| {
                slabs.rewind();
                slabs.read(write(&[value; 4])).unwrap()
            })
            .collect();
        for (value, bytes) in (0..100).zip(&kept) {
            assert_eq!(bytes[..], [value; 4]);
        }
        assert!(slabs.slabs.len() <= 2);
    }

    #[test]
    fn little_is_copied_out_and_much_is_handed_over() {
        let mut slabs = Slabs::new(16, 16, 2);
        let mut pieces = Vec::new();
        for text in ["abc", "abcd"] {
            let fill = |buffers: &mut [BytesMut]| write(text.as_bytes())(&mut buffers[0]);
            assert_eq!(slabs.read_pieces(16, &mut pieces, fill).unwrap(), text.len());
        }
        assert_eq!(pieces, [(Bytes::from_static(b"abc"), 3), (Bytes::from_static(b"abcd"), 16)]);
    }

    #[test]
    fn one_read_fills_several_buffers_and_those_that_are_kept_are_not_among_them() {
        let mut slabs = Slabs::new(8, 8, 3);
        let mut pieces = Vec::new();
        for round in 0..4_u8 {
            let fill = |buffers: &mut [BytesMut]| {
                assert_eq!(buffers.len(), 2);
                buffers.iter_mut().try_fold(0, |sum, buffer| Ok(sum + write(&[round; 8])(buffer)?))
            };
            assert_eq!(slabs.read_pieces(16, &mut pieces, fill).unwrap(), 16);
        }
        let expected: Vec<_> = (0..8_u8).map(|piece| (Bytes::from(vec![piece / 2; 8]), 8)).collect();
        assert_eq!(pieces, expected);
        assert!(slabs.slabs.len() <= 3);
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut slabs = Slabs::new(4, 16, 2);
        slabs.read(|_buffer| Err(io::ErrorKind::WouldBlock.into())).unwrap_err();
        assert_eq!(slabs.read(write(b"next")).unwrap(), "next");
    }
}
