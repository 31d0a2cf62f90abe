use std::slice;

use telltale_model::{Application, Direction, Facts, NameSource};

use super::*;
use crate::page::Page;
use crate::pieces::{Pieces, Random, Turns, facts_in_any_pieces};
use crate::session::{Likeness, Step};
use Direction::{Received, Sent};

/// What FoxIO's description of JA4 has as its example, in the order of its `JA4_ro`.
const CIPHERS: &[u16] = &[
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
    0x002f, 0x0035,
];
const EXTENSIONS: &[u16] = &[
    0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
    0x000b, 0x000a, 0x0015,
];
const SIGNATURES: &[u16] = &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
const GREASE: u16 = 0x8a8a;

#[test]
fn a_hello_gives_its_name_and_the_published_fingerprint() {
    let facts = facts_of(vec![(Sent, records(HANDSHAKE, &browser("wWw.Example."), 16_384))]);
    assert_eq!(names(&facts), [("www.example", NameSource::Tls, false)]);
    let hello = facts.hello.unwrap();
    assert_eq!(hello.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    assert_eq!((hello.version, hello.ech), (0x0304, false));
    assert_eq!(hello.alpn, ["h2", "http/1.1"]);
    assert_eq!(facts.application, Some(Application::Tls));
    assert_eq!((facts.content_sent, facts.coverage.handshake), (0, facts.coverage.total()));
}

#[test]
fn other_published_fingerprints() {
    let no_signatures: Vec<_> = EXTENSIONS
        .iter()
        .map(|kind| (*kind, if *kind == 13 { vec![] } else { body(*kind, "a.example") }))
        .collect();
    let ja4 = |hello: Vec<u8>| facts_of(vec![(Sent, records(HANDSHAKE, &hello, 9_999))]).hello.unwrap().ja4;
    assert_eq!(ja4(hello(CIPHERS, &no_signatures)), "t13d1516h2_8daaf6152771_6d807ffa2a79");
    assert_eq!(ja4(hello(&[], &[])), "t12i000000_000000000000_000000000000");
}

#[test]
fn protocols_that_are_not_words_are_written_as_the_description_has_it() {
    let cases: [(&[u8], &str); 8] = [
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
        (b"x", "xx"),
        (b"http/1.1", "h1"),
        (b"", "00"),
    ];
    for (protocol, written) in cases {
        let alpn = (0x0010, vector16(&vector8(protocol)));
        let facts = facts_of(vec![(Sent, records(HANDSHAKE, &hello(&[1], &[alpn]), 9_999))]);
        assert_eq!(facts.hello.unwrap().ja4[8..10], *written, "{protocol:?}");
    }
}

#[test]
fn a_hello_may_lie_in_many_records() {
    let hello = browser("a.example");
    for longest in [1, 3, 100] {
        let facts = facts_of(vec![(Sent, records(HANDSHAKE, &hello, longest))]);
        assert_eq!(names(&facts).len(), 1);
        assert_eq!(facts.hello.unwrap().ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }
}

#[test]
fn a_name_behind_a_huge_extension_is_found_and_little_is_held() {
    let huge = (0x0033, vec![7; 50_000]);
    let name = (0x0000, body(0x0000, "far.example"));
    let many: Vec<_> = (0..1_000).map(|kind| (0x5000 + kind, vec![])).collect();
    let hello = hello(&[0x1301; 900], &[vec![huge, name], many].concat());
    let mut page = Page::default();
    let mut session = Tls::new();
    for piece in records(HANDSHAKE, &hello, 16_384).chunks(1_400) {
        session.take(Sent, piece, &mut page);
    }
    assert_eq!(names(&page.facts), [("far.example", NameSource::Tls, false)]);
    assert_eq!(page.facts.hello.unwrap().ja4[..10], *"t12d999900");
}

#[test]
fn a_hello_with_too_many_numbers_has_no_fingerprint() {
    let name = (0x0000, body(0x0000, "a.example"));
    for ciphers in [[0x1301; 1_025], [GREASE; 1_025]] {
        let facts =
            facts_of(vec![(Sent, records(HANDSHAKE, &hello(&ciphers, slice::from_ref(&name)), 16_384))]);
        assert_eq!((names(&facts).len(), facts.hello.unwrap().ja4), (1, String::new()));
    }
}

#[test]
fn with_an_encrypted_hello_the_name_is_the_outer_one() {
    let name = (0x0000, body(0x0000, "cover.example"));
    let facts =
        facts_of(vec![(Sent, records(HANDSHAKE, &hello(CIPHERS, &[name, (0xfe0d, vec![0; 200])]), 16_384))]);
    assert_eq!(names(&facts), [("cover.example", NameSource::Tls, true)]);
    assert!(facts.hello.unwrap().ech);
}

#[test]
fn odd_names_are_made_safe_or_are_none() {
    let name_of = |name: &str| {
        let name = (0x0000, body(0x0000, name));
        let facts = facts_of(vec![(Sent, records(HANDSHAKE, &hello(&[1], &[name]), 16_384))]);
        facts.names.first().map(|name| name.name.clone())
    };
    assert_eq!(name_of("a\x1b[31m\\ b").unwrap(), "a\\027[31m\\\\\\032b");
    assert_eq!(name_of("192.168.1.70").unwrap(), "192.168.1.70");
    assert_eq!(name_of(""), None);
    assert_eq!(name_of("."), None);
    assert_eq!(name_of(&"a".repeat(255)).unwrap().len(), 255);
    assert_eq!(name_of(&"a".repeat(256)), None);
}

#[test]
fn a_broken_hello_gives_what_was_whole_in_it() {
    let mut hello = hello(CIPHERS, &[(0x0000, body(0x0000, "a.example")), (0x0010, body(0x0010, ""))]);
    let length_of_the_last = hello.len() - body(0x0010, "").len() - 2;
    hello[length_of_the_last] = 0xff;
    let facts = facts_of(vec![(Sent, records(HANDSHAKE, &hello, 16_384))]);
    assert_eq!((names(&facts).len(), facts.hello), (1, None));
}

#[test]
fn content_of_tls_1_2_is_what_comes_after_the_finished() {
    let sent = [
        records(HANDSHAKE, &[hello(CIPHERS, &[]), message(16, &[4; 66])].concat(), 16_384),
        record(CHANGE_CIPHER_SPEC, &[1]),
        record(HANDSHAKE, &[0xc7; 40]),
        record(APPLICATION_DATA, &[9; 500]),
        record(APPLICATION_DATA, &[]),
        record(APPLICATION_DATA, &[9; 53]),
        record(ALERT, &[3; 26]),
    ];
    let facts = facts_of(vec![(Sent, sent.concat())]);
    assert_eq!((facts.content_sent, facts.coverage.encrypted), (553, 553));
}

#[test]
fn content_of_tls_1_3_is_what_comes_after_the_finished() {
    for finished in [53, 69] {
        let facts = facts_of(vec![
            (Sent, records(HANDSHAKE, &browser("a.example"), 512)),
            (
                Received,
                [server_hello(), record(CHANGE_CIPHER_SPEC, &[1]), record(APPLICATION_DATA, &[7; 900])]
                    .concat(),
            ),
            (Sent, [record(CHANGE_CIPHER_SPEC, &[1]), record(APPLICATION_DATA, &vec![9; finished])].concat()),
            (Sent, [record(APPLICATION_DATA, &[9; 53]), record(APPLICATION_DATA, &[9; 1_000])].concat()),
        ]);
        assert_eq!(facts.content_sent, 1_053);
    }
}

#[test]
fn the_alert_that_closes_is_no_content_but_as_much_before_the_end_is() {
    let finish = [record(CHANGE_CIPHER_SPEC, &[1]), record(APPLICATION_DATA, &[9; 53])].concat();
    let hello = records(HANDSHAKE, &browser("a.example"), 16_384);
    let little = record(APPLICATION_DATA, &[9; 19]);
    let content = |records: Vec<u8>| {
        facts_of(vec![(Sent, [hello.clone(), finish.clone(), records].concat())]).content_sent
    };
    assert_eq!(content(little.clone()), 0);
    assert_eq!(content([little.clone(), little.clone()].concat()), 19);
    assert_eq!(content(little[..20].to_vec()), 15, "cut");
}

#[test]
fn a_second_hello_after_a_retry_adds_no_name_twice() {
    let facts = facts_of(vec![
        (Sent, records(HANDSHAKE, &browser("a.example"), 16_384)),
        (Received, server_hello()),
        (
            Sent,
            [
                record(CHANGE_CIPHER_SPEC, &[1]),
                records(HANDSHAKE, &hello(&[0x1301], &named("a.example")), 100),
            ]
            .concat(),
        ),
        (Sent, [record(APPLICATION_DATA, &[9; 53]), record(APPLICATION_DATA, &[9; 53])].concat()),
    ]);
    assert_eq!(names(&facts).len(), 1);
    assert_eq!(facts.hello.unwrap().ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1", "of the first");
    assert_eq!(facts.content_sent, 53);
}

#[test]
fn early_data_is_content() {
    let extensions = [named("a.example"), vec![(0x002a, vec![]), (0x0029, vec![1; 60])]].concat();
    let facts = facts_of(vec![
        (Sent, records(HANDSHAKE, &hello(&[0x1301], &extensions), 16_384)),
        (Sent, [record(CHANGE_CIPHER_SPEC, &[1]), record(APPLICATION_DATA, &[9; 300])].concat()),
        (Received, server_hello()),
        (Sent, [record(APPLICATION_DATA, &[9; 21]), record(APPLICATION_DATA, &[9; 53])].concat()),
        (Sent, record(APPLICATION_DATA, &[9; 53])),
    ]);
    assert_eq!(facts.content_sent, 353);
}

#[test]
fn tls_is_recognised_from_the_server_alone_and_without_its_beginning() {
    let facts = facts_of(vec![(Received, server_hello())]);
    assert_eq!((facts.application, facts.coverage.total()), (Some(Application::Tls), 0));
    let facts = facts_of(vec![(Sent, record(APPLICATION_DATA, &[9; 53]))]);
    assert_eq!(
        (facts.application, facts.content_sent),
        (Some(Application::Tls), 53),
        "nothing tells a Finished"
    );
}

#[test]
fn what_is_no_record_is_unknown_and_the_next_record_is_found() {
    let mut random = Random(7);
    let noise: Vec<u8> = (0..5_000).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
    let content = record(APPLICATION_DATA, &[9; 700]);
    let sent =
        [records(HANDSHAKE, &browser("a.example"), 16_384), content.clone(), noise, content.clone(), content];
    let facts = facts_of_one(&[(Sent, &sent.concat())]);
    assert_eq!((facts.coverage.unknown, facts.coverage.encrypted), (5_000, 1_400));
    assert_eq!((facts.application, facts.content_sent), (Some(Application::Tls), 6_400));
}

#[test]
fn a_gap_inside_a_record_does_no_harm_and_after_another_records_are_found_again() {
    let content = record(APPLICATION_DATA, &[9; 1_000]);
    for (missing, bytes) in [(400, 400), (400, 0), (2_700, 2_700), (995, 995)] {
        let sent = [record(HANDSHAKE, &[0xc7; 40]), content.repeat(5)].concat();
        let (mut session, mut page) = (Tls::new(), Page::default());
        session.take(Sent, &sent[..60], &mut page);
        session.miss(Sent, bytes, &mut page);
        session.take(Sent, &sent[60 + missing..], &mut page);
        session.end(&mut page);
        assert_eq!(page.facts.coverage.total(), (sent.len() - missing) as u64);
        let lost = if bytes == 400 { 0 } else { 1_005 - (15 + missing) % 1_005 };
        let (coverage, lost) = (page.facts.coverage, lost as u64 % 1_005);
        assert_eq!((coverage.not_watched, coverage.unknown), (lost, 0), "{missing} missing, {bytes} said");
    }
}

#[test]
fn a_gap_in_a_hello_gives_a_name_only_if_all_of_it_came() {
    let hello = records(
        HANDSHAKE,
        &hello(CIPHERS, &[named("a.example"), vec![(0x0033, vec![7; 1_000])]].concat()),
        16_384,
    );
    let at = hello.windows(9).position(|part| part == b"a.example").unwrap();
    for (gap, found) in [(at + 4, 0), (at + 9, 1)] {
        let (mut session, mut page) = (Tls::new(), Page::default());
        session.take(Sent, &hello[..gap], &mut page);
        session.miss(Sent, 3, &mut page);
        session.take(Sent, &hello[gap + 3..], &mut page);
        session.take(Sent, &record(APPLICATION_DATA, &[9; 53]), &mut page);
        session.end(&mut page);
        assert_eq!((page.facts.names.len(), page.facts.hello), (found, None));
        assert_eq!((page.facts.coverage.encrypted, page.facts.coverage.unknown), (53, 0));
    }
}

#[test]
fn records_that_are_told_by_their_length_count_as_if_they_had_been_read() {
    let server = [server_hello(), record(CHANGE_CIPHER_SPEC, &[1]), record(APPLICATION_DATA, &[7; 900])];
    let upload: Vec<u8> = [1_000, 19, 30, 0, 16_401, 19, 700]
        .iter()
        .flat_map(|len| record(APPLICATION_DATA, &vec![9; *len]))
        .collect();
    let finished = [record(CHANGE_CIPHER_SPEC, &[1]), record(APPLICATION_DATA, &[9; 53])].concat();
    let closed = [record(APPLICATION_DATA, &[9; 400]), record(APPLICATION_DATA, &[9; 19])].concat();
    let turns = vec![
        (Sent, records(HANDSHAKE, &browser("a.example"), 512)),
        (Received, server.concat()),
        (Sent, [finished, upload].concat()),
        (Received, record(APPLICATION_DATA, &[7; 4_000])),
        (Sent, [record(ALERT, &[1, 90]), closed].concat()),
    ];
    let facts = facts_in_any_pieces(&turns, |turns| {
        let (facts, _) = facts_of_sealed(turns);
        assert_eq!(facts, facts_of_one(turns));
        facts
    });
    let whole: Vec<_> = turns.iter().map(|(direction, bytes)| (*direction, &bytes[..])).collect();
    assert_eq!(facts.content_sent, 1_000 + 19 + 30 + 16_401 + 19 + 700 + 400);
    assert_eq!(facts_of_sealed(&whole).1, 0, "one piece with an alert, or so");
    let more = record(APPLICATION_DATA, &[9; 800]);
    let begun = [whole[0], whole[1], (Sent, &whole[2].1[..6 + 58 + 1_005])];
    let bulk = [&begun[..], &[(Sent, &more[..]); 9]].concat();
    assert_eq!(facts_of_sealed(&bulk).1, 9 * 805, "nobody looked at these");
}

#[test]
fn lengths_find_the_records_again_behind_a_gap() {
    let (mut session, mut page, mut framing) = (Tls::within(Some(10)), Page::default(), Framing::default());
    let content = record(APPLICATION_DATA, &[9; 1_000]);
    let parts = [&content[..700], &[&content[700..], &content[..600]].concat(), &content[600..]];
    framing.take(parts[0]);
    session.miss(Sent, 0, &mut page);
    session.pass(framing.take(parts[1]).unwrap(), &mut page);
    session.take(Sent, parts[2], &mut page);
    session.take(Sent, &content, &mut page);
    let coverage = page.facts.coverage;
    assert_eq!((coverage.encrypted, coverage.handshake, coverage.unknown), (2_305, 10, 0));
}

#[test]
fn first_bytes_tell() {
    let hello = records(HANDSHAKE, &browser("a.example"), 16_384);
    for len in 0..hello.len() {
        let expected = if len < 10 { Likeness::Maybe } else { Likeness::Yes };
        assert_eq!(looks_like(&hello[..len], false), expected, "{len} bytes");
    }
    assert_eq!(looks_like(&server_hello(), false), Likeness::Yes);
    let encrypted = record(APPLICATION_DATA, &[1; 30]);
    assert_eq!(looks_like(&encrypted, true), Likeness::Yes);
    assert_eq!(looks_like(&encrypted, false), Likeness::No, "nothing begins with it");
    // SSL 2's hello, TLS of another kind (version 0xf103), a record that is too long, HTTP, a hello without an end.
    let others: [&[u8]; 5] = [
        b"\x80\x2e\x01\x03\x01",
        b"\x16\xf1\x03\x01\x00",
        b"\x17\x03\x03\x60\x00",
        b"GET /",
        b"\x16\x03\x01\x02\x00\x01\x90",
    ];
    for other in others {
        assert_eq!(looks_like(other, true), Likeness::No, "{other:?}");
    }
}

#[test]
fn a_session_holds_less_than_16_kib() {
    // The largest of everything that is kept.
    let mut extensions = vec![(0x000d, vector16(&[1; 2_000])), (0x0000, body(0x0000, &"a".repeat(255)))];
    extensions.push((0x0010, vector16(&[1, b'x'].repeat(511))));
    extensions.extend((0..1_000).map(|kind| (0x5000 + kind, vec![])));
    let hello = records(HANDSHAKE, &hello(&[0x1301; 1_024], &extensions), 16_384);
    let (mut session, mut page) = (Tls::new(), Page::default());
    session.take(Sent, &hello[..hello.len() - 1], &mut page);
    assert!(session.held() < 12 * 1_024, "{} bytes", session.held());
}

#[test]
fn a_piece_of_64_kib_of_whatever_takes_little_work() {
    let mut random = Random(3);
    let noise: Vec<u8> = (0..65_536).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
    for bytes in
        [noise, record(APPLICATION_DATA, &[]).repeat(13_000), vec![22; 65_536], [22, 3].repeat(32_768)]
    {
        let (mut session, mut page) = (Tls::new(), Page::default());
        assert_eq!(session.take(Sent, &bytes, &mut page), Step::On);
        session.end(&mut page);
        assert_eq!(page.facts.coverage.total(), bytes.len() as u64);
    }
}

mod datagrams {
    use super::*;

    #[test]
    fn a_hello_in_one_datagram() {
        let datagram = plain(HANDSHAKE, 0, &fragment(0, &dtls_body(), 0, 9_999));
        assert_eq!(looks_like_dtls(&datagram), Likeness::Yes);
        let facts = facts_of_datagrams(&[datagram]);
        assert_eq!(names(&facts), [("a.example", NameSource::Tls, false)]);
        assert_eq!(facts.application, Some(Application::Dtls));
        let hello = facts.hello.unwrap();
        assert_eq!((hello.version, &hello.ja4[..10]), (0xfefd, "dd2d150100"));
        assert_eq!(facts.coverage.handshake, facts.coverage.total());
    }

    #[test]
    fn fragments_come_in_any_order_more_than_once_and_overlapping() {
        let body = dtls_body();
        let parts = [(60, 30), (0, 25), (20, 45), (60, 30), (85, 999), (0, 25)];
        let datagrams: Vec<_> =
            parts.iter().map(|(at, len)| plain(HANDSHAKE, 0, &fragment(3, &body, *at, *len))).collect();
        let facts = facts_of_datagrams(&datagrams);
        assert_eq!(names(&facts).len(), 1);
        assert!(facts.hello.is_some());
    }

    #[test]
    fn payload_is_content_and_the_rest_is_not() {
        let hello = plain(HANDSHAKE, 0, &fragment(0, &dtls_body(), 0, 9_999));
        let finish = [
            plain(HANDSHAKE, 0, &[2; 70]),
            plain(CHANGE_CIPHER_SPEC, 0, &[1]),
            plain(HANDSHAKE, 1, &[7; 40]),
        ];
        let facts = facts_of_datagrams(&[
            hello,
            finish.concat(),
            plain(APPLICATION_DATA, 1, &[7; 99]),
            vec![0x80; 20],
        ]);
        assert_eq!((facts.coverage.encrypted, facts.coverage.unknown, facts.content_sent), (99, 20, 119));
    }

    #[test]
    fn encrypted_records_of_dtls_1_3_are_told_by_their_first_byte() {
        let finished = [&[0x2f, 1, 2, 0, 61][..], &[7; 61]].concat();
        let content = [&[0x2c, 1, 2, 0, 50][..], &[7; 50], &[0x20, 1], &[7; 30]].concat();
        let with_id = [&[0x30][..], &[7; 10]].concat();
        let facts = facts_of_datagrams(&[plain(HANDSHAKE, 0, &[1; 5]), finished, content, with_id]);
        assert_eq!(facts.coverage.encrypted, 50 + 30 + 10);
    }

    #[test]
    fn fragments_that_wait_take_little() {
        let (mut session, mut page) = (Dtls::new(), Page::default());
        for at in (1..60_000).step_by(100) {
            let datagram = plain(HANDSHAKE, 0, &fragment(0, &[9; 60_000], at, 500));
            session.take(Sent, &datagram, &mut page);
            assert!(session.held() < 6 * 1_024, "{} bytes", session.held());
        }
    }

    #[test]
    fn the_version_of_a_draft_is_read_too() {
        let mut datagram = plain(HANDSHAKE, 0, &fragment(0, &dtls_body(), 0, 9_999));
        datagram[1..3].copy_from_slice(&[1, 0]);
        datagram[13 + 12..13 + 14].copy_from_slice(&[1, 0]);
        assert_eq!(names(&facts_of_datagrams(&[datagram])).len(), 1);
    }

    #[test]
    fn no_damage_makes_it_panic_or_lose_a_byte() {
        let datagram =
            [plain(HANDSHAKE, 0, &fragment(0, &dtls_body(), 0, 9_999)), plain(22, 0, &[1; 40])].concat();
        for at in 0..datagram.len() {
            for value in [0, 1, 0x2c, 0x7f, 0xff] {
                let mut datagram = datagram.clone();
                datagram[at] = value;
                facts_of_datagrams(&[datagram[..at].to_vec(), datagram]);
            }
        }
    }

    fn facts_of_datagrams(datagrams: &[Vec<u8>]) -> Facts {
        let facts = crate::read_dtls(datagrams.iter().map(|datagram| (Sent, &datagram[..])));
        assert_eq!(facts.coverage.total(), datagrams.concat().len() as u64);
        facts
    }

    /// The body of a hello with a cookie.
    fn dtls_body() -> Vec<u8> {
        let ciphers: Vec<u8> = CIPHERS.iter().flat_map(|code| code.to_be_bytes()).collect();
        let name = [&[0, 0][..], &vector16(&body(0, "a.example"))].concat();
        let start = [&[0xfe, 0xfd][..], &[5; 32], &[0], &vector8(&[6; 20])].concat();
        [start, vector16(&ciphers), vec![1, 0], vector16(&name)].concat()
    }

    fn fragment(number: u16, body: &[u8], offset: usize, len: usize) -> Vec<u8> {
        let part = &body[offset..body.len().min(offset + len)];
        [&[1][..], &u24(body.len()), &number.to_be_bytes(), &u24(offset), &u24(part.len()), part].concat()
    }

    fn plain(kind: u8, epoch: u16, payload: &[u8]) -> Vec<u8> {
        [&[kind, 0xfe, 0xfd][..], &epoch.to_be_bytes(), &[0; 6], &vector16(payload)].concat()
    }
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// In pieces of all kinds.
fn facts_of(turns: Turns) -> Facts {
    facts_in_any_pieces(&turns, facts_of_one)
}

fn facts_of_one(turns: &Pieces<'_>) -> Facts {
    crate::read_tls(turns.iter().copied())
}

/// The same where records of content are told by their lengths as soon as that is enough, and how many bytes were.
fn facts_of_sealed(turns: &Pieces<'_>) -> (Facts, u64) {
    let (mut session, mut page, mut framing) = (Tls::new(), Page::default(), Framing::default());
    let (mut closed, mut passed) = (false, 0);
    for (direction, piece) in turns {
        let sealed = if *direction == Sent { framing.take(piece) } else { None };
        match sealed.filter(|_| closed) {
            Some(sealed) => {
                passed += sealed.len();
                session.pass(sealed, &mut page);
            }
            None if closed && *direction == Received => {}
            None => {
                session.take(*direction, piece, &mut page);
                closed = session.is_sealed() && !framing.is_lost();
            }
        }
    }
    session.end(&mut page);
    (page.facts, passed)
}

fn names(facts: &Facts) -> Vec<(&str, NameSource, bool)> {
    facts.names.iter().map(|name| (&name.name[..], name.from, name.outer)).collect()
}

/// The example's hello, with GREASE where browsers put it.
fn browser(name: &str) -> Vec<u8> {
    let extensions = EXTENSIONS.iter().map(|kind| (*kind, body(*kind, name)));
    let extensions: Vec<_> =
        [(GREASE, vec![])].into_iter().chain(extensions).chain([(0x1a1a, vec![0])]).collect();
    hello(&[&[GREASE], CIPHERS].concat(), &extensions)
}

fn named(name: &str) -> Vec<(u16, Vec<u8>)> {
    vec![(0x0000, body(0x0000, name))]
}

fn body(extension: u16, name: &str) -> Vec<u8> {
    let codes = |codes: &[u16]| codes.iter().flat_map(|code| code.to_be_bytes()).collect::<Vec<u8>>();
    match extension {
        0x0000 => vector16(&[&[0][..], &vector16(name.as_bytes())].concat()),
        0x0010 => vector16(&[vector8(&[0x0a, 0x0a]), vector8(b"h2"), vector8(b"http/1.1")].concat()),
        0x002b => vector8(&codes(&[GREASE, 0x0304, 0x0303])),
        0x000d => vector16(&codes(&[&[GREASE], SIGNATURES].concat())),
        _ => vec![7; 5],
    }
}

/// A ClientHello with the header of its message.
fn hello(ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let ciphers: Vec<u8> = ciphers.iter().flat_map(|code| code.to_be_bytes()).collect();
    let extensions: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, body)| [&kind.to_be_bytes()[..], &vector16(body)].concat())
        .collect();
    let start = [&[3, 3][..], &[5; 32], &vector8(&[6; 32])].concat();
    message(1, &[start, vector16(&ciphers), vec![1, 0], vector16(&extensions)].concat())
}

fn server_hello() -> Vec<u8> {
    record(HANDSHAKE, &message(2, &[3; 80]))
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &u24(body.len()), body].concat()
}

/// Records of at most so many bytes of payload.
fn records(kind: u8, bytes: &[u8], longest: usize) -> Vec<u8> {
    bytes.chunks(longest).flat_map(|payload| record(kind, payload)).collect()
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &vector16(payload)].concat()
}

fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()][..], bytes].concat()
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn u24(value: usize) -> [u8; 3] {
    let [_, bytes @ ..] = u32::try_from(value).unwrap().to_be_bytes();
    bytes
}
