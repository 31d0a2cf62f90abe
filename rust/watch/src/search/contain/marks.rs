//! Where a few signs stand in a text: 64 bytes are looked at at once, however near to each other the signs are.

use wide::u8x16;

/// The places of any of three signs, in their order.
pub(super) struct Marks<'a> {
    signs: [u8x16; 3],
    rest: &'a [u8],
    /// Where the bytes begin that `found` is of.
    block: usize,
    /// The signs in them that were not given yet.
    found: u64,
}

impl<'a> Marks<'a> {
    /// None of the signs may be a zero.
    pub(super) fn new(text: &'a [u8], signs: [u8; 3]) -> Self {
        let mut marks = Self { signs: signs.map(u8x16::splat), rest: text, block: 0, found: 0 };
        marks.found = marks.look();
        marks
    }

    #[inline]
    fn look(&self) -> u64 {
        let mut last = [0; 64];
        let block = self.rest.first_chunk().unwrap_or_else(|| {
            last.iter_mut().zip(self.rest).for_each(|(to, from)| *to = *from);
            &last
        });
        let [one, two, three] = self.signs;
        (0..).zip(block.as_chunks::<16>().0).fold(0, |found, (at, sixteen)| {
            let bytes = u8x16::new(*sixteen);
            let any = bytes.simd_eq(one) | bytes.simd_eq(two) | bytes.simd_eq(three);
            found | u64::from(any.to_bitmask()) << (16 * at)
        })
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.rest = self.rest.get(64..)?;
            self.block += 64;
            self.found = self.look();
        }
        let at = self.block + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_found_once() {
        for len in [0, 1, 15, 16, 63, 64, 65, 128, 200] {
            let text: Vec<u8> = (0..len).map(|at| b"a=b&%c\0"[at * at % 7]).collect();
            let expected: Vec<_> = (0..len).filter(|at| b"=&%".contains(&text[*at])).collect();
            assert_eq!(Marks::new(&text, *b"&=%").collect::<Vec<_>>(), expected, "{len}");
        }
    }
}
