//! A line of a message head, as far as it has come.

/// Collects a line, of which it keeps the beginning.
#[derive(Debug)]
pub(super) struct Line {
    kept: Vec<u8>,
    longest: usize,
    /// Bytes since the last line end.
    len: u64,
    /// Whether the line end has come.
    complete: bool,
    /// Whether there was more than is kept.
    cut: bool,
}

impl Line {
    /// An empty one, that will keep `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { kept: Vec::new(), longest, len: 0, complete: false, cut: false }
    }

    /// Takes bytes from the front until the line's end. Lines end with LF, with or without CR
    /// (RFC 9112 2.2).
    pub(super) fn take(&mut self, rest: &mut &[u8]) {
        let end = find_end(rest);
        let (line, after) = rest.split_at_checked(end.map_or(rest.len(), |at| at + 1)).unwrap_or((rest, &[]));
        *rest = after;
        let room = self.longest - self.kept.len();
        self.kept.extend_from_slice(line.get(..room).unwrap_or(line));
        self.cut |= line.len() > room;
        self.len += line.len() as u64;
        self.complete = end.is_some();
    }

    /// Whether the whole line is there.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether [`Self::content`] is not all.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The line without its end.
    pub(super) fn content(&self) -> &[u8] {
        without_end(&self.kept)
    }

    /// Whether all of such a line would be kept.
    pub(super) fn has_room_for(&self, line: &[u8]) -> bool {
        line.len() <= self.longest
    }

    /// Whether nothing has come.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether nothing is in it but its end.
    pub(super) fn is_blank(&self) -> bool {
        !self.cut && self.content().is_empty()
    }

    /// How many bytes came since the last call of this.
    pub(super) fn take_len(&mut self) -> u64 {
        std::mem::take(&mut self.len)
    }

    /// The next line goes on with this one (RFC 9112 5.2).
    pub(super) fn fold(&mut self) {
        let len = self.content().len();
        self.kept.truncate(len);
        self.complete = false;
    }

    /// Begins the next line.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        (self.len, self.complete, self.cut) = (0, false, false);
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.kept.capacity()
    }
}

/// A line without LF and CR.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The place of the first LF. The first bytes are looked at eight at a time, which is faster where lines are short.
pub(super) fn find_end(bytes: &[u8]) -> Option<usize> {
    const EIGHT: usize = 8;
    let mut at = 0;
    while at < 3 * EIGHT
        && let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<EIGHT>())
    {
        // The lowest bit that is left of 0x80 in each byte is that of the first LF.
        let other = u64::from_le_bytes(*eight) ^ u64::from_le_bytes([b'\n'; EIGHT]);
        let ends =
            other.wrapping_sub(u64::from_le_bytes([1; EIGHT])) & !other & u64::from_le_bytes([0x80; EIGHT]);
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize / EIGHT);
        }
        at += EIGHT;
    }
    let rest = bytes.get(at..)?;
    let end = if rest.len() < EIGHT {
        rest.iter().position(|byte| *byte == b'\n')
    } else {
        memchr::memchr(b'\n', rest)
    };
    end.map(|end| at + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_is_found_wherever_it_is() {
        for len in 0..60 {
            assert_eq!(find_end(&vec![b'\x0b'; len]), None);
            for end in 0..len {
                let mut bytes = vec![0x8a; len];
                bytes[end..].fill(b'\n');
                assert_eq!(find_end(&bytes), Some(end), "{len}");
            }
        }
    }
}
