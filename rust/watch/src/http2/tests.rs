use Direction::{Received, Sent};
use telltale_model::Facts;

use super::*;
use crate::http::tests::{Turns, damage, facts_of, names, requests};
use crate::{HttpEvent, read_http, read_http2};

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that are not indexed.
fn fields(lines: &[(&str, &str)]) -> Vec<u8> {
    let literal = |(name, value): &(&str, &str)| {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    lines.iter().flat_map(literal).collect()
}

fn asks(path: &str) -> Vec<u8> {
    fields(&[(":method", "POST"), (":scheme", "http"), (":authority", "A.example:80"), (":path", path)])
}

fn status(status: &str) -> Vec<u8> {
    fields(&[(":status", status)])
}

const END: u8 = END_HEADERS | END_STREAM;
const WINDOW_UPDATE: u8 = 0x8;
const PRIORITY_FLAG: u8 = 0x20;
const PADDED_FLAG: u8 = 0x8;

fn http2(turns: &Turns<'_>) -> Facts {
    facts_of(turns, read_http2)
}

#[test]
fn streams_are_told_apart() {
    let json =
        [asks("/1"), fields(&[("content-type", "application/json"), ("cookie", "a=1"), ("cookie", "b=2")])];
    let sent = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[0; 6]),
        frame(HEADERS, END_HEADERS, 1, &json.concat()),
        frame(HEADERS, END, 3, &asks("/3")),
        frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
        frame(DATA, 0, 1, b"{\"a\":"),
        frame(DATA, END_STREAM, 1, b"1}"),
    ]
    .concat();
    let received = [
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END, 3, &status("404")),
        frame(HEADERS, END_HEADERS, 1, &status("100")),
        frame(HEADERS, END_HEADERS, 1, &status("200")),
        frame(DATA, 0, 1, b"x"),
        frame(HEADERS, END, 1, &fields(&[("trailer", "x")])),
    ]
    .concat();
    let facts = http2(&[(Sent, &sent), (Received, &received)]);
    assert_eq!(names(&facts), ["a.example"]);
    assert_eq!(requests(&facts), [("POST", "/1", 7, Some(200)), ("POST", "/3", 0, Some(404))]);
    assert_eq!(facts.requests[0].cookies, ["a", "b"]);
    let content = json.concat().len() + asks("/3").len() + 7;
    assert_eq!((facts.coverage.searched, facts.content_sent), (content as u64, content as u64));
    assert_eq!(facts.coverage.handshake, (sent.len() - content) as u64);
}

#[test]
fn blocks_may_be_padded_ordered_and_continued() {
    let block = [asks("/1"), fields(&[("host", "b.example")])].concat();
    let (first, second) = block.split_at(20);
    let begun = [&[4, 0, 0, 0, 0, 9][..], first, &[0; 4]].concat();
    let sent = [
        PREFACE.to_vec(),
        frame(HEADERS, END_STREAM | PRIORITY_FLAG | PADDED_FLAG, 1, &begun),
        frame(CONTINUATION, 0, 1, &second[..5]),
        frame(CONTINUATION, END_HEADERS, 1, &second[5..]),
        frame(HEADERS, END_HEADERS, 3, &[asks("/3"), fields(&[("content-type", "text/plain")])].concat()),
        frame(DATA, PADDED_FLAG, 3, b"\x02hello\0\0"),
        frame(DATA, PADDED_FLAG, 3, b"\xffshort"),
        frame(DATA, PADDED_FLAG, 3, b""),
        frame(HEADERS, END, 3, &fields(&[("digest", "x")])),
    ]
    .concat();
    let facts = http2(&[(Sent, &sent), (Received, &frame(HEADERS, END, 1, &status("204")))]);
    assert_eq!(names(&facts), ["a.example", "b.example"]);
    assert_eq!(requests(&facts), [("POST", "/1", 0, Some(204)), ("POST", "/3", 5, None)]);
    assert_eq!(facts.coverage.opaque, 0);
}

