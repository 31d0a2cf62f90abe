//! Hexadecimal digits, RFC 4648 8, in either case.

#[inline]
fn value(digit: u8) -> u8 {
    (digit & 0x0f) + (digit >> 6) * 9
}

/// The four bytes of eight digits.
#[inline]
fn four(digits: [u8; 8]) -> [u8; 4] {
    let digits = u64::from_be_bytes(digits);
    // Each digit's value in its byte, then two, four and eight of them moved together.
    let values = (digits & 0x0f0f_0f0f_0f0f_0f0f) + (digits >> 6 & 0x0101_0101_0101_0101) * 9;
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    let [_, _, _, _, bytes @ ..] = (fours | fours >> 16).to_be_bytes();
    bytes
}

/// Writes what pairs of digits stand for, of which there have to be twice as many as bytes.
#[inline]
fn write(digits: &[u8], to: &mut [u8]) {
    let (eights, rest) = digits.as_chunks::<8>();
    let (fours, last) = to.as_chunks_mut::<4>();
    fours.iter_mut().zip(eights).for_each(|(to, eight)| *to = four(*eight));
    let pairs = rest.as_chunks::<2>().0;
    last.iter_mut().zip(pairs).for_each(|(to, [high, low])| *to = value(*high) << 4 | value(*low));
}

/// Appends what pairs of digits stand for. They have to be digits.
#[inline]
pub(in crate::search) fn decode(digits: &[u8], to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + digits.len() / 2, 0);
    write(digits, to.get_mut(start..).unwrap_or_default());
}

/// The same of a few digits: gives how many bytes they are.
#[inline]
pub(in crate::search) fn short(digits: &[u8], to: &mut [u8; 48]) -> usize {
    let len = (digits.len() / 2).min(to.len());
    write(digits, to.get_mut(..len).unwrap_or_default());
    len
}

/// The first four bytes, of eight digits.
#[inline]
pub(in crate::search) fn first_four(digits: &[u8]) -> Option<u32> {
    digits.first_chunk().map(|eight| u32::from_be_bytes(four(*eight)))
}

/// How many digits are those of the bytes, as far as they go.
pub(in crate::search) fn common(digits: &[u8], bytes: &[u8]) -> usize {
    let expected = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.iter().zip(expected).take_while(|(digit, expected)| value(**digit) == *expected).count()
}
