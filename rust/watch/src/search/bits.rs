//! Which bytes of a text are of which class, a bit for each, and where long runs of a class begin and end.
//! Most text has no long run of anything: 64 bytes are passed over in a few dozen instructions.

use wide::u8x16;

/// One class: byte `n` of the text is bit `n % 64` of word `n / 64`. One word more than needed, empty.
#[derive(Debug, Default)]
pub(super) struct Bits(Vec<u64>);

/// The classes that the searchers use.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// 0-9.
    pub(super) digits: Bits,
    /// 0-9, a-f, A-F.
    pub(super) hex: Bits,
    /// Either alphabet of Base64 (RFC 4648 4, 5).
    pub(super) base64: Bits,
    /// Digits, and what people write between the digits of one number: space + - . ( ) /
    pub(super) number: Bits,
    /// What is in Base64 besides letters and digits: + / - _
    pub(super) joints: Bits,
    /// What stands before a value: " = > and the end of a line.
    pub(super) before: Bits,
    /// Letters, digits, underscore and full stop: what names of packages are made of.
    pub(super) dotted: Bits,
}

impl Classes {
    /// Classifies a text.
    pub(super) fn read(&mut self, text: &[u8]) {
        let words = text.len().div_ceil(64) + 1;
        for bits in [
            &mut self.digits,
            &mut self.hex,
            &mut self.base64,
            &mut self.number,
            &mut self.joints,
            &mut self.before,
            &mut self.dotted,
        ] {
            bits.0.clear();
            bits.0.reserve(words);
        }
        let (blocks, rest) = text.as_chunks::<64>();
        for block in blocks {
            self.push(block);
        }
        let mut last = [0; 64];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.push(&last);
        self.push(&[0; 64]);
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        let all =
            [&self.digits, &self.hex, &self.base64, &self.number, &self.joints, &self.before, &self.dotted];
        all.map(|bits| bits.0.capacity() * 8).iter().sum()
    }

    #[inline]
    fn push(&mut self, block: &[u8; 64]) {
        let mut words = [0u64; 7];
        for (at, quarter) in block.as_chunks::<16>().0.iter().enumerate() {
            let classes = classify(u8x16::new(*quarter));
            for (word, class) in words.iter_mut().zip(classes) {
                *word |= u64::from(class.to_bitmask()) << (16 * at);
            }
        }
        let [digits, hex, base64, number, joints, before, dotted] = words;
        self.digits.0.push(digits);
        self.hex.0.push(hex);
        self.base64.0.push(base64);
        self.number.0.push(number);
        self.joints.0.push(joints);
        self.before.0.push(before);
        self.dotted.0.push(dotted);
    }
}

#[inline]
fn classify(bytes: u8x16) -> [u8x16; 7] {
    let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
    let digits = within(bytes, b'0', 9);
    let lower = bytes | u8x16::splat(0x20);
    let letters = within(lower, b'a', 25);
    let hex = digits | within(lower, b'a', 5);
    let alphanumeric = digits | letters;
    let (plus, minus, slash, under, dot, equals) =
        (is(b'+'), is(b'-'), is(b'/'), is(b'_'), is(b'.'), is(b'='));
    let joints = plus | minus | slash | under;
    let number = digits | is(b' ') | within(bytes, b'(', 1) | plus | minus | dot | slash;
    let before = is(b'"') | equals | is(b'>') | is(b'\n');
    [digits, hex, alphanumeric | joints, number, joints, before, alphanumeric | under | dot]
}

/// Bytes from `first` to `first + span`.
#[inline]
pub(super) fn within(bytes: u8x16, first: u8, span: u8) -> u8x16 {
    let above = bytes - u8x16::splat(first);
    above.min(u8x16::splat(span)).simd_eq(above)
}

impl Bits {
    /// Whether a byte is of the class.
    #[inline]
    pub(super) fn has(&self, at: usize) -> bool {
        self.word(at / 64) >> (at % 64) & 1 == 1
    }

    #[inline]
    fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// The first byte at or after `from` that is not of the class.
    #[inline]
    pub(super) fn end(&self, from: usize) -> usize {
        let mut at = from / 64;
        let mut free = !self.word(at) & (u64::MAX << (from % 64));
        while free == 0 {
            at += 1;
            free = !self.word(at);
        }
        at * 64 + free.trailing_zeros() as usize
    }

    /// How many bytes of the class there are from `start` to before `end`.
    #[inline]
    pub(super) fn count(&self, start: usize, end: usize) -> usize {
        let (first, last) = (start / 64, end / 64);
        let (from, to) = (u64::MAX << (start % 64), !(u64::MAX << (end % 64)));
        if first == last {
            return (self.word(first) & from & to).count_ones() as usize;
        }
        let between: u32 = (first + 1..last).map(|at| self.word(at).count_ones()).sum();
        ((self.word(first) & from).count_ones() + between + (self.word(last) & to).count_ones()) as usize
    }

    /// Whether all bytes from `start` to before `end` are of this class or of the other one.
    #[inline]
    pub(super) fn or(&self, other: &Self, start: usize, end: usize) -> bool {
        let (first, last) = (start / 64, end / 64);
        (first..=last).all(|at| {
            let from = if at == first { u64::MAX << (start % 64) } else { u64::MAX };
            let to = if at == last { !(u64::MAX << (end % 64)) } else { u64::MAX };
            !(self.word(at) | other.word(at)) & from & to == 0
        })
    }

