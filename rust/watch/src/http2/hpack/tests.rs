use super::*;

const BOUNDS: Bounds = Bounds { table: 4_096, name: 64, value: 2_048 };

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// The fields of a block, one a line.
fn block(decoder: &mut Decoder, bytes: &[u8], piece: usize) -> Option<String> {
    let mut lines = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.decode(piece, |name, value| {
            lines.push(format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        });
    }
    decoder.end_block().then(|| lines.join("\n"))
}

/// The blocks of one connection, whole and byte by byte.
fn check(limit: Option<u32>, blocks: &[(&str, &str)]) {
    for piece in [usize::MAX, 1, 3] {
        let mut decoder = Decoder::new(BOUNDS);
        if let Some(limit) = limit {
            decoder.table.resize(limit);
        }
        for (hex, fields) in blocks {
            assert_eq!(block(&mut decoder, &bytes(hex), piece).as_deref(), Some(*fields), "{hex}");
        }
    }
}

#[test]
fn a_long_value_is_not_told_for_each_of_a_thousand_bytes() {
    let value = [b'v'; 2_000];
    let literal = [&[0x40, 1, b'n', 0x7f, 0xd1, 0x0e][..], &value].concat();
    let block = [literal, vec![0xbe; 1_000]].concat();
    let told = |piece: usize| {
        let mut decoder = Decoder::new(BOUNDS);
        let mut values = Vec::new();
        for bytes in block.chunks(piece) {
            assert_eq!(decoder.decode(bytes, |_, value| values.push(value.len())), bytes.len());
        }
        values
    };
    let known = |piece: usize| told(piece).into_iter().filter(|len| *len > 0).collect::<Vec<_>>();
    assert_eq!(told(1).len(), 1_001);
    assert_eq!(known(block.len())[..9], [2_000; 9]);
    assert!(known(block.len()).iter().sum::<usize>() < 30_000);
    assert_eq!(known(block.len()), known(1));
    assert_eq!(known(block.len()), known(7));
    assert!(told(block.len()).len() < 30, "of those that cost too much one of many is told");
}

#[test]
fn each_representation_is_decoded() {
    // RFC 7541 C.2.
    check(
        None,
        &[
            ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header"),
            ("040c2f73616d706c652f70617468", ":path: /sample/path"),
            ("100870617373776f726406736563726574", "password: secret"),
            ("82", ":method: GET"),
            ("be", "custom-key: custom-header"),
        ],
    );
}

const REQUESTS: [&str; 3] = [
    ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com",
    ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache",
    ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value",
];

#[test]
fn requests_of_one_connection_share_the_table() {
    // RFC 7541 C.3, C.4.
    let plain = [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ];
    let huffman = [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ];
    for blocks in [plain, huffman] {
        let blocks: Vec<_> = blocks.into_iter().zip(REQUESTS).collect();
        check(None, &blocks);
    }
}

const REPLIES: [&str; 3] = [
    ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com",
    ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com",
    ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n\
     content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
];

#[test]
fn replies_evict_from_a_small_table() {
    // RFC 7541 C.5, C.6: a table of 256 bytes.
    let plain = [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54\
         6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d\
         4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20766572\
         73696f6e3d31",
    ];
    let huffman = [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b\
         97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdf\
         cd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];
    for blocks in [plain, huffman] {
        let blocks: Vec<_> = blocks.into_iter().zip(REPLIES).collect();
        check(Some(256), &blocks);
    }
}

#[test]
fn a_size_update_empties_the_table() {
    // RFC 7541 4.3: to 0, and back to 4,096 (0x3f 0xe1 0x1f).
    let custom = "400a637573746f6d2d6b65790d637573746f6d2d686561646572";
    check(None, &[(custom, "custom-key: custom-header"), ("203fe11f82", ":method: GET")]);
    let mut decoder = Decoder::new(BOUNDS);
    block(&mut decoder, &bytes(custom), 99).unwrap();
    assert_eq!(block(&mut decoder, &bytes("20be"), 99), None, "index 62 was evicted");
}

#[test]
fn what_is_long_is_cut_and_the_table_stays_in_step() {
    let mut decoder = Decoder::new(BOUNDS);
    let long = [&b"\x40\x7f\x80\x01"[..], &[b'n'; 255], b"\x7f\xb9\x17", &[b'v'; 3_000 + 128]].concat();
    let fields = block(&mut decoder, &long, 100).unwrap();
    assert_eq!(fields.len(), BOUNDS.name + 2 + BOUNDS.value);
    // 255 + 3,128 + 32 = 3,415 bytes: another of 700 evicts it, one of 681 does not.
    let fits = [&b"\x40\x01a\x7f\x89\x04"[..], &[b'x'; 648]].concat();
    block(&mut decoder, &fits, 7).unwrap();
    assert!(block(&mut decoder, b"\xbf", 1).is_some(), "still there");
    block(&mut decoder, b"\x40\x01a\x01b", 1).unwrap();
    assert_eq!(block(&mut decoder, b"\xc0", 1), None, "evicted by its true size");
}

#[test]
fn nonsense_breaks_the_decoder_for_good() {
    let mut cases: Vec<&[u8]> = vec![
        b"\x80",                         // index 0
        b"\xbe",                         // no such entry
        b"\xff\xff\xff\xff\xff\xff\x01", // a number without end
        b"\x7e\x00",                     // a name that is no entry
        b"\x40\x81\x00\x00",             // Huffman with wrong padding
        b"\x40\x01a",                    // ends inside a field
        b"\x40",
    ];
    cases.push(b"\x40\x84\xff\xff\xff\xff\x00"); // the end of the string as a symbol
    for case in cases {
        let mut decoder = Decoder::new(BOUNDS);
        assert_eq!(block(&mut decoder, case, 99), None, "{case:02x?}");
        assert_eq!(block(&mut decoder, b"\x82", 99), None, "and stays broken");
    }
}

#[test]
fn what_a_decoder_holds_is_bounded() {
    let mut decoder = Decoder::new(BOUNDS);
    block(&mut decoder, b"\x3f\xff\xff\xff\x03", 99).unwrap();
    for number in 0..2_000_u32 {
        let name =
            [&b"\x40\x0a"[..], format!("{number:010}").as_bytes(), b"\x7f\x81\x0f", &[b'v'; 2_048]].concat();
        block(&mut decoder, &name, 999).unwrap();
        block(&mut decoder, b"\x40\x00\x00", 9).unwrap();
    }
    assert!(decoder.held() <= 12_000, "{}", decoder.held());
}

#[test]
fn the_byte_that_is_wrong_is_the_same_in_any_pieces() {
    for wrong in [
        &b"\x82\x40\x84\xff\xff\xff\xff\x00"[..],
        b"\x40\x82\x07\x00\x01a",
        b"\x82\xbe\x82",
        b"\x82\x7e\x01a\x82",
    ] {
        let whole = Decoder::new(BOUNDS).decode(wrong, |_, _| {});
        let mut decoder = Decoder::new(BOUNDS);
        let single: usize = wrong.iter().map(|byte| decoder.decode(&[*byte], |_, _| {})).sum();
        assert_eq!(single, whole, "{wrong:02x?}");
        assert!(whole < wrong.len());
    }
}
