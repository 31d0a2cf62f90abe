//! The vectors of the standards, packets of real programs (`tests/quic`, where each file tells its truth),
//! packets that no program would send, and damage to all of them.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{Aes128Gcm, KeyInit};
use telltale_model::{Name, NameSource};

use super::keys::Keys;
use super::stream::Stream;
use super::version::{Dialect, Version};
use super::*;
use crate::session::Likeness;

type Datagram = (Direction, Vec<u8>);

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Numbers below what is asked for, the same in each run.
fn random(mut state: u32) -> impl FnMut(usize) -> usize {
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 8).unwrap() % below
    }
}

/// The datagrams of a file: `>` is sent, `<` is received.
fn recording(name: &str) -> Vec<Datagram> {
    let path = format!("{}/tests/quic/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(' ').unwrap() {
            (">", hex) => (Direction::Sent, unhex(hex)),
            (_, hex) => (Direction::Received, unhex(hex)),
        })
        .collect()
}

/// What a session makes of datagrams; every sent byte must be counted once.
fn facts_of<'a>(datagrams: impl IntoIterator<Item = &'a Datagram>) -> (Quic, Facts) {
    let (mut quic, mut page, mut sent) = (Quic::new(), Page::default(), 0);
    for (direction, bytes) in datagrams {
        assert_eq!(quic.take(*direction, bytes, &mut page), Step::On);
        sent += if *direction == Direction::Sent { bytes.len() as u64 } else { 0 };
        assert_eq!(page.facts.coverage.total(), sent);
        assert!(size_of::<Quic>() + quic.held() <= 16 * 1024);
    }
    quic.end(&mut page);
    (quic, page.facts)
}

fn names(facts: &Facts) -> Vec<&str> {
    assert!(facts.names.iter().all(|name| name.from == NameSource::Quic));
    facts.names.iter().map(|name| name.name.as_str()).collect()
}

/// Every recording: name, ALPN, whether ECH.
const RECORDINGS: [(&str, &str, &str, bool); 14] = [
    ("rfc9001-a2", "example.com", "alpn", false),
    ("rfc9369-a2", "example.com", "alpn", false),
    ("draft29-a2", "server", "", false),
    ("aioquic", "plain-aioquic.example", "h3", false),
    ("aioquic-version-2", "two-aioquic.example", "h3", false),
    ("aioquic-retry", "retry-aioquic.example", "h3", false),
    ("aioquic-negotiation", "negotiation-aioquic.example", "h3", false),
    ("aioquic-upgrade", "upgrade-aioquic.example", "h3", false),
    ("aioquic-long-hello", "big-aioquic.example", "h3", false),
    ("aioquic-early-data", "early-aioquic.example", "h3", false),
    ("qh3-post-quantum", "plain-qh3.example", "h3", true),
    ("qh3-post-quantum-retry", "retry-qh3.example", "h3", true),
    ("quinn", "plain-quinn.example", "h3", false),
    ("quinn-post-quantum", "pq-quinn.example", "h3", false),
];

#[test]
fn keys_are_those_of_the_standards() {
    // RFC 9001 A.1, RFC 9369 A.1, draft-ietf-quic-tls-29 A.1.
    let truth = [
        (1, "1f369613dd76d5467730efcbe3b1a22d fa044b2f42a3fd3b46fb255c 9f50449e04a0e810283a1e9933adedd2"),
        (
            0x6b33_43cf,
            "8b1a0bc121284290a29e0971b5cd045d 91f73e2351d8fa91660e909f 45b95e15235d6f45a6b19cbcb0294ba9",
        ),
        (
            0xff00_001d,
            "175257a31eb09dea9366d8bb79ad80ba 6b26114b9cba2b63a9e8dd4f 9ddd12c994c0698b89374a9c077a3077",
        ),
    ];
    for (number, keys) in truth {
        let version = Version::of(number).unwrap();
        let found = Keys::of_client(version, &version.salts[0], &unhex("8394c8f03e515708")).unwrap();
        let (key, vector, header) = found.parts();
        let truth: Vec<_> = keys.split(' ').map(unhex).collect();
        assert_eq!([&key[..], &vector[..], &header[..]], [&truth[0][..], &truth[1][..], &truth[2][..]]);
    }
}