    /// The first byte of those that lie together up to `at`, at most `most` before it.
    #[inline]
    pub(super) fn start(&self, at: usize, most: usize) -> usize {
        let least = at.saturating_sub(most);
        let mut start = at;
        while start > least {
            // The bits before `start`, the last of them highest.
            let (word, bits) = ((start - 1) / 64, (start - 1) % 64);
            let free = !(self.word(word) << (63 - bits));
            let together = (free.leading_zeros() as usize).min(bits + 1);
            start -= together;
            if together <= bits {
                break;
            }
        }
        start.max(least)
    }

    /// All bytes of the class from `start` to before `end`.
    #[inline]
    pub(super) fn each(&self, start: usize, end: usize) -> Each<'_> {
        let word = start / 64;
        Each { bits: self, word, left: self.word(word) & u64::MAX << (start % 64), end }
    }

    /// Where runs of at least `LONG` bytes begin, 64 at most.
    pub(super) fn runs<const LONG: u32>(&self) -> Runs<'_, LONG> {
        Runs { bits: self, next: 0, found: 0 }
    }
}

/// The runs of a class, as `(start, end)`.
pub(super) struct Runs<'a, const LONG: u32> {
    bits: &'a Bits,
    /// The word after the one that `found` is of.
    next: usize,
    /// Where runs begin in that word, as far as they were not given yet.
    found: u64,
}

impl<const LONG: u32> Iterator for Runs<'_, LONG> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        while self.found == 0 {
            let word = *self.bits.0.get(self.next)?;
            let after = self.bits.word(self.next + 1);
            let before = self.next.checked_sub(1).map_or(0, |at| self.bits.word(at) >> 63);
            self.found = long::<LONG>(word, after) & !(word << 1 | before);
            self.next += 1;
        }
        let start = (self.next - 1) * 64 + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some((start, self.bits.end(start)))
    }
}

/// The bits from which on at least `LONG` bits are set.
#[inline]
fn long<const LONG: u32>(word: u64, after: u64) -> u64 {
    let mut bits = u128::from(word) | u128::from(after) << 64;
    let mut have = 1;
    while have < LONG {
        let step = have.min(LONG - have);
        bits &= bits >> step;
        have += step;
    }
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

/// The bytes of a class in a range.
pub(super) struct Each<'a> {
    bits: &'a Bits,
    word: usize,
    /// What was not given yet of that word.
    left: u64,
    end: usize,
}

impl Iterator for Each<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.word += 1;
            if self.word * 64 >= self.end {
                return None;
            }
            self.left = self.bits.word(self.word);
        }
        let at = self.word * 64 + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        (at < self.end).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Classes {
        let mut classes = Classes::default();
        classes.read(text);
        classes
    }

    #[test]
    fn every_byte_is_in_its_classes() {
        let all: Vec<u8> = (0..=255).collect();
        let classes = read(&all);
        for byte in all {
            let has = |bits: &Bits| bits.has(usize::from(byte));
            assert_eq!(has(&classes.digits), byte.is_ascii_digit());
            assert_eq!(has(&classes.hex), byte.is_ascii_hexdigit());
            assert_eq!(has(&classes.base64), byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte));
            assert_eq!(has(&classes.number), byte.is_ascii_digit() || b" +-.()/".contains(&byte));
            assert_eq!(has(&classes.joints), b"+/-_".contains(&byte));
            assert_eq!(has(&classes.before), b"\"=>\n".contains(&byte));
            assert_eq!(has(&classes.dotted), byte.is_ascii_alphanumeric() || b"._".contains(&byte));
        }
    }

    #[test]
    fn runs_are_found_over_the_borders_of_words() {
        for before in 0..140 {
            for len in [6, 7, 8, 63, 64, 65, 200] {
                let text = [vec![b' '; before], vec![b'7'; len], vec![b' '; 3]].concat();
                let found: Vec<_> = read(&text).digits.runs::<7>().collect();
                let expected = if len >= 7 { vec![(before, before + len)] } else { vec![] };
                assert_eq!(found, expected, "{before} {len}");
            }
        }
        assert_eq!(read(b"1234567 12 1234567").digits.runs::<7>().collect::<Vec<_>>(), [(0, 7), (11, 18)]);
        assert_eq!(read(b"").digits.runs::<7>().count(), 0);
        for (start, end) in [(0, 0), (3, 70), (60, 200), (64, 128), (130, 140)] {
            let text: Vec<u8> = (0..220).map(|at| if at % 3 == 0 { b'7' } else { b'x' }).collect();
            let expected = (start..end).filter(|at| at % 3 == 0).count();
            assert_eq!(read(&text).digits.count(start, end), expected, "{start} {end}");
            let mut uuid: Vec<u8> = (0..220).map(|at| if at % 5 == 0 { b'-' } else { b'a' }).collect();
            let either = |text: &[u8]| {
                let classes = read(text);
                classes.hex.or(&classes.joints, start, end)
            };
            assert!(either(&uuid), "{start} {end}");
            for at in [start.wrapping_sub(1), start, (start + end) / 2, end.wrapping_sub(1), end] {
                let Some(byte) = uuid.get_mut(at) else { continue };
                let was = std::mem::replace(byte, b'x');
                assert_eq!(either(&uuid), !(start..end).contains(&at), "{start} {end} {at}");
                uuid[at] = was;
            }
        }
        assert_eq!(
            [
                read(b"a.bc").dotted.start(2, 9),
                read(b" .bc").dotted.start(3, 9),
                read(b"a.bc").dotted.start(3, 1)
            ],
            [0, 1, 2]
        );
        assert_eq!(read(b"a\"b=").before.each(0, 4).collect::<Vec<_>>(), [1, 3]);
    }
}
