//! Puts the beginning of a client's handshake together from pieces in any order.

use std::ops::Range;

/// The first bytes of a handshake, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    /// What of them has come: sorted, and none touches another.
    have: Vec<Range<usize>>,
}

impl Stream {
    /// A ClientHello of a browser has 500 to 2,000 bytes; the largest key shares that are spoken of add
    /// 1,600. What lies past this is left out.
    pub(super) const LONGEST: usize = 12 * 1024;
    /// Stretches that have come with gaps between them. Browsers cut a hello into some ten pieces and
    /// shuffle them; a piece that would make more stretches is left out.
    pub(super) const STRETCHES: usize = 64;
    /// Memory is taken in steps of this.
    const STEP: usize = 1024;

    /// Adds a piece that belongs so far from the beginning. The same piece again changes nothing.
    pub(super) fn add(&mut self, offset: u64, piece: &[u8]) {
        let Ok(start) = usize::try_from(offset) else { return };
        let len = piece.len().min(Self::LONGEST.saturating_sub(start));
        let piece = piece.get(..len).unwrap_or_default();
        if !piece.is_empty() && self.mark(start..start + len) {
            self.write(start, piece);
        }
    }

    /// The bytes from the very first on that have come without a gap.
    pub(super) fn beginning(&self) -> &[u8] {
        let first = self.have.first().filter(|range| range.start == 0);
        first.and_then(|range| self.bytes.get(range.clone())).unwrap_or_default()
    }

    /// Remembers that a stretch has come; whether there was room to.
    fn mark(&mut self, mut new: Range<usize>) -> bool {
        let from = self.have.partition_point(|range| range.end < new.start);
        let to = self.have.partition_point(|range| range.start <= new.end);
        let touched = self.have.get(from..to).unwrap_or_default();
        if touched.is_empty() && self.have.len() == Self::STRETCHES {
            return false;
        }
        if let (Some(first), Some(last)) = (touched.first(), touched.last()) {
            new = first.start.min(new.start)..last.end.max(new.end);
        }
        self.have.splice(from..to, [new]);
        true
    }

    fn write(&mut self, start: usize, piece: &[u8]) {
        let end = start + piece.len();
        if end > self.bytes.len() {
            let len = end.next_multiple_of(Self::STEP);
            self.bytes.reserve_exact(len - self.bytes.len());
            self.bytes.resize(len, 0);
        }
        if let Some(place) = self.bytes.get_mut(start..end) {
            place.copy_from_slice(piece);
        }
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity() + self.have.capacity() * size_of::<Range<usize>>()
    }
}
