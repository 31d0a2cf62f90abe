//! What bytes are made of: of a few of them worked out at once for all that is asked of them, of many only whether
//! they are text.

use wide::u8x16;

use super::bits::within;

/// So many bytes are looked at in one go.
pub(super) const SHORT: usize = 48;

/// A bit for each of up to [`SHORT`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Control characters but those of lines.
    controls: u64,
    /// Bytes of letters that are not ASCII.
    high: u64,
    /// Those of them that begin a letter, in UTF-8 (RFC 3629 4).
    leads: u64,
    zeros: u64,
}

impl Look {
    /// Looks at the first bytes.
    #[inline]
    pub(super) fn of(bytes: &[u8; SHORT], len: usize) -> Self {
        let mut look = Self { controls: 0, high: 0, leads: 0, zeros: 0 };
        for (at, sixteen) in bytes.as_chunks::<16>().0.iter().enumerate().take(len.div_ceil(16)) {
            let bytes = u8x16::new(*sixteen);
            let bits = |class: u8x16| u64::from(class.to_bitmask()) << (16 * at);
            look.controls |= bits(controls(bytes));
            look.high |= bits(bytes);
            look.leads |= bits(within(bytes, 0xc2, 0x32));
            look.zeros |= bits(bytes.simd_eq(u8x16::splat(0)));
        }
        let there = !(u64::MAX << (len & 63));
        Self {
            controls: look.controls & there,
            high: look.high & there,
            leads: look.leads & there,
            zeros: look.zeros & there,
        }
    }

    /// Whether they may be text: what is not ASCII has letters that begin and go on.
    #[inline]
    pub(super) fn may_be_text(self) -> bool {
        let goes_on = self.high & !self.leads;
        self.controls == 0 && (self.leads << 1 & !goes_on) | (goes_on & !(self.high << 1)) == 0
    }

    #[inline]
    pub(super) fn has_zeros(self) -> bool {
        self.zeros != 0
    }

    #[inline]
    pub(super) fn begins_with_zero(self) -> bool {
        self.zeros & 1 == 1
    }
}

/// Whether bytes are text: UTF-8 without control characters but those of lines.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let (mut bad, mut high) = (u8x16::splat(0), u8x16::splat(0));
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        for sixteen in block.as_chunks::<16>().0 {
            let bytes = u8x16::new(*sixteen);
            bad |= controls(bytes);
            high |= bytes;
        }
        if bad.any() {
            return false;
        }
    }
    // The last ones are looked at with some before them, if there are any.
    let (sixteens, few) = rest.as_chunks::<16>();
    let last = if few.is_empty() { None } else { bytes.last_chunk().copied().or_else(|| Some(padded(few))) };
    for sixteen in sixteens.iter().copied().chain(last) {
        bad |= controls(u8x16::new(sixteen));
        high |= u8x16::new(sixteen);
    }
    !bad.any() && (!high.any() || std::str::from_utf8(bytes).is_ok())
}

/// Fewer than sixteen, spaces behind them.
#[inline]
fn padded(bytes: &[u8]) -> [u8; 16] {
    let mut padded = [b' '; 16];
    padded.get_mut(..bytes.len()).into_iter().for_each(|to| to.copy_from_slice(bytes));
    padded
}

#[inline]
fn controls(bytes: u8x16) -> u8x16 {
    let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
    let lines = is(b'\t') | is(b'\n') | is(b'\r');
    within(bytes, 0, 0x1f) & !lines | is(0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is meant, byte by byte.
    fn is_text_slowly(bytes: &[u8]) -> bool {
        let control = |byte: &u8| *byte < 0x20 && !b"\t\n\r".contains(byte) || *byte == 0x7f;
        std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(control)
    }

    fn look(bytes: &[u8]) -> Look {
        let mut padded = [0; SHORT];
        padded[..bytes.len()].copy_from_slice(bytes);
        Look::of(&padded, bytes.len())
    }

    #[test]
    fn text_is_told_from_bytes() {
        for text in ["", "a", "Zürich \u{1f600}\n", "\u{80}\u{7ff}\u{800}\u{ffff}\u{10ffff}", "a\t\r\n"] {
            for before in [0, 1, 15, 16, 60, 64, 100] {
                let whole = [vec![b'x'; before], text.as_bytes().to_vec()].concat();
                assert!(is_text(&whole), "{text:?} behind {before}");
                for cut in 0..=whole.len() {
                    assert_eq!(is_text(&whole[..cut]), is_text_slowly(&whole[..cut]));
                }
                for bad in [0, 0x1f, 0x7f, 0x80, 0xc1, 0xff] {
                    assert!(!is_text(&[&whole[..], &[bad]].concat()), "{bad:#x}");
                }
            }
        }
    }

    #[test]
    fn a_look_never_takes_text_for_bytes() {
        for first in 0..=255 {
            for second in 0..=255 {
                let bytes = [b'a', first, second, b'b'];
                assert!(look(&bytes).may_be_text() || !is_text_slowly(&bytes), "{bytes:?}");
                assert!(look(&bytes[..3]).may_be_text() || !is_text_slowly(&bytes[..3]), "{bytes:?}");
            }
        }
        let long = "\u{10ffff}\u{800}é".repeat(5);
        for cut in 0..=45 {
            assert!(look(&long.as_bytes()[..cut]).may_be_text() || !is_text_slowly(&long.as_bytes()[..cut]));
        }
        assert!(
            !look(b"a\x80b").may_be_text() && !look(b"\xc3").may_be_text() && !look(b"\xffa").may_be_text()
        );
        assert!(look(&[b'a'; 48]).may_be_text() && !look(&[1; 48]).may_be_text());
    }

    #[test]
    fn zeros_count_only_where_there_are_bytes() {
        assert!(!look(b"abc").has_zeros() && look(b"ab\0").has_zeros() && !look(b"ab\0").begins_with_zero());
        assert!(look(b"\0").begins_with_zero() && !look(b"").begins_with_zero());
    }
}
