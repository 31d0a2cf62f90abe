//! Buffers that reads go into, used again as soon as nobody keeps a part of them: in steady state
//! nothing is allocated, and the same few cache lines are filled again and again.

use std::io;

use bytes::{Bytes, BytesMut};

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

    /// Lets `read` append to a buffer, and gives what it appended with the bytes that this keeps
    /// alive. A little is copied out, so that it does not keep a whole buffer.
    pub(crate) fn read_sparing(
        &mut self,
        read: impl FnOnce(&mut BytesMut) -> io::Result<usize>,
    ) -> io::Result<(Bytes, usize)> {
        let size = self.size;
        let slab = self.roomy();
        let len = read(slab)?;
        if len >= size / KEPT_SHARE {
            return Ok((slab.split().freeze(), size));
        }
        let copy = Bytes::copy_from_slice(slab);
        slab.clear();
        Ok((copy, len))
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
        assert_eq!(slabs.read_sparing(write(b"abc")).unwrap(), (Bytes::from_static(b"abc"), 3));
        assert_eq!(slabs.read_sparing(write(b"abcd")).unwrap(), (Bytes::from_static(b"abcd"), 16));
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut slabs = Slabs::new(4, 16, 2);
        slabs.read(|_buffer| Err(io::ErrorKind::WouldBlock.into())).unwrap_err();
        assert_eq!(slabs.read(write(b"next")).unwrap(), "next");
    }
}