#[test]
fn a_block_that_cannot_be_decoded_says_nothing() {
    let sent = [
        PREFACE.to_vec(),
        frame(HEADERS, END, 1, &[&asks("/1")[..], b"\x80"].concat()),
        frame(HEADERS, END, 3, &asks("/3")),
    ]
    .concat();
    let facts = http2(&[(Sent, &sent)]);
    assert_eq!((names(&facts).len(), facts.requests.len()), (0, 0));
    assert_eq!(facts.coverage.opaque, 1 + asks("/3").len() as u64);
    // Another frame inside a block: RFC 9113 4.3.
    let sent = [
        PREFACE.to_vec(),
        frame(HEADERS, 0, 1, &asks("/1")),
        frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
        frame(CONTINUATION, END_HEADERS, 1, b""),
    ];
    assert!(http2(&[(Sent, &sent.concat())]).names.is_empty());
}

#[test]
fn what_has_no_meaning_here_is_opaque() {
    let connect =
        fields(&[(":method", "CONNECT"), (":authority", "b.example:443"), ("content-type", "text/plain")]);
    let sent = [
        PREFACE.to_vec(),
        frame(HEADERS, END_HEADERS, 1, &connect),
        frame(DATA, 0, 1, b"tunnel"),
        frame(RST_STREAM, 0, 1, &[0; 4]),
        frame(DATA, 0, 1, b"late"),
        frame(0x42, 0, 1, b"new"),
    ]
    .concat();
    let facts = http2(&[(Sent, &sent)]);
    assert_eq!(names(&facts), ["b.example"]);
    assert_eq!((facts.coverage.opaque, facts.requests[0].body), (6 + 4 + 3, 6));
}

#[test]
fn what_a_server_promises_was_not_asked_for() {
    let promise =
        [&[0, 0, 0, 2][..], &fields(&[(":authority", "pushed.example"), (":status", "500")])].concat();
    let received =
        [frame(PUSH_PROMISE, END_HEADERS, 1, &promise), frame(HEADERS, END, 1, &status("200"))].concat();
    let sent = [PREFACE.to_vec(), frame(HEADERS, END, 1, &asks("/1"))].concat();
    let facts = http2(&[(Sent, &sent), (Received, &received)]);
    assert_eq!((names(&facts), facts.requests[0].status), (vec!["a.example"], Some(200)));
}

#[test]
fn the_request_of_an_upgrade_is_stream_1() {
    let upgrade = b"GET /0 HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let sent = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[]), frame(HEADERS, END, 3, &asks("/3"))].concat();
    let received = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END, 1, &status("200")),
    ]
    .concat();
    let answer = frame(HEADERS, END, 3, &status("404"));
    let facts =
        facts_of(&[(Sent, upgrade), (Received, &received), (Sent, &sent), (Received, &answer)], read_http);
    assert_eq!(requests(&facts), [("GET", "/0", 0, Some(200)), ("POST", "/3", 0, Some(404))]);
    let facts = facts_of(&[(Sent, upgrade), (Sent, &sent)], read_http);
    assert_eq!(requests(&facts), [("GET", "/0", 0, None), ("POST", "/3", 0, None)], "answers are not seen");
    let twice = [&upgrade[..], upgrade, PREFACE].concat();
    assert_eq!(facts_of(&[(Sent, &twice)], read_http).coverage.handshake, 24);
}

#[test]
fn the_client_may_be_on_the_other_side() {
    let asked = [PREFACE.to_vec(), frame(HEADERS, END, 1, &asks("/1"))].concat();
    let answered = [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, END, 1, &status("200"))].concat();
    let facts = http2(&[(Received, &asked), (Sent, &answered)]);
    assert_eq!((names(&facts), facts.requests[0].status), (vec!["a.example"], Some(200)));
}

