//! BitTorrent: peers over TCP and uTP, the distributed table, trackers, peers nearby.

use super::{Datagram, Start, begins, begins_with_any};
use crate::reader::Reader;
use crate::session::Likeness;

/// BEP 3: the handshake of peers.
const HANDSHAKE: &[u8] = b"\x13BitTorrent protocol";

pub(super) fn stream(start: &Start<'_>) -> Likeness {
    begins(start.first(), HANDSHAKE)
}

pub(super) fn datagram(datagram: &Datagram<'_>) -> bool {
    // BEP 5: a question or an answer, whose first value is the asker's number of twenty bytes; BEP 14.
    const BEGINNINGS: [&[u8]; 4] =
        [b"d1:ad2:id20:", b"d1:rd2:id20:", b"d2:ip6:", b"BT-SEARCH * HTTP/1.1\r\n"];
    let bytes = datagram.bytes;
    begins_with_any(bytes, &BEGINNINGS) == Likeness::Yes
        || tracker(bytes).is_some()
        || micro_transport(bytes).is_some()
}

/// BEP 15: a tracker is asked for a connection, with a constant.
fn tracker(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    (reader.u64()? == 0x0417_2710_1980 && reader.u32()? == 0 && reader.len() == 4).then_some(())
}

/// BEP 29: the first packet of a connection, number 1, that measured no delay yet.
fn micro_transport(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let [kind, extension] = reader.array()?;
    let (_connection, _time, delay, _window) = (reader.u16()?, reader.u32()?, reader.u32()?, reader.u32()?);
    let (sequence, _acknowledged) = (reader.u16()?, reader.u16()?);
    (kind == 0x41 && extension <= 2 && delay == 0 && sequence == 1 && reader.len() <= 16).then_some(())
}
