//! What the fuzz targets of whole conversations do with a string of bytes: a flow with ports that the input
//! chooses, and pieces in both directions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use telltale_model::{Detail, DetailKind, DetailName, Details, Direction, Facts, FlowKey, Protocol};
use telltale_watch::Conversation;

/// DNS and its relatives, over UDP and TCP.
pub fn dns(data: &[u8]) {
    conversation(data, &[53, 53, 5_353, 5_355, 137, 853]);
}

/// Anything: what is spoken has to be found out.
pub fn opening(data: &[u8]) {
    conversation(data, &[7_000, 80, 443, 25, 21, 53, 123, 500, 1_194, 1_900, 3_478, 4_500, 5_228, 51_820]);
}

#[derive(Clone, Copy)]
enum Event<'a> {
    Bytes(Direction, &'a [u8]),
    Missed(Direction, u64),
}

fn conversation(data: &[u8], ports: &[u16]) {
    let Some((first, rest)) = data.split_first() else { return };
    let protocol = if first & 1 == 0 { Protocol::Udp } else { Protocol::Tcp };
    let port = ports.get(usize::from(first >> 1) % ports.len()).copied().unwrap_or(0);
    let address = |last, port| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), port);
    let key = FlowKey { protocol, app: address(1, 40_000), remote: address(2, port) };
    let events = events(rest);
    let facts = read(key, &events);
    check(&facts, &events);
    if protocol == Protocol::Tcp {
        for size in [1, 2 + data.len() % 11] {
            let pieces: Vec<Event<'_>> = events.iter().flat_map(|event| pieces(*event, size)).collect();
            assert_eq!(read(key, &pieces), facts, "in pieces of {size}");
        }
    }
}

/// Two bytes before each piece say the way, whether it is a gap, and how long it is.
fn events(mut rest: &[u8]) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    while let [high, low, bytes @ ..] = rest {
        let direction = if high & 0x80 == 0 { Direction::Sent } else { Direction::Received };
        let len = usize::from(u16::from_be_bytes([high & 0x0f, *low]));
        if high & 0x70 == 0x70 {
            events.push(Event::Missed(direction, len as u64));
            rest = bytes;
        } else {
            let (piece, after) = bytes.split_at(len.min(bytes.len()));
            events.push(Event::Bytes(direction, piece));
            rest = after;
        }
    }
    events
}

fn pieces(event: Event<'_>, size: usize) -> Vec<Event<'_>> {
    match event {
        Event::Bytes(direction, bytes) => {
            bytes.chunks(size).map(|piece| Event::Bytes(direction, piece)).collect()
        }
        Event::Missed(..) => vec![event],
    }
}

fn read(key: FlowKey, events: &[Event<'_>]) -> Facts {
    let facts = follow(Conversation::new(key), events);
    let searched = follow(Conversation::looking_for(key, &details()), events);
    check(&searched, events);
    assert_eq!(facts.content_sent, searched.content_sent, "what is looked for changes nothing that is sent");
    facts
}

fn details() -> Details {
    let name = DetailName { kind: DetailKind::Imei, number: 1, id: 7 };
    Details {
        set: 9,
        list: vec![Detail { name, value: String::from("490154203237518").into() }],
        ..Details::default()
    }
}

fn follow(mut conversation: Conversation, events: &[Event<'_>]) -> Facts {
    for event in events {
        match *event {
            Event::Bytes(direction, bytes) => conversation.take(direction, bytes),
            Event::Missed(direction, bytes) => conversation.miss(direction, bytes),
        }
    }
    conversation.end();
    conversation.into_facts()
}

/// Every byte that was sent is counted once, and no name can hurt a terminal.
fn check(facts: &Facts, events: &[Event<'_>]) {
    let sent = events.iter().map(|event| match event {
        Event::Bytes(Direction::Sent, bytes) => bytes.len() as u64,
        Event::Missed(Direction::Sent, bytes) => *bytes,
        Event::Bytes(..) | Event::Missed(..) => 0,
    });
    assert_eq!(facts.coverage.total(), sent.sum(), "every byte once: {facts:?}");
    assert!(facts.content_sent <= facts.coverage.total());
    let names = facts.names.iter().map(|name| &name.name);
    let texts =
        names.chain(facts.lookups.iter().flat_map(|lookup| lookup.others.iter().chain([&lookup.query])));
    for text in texts {
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{text:?}");
    }
}
