use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn fields(decoder: &Decoder, section: &[u8]) -> (Decoded, Vec<(String, String)>) {
    let mut fields = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let decoded = decoder.decode(section, |name, value| fields.push((text(name), text(value))));
    (decoded, fields)
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[test]
fn the_examples_of_the_standard() {
    // RFC 9204 appendix B.
    let mut decoder = Decoder::default();
    decoder.allow(220);
    let section = hex("0000 510b 2f69 6e64 6578 2e68 746d 6c");
    assert_eq!(fields(&decoder, &section), (Decoded::Whole, vec![pair(":path", "/index.html")]));

    let section = hex("0381 10 11");
    assert_eq!(fields(&decoder, &section).0, Decoded::Blocked(2));
    let instructions =
        hex("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468");
    for byte in &instructions {
        assert_eq!(decoder.instruct(&[*byte], |_, _| {}).lost, 0);
    }
    let expected = vec![pair(":authority", "www.example.com"), pair(":path", "/sample/path")];
    assert_eq!(fields(&decoder, &section), (Decoded::Whole, expected));

    decoder.instruct(&hex("4a63 7573 746f 6d2d 6b65 790c 6375 7374 6f6d 2d76 616c 7565"), |_, _| {});
    assert_eq!(
        (decoder.inserted(), decoder.table.get(2)),
        (3, Some((&b"custom-key"[..], &b"custom-value"[..])))
    );

    decoder.instruct(&hex("02"), |_, _| {});
    let expected =
        vec![pair(":authority", "www.example.com"), pair(":path", "/"), pair("custom-key", "custom-value")];
    assert_eq!(fields(&decoder, &hex("0500 80 c1 81")), (Decoded::Whole, expected));

    decoder.instruct(&hex("810d 6375 7374 6f6d 2d76 616c 7565 32"), |_, _| {});
    assert_eq!(decoder.table.get(4), Some((&b"custom-key"[..], &b"custom-value2"[..])));
    assert_eq!(decoder.table.get(0), None, "evicted");
}

#[test]
fn a_table_that_is_not_known_any_more_leaves_what_needs_none() {
    let mut decoder = Decoder::default();
    decoder.allow(220);
    decoder.give_up();
    assert_eq!(decoder.instruct(&hex("3fbd01"), |_, _| {}), Instructed { read: 0, lost: 3 });
    assert_eq!(fields(&decoder, &hex("0000 d1")), (Decoded::Whole, vec![pair(":method", "GET")]));
    assert_eq!(fields(&decoder, &hex("0381 10 11")).0, Decoded::Broken);
}

#[test]
fn what_breaks_the_standard_is_broken_and_little_is_held() {
    let decoder = Decoder::default();
    for section in
        ["", "00", "0000 ff", "0000 ffffffffffffff7f", "0000 80", "01 00", "0000 5105 2f", "0000 10", "ffff"]
    {
        assert_eq!(fields(&decoder, &hex(section)).0, Decoded::Broken, "{section}");
    }
    let mut decoder = Decoder::default();
    let lost = Instructed { read: 0, lost: 2 };
    assert_eq!(decoder.instruct(&hex("c000"), |_, _| {}), lost, "no room in a table of nothing");
    let mut decoder = Decoder::default();
    decoder.instruct(&hex("3fe1ffffff0f"), |_, _| {});
    decoder.instruct(&hex("5fffffff 7f"), |_, _| {});
    for _ in 0..100 {
        decoder.instruct(&[b'x'; 1_000], |_, _| {});
    }
    assert!(decoder.broken && decoder.held() < 40_000, "{}", decoder.held());
    let mut decoder = Decoder::default();
    decoder.instruct(&hex("3fe1ffff03"), |_, _| {});
    for _ in 0..1_000 {
        decoder.instruct(&[&[0x41, b'n', 100][..], &[b'v'; 100]].concat(), |_, _| {});
    }
    assert_eq!(decoder.inserted(), 1_000);
    assert!(decoder.held() < 40_000, "{}", decoder.held());
}
