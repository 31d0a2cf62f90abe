//! The Huffman code of HPACK (RFC 7541 5.2), decoded as the bytes come.

/// What is not decoded yet: fewer bits than the next symbol has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Huffman {
    /// From the highest bit down; zeros below.
    bits: u64,
    len: u32,
}

impl Huffman {
    /// Decodes one byte more. `None` where the end of the string is encoded in it (RFC 7541 5.2).
    pub(crate) fn push(&mut self, byte: u8, mut symbol: impl FnMut(u8)) -> Option<()> {
        // At most 29 bits are left over, so that there is room.
        self.bits |= u64::from(byte).checked_shl(u64::BITS - 8 - self.len)?;
        self.len += 8;
        while let Some(row) = ROWS.iter().find(|row| self.bits <= row.last)
            && row.len <= self.len
        {
            let nth = (self.bits - row.first) >> (u64::BITS - row.len);
            let decoded = SYMBOLS.get(row.index + usize::try_from(nth).ok()?)?;
            symbol(u8::try_from(*decoded).ok()?);
            self.bits <<= row.len;
            self.len -= row.len;
        }
        Some(())
    }

    /// Whether the string may end here: its padding is shorter than a byte and all ones.
    pub(crate) fn may_end(self) -> bool {
        self.len < 8 && self.bits.leading_ones() == self.len
    }
}

/// Symbols, the end of the string among them.
const COUNT: usize = 257;

/// The codes of one length, which follow each other.
#[derive(Clone, Copy)]
struct Row {
    /// Their bits.
    len: u32,
    /// The first of them, from the highest bit down.
    first: u64,
    /// The last of them, with ones below.
    last: u64,
    /// Where the first one's symbol stands in [`SYMBOLS`].
    index: usize,
}

/// Lengths that occur.
static ROWS: [Row; 21] = rows();

/// By the length of their codes, then by value: the code is canonical, so this order and the lengths are
/// all of it.
static SYMBOLS: [u16; COUNT] = symbols();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn rows() -> [Row; 21] {
    let mut rows = [Row { len: 0, first: 0, last: 0, index: 0 }; 21];
    let (mut row, mut len, mut code, mut index) = (0, 5, 0_u64, 0);
    while len <= 30 {
        let count = count_of(len);
        if count > 0 {
            let first = code << (u64::BITS - len);
            let last = first + (((count as u64) << (u64::BITS - len)) - 1);
            rows[row] = Row { len, first, last, index };
            row += 1;
        }
        code = (code + count as u64) << 1;
        index += count;
        len += 1;
    }
    rows
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn symbols() -> [u16; COUNT] {
    let mut symbols = [0; COUNT];
    let (mut at, mut len) = (0, 5);
    while len <= 30 {
        let mut symbol = 0_u16;
        while (symbol as usize) < COUNT {
            if LENGTHS[symbol as usize] as u32 == len {
                symbols[at] = symbol;
                at += 1;
            }
            symbol += 1;
        }
        len += 1;
    }
    symbols
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn count_of(len: u32) -> usize {
    let (mut count, mut symbol) = (0, 0);
    while symbol < COUNT {
        if LENGTHS[symbol] as u32 == len {
            count += 1;
        }
        symbol += 1;
    }
    count
}

/// How many bits the code of each byte has, the end of the string last (RFC 7541 appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; COUNT] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
        let (mut huffman, mut text) = (Huffman::default(), Vec::new());
        for byte in bytes {
            huffman.push(*byte, |symbol| text.push(symbol))?;
        }
        huffman.may_end().then_some(text)
    }

    #[test]
    fn the_code_is_that_of_the_standard() {
        // RFC 7541 appendix B: the first and last codes of some lengths.
        assert_eq!(decoded(b"\x07").as_deref(), Some(&b"0"[..]), "00000 and padding");
        assert_eq!(decoded(b"\xff\xc7").as_deref(), Some(&b"\0"[..]), "1ff8");
        assert_eq!(decoded(b"\xfe\x3f").as_deref(), Some(&b"!"[..]), "3f8");
        assert_eq!(decoded(b"\xff\xff\xff\xfb").as_deref(), Some(&b"\x16"[..]), "3ffffffe");
        assert_eq!(decoded(b"\xff\xff\xfb\xbf").as_deref(), Some(&b"\xff"[..]), "3ffffee");
        assert_eq!(
            decoded(b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff").as_deref(),
            Some(&b"www.example.com"[..])
        );
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        assert_eq!(decoded(b""), Some(Vec::new()));
        assert_eq!(decoded(b"\x07\xff"), None, "a whole byte of padding");
        assert_eq!(decoded(b"\x00"), None, "000 is no padding");
        assert_eq!(decoded(b"\xff\xff\xff\xff"), None, "the end of the string is no symbol");
    }
}
