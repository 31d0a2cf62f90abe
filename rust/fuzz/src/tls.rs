//! What the fuzz targets of TLS, DTLS and mail do with a string of bytes. A test of the watcher replays the
//! committed corpora through the same functions.

use telltale_model::{Direction, Facts, FlowKey, Protocol};
use telltale_watch::{Conversation, Framing, read_dtls, read_mail, read_tls};

/// Both sides of a TLS connection. Where the lengths of its records are enough, these tell the same.
pub fn tls(data: &[u8]) {
    let pieces = pieces(data);
    check_stream(&pieces, |pieces| read_tls(pieces.iter().copied()));
    assert_eq!(conversation(&pieces, true), conversation(&pieces, false), "by lengths");
}

fn conversation(pieces: &[(Direction, &[u8])], by_lengths: bool) -> Facts {
    let (app, remote) = (([198, 19, 84, 1], 4_000).into(), ([192, 0, 2, 7], 443).into());
    let mut conversation = Conversation::new(FlowKey { protocol: Protocol::Tcp, app, remote });
    let (mut framing, mut is_sealed) = (Framing::default(), false);
    for (direction, piece) in pieces {
        let sealed = if *direction == Direction::Sent { framing.take(piece) } else { None };
        match sealed.filter(|_| is_sealed) {
            Some(sealed) => conversation.pass(sealed),
            None if is_sealed && *direction == Direction::Received => {}
            None => {
                conversation.take(*direction, piece);
                is_sealed = by_lengths && conversation.is_sealed() && !framing.is_lost();
            }
        }
    }
    conversation.end();
    conversation.into_facts()
}

/// Datagrams of DTLS.
pub fn dtls(data: &[u8]) {
    let datagrams = pieces(data);
    check(&datagrams, &read_dtls(datagrams.iter().copied()));
}

/// Both sides of a connection of lines that may go over to TLS.
pub fn mail(data: &[u8]) {
    check_stream(&pieces(data), |pieces| read_mail(pieces.iter().copied()));
}

/// Pieces, each with two bytes before it: which way it goes, and its length.
fn pieces(mut data: &[u8]) -> Vec<(Direction, &[u8])> {
    let mut pieces = Vec::new();
    while let [high, low, rest @ ..] = data {
        let direction = if high & 0x80 == 0 { Direction::Sent } else { Direction::Received };
        let len = usize::from(u16::from_be_bytes([high & 0x3f, *low])).min(rest.len());
        let (piece, after) = rest.split_at(len);
        pieces.push((direction, piece));
        data = after;
    }
    pieces
}

/// The facts are the same however each piece is cut.
fn check_stream<'a>(pieces: &[(Direction, &'a [u8])], read: impl Fn(&[(Direction, &'a [u8])]) -> Facts) {
    let facts = read(pieces);
    check(pieces, &facts);
    for len in [1, 3] {
        let parts =
            |&(direction, bytes): &(_, &'a [u8])| bytes.chunks(len).map(move |part| (direction, part));
        let cut: Vec<_> = pieces.iter().flat_map(parts).collect();
        assert_eq!(facts, read(&cut), "in pieces of {len}");
    }
}

/// Every sent byte is counted once, and names are safe to show.
fn check(pieces: &[(Direction, &[u8])], facts: &Facts) {
    let sent = pieces.iter().filter(|(direction, _)| *direction == Direction::Sent);
    assert_eq!(facts.coverage.total(), sent.map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
    assert!(facts.names.len() <= Facts::KEPT);
    for name in &facts.names {
        assert!(name.name.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !byte.is_ascii_uppercase()));
    }
}