#[test]
fn recordings_give_what_the_programs_asked_for() {
    for (file, name, alpn, ech) in RECORDINGS {
        let datagrams = recording(file);
        let (_, facts) = facts_of(&datagrams);
        assert_eq!(names(&facts), [name], "{file}");
        let hello = facts.hello.unwrap();
        assert_eq!(
            (hello.alpn.join(","), hello.ech, hello.version),
            (alpn.to_owned(), ech, 0x0304),
            "{file}"
        );
        assert_eq!(facts.application, Some(Application::Quic));
        assert_eq!(looks_like(&datagrams[0].1), Likeness::Yes);
    }
}

#[test]
fn order_and_repetition_change_no_name() {
    for (file, name, ..) in RECORDINGS {
        let mut datagrams = recording(file);
        datagrams.truncate(8);
        for _ in 0..datagrams.len() {
            datagrams.rotate_left(1);
            assert_eq!(names(&facts_of(&datagrams).1), [name], "{file}");
            let twice = datagrams.iter().rev().chain(&datagrams).chain(&datagrams);
            assert_eq!(names(&facts_of(twice).1), [name], "{file}, reversed, then twice");
        }
    }
}

#[test]
fn damage_and_cuts_lose_no_byte_and_invent_no_name() {
    for (file, name, ..) in RECORDINGS {
        let datagrams = recording(file);
        let mut next = random(7);
        for round in 0..100 {
            let mut damaged = datagrams[..datagrams.len().min(6)].to_vec();
            for (_, bytes) in &mut damaged {
                let at = next(if round % 2 == 0 { 40 } else { bytes.len() }).min(bytes.len() - 1);
                bytes[at] ^= 1 << next(8);
                if round % 3 == 0 {
                    bytes.truncate(at);
                }
                let _any = looks_like(bytes);
            }
            let (_, facts) = facts_of(&damaged);
            assert!(facts.names.iter().all(|found| found.name == name), "{file}: {:?}", facts.names);
        }
    }
}

#[test]
fn each_byte_of_a_first_packet_matters() {
    let [(_, whole)] = &recording("rfc9001-a2")[..] else { panic!("one datagram") };
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        assert_eq!(names(&facts_of(&[(Direction::Sent, damaged)]).1), [""; 0], "byte {at}");
        assert_eq!(names(&facts_of(&[(Direction::Sent, whole[..at].to_vec())]).1), [""; 0], "cut at {at}");
    }
}

#[test]
fn an_upload_is_counted_to_within_its_frames() {
    // 3,000 bytes of body, as the files say. Above them: what HTTP/3 and the frames add; zeros with which
    // the packet behind the last Initial fills its datagram up to 1,200 bytes (RFC 9000 14.1); quinn's
    // three probes of 4,135 bytes, and two of 2,715.
    for (file, least, most) in
        [("aioquic", 3_100, 4_200), ("quinn", 7_135, 8_000), ("quinn-post-quantum", 5_715, 6_500)]
    {
        let (_, facts) = facts_of(&recording(file));
        assert!((least..most).contains(&facts.content_sent), "{file}: {}", facts.content_sent);
        assert_eq!(facts.content_sent, facts.coverage.encrypted);
        assert_eq!(facts.coverage.unknown, 0, "{file}");
    }
}

#[test]
fn early_data_is_content() {
    let (_, facts) = facts_of(&recording("aioquic-early-data"));
    assert!((3_100..4_200).contains(&facts.content_sent), "{}", facts.content_sent);
}

#[test]
fn a_connection_that_moves_is_known_by_what_the_server_is_called() {
    let datagrams = recording("aioquic");
    let (begun, _) = facts_of(&datagrams);
    let later: Vec<_> = datagrams.into_iter().filter(|(_, bytes)| bytes[0] < 0x80).collect();
    let (direction, first) = later.iter().find(|(direction, _)| *direction == Direction::Sent).unwrap();
    assert!(begun.is_of(first) && !Quic::new().is_of(first));
    assert_eq!(begun.ids.len(), 1);
    assert_eq!(looks_like(first), Likeness::Maybe);
    let (mut moved, mut page) = (begun.moved(), Page::default());
    moved.take(*direction, first, &mut page);
    assert_eq!(page.facts.content_sent, first.len() as u64 - 1 - 8 - 2 - 16);
    assert!(page.facts.names.is_empty() && page.facts.application == Some(Application::Quic));
}

/// An Initial packet of a client, for `id`, with these frames.
fn initial(number: u32, id: &[u8], frames: &[u8]) -> Vec<u8> {
    initial_of(number, id, id, frames)
}

