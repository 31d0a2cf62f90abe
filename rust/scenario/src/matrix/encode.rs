//! Encoders, apart from the decoders that they are to prove.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = letters(bytes, STANDARD);
    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
    text
}

pub(crate) fn base64_url(bytes: &[u8]) -> String {
    letters(bytes, FOR_URLS)
}

fn letters(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let letter = |at: usize| alphabet.get((0..6).fold(0, |value, place| value << 1 | bit(at * 6 + place)));
    (0..(bytes.len() * 8).div_ceil(6)).filter_map(letter).map(|byte| char::from(*byte)).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All but what RFC 3986 2.3 does not reserve.
pub(crate) fn percent(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    bytes
        .iter()
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Every byte.
pub(crate) fn percent_all(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A meta-block without compression, and the empty last one: RFC 7932 9.1, 9.2. At most 65,536 bytes.
pub(crate) fn brotli(bytes: &[u8]) -> Vec<u8> {
    // WBITS 16: 0. ISLAST 0, MNIBBLES 0 (four), MLEN - 1 in 16 bits, ISUNCOMPRESSED 1, up to a whole byte.
    let length = u32::try_from(bytes.len().saturating_sub(1)).unwrap_or(0) & 0xffff;
    let head = length << 4 | 1 << 20;
    let mut stream = head.to_le_bytes().get(..3).unwrap_or_default().to_vec();
    stream.extend_from_slice(bytes);
    // ISLAST 1, ISLASTEMPTY 1.
    stream.push(3);
    stream
}

/// A field of bytes in a message of Protocol Buffers.
pub(crate) fn protobuf(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = varint(u64::try_from(bytes.len()).unwrap_or(0));
    [&[number << 3 | 2][..], &length, bytes].concat()
}

/// A number of Protocol Buffers.
pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or(0));
    bytes
}

/// A string of JSON, its quotes left out.
pub(crate) fn json(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '/' => "\\/".to_owned(),
            letter if letter.is_ascii() => letter.to_string(),
            letter => letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        })
        .collect()
}
