//! Sequence numbers: 32-bit, compared around the circle (RFC 9293 3.4).

/// A point in one direction's stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sequence(pub(crate) u32);

impl Sequence {
    /// The point `bytes` further on.
    pub(crate) fn plus(self, bytes: usize) -> Self {
        // Truncation is the arithmetic: sequence space is modulo 2^32.
        #[expect(clippy::cast_possible_truncation, reason = "sequence space is modulo 2^32")]
        Self(self.0.wrapping_add(bytes as u32))
    }

    pub(crate) fn minus(self, bytes: u32) -> Self {
        Self(self.0.wrapping_sub(bytes))
    }

    /// Bytes from `earlier` to here; 0 where `earlier` is not earlier.
    pub(crate) fn since(self, earlier: Self) -> usize {
        if self.is_before(earlier) { 0 } else { self.0.wrapping_sub(earlier.0) as usize }
    }

    pub(crate) fn is_before(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) > u32::MAX / 2
    }

    pub(crate) fn is_after(self, other: Self) -> bool {
        other.is_before(self)
    }

    pub(crate) fn max(self, other: Self) -> Self {
        if self.is_before(other) { other } else { self }
    }

    pub(crate) fn min(self, other: Self) -> Self {
        if self.is_before(other) { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_goes_around_the_circle() {
        let last = Sequence(u32::MAX);
        let first = last.plus(1);
        assert_eq!(first, Sequence(0));
        assert!(last.is_before(first) && first.is_after(last));
        assert_eq!(first.since(last), 1);
        assert_eq!(last.since(first), 0);
        assert_eq!(last.max(first), first);
    }
}