#[test]
fn a_gap_inside_content_hides_nothing_and_another_hides_the_rest() {
    let head = [PREFACE.to_vec(), frame(HEADERS, END_HEADERS, 1, &asks("/1"))].concat();
    let data = frame(DATA, END_STREAM, 1, &[b'x'; 100]);
    let next = frame(HEADERS, END, 3, &asks("/3"));
    let after = |kept: usize, missing| {
        read_http2(&[
            HttpEvent::Bytes(Sent, &head),
            HttpEvent::Bytes(Sent, &data[..kept]),
            HttpEvent::Missed(Sent, missing),
            HttpEvent::Bytes(Sent, &next),
        ])
    };
    assert_eq!(requests(&after(49, 60)), [("POST", "/1", 40, None), ("POST", "/3", 0, None)]);
    for (kept, missing) in [(49, 61), (49, 0), (5, 10)] {
        let facts = after(kept, missing);
        assert_eq!(facts.requests.len(), 1);
        assert!(facts.coverage.opaque >= next.len() as u64);
    }
}

#[test]
fn a_connection_holds_at_most_16_kib() {
    let (mut connection, mut page) = (Http2::new(false), Page::default());
    let mut most = 0;
    let mut take = |connection: &mut Http2, direction, bytes: &[u8]| {
        for piece in bytes.chunks(50) {
            connection.take(direction, piece, &mut page);
            most = most.max(size_of::<Http2>() + connection.held());
        }
    };
    take(&mut connection, Sent, PREFACE);
    for number in 0..300_u32 {
        let indexed = [&b"\x40\x0a"[..], format!("{number:010}").as_bytes(), b"\x0a", b"0123456789"].concat();
        let cookie = fields(&[("cookie", &format!("{number:0100}"))]).repeat(20);
        let odd = [&b"\x00\x05:path\x7f\x80\x20"[..], &[0xff; 4_096 + 127]].concat();
        let hosts = fields(&[("host", &"\u{ff}".repeat(120))]).repeat(5);
        let agent = fields(&[("user-agent", &"\u{ff}".repeat(125)), ("content-type", &"\u{ff}".repeat(125))]);
        let block = [indexed.clone(), odd, cookie, hosts, agent].concat();
        take(&mut connection, Sent, &frame(HEADERS, END_HEADERS, 2 * number + 1, &block));
        let answer = frame(HEADERS, 0, 2 * number + 1, &indexed.repeat(20));
        take(&mut connection, Received, &answer);
        take(&mut connection, Received, &frame(CONTINUATION, END_HEADERS, 2 * number + 1, b""));
    }
    assert!((8_000..=16_384).contains(&most), "{most}");
}

#[test]
fn both_openings_are_known() {
    assert_eq!(looks_like(PREFACE), Likeness::Yes);
    assert_eq!(looks_like(&PREFACE[..20]), Likeness::Maybe);
    assert_eq!(looks_like(b"POST / HTTP/1.1"), Likeness::No);
    assert_eq!(looks_like_reply(&frame(SETTINGS, 0, 0, &[0; 18])), Likeness::Yes);
    assert_eq!(looks_like_reply(&[0, 0, 18, SETTINGS]), Likeness::Maybe);
    assert_eq!(looks_like_reply(&frame(HEADERS, 0, 0, &[0; 18])), Likeness::No);
    assert_eq!(looks_like_reply(&frame(SETTINGS, 0, 0, &[0; 17])), Likeness::No);
}

#[test]
fn no_prefix_and_no_damage_makes_it_panic_or_lose_a_byte() {
    let indexed = b"\x83\x86\x44\x81\x60\x41\x09a.example\x40\x01x\x82\xff\xc7\xbe\xbf";
    let sent = [
        PREFACE.to_vec(),
        frame(HEADERS, PRIORITY_FLAG | PADDED_FLAG, 1, &[&[1, 0, 0, 0, 0, 9][..], indexed, &[0]].concat()),
        frame(CONTINUATION, END_HEADERS, 1, b"\x3f\xe1\x1f"),
        frame(DATA, END_STREAM | PADDED_FLAG, 1, b"\x01x\0"),
    ]
    .concat();
    let received = [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, END, 1, b"\x88")].concat();
    damage(&[(Sent, &sent), (Received, &received)], read_http2);
}
