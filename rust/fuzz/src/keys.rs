//! What the fuzz targets of what was read with keys do with a string of bytes. A test of the watcher replays the
//! committed corpora through the same functions.

use telltale_model::{Direction, Facts};
use telltale_watch::{KeyLog, Keys, read_quic_frames, read_tls_with_keys};

/// The frames of a QUIC connection's packets, each with two bytes before it: which way it goes, and its length.
pub fn quic_frames(data: &[u8]) {
    let packets = pieces(data);
    check(&packets, &read_quic_frames(packets.iter().copied()));
}

/// A key log, up to the first byte of zero, and behind it both sides of a TLS connection.
pub fn tls_keys(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (log, rest) = data.split_at(end);
    let keys = Keys::new();
    keys.with_log(|keys| keys.take(log));
    let mut slowly = KeyLog::default();
    log.iter().for_each(|byte| slowly.take(&[*byte]));
    keys.with_log(|keys| assert_eq!((keys.len(), keys.strange()), (slowly.len(), slowly.strange())));
    let pieces = pieces(rest.get(1..).unwrap_or_default());
    let facts = read_tls_with_keys(pieces.iter().copied(), &keys);
    check(&pieces, &facts);
    let bytes = |&(direction, bytes): &(_, _)| <[u8]>::chunks(bytes, 1).map(move |byte| (direction, byte));
    let cut: Vec<_> = pieces.iter().flat_map(bytes).collect();
    assert_eq!(facts, read_tls_with_keys(cut.iter().copied(), &keys));
}

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

/// Every sent byte is counted once, and none was read with keys that is not content.
fn check(pieces: &[(Direction, &[u8])], facts: &Facts) {
    let sent = pieces.iter().filter(|(direction, _)| *direction == Direction::Sent);
    assert_eq!(facts.coverage.total(), sent.map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
    assert!(facts.read_with_keys <= facts.content_sent);
    assert!(facts.requests.len() <= Facts::KEPT);
    for name in &facts.names {
        assert!(name.name.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !byte.is_ascii_uppercase()));
    }
}
