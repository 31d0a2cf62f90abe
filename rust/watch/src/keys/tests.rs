use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use telltale_model::Direction::{Received, Sent};
use telltale_model::{Application, Detail, DetailKind, DetailName, Details, Facts, FlowKey, Protocol};

use super::inside::Inside;
use super::*;
use crate::page::{Desk, Page};
use crate::pieces::{Turns, facts_in_any_pieces};

/// RFC 8448 3: the client's hello, the server's, the client's Finished, and what it says.
const CLIENT_HELLO: &str = "16030100c4 010000c00303 cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7
    00000613011303130201000091 0000000b0009000006736572766572 ff01000100 000a00140012001d00170018001901000101010201030104
    00230000 003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c 002b0003020304
    000d0020001e040305030603020308040805080604010501060102010402050206020202 002d00020101 001c00024001";
const SERVER_HELLO: &str = "160303005a 020000560303 a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928
    00130100002e 00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f 002b00020304";
const FINISHED: &str =
    "1703030035 75ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1c
    aeacab6867d726c40546";
const SAID: &str =
    "1703030043 a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b6297
    4e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
const RANDOM: &str = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7";
const HANDSHAKE: &str = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
const APPLICATION: &str = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn trace() -> Turns {
    vec![
        (Sent, hex(CLIENT_HELLO)),
        (Received, hex(SERVER_HELLO)),
        (Sent, [hex(FINISHED), hex(SAID)].concat()),
    ]
}

fn lines(secrets: &[(&str, &str)]) -> String {
    secrets.iter().map(|(label, secret)| format!("{label} {RANDOM} {secret}\n")).collect()
}

fn both() -> String {
    lines(&[("CLIENT_HANDSHAKE_TRAFFIC_SECRET", HANDSHAKE), ("CLIENT_TRAFFIC_SECRET_0", APPLICATION)])
}

fn keys(log: &str) -> Keys {
    let keys = Keys::new();
    keys.with_log(|keys| keys.take(log.as_bytes()));
    keys
}

fn read(turns: &Turns, keys: &Keys) -> Facts {
    facts_in_any_pieces(turns, |pieces| read_tls_with_keys(pieces.iter().copied(), keys))
}

#[test]
fn the_trace_of_the_standard_opens() {
    let facts = read(&trace(), &keys(&both()));
    assert_eq!((facts.content_sent, facts.read_with_keys), (50, 50));
    assert_eq!((facts.coverage.encrypted, facts.application), (0, Some(Application::Tls)));
    assert_eq!(facts.names[0].name, "server");
}

#[test]
fn a_handshake_without_its_key_is_passed_over() {
    let facts = read(&trace(), &keys(&lines(&[("CLIENT_TRAFFIC_SECRET_0", APPLICATION)])));
    assert_eq!((facts.content_sent, facts.read_with_keys), (50, 50));
}

#[test]
fn wrong_keys_and_none_change_nothing() {
    let plain = facts_in_any_pieces(&trace(), |pieces| crate::read_tls(pieces.iter().copied()));
    assert_eq!((plain.coverage.encrypted, plain.read_with_keys), (67, 0));
    let swapped =
        lines(&[("CLIENT_HANDSHAKE_TRAFFIC_SECRET", APPLICATION), ("CLIENT_TRAFFIC_SECRET_0", HANDSHAKE)]);
    let other = both().replace(RANDOM, &"ab".repeat(32));
    for log in [swapped, other, String::new()] {
        let facts = read(&trace(), &keys(&log));
        assert_eq!(facts, plain, "{log}");
    }
}

#[test]
fn after_a_gap_what_is_encrypted_stays_so() {
    let mut talk = Inside::new(key(), &keys(&both()), DEPTH + 1);
    let mut page = Page::default();
    for (direction, bytes) in &trace()[..2] {
        talk.take(*direction, bytes, &mut page);
    }
    talk.take(Sent, &hex(FINISHED), &mut page);
    talk.miss(Sent, &mut page);
    talk.take(Sent, &hex(SAID), &mut page);
    talk.end(&mut page);
    assert_eq!(page.facts.coverage.encrypted, 67);
}

#[test]
fn records_wait_for_keys_that_are_still_written() {
    let written = Arc::new(AtomicBool::new(false));
    let now = written.clone();
    let more = move || if now.swap(false, Ordering::Relaxed) { both().into_bytes() } else { Vec::new() };
    let (mut tls, mut page) = (Tls::new(key(), &Keys::following(more), DEPTH), Page::default());
    for (direction, bytes) in trace() {
        tls.take(direction, &bytes, &mut page);
    }
    assert_eq!((page.facts.content_sent, page.facts.coverage.total()), (0, 201));
    written.store(true, Ordering::Relaxed);
    tls.end(&mut page);
    assert_eq!((page.facts.content_sent, page.facts.read_with_keys), (50, 50));
}