/// As [`initial`], with the keys that follow from another name.
fn initial_of(number: u32, id: &[u8], keys: &[u8], frames: &[u8]) -> Vec<u8> {
    let version = Version::of(number).unwrap();
    let keys = Keys::of_client(version, version.salts.last().unwrap(), keys).unwrap();
    let (key, vector, header_key) = keys.parts();
    let mut text = frames.to_vec();
    let first = if version.dialect == Dialect::Two { 0xd0 } else { 0xc0 };
    let len = 0x4000 | u16::try_from(1 + text.len() + 16).unwrap();
    let mut packet = [&[first][..], &number.to_be_bytes(), &[u8::try_from(id.len()).unwrap()], id].concat();
    packet.extend([0, 0]);
    packet.extend(len.to_be_bytes());
    let number_at = packet.len();
    packet.push(0);
    let tag = Aes128Gcm::new(&(*key).into())
        .encrypt_inout_detached(&(*vector).into(), &packet, text.as_mut_slice().into())
        .unwrap();
    packet.extend(text);
    packet.extend(tag);
    let mut mask: aes_gcm::aes::Block = packet[number_at + 4..number_at + 20].try_into().unwrap();
    Aes128::new(&(*header_key).into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    packet[number_at] ^= mask[1];
    packet
}

/// A CRYPTO frame (RFC 9000 19.6; `kind` 8 for Google's).
fn crypto(kind: u8, offset: usize, piece: &[u8]) -> Vec<u8> {
    let varint = |value: usize| (0x4000 | u16::try_from(value).unwrap()).to_be_bytes();
    [&[kind][..], &varint(offset), &varint(piece.len()), piece].concat()
}

/// A ClientHello for a name, with an extension of so many bytes before it.
fn client_hello(name: &str, filling: usize) -> Vec<u8> {
    let short = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
    let mut body = [&[3, 3][..], &[9; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
    let mut extensions = [&[0xff, 0][..], &short(filling), &vec![7; filling]].concat();
    extensions.extend(
        [&[0, 0][..], &short(name.len() + 5), &short(name.len() + 3), &[0], &short(name.len())].concat(),
    );
    extensions.extend(name.as_bytes());
    body.extend([&short(extensions.len())[..], &extensions].concat());
    [&[1, 0][..], &short(body.len()), &body].concat()
}

fn sent(datagrams: impl IntoIterator<Item = Vec<u8>>) -> Vec<Datagram> {
    datagrams.into_iter().map(|bytes| (Direction::Sent, bytes)).collect()
}

const ID: &[u8] = b"01234567";

#[test]
fn pieces_in_any_order_overlapping_and_between_other_frames_give_the_hello() {
    let hello = client_hello("pieces.example", 3_000);
    let other: [&[u8]; 4] = [
        &[0, 1, 0],                    // PADDING, PING, PADDING
        &[2, 5, 0x40, 25, 1, 2, 0, 1], // ACK of two ranges
        &[3, 5, 1, 0, 1, 7, 0, 0],     // ACK with counts of ECN
        &[0; 9],
    ];
    let mut pieces: Vec<Vec<u8>> = (0..hello.len())
        .step_by(150)
        .enumerate()
        .map(|(index, start)| {
            let end = hello.len().min(start + 190);
            [other[index % 4], &crypto(6, start, &hello[start..end])].concat()
        })
        .collect();
    for step in [1, 5, 8, 13] {
        let count = pieces.len();
        let order: Vec<_> = (0..count).map(|index| pieces[index * step % count].clone()).collect();
        let datagrams = order.chunks(4).map(|frames| initial(1, ID, &frames.concat()));
        assert_eq!(names(&facts_of(&sent(datagrams)).1), ["pieces.example"], "step {step}");
    }
    pieces.remove(3);
    pieces.remove(7);
    let datagrams = pieces.chunks(4).map(|frames| initial(1, ID, &frames.concat()));
    assert_eq!(names(&facts_of(&sent(datagrams)).1), [""; 0], "what is missing is missing");
}

#[test]
fn single_bytes_give_the_hello_too() {
    let hello = client_hello("bytes.example", 0);
    let frames: Vec<u8> = (0..hello.len()).flat_map(|at| crypto(6, at, &hello[at..=at])).collect();
    assert_eq!(names(&facts_of(&sent([initial(1, ID, &frames)])).1), ["bytes.example"]);
    // From the end, one packet in each datagram; then all in few datagrams, some packets in each.
    let packets: Vec<_> = (0..hello.len())
        .rev()
        .map(|at| initial(1, ID, &[&crypto(6, at, &hello[at..=at])[..], &[0; 9]].concat()))
        .collect();
    assert_eq!(names(&facts_of(&sent(packets.clone())).1), ["bytes.example"]);
    assert_eq!(names(&facts_of(&sent(packets.chunks(COALESCED).map(<[_]>::concat))).1), ["bytes.example"]);
}

#[test]
fn what_follows_frames_that_are_not_allowed_is_not_read() {
    let frame = crypto(6, 0, &client_hello("not.example", 0));
    for before in
        [&[8][..], &[0x1e], &[0x1c, 0, 0, 0x3f], &[2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]
    {
        let datagram = initial(1, ID, &[before, &frame].concat());
        assert_eq!(names(&facts_of(&sent([datagram])).1), [""; 0], "{before:?}");
    }
    let closed = initial(1, ID, &[&[0x1c, 0, 0, 2, b'n', b'o'], &frame[..]].concat());
    assert_eq!(
        names(&facts_of(&sent([closed])).1),
        ["not.example"],
        "a whole CONNECTION_CLOSE can be passed over"
    );
}

#[test]
fn every_version_is_opened() {
    let tls = client_hello("version.example", 0);
    let versions =
        [0xff00_0016u32, 0xff00_0017, 0xff00_001c, 0xff00_0020, 0xff00_0021, 0xff00_0022, 0xface_b001]
            .into_iter()
            .chain([0xface_b002, 0xface_b00e, 0x6b33_43cf, 0x1a2a_3a4a]);
    for number in versions {
        let facts = facts_of(&sent([initial(number, ID, &crypto(6, 0, &tls))])).1;
        assert_eq!(names(&facts), ["version.example"], "{number:08x}");
    }
    // Google's: after an acknowledgement of two blocks with two times.
    let acknowledgement = [0x65, 0, 9, 1, 2, 2, 0, 5, 1, 0, 3, 2, 1, 0, 2, 1, 0, 0, 0, 0, 1, 0, 0];
    for number in [0x5430_3530, 0x5430_3531] {
        let frames = [&acknowledgement[..], &[7], &crypto(8, 0, &tls)].concat();
        assert_eq!(
            names(&facts_of(&sent([initial(number, ID, &frames)])).1),
            ["version.example"],
            "{number:08x}"
        );
    }
    let frames =
        crypto(8, 0, &chlo(&[(b"PAD\0", b"----"), (b"SNI\0", b"Google.example"), (b"VER\0", b"Q050")]));
    assert_eq!(names(&facts_of(&sent([initial(0x5130_3530, ID, &frames)])).1), ["google.example"]);
}

/// A hello of Google's handshake.
fn chlo(values: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut message = [&b"CHLO"[..], &u16::try_from(values.len()).unwrap().to_le_bytes(), &[0, 0]].concat();
    let mut end = 0;
    for (tag, value) in values {
        end += u32::try_from(value.len()).unwrap();
        message.extend([&tag[..], &end.to_le_bytes()].concat());
    }
    message.extend(values.iter().flat_map(|(_, value)| *value));
    message
}

#[test]
fn google_s_older_packets_are_read() {
    let hello = chlo(&[(b"PAD\0", &[b'-'; 900]), (b"SNI\0", b"old.example"), (b"VER\0", b"Q043")]);
    let public = |flags: u8, version: &[u8], rest: &[u8]| [&[flags], ID, version, &[1], rest].concat();
    let hash_and_frame = [&[7; TAG_OF_GOOGLE][..], &[0xa0, 1, 3, 0xb7], &hello].concat();
    let q046 = [&[0xc3][..], b"Q046", &[0x50], ID, &[0, 0, 0, 1], &hash_and_frame].concat();
    for first in [public(0x09, b"Q043", &hash_and_frame), public(0x0d, b"Q035", &hash_and_frame), q046] {
        assert_eq!(looks_like(&first), Likeness::Yes);
        let len = first.len() as u64;
        let (_, facts) = facts_of(&sent([first]));
        assert_eq!((names(&facts), facts.coverage.handshake), (vec!["old.example"], len));
    }
    let later = public(0x08, b"", &[5; 112]);
    let (_, facts) = facts_of(&sent([public(0x09, b"Q043", &hash_and_frame), later]));
    assert_eq!(facts.content_sent, 100);
    let unnamed = chlo(&[(b"VER\0", b"Q043")]);
    let (_, facts) = facts_of(&sent([public(0x09, b"Q043", &unnamed)]));
    assert_eq!((names(&facts), facts.content_sent), (vec![], 0));
}

const TAG_OF_GOOGLE: usize = google::TAG;

#[test]
fn a_second_connection_between_the_same_ports_adds_its_name() {
    let hello = |name| crypto(6, 0, &client_hello(name, 0));
    let datagrams =
        sent([initial(1, b"aaaaaaaa", &hello("a.example")), initial(1, b"bbbbbbbb", &hello("b.example"))]);
    assert_eq!(names(&facts_of(&datagrams).1), ["a.example", "b.example"]);
}

#[test]
fn a_server_adds_no_name_and_takes_none_away() {
    let hello = client_hello("true.example", 0);
    let (first, second) = hello.split_at(20);
    let claim = initial(1, b"serverid", &crypto(6, 0, &client_hello("claimed.example", 0)));
    let datagrams = [
        (Direction::Sent, initial(1, ID, &crypto(6, 0, first))),
        (Direction::Received, claim),
        (Direction::Sent, initial(1, ID, &crypto(6, 20, second))),
    ];
    assert_eq!(names(&facts_of(&datagrams).1), ["true.example"]);
    let old = chlo(&[(b"SNI\0", b"claimed.example"), (b"VER\0", b"Q043")]);
    let hash_and_frame = [&[7; TAG_OF_GOOGLE][..], &[0xa0, 1, 3, 0xb7], &old].concat();
    let packet = [&[0x09][..], ID, b"Q043", &[1], &hash_and_frame].concat();
    assert_eq!(names(&facts_of(&[(Direction::Sent, packet.clone())]).1), ["claimed.example"]);
    assert_eq!(names(&facts_of(&[(Direction::Received, packet)]).1), [""; 0]);
}

#[test]
fn pieces_of_two_connections_do_not_mix() {
    let hello = client_hello("mixed.example", 100);
    let (head, tail) = hello.split_at(70);
    let datagrams = sent([
        initial(1, b"aaaaaaaa", &crypto(6, 0, head)),
        initial(1, b"bbbbbbbb", &crypto(6, head.len(), tail)),
    ]);
    assert_eq!(names(&facts_of(&datagrams).1), [""; 0]);
}

#[test]
fn a_hello_goes_on_in_the_version_that_the_server_chose() {
    let hello = client_hello("chosen.example", 100);
    let (head, tail) = hello.split_at(70);
    let datagrams = sent([
        initial(1, b"aaaaaaaa", &crypto(6, 0, head)),
        initial_of(0x6b33_43cf, b"server", b"aaaaaaaa", &crypto(6, head.len(), tail)),
    ]);
    assert_eq!(names(&facts_of(&datagrams).1), ["chosen.example"]);
}

#[test]
fn dns_over_quic_is_told_by_what_it_wants_to_speak() {
    let mut hello = client_hello("doq.example", 4);
    // The extension that fills becomes ALPN: one protocol of three bytes, whose list is of four.
    let at = hello.windows(4).position(|window| window == [0xff, 0, 0, 4]).unwrap();
    hello.splice(at..at + 8, [0, 16, 0, 6, 0, 4, 3, b'd', b'o', b'q']);
    for len in [2, at - 2 + 1] {
        // The two lengths that the two more bytes are in: the message's and the extensions'.
        let at = if len == 2 { 3 } else { at - 1 };
        hello[at] += 2;
    }
    let (_, facts) = facts_of(&sent([initial(1, ID, &crypto(6, 0, &hello))]));
    assert_eq!((names(&facts), facts.application), (vec!["doq.example"], Some(Application::Doq)));
}

#[test]
fn odd_names_are_made_safe() {
    let hello = client_hello("A\u{1b}[31m.\\\u{e9}x.", 0);
    let (_, facts) = facts_of(&sent([initial(1, ID, &crypto(6, 0, &hello))]));
    assert_eq!(names(&facts), ["a\\027[31m.\\\\\\195\\169x"]);
}

#[test]
fn a_flood_of_pieces_stays_within_bounds() {
    // Every other byte, up to far beyond what is kept; then a new connection in each datagram.
    let frames = |from: usize| {
        (0..250).flat_map(move |n| crypto(6, (from + 2 * n) & 0x3fff, &[7])).collect::<Vec<u8>>()
    };
    let one = (0..40).map(|n| initial(1, ID, &frames(n * 500)));
    let many = (0..40usize).map(|n| initial(1, &n.to_be_bytes(), &frames(n * 400)));
    let (_, facts) = facts_of(&sent(one.chain(many)));
    assert_eq!((facts.names, facts.hello), (vec![], None));
}

#[test]
fn a_hello_longer_than_what_is_kept_gives_nothing() {
    let hello = client_hello("long.example", Stream::LONGEST);
    let datagrams = hello
        .chunks(1_000)
        .enumerate()
        .map(|(index, piece)| initial(1, ID, &crypto(6, index * 1_000, piece)));
    assert_eq!(names(&facts_of(&sent(datagrams)).1), [""; 0]);
    let hello = client_hello("just.example", Stream::LONGEST - 200);
    let datagrams = hello
        .chunks(1_000)
        .enumerate()
        .map(|(index, piece)| initial(1, ID, &crypto(6, index * 1_000, piece)));
    assert_eq!(names(&facts_of(&sent(datagrams)).1), ["just.example"]);
}

#[test]
fn a_stream_is_what_its_pieces_are() {
    let whole: Vec<u8> = (0..5_000u16).map(|n| n.to_le_bytes()[0] ^ n.to_be_bytes()[0]).collect();
    let mut next = random(3);
    for _ in 0..50 {
        let (mut stream, mut have) = (Stream::default(), vec![false; whole.len()]);
        for _ in 0..200 {
            let start = next(whole.len());
            let end = (start + next(300)).min(whole.len());
            stream.add(start as u64, &whole[start..end]);
            have[start..end].fill(true);
            let beginning = have.iter().take_while(|have| **have).count();
            assert_eq!(stream.beginning(), &whole[..beginning]);
        }
        assert!(stream.held() <= Stream::LONGEST + 2 * Stream::STRETCHES * 16);
    }
    let mut stream = Stream::default();
    stream.add(u64::MAX, b"x");
    stream.add(Stream::LONGEST as u64, b"x");
    assert_eq!(stream.held(), 0);
}

#[test]
fn other_protocols_are_not_taken_for_quic() {
    let random = &recording("aioquic")[4].1[20..];
    let others: [Vec<u8>; 12] = [
        unhex("123401000001000000000000076578616d706c6503636f6d0000010001"), // DNS
        [&unhex("1603030200")[..], &[0; 100]].concat(),                      // TLS, by mistake
        [&unhex("16feff000000000000000000c8")[..], random].concat(),         // DTLS
        [&unhex("80600001000000010102030405")[..], random].concat(),         // RTP that counts 1
        [&unhex("c0600001000000010102030405")[..], random].concat(), // something of a version 0x60000100
        [&unhex("000100002112a442")[..], random].concat(),           // STUN
        [&unhex("40000064")[..], &random[..100]].concat(),           // a channel of TURN
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n".to_vec(),
        b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP pc33.example.com\r\n\r\n".to_vec(),
        [&unhex("01000000")[..], random].concat(), // WireGuard
        unhex("c000000001"),
        vec![0x40; 1_200],
    ];
    for (index, datagram) in others.iter().enumerate() {
        assert_eq!(looks_like(datagram), Likeness::No, "{index}");
    }
    assert_eq!(looks_like(&[]), Likeness::No);
}

#[test]
fn a_first_packet_without_the_second_bit_is_quic_if_it_is_whole() {
    let mut first = recording("rfc9001-a2").remove(0).1;
    first[0] &= !0x40;
    assert_eq!(looks_like(&first), Likeness::Yes);
    first.pop();
    assert_eq!(looks_like(&first), Likeness::No);
}

#[test]
fn versions_to_choose_from_are_quic_only_if_one_is_known() {
    let of = |versions: &str| [&unhex("80000000000801020304050607080155")[..], &unhex(versions)].concat();
    assert_eq!(looks_like(&of("0000000100000002")), Likeness::Yes);
    for versions in ["", "000000", "0000000200000003", "00000001ff"] {
        assert_eq!(looks_like(&of(versions)), Likeness::No, "{versions}");
    }
}

#[test]
fn a_datagram_that_is_no_packet_is_unknown() {
    let hello = initial(1, ID, &crypto(6, 0, &client_hello("a.example", 0)));
    let (first, strange) = (hello.len() as u64, unhex("c0aabbccdd0000"));
    let (_, facts) =
        facts_of(&sent([[hello.clone(), strange.clone()].concat(), strange, [hello, vec![0; 50]].concat()]));
    assert_eq!((facts.coverage.handshake, facts.coverage.unknown), (2 * first + 50, 14));
    assert_eq!(facts.names, [Name { name: "a.example".into(), from: NameSource::Quic, outer: false }]);
}
