//! Base64, RFC 4648 4 and 5, both alphabets at once.

/// The value of each letter in its place of four.
static PLACES: [[u32; 256]; 4] = places();

#[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "worked out by the compiler")]
const fn places() -> [[u32; 256]; 4] {
    let mut places = [[0; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let value = value(byte as u8) as u32;
        let mut place = 0;
        while place < 4 {
            places[place][byte] = value << (18 - 6 * place);
            place += 1;
        }
        byte += 1;
    }
    places
}

const fn value(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => 0,
    }
}

/// The three bytes of four letters, which have to be of the alphabet.
#[inline]
fn three(four: [u8; 4]) -> [u8; 3] {
    let [a, b, c, d] = four;
    let [first, second, third, fourth] = &PLACES;
    let at = |places: &[u32; 256], byte: u8| places.get(usize::from(byte)).copied().unwrap_or(0);
    let [_, high, middle, low] = (at(first, a) | at(second, b) | at(third, c) | at(fourth, d)).to_be_bytes();
    [high, middle, low]
}

/// Appends what letters stand for. The bits of a last letter that make no whole byte are dropped.
#[inline]
pub(in crate::search) fn decode(letters: &[u8], to: &mut Vec<u8>) {
    let (fours, rest) = letters.as_chunks::<4>();
    let start = to.len();
    to.reserve(letters.len() / 4 * 3 + 3);
    to.resize(start + fours.len() * 3, 0);
    let (threes, _) = to.get_mut(start..).unwrap_or_default().as_chunks_mut::<3>();
    for (to, four) in threes.iter_mut().zip(fours) {
        *to = three(*four);
    }
    let mut last = [b'A'; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    to.extend(three(last).iter().take((rest.len() * 3) / 4));
}

/// The same of a few letters: gives how many bytes they are.
#[inline]
pub(in crate::search) fn short(letters: &[u8], to: &mut [u8; 48]) -> usize {
    let (fours, rest) = letters.as_chunks::<4>();
    let (threes, _) = to.as_chunks_mut::<3>();
    let mut last = [b'A'; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    for (to, four) in threes.iter_mut().zip(fours.iter().chain(std::iter::once(&last))) {
        *to = three(*four);
    }
    letters.len() * 3 / 4
}

/// The first four bytes, of eight letters.
#[inline]
pub(in crate::search) fn first_four(letters: &[u8]) -> Option<u32> {
    let [a, b, c, d, e, f, g, h] = *letters.first_chunk()?;
    let ([a, b, c], [d, ..]) = (three([a, b, c, d]), three([e, f, g, h]));
    Some(u32::from_be_bytes([a, b, c, d]))
}

/// How many letters are those of the bytes written in Base64, as far as they go.
pub(in crate::search) fn common(letters: &[u8], bytes: &[u8]) -> usize {
    let mut count = 0;
    for (four, chunk) in letters.chunks(4).zip(bytes.chunks(3)) {
        let mut three = [0; 3];
        three.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        let whole = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        let possible = (chunk.len() * 8).div_ceil(6);
        for (place, letter) in four.iter().enumerate().take(possible) {
            if u32::from(value(*letter)) != whole >> (18 - 6 * place) & 0x3f {
                return count;
            }
            count += 1;
        }
        if possible < 4 {
            return count;
        }
    }
    count
}