#[test]
fn little_waits() {
    let (mut tls, mut page) = (Tls::new(key(), &Keys::following(Vec::new), DEPTH), Page::default());
    for (direction, bytes) in &trace()[..2] {
        tls.take(*direction, bytes, &mut page);
    }
    let mut most = 0;
    for _ in 0..20_000 {
        tls.take(Sent, &record(APPLICATION_DATA, &[9; 20]), &mut page);
        most = most.max(tls.held());
    }
    assert!((60_000..80_000).contains(&most), "{most}");
    tls.end(&mut page);
    assert_eq!(page.facts.coverage.total(), 201 + 20_000 * 25);
    assert_eq!(page.facts.coverage.encrypted, 19_999 * 20, "the first is of the handshake");
}

const APPLICATION_DATA: u8 = 23;

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &u16::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

fn key() -> FlowKey {
    let (app, remote) = ("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:443".parse().unwrap());
    FlowKey { protocol: Protocol::Tcp, app, remote }
}

#[test]
fn frames_of_streams_in_any_order_give_the_same() {
    // HEADERS with :method POST, :path /, then DATA.
    let stream = b"\x01\x04\0\0\xd4\xc1\x00\x02ok";
    let frame = |from: usize, to: usize| {
        let (offset, len) = (u8::try_from(from).unwrap(), u8::try_from(to - from).unwrap());
        let last = u8::from(to == stream.len());
        [&[0x0e | last, 0, offset, len][..], &stream[from..to]].concat()
    };
    let whole = read_quic_frames([(Sent, frame(0, 10).as_slice())]);
    assert_eq!((whole.requests[0].method.as_str(), whole.requests[0].body), ("POST", 2));
    assert_eq!((whole.inside, whole.read_with_keys), (Some(Application::Http3), 6));
    for cut in 1..10 {
        let pieces = [frame(cut, 10), frame(0, cut)];
        let facts = read_quic_frames(pieces.iter().map(|piece| (Sent, piece.as_slice())));
        assert_eq!((&facts.requests, facts.read_with_keys), (&whole.requests, 6), "{cut}");
    }
    let twice = [frame(0, 10), frame(0, 10)].concat();
    let facts = read_quic_frames([(Sent, twice.as_slice())]);
    assert_eq!((facts.content_sent, facts.coverage.total()), (6, 28));
}

/// Something to look for, which is nowhere.
fn desk() -> Arc<Desk> {
    let name = DetailName { kind: DetailKind::Imei, number: 1, id: 7 };
    let details = Details {
        set: 9,
        list: vec![Detail { name, value: String::from("490154203237518").into() }],
        ..Details::default()
    };
    Desk::new(&details, &Arc::default()).unwrap()
}

#[test]
fn what_was_read_with_keys_is_searched_and_stays_told_apart() {
    let (desk, mut page) = (desk(), Page::default());
    page.look_for(Some(&desk));
    let mut tls = Tls::new(key(), &keys(&both()), DEPTH);
    for (direction, bytes) in trace() {
        tls.take(direction, &bytes, &mut page);
    }
    tls.end(&mut page);
    assert_eq!(desk.seen.lock().unwrap().len(), 1);
    assert_eq!((page.facts.read_with_keys, page.facts.coverage.encrypted), (50, 0));
    assert_eq!(page.facts.coverage.total(), 201 + 58 + 72);
}

#[test]
fn requests_of_http_3_are_searched() {
    let (desk, mut page) = (desk(), Page::default());
    page.look_for(Some(&desk));
    page.facts.hello = Some(telltale_model::Hello { alpn: vec!["h3".into()], ..Default::default() });
    let mut quic = Quic::new(&Keys::new());
    // HEADERS with :method POST, :path / and a field, then DATA.
    let stream = b"\x01\x08\0\0\xd4\xc1\x21a\x01b\x00\x02ok";
    quic.take_frames(Sent, &[&b"\x0a\0\x05"[..], &stream[..5]].concat(), &mut page);
    quic.take_frames(Sent, &[&b"\x0d\0\x05"[..], &stream[5..]].concat(), &mut page);
    quic.end(&mut page);
    let seen = desk.seen.lock().unwrap().join(", ");
    assert!(seen.contains("head /") && seen.contains("body - - ok"), "{seen}");
    assert_eq!((page.facts.read_with_keys, page.facts.content_sent), (10, 10));
}
