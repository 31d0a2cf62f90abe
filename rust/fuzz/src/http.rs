//! What the fuzz targets of HTTP do with a string of bytes: two directions of a connection, in turns.

use telltale_model::{Direction, Facts};
use telltale_watch::{HttpEvent, read_http, read_http2};

/// HTTP/1.x, and what follows its upgrades.
pub fn http1(data: &[u8]) {
    check(data, read_http);
}

/// HTTP/2 in clear. A client that does not begin with the preface is given one.
pub fn http2(data: &[u8]) {
    check(data, |events| {
        let preface = HttpEvent::Bytes(Direction::Sent, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let events: Vec<_> = [preface].into_iter().chain(events.iter().copied()).collect();
        let mut facts = read_http2(&events);
        facts.coverage.handshake -= 24;
        facts
    });
}

/// The same bytes in any pieces say the same, and every byte that was sent is counted once.
fn check(data: &[u8], read: impl Fn(&[HttpEvent<'_>]) -> Facts) {
    let whole = turns(data);
    let facts = read(&whole);
    let sent: usize = whole
        .iter()
        .map(|event| match event {
            HttpEvent::Bytes(Direction::Sent, bytes) => bytes.len(),
            HttpEvent::Bytes(..) | HttpEvent::Missed(..) => 0,
        })
        .sum();
    assert_eq!(facts.coverage.total(), sent as u64, "every byte once");
    assert!(facts.content_sent <= facts.coverage.total());
    assert!(facts.names.iter().all(|name| name.name.bytes().all(|byte| byte.is_ascii_graphic())));
    for size in [1, 1 + data.len() % 13] {
        let split: Vec<_> = whole.iter().flat_map(|event| pieces(*event, size)).collect();
        assert_eq!(read(&split), facts, "in pieces of {size}");
    }
}

/// Four bytes that no text has are told apart: 0xf8 and 0xf9 say which way the next ones go, 0xfa and 0xfb
/// are a gap whose length the next byte says.
fn turns(data: &[u8]) -> Vec<HttpEvent<'_>> {
    let mut events = Vec::new();
    let mut direction = Direction::Sent;
    let mut rest = data;
    while let Some((first, after)) = rest.split_first() {
        let missed = |direction| HttpEvent::Missed(direction, after.first().copied().map_or(0, u64::from));
        match first {
            0xf8 => (direction, rest) = (Direction::Sent, after),
            0xf9 => (direction, rest) = (Direction::Received, after),
            0xfa => {
                events.push(missed(Direction::Sent));
                rest = after.get(1..).unwrap_or_default();
            }
            0xfb => {
                events.push(missed(Direction::Received));
                rest = after.get(1..).unwrap_or_default();
            }
            _ => {
                let end = rest.iter().position(|byte| (0xf8..=0xfb).contains(byte)).unwrap_or(rest.len());
                let (bytes, others) = rest.split_at(end);
                events.push(HttpEvent::Bytes(direction, bytes));
                rest = others;
            }
        }
    }
    events
}

fn pieces(event: HttpEvent<'_>, size: usize) -> Vec<HttpEvent<'_>> {
    match event {
        HttpEvent::Bytes(direction, bytes) => {
            bytes.chunks(size).map(|piece| HttpEvent::Bytes(direction, piece)).collect()
        }
        missed @ HttpEvent::Missed(..) => vec![missed],
    }
}
