use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;
use crate::search::sheet::Sheet;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn unpacked(compressed: Compressed, bytes: &[u8], most: usize) -> (Unpacked, Vec<u8>) {
    let mut to = Vec::new();
    let unpacked = compressed.unpack(bytes, most, &mut Inflater::default(), &mut to);
    (unpacked, to)
}

#[test]
fn streams_are_unpacked_and_what_is_cut_off_is_said() {
    let text: Vec<u8> =
        (0..20_000u32).flat_map(|number| (number * number).to_string().into_bytes()).collect();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&text).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&text).unwrap();
    let zstd =
        ruzstd::encoding::compress_to_vec(&text[..60_000], ruzstd::encoding::CompressionLevel::Fastest);
    let streams = [
        (Compressed::Gzip, gzip(&text), text.as_slice()),
        (Compressed::Zlib, zlib.finish().unwrap(), &text),
        (Compressed::Deflate, deflate.finish().unwrap(), &text),
        (Compressed::Zstd, zstd, &text[..60_000]),
    ];
    for (compressed, stream, text) in streams {
        assert_eq!(
            unpacked(compressed, &stream, 1 << 20),
            (Unpacked::Whole, text.to_vec()),
            "{compressed:?}"
        );
        let (end, half) = unpacked(compressed, &stream[..stream.len() / 2], 1 << 20);
        assert_eq!(end, Unpacked::Part, "{compressed:?}");
        assert!(text.starts_with(&half), "{compressed:?}");
        let (end, beginning) = unpacked(compressed, &stream, 1_000);
        assert_eq!((end, beginning.as_slice()), (Unpacked::Part, &text[..1_000]), "{compressed:?}");
    }
}

#[test]
fn a_bomb_makes_no_more_than_it_may() {
    let bomb = gzip(&vec![b'7'; 10 << 20]);
    assert!(bomb.len() < 12 << 10, "{} bytes", bomb.len());
    let (end, text) = unpacked(Compressed::Gzip, &bomb, 1 << 20);
    assert_eq!((end, text.len()), (Unpacked::Part, 1 << 20));
    assert!(text.capacity() <= 2 << 20, "{} bytes", text.capacity());
}

#[test]
fn percent_signs_are_undone_once_or_twice() {
    let decoded = |text: &[u8], keep| {
        let mut sheet = Sheet::default();
        percent::decode(text, keep, &mut sheet);
        (
            String::from_utf8(sheet.text.clone()).unwrap(),
            sheet.percent.iter().map(|at| at % 2 + 1).collect::<Vec<_>>(),
        )
    };
    assert_eq!(decoded(b"a%34%2535%zz%", percent::Keep::Nothing), ("a45%zz%".into(), vec![1, 2]));
    assert_eq!(decoded(b"%22%34%5c", percent::Keep::Structure), ("%224%5c".into(), vec![1]));
}

#[test]
fn letters_of_digests_are_counted() {
    let bytes = [0x97, 0xa2, 0x10, 0x52, 0x32, 0xec, 0xc8, 0x75];
    assert_eq!(base64::common(b"l6IQUjLsyHU", &bytes), 11);
    assert_eq!(base64::common(b"l6IQUjLszzz", &bytes), 8);
    assert_eq!(hex::common(b"97A2105232ecc876", &bytes), 15);
    assert_eq!(base64::first_four(b"l6IQUjLs"), hex::first_four(b"97a21052"));
    let mut text = Vec::new();
    base64::decode(b"NDkwMTU0MjAzMjM3NTE4", &mut text);
    assert_eq!(text, b"490154203237518");
}

#[test]
fn utf_16_is_told_by_its_zeros_or_its_mark() {
    let little: Vec<u8> = "490154203237518".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(utf16::end(&little), Some(utf16::End::Little));
    assert_eq!(utf16::end(b"\xfe\xff\x4e\x2d\x65\x87\0a"), Some(utf16::End::Big));
    assert_eq!(utf16::end(&[0; 64]), None);
    let mut text = Vec::new();
    assert!(utf16::decode(&little, utf16::End::Little, &mut text));
    assert_eq!(text, b"490154203237518");
}
