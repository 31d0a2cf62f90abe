//! Control messages, cmsg(3): written and read as plain bytes, so that no pointer is needed.

use libc::c_int;

/// How far data begins behind the start of its control message.
const HEADER: usize = align(size_of::<libc::cmsghdr>());
/// Room for two messages to the kernel, or for one error report and its offender's address from it.
const ROOM: usize = 160;

/// A buffer for control messages, aligned as the kernel wants them.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control {
    bytes: [u8; ROOM],
    len: usize,
}

impl Control {
    /// Holds no message yet.
    pub(crate) fn new() -> Self {
        Self { bytes: [0; ROOM], len: 0 }
    }

    /// Appends a message. Data that finds no room is left out; there is room for two ints.
    pub(crate) fn push(&mut self, level: c_int, kind: c_int, data: &[u8]) {
        let Some(target) = self.bytes.get_mut(self.len..self.len + HEADER + align(data.len())) else {
            return;
        };
        let length = (HEADER + data.len()).to_ne_bytes();
        let fields = length.into_iter().chain(level.to_ne_bytes()).chain(kind.to_ne_bytes());
        for (place, value) in target.iter_mut().zip(fields) {
            *place = value;
        }
        if let Some(place) = target.get_mut(HEADER..HEADER + data.len()) {
            place.copy_from_slice(data);
        }
        self.len += target.len();
    }

    /// Where the kernel reads the messages, or writes some of its own.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        self.bytes.as_mut_ptr().cast()
    }

    /// Bytes of messages in it.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that the kernel may write.
    pub(crate) const fn room() -> usize {
        ROOM
    }

    /// The first `len` bytes: what the kernel has written.
    pub(crate) fn written(&self, len: usize) -> &[u8] {
        self.bytes.get(..len).unwrap_or(&self.bytes)
    }
}

/// The messages in a buffer that the kernel has filled: level, kind, data.
pub(crate) fn messages(mut buffer: &[u8]) -> impl Iterator<Item = (c_int, c_int, &[u8])> {
    std::iter::from_fn(move || {
        let (message, rest) = split(buffer)?;
        buffer = rest;
        Some(message)
    })
}

type Message<'a> = (c_int, c_int, &'a [u8]);

fn split(buffer: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let (length, rest) = buffer.split_first_chunk()?;
    let (level, rest) = rest.split_first_chunk()?;
    let (kind, _rest) = rest.split_first_chunk()?;
    let length = usize::from_ne_bytes(*length);
    let data = buffer.get(HEADER..length)?;
    let rest = buffer.get(align(length)..).unwrap_or_default();
    Some(((c_int::from_ne_bytes(*level), c_int::from_ne_bytes(*kind), data), rest))
}

/// Control messages begin at multiples of a word.
const fn align(length: usize) -> usize {
    length.next_multiple_of(size_of::<usize>())
}

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;

    #[test]
    fn the_layout_is_that_of_the_c_macros() {
        let mut control = Control::new();
        control.push(libc::IPPROTO_IP, libc::IP_TTL, &7_i32.to_ne_bytes());
        control.push(libc::SOL_UDP, libc::UDP_SEGMENT, &1200_u16.to_ne_bytes());
        // SAFETY: these compute sizes from their argument alone.
        let space = unsafe { libc::CMSG_SPACE(4) + libc::CMSG_SPACE(2) };
        assert_eq!(control.len(), space as usize);
        // SAFETY: an empty header may be all zeroes.
        let mut header: libc::msghdr = unsafe { mem::zeroed() };
        header.msg_control = control.as_mut_ptr();
        header.msg_controllen = control.len();
        // SAFETY: the header points to a buffer of that length, which holds two messages.
        let second = unsafe {
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            assert_eq!(((*first).cmsg_level, (*first).cmsg_type), (libc::IPPROTO_IP, libc::IP_TTL));
            assert_eq!(libc::CMSG_DATA(first).cast::<i32>().read(), 7);
            libc::CMSG_NXTHDR(&raw const header, first)
        };
        // SAFETY: as above.
        unsafe {
            assert_eq!((*second).cmsg_type, libc::UDP_SEGMENT);
            assert_eq!(libc::CMSG_DATA(second).cast::<u16>().read(), 1200);
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let mut control = Control::new();
        control.push(1, 2, b"abc");
        control.push(3, 4, b"");
        let read: Vec<_> = messages(control.written(control.len())).collect();
        assert_eq!(read, [(1, 2, &b"abc"[..]), (3, 4, &b""[..])]);
    }

    #[test]
    fn cut_messages_end_the_reading() {
        let mut control = Control::new();
        control.push(1, 2, b"abcd");
        for len in 0..HEADER + 4 {
            assert_eq!(messages(control.written(len)).count(), 0, "{len}");
        }
    }
}
