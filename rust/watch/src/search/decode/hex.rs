//! Hexadecimal digits, RFC 4648 8, in either case.

#[inline]
fn value(digit: u8) -> u8 {
    (digit & 0x0f) + (digit >> 6) * 9
}

/// Appends what pairs of digits stand for. They have to be digits.
#[inline]
pub(in crate::search) fn decode(digits: &[u8], to: &mut Vec<u8>) {
    let (pairs, _) = digits.as_chunks::<2>();
    to.extend(pairs.iter().map(|[high, low]| value(*high) << 4 | value(*low)));
}

/// The same of a few digits.
#[inline]
pub(in crate::search) fn short<'a>(digits: &[u8], to: &'a mut [u8; 48]) -> &'a [u8] {
    let (pairs, _) = digits.as_chunks::<2>();
    to.iter_mut().zip(pairs).for_each(|(to, [high, low])| *to = value(*high) << 4 | value(*low));
    to.get(..pairs.len()).unwrap_or_default()
}

/// The first four bytes, of eight digits.
#[inline]
pub(in crate::search) fn first_four(digits: &[u8]) -> Option<u32> {
    let digits: &[u8; 8] = digits.first_chunk()?;
    Some(digits.iter().fold(0, |number, digit| number << 4 | u32::from(value(*digit))))
}

/// How many digits are those of the bytes, as far as they go.
pub(in crate::search) fn common(digits: &[u8], bytes: &[u8]) -> usize {
    let expected = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.iter().zip(expected).take_while(|(digit, expected)| value(**digit) == *expected).count()
}
