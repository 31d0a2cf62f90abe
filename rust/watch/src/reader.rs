//! The one thing that indexes into bytes of the network: a reader that knows where they end.

/// Reads from the front of a slice. Every method gives `None`, and takes nothing, where too little is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Big-endian, as all numbers here.
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// What follows a length of one byte.
    pub(crate) fn vector8(&mut self) -> Option<Self> {
        self.whole(|reader| reader.u8().map(usize::from))
    }

    /// What follows a length of two bytes.
    pub(crate) fn vector16(&mut self) -> Option<Self> {
        self.whole(|reader| reader.u16().map(usize::from))
    }

    /// What follows a length of three bytes.
    pub(crate) fn vector24(&mut self) -> Option<Self> {
        self.whole(|reader| reader.u24().and_then(|len| usize::try_from(len).ok()))
    }

    fn whole(&mut self, len: impl FnOnce(&mut Self) -> Option<usize>) -> Option<Self> {
        let mut ahead = *self;
        let len = len(&mut ahead)?;
        let vector = ahead.take(len)?;
        *self = ahead;
        Some(Self::new(vector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_gives_nothing_and_takes_nothing() {
        let mut reader = Reader::new(&[0, 3, 7, 8]);
        assert!(reader.vector16().is_none());
        assert!(reader.u64().is_none() && reader.take(5).is_none());
        assert_eq!((reader.u16(), reader.len()), (Some(3), 2));
        assert_eq!(reader.vector8().map(|vector| vector.len()), None);
        assert_eq!(reader.rest(), [7, 8]);
    }

    #[test]
    fn vectors_end_where_their_length_says() {
        let mut reader = Reader::new(&[2, 5, 6, 0, 0, 1, 9, 4]);
        assert_eq!(reader.vector8().map(|vector| vector.rest()), Some(&[5, 6][..]));
        assert_eq!(reader.vector24().map(|vector| vector.rest()), Some(&[9][..]));
        assert_eq!(reader.u8(), Some(4));
        assert!(reader.is_empty());
    }
}
