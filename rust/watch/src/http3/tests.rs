use Direction::{Received, Sent};
use telltale_model::Facts;

use super::*;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, u8::try_from(payload.len()).unwrap()][..], payload].concat()
}

/// Fields of the static table alone: POST, https, /, and a literal authority.
const ASKS: &[u8] = b"\0\0\xd4\xd7\xc1\x50\x09a.example";
/// `content-type: application/json`.
const JSON: &[u8] = b"\xee";
const TWO_HUNDRED: &[u8] = b"\0\0\xd9";

type Pieces<'a> = [(Direction, u64, &'a [u8])];

fn read(pieces: &Pieces<'_>, longest: usize) -> Facts {
    let (mut http3, mut page) = (Http3::default(), Page::default());
    for (direction, stream, bytes) in pieces {
        for piece in bytes.chunks(longest) {
            http3.take(*direction, *stream, piece, &mut page);
        }
        assert!(http3.held() < 200_000);
    }
    http3.end(&mut page);
    let sent = pieces.iter().filter(|(direction, ..)| *direction == Sent);
    assert_eq!(page.facts.coverage.total(), sent.map(|(.., bytes)| bytes.len() as u64).sum::<u64>());
    page.facts
}

fn facts(pieces: &Pieces<'_>) -> Facts {
    let facts = read(pieces, usize::MAX);
    for longest in 1..8 {
        assert_eq!(read(pieces, longest), facts, "in pieces of {longest}");
    }
    facts
}

#[test]
fn requests_are_read_with_their_answers() {
    let sent = [frame(1, &[ASKS, JSON].concat()), frame(0, b"{}"), frame(0x21, b"grease")].concat();
    let received = [frame(1, b"\0\0\xff\0"), frame(1, TWO_HUNDRED), frame(0, b"fine")].concat();
    let facts = facts(&[(Sent, 2, b"\x00\x04\x00"), (Sent, 0, &sent), (Received, 0, &received)]);
    let request = &facts.requests[0];
    assert_eq!(
        (request.method.as_str(), request.host.as_str(), request.path.as_str()),
        ("POST", "a.example", "/")
    );
    assert_eq!((request.body, request.status), (2, Some(200)));
    assert_eq!(request.content_type.as_deref(), Some("application/json"));
    assert_eq!((facts.coverage.searched, facts.coverage.opaque), (17 + 2, 6));
    assert_eq!((facts.coverage.handshake, facts.application), (6 + 3, Some(Application::Http3)));
}

#[test]
fn a_section_waits_for_the_insertions_that_it_needs() {
    let encoder = b"\x02\x3f\x81\x01\xc0\x09a.example";
    let section = frame(1, b"\x02\0\xd4\xc1\x80");
    let settings = b"\x00\x04\x02\x01\x32";
    let late = [(Received, 3, &settings[..]), (Sent, 0, &section), (Sent, 6, encoder)];
    let early = [(Received, 3, &settings[..]), (Sent, 6, encoder), (Sent, 0, &section)];
    for pieces in [late, early] {
        let facts = facts(&pieces);
        assert_eq!(facts.requests[0].host, "a.example");
        assert_eq!((facts.coverage.searched, facts.coverage.opaque), (5 + 14, 0));
    }
    let facts = facts(&late[..2]);
    assert_eq!((facts.requests.len(), facts.coverage.opaque), (0, 5), "they never come");
}

#[test]
fn behind_a_gap_a_stream_is_opaque_and_others_go_on() {
    let (mut http3, mut page) = (Http3::default(), Page::default());
    let request = frame(1, ASKS);
    http3.take(Sent, 0, &request[..5], &mut page);
    http3.miss(Sent, 0, &mut page);
    http3.take(Sent, 0, &request[8..], &mut page);
    http3.take(Sent, 4, &request, &mut page);
    http3.end_stream(Sent, 4, &mut page);
    http3.end(&mut page);
    assert_eq!((page.facts.requests.len(), page.facts.coverage.opaque), (1, 3 + 10));
}

/// What is looked for, and the facts of these pieces with it.
fn looked(pieces: &Pieces<'_>) -> Facts {
    let name = telltale_model::DetailName { kind: telltale_model::DetailKind::Imei, number: 1, id: 7 };
    let list = vec![telltale_model::Detail { name, value: String::from("490154203237518").into() }];
    let desk = crate::page::Desk::new(
        &telltale_model::Details { set: 9, list, ..telltale_model::Details::default() },
        &Default::default(),
    );
    let (mut http3, mut page) = (Http3::default(), Page::default());
    page.look_for(desk.as_ref());
    pieces.iter().for_each(|(direction, stream, bytes)| http3.take(*direction, *stream, bytes, &mut page));
    http3.end(&mut page);
    let sent = pieces.iter().filter(|(direction, ..)| *direction == Sent);
    assert_eq!(page.facts.coverage.total(), sent.map(|(.., bytes)| bytes.len() as u64).sum::<u64>());
    page.facts
}

#[test]
fn what_the_encoder_inserts_is_searched_though_it_is_never_used() {
    let encoder = b"\x02\x3f\x81\x01\xc0\x0f490154203237518";
    let facts = looked(&[(Sent, 6, encoder)]);
    let hit = &facts.hits[0];
    assert_eq!((hit.field.as_str(), facts.coverage.found, facts.coverage.searched), ("header.host", 20, 0));
    let facts = looked(&[(Sent, 6, &encoder[..15])]);
    assert_eq!((facts.coverage.opaque, facts.coverage.searched), (11, 3), "not all of it came");
}

#[test]
fn a_field_that_was_cut_leaves_its_head_not_understood() {
    let section = |len: usize| {
        let long = u8::try_from((len - 127) & 0x7f).unwrap() | 0x80;
        let value = vec![b'.'; len];
        let head = [ASKS, b"\x21a\x7f", &[long, u8::try_from((len - 127) >> 7).unwrap()], &value].concat();
        let mut frame = vec![1, 0x40 | u8::try_from(head.len() >> 8).unwrap(), head.len().to_be_bytes()[7]];
        frame.extend(head);
        frame
    };
    for (len, searched) in [(1_900, true), (2_100, false)] {
        let section = section(len);
        let facts = looked(&[(Sent, 0, &section)]);
        let bytes = section.len() as u64 - 3;
        let expected = if searched { (bytes, 0) } else { (0, bytes) };
        assert_eq!((facts.coverage.searched, facts.coverage.opaque), expected, "{len}");
        assert_eq!(facts.requests.len(), 1);
    }
}

#[test]
fn a_request_that_was_forgotten_is_not_begun_anew() {
    let request = frame(1, ASKS);
    let streams: Vec<u64> = (0..200).map(|number| 4 * number).collect();
    let mut pieces: Vec<(Direction, u64, &[u8])> =
        streams.iter().map(|stream| (Sent, *stream, request.as_slice())).collect();
    pieces.push((Sent, 0, &request));
    let facts = read(&pieces, usize::MAX);
    assert_eq!((facts.requests.len(), facts.coverage.opaque), (64, request.len() as u64));
}

#[test]
fn many_streams_and_endless_sections_stay_within_bounds() {
    let endless = [&[1, 0xbf, 0xff, 0xff, 0xff][..], &[0x50; 40_000]].concat();
    let mut pieces: Vec<(Direction, u64, &[u8])> = Vec::new();
    for stream in 0..1_000 {
        pieces.push((Sent, 4 * stream, &endless[..50]));
    }
    pieces.push((Sent, 4_000, &endless));
    assert_eq!(read(&pieces, usize::MAX).coverage.opaque, 45 * 1_000 + 40_000);
}
