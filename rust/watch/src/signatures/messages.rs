//! Messages: MQTT.

use super::{Start, begins_with_any};
use crate::reader::Reader;
use crate::session::Likeness;

/// MQTT 3.1.1, 3.1: CONNECT, its length in one to four bytes, and the protocol's name.
pub(super) fn mqtt(start: &Start<'_>) -> Likeness {
    let mut reader = Reader::new(start.sent);
    match reader.u8() {
        None => return if start.received.is_empty() { Likeness::Maybe } else { Likeness::No },
        Some(0x10) => {}
        Some(_) => return Likeness::No,
    }
    for _ in 0..4 {
        match reader.u8() {
            None => return Likeness::Maybe,
            Some(0..0x80) => return begins_with_any(reader.rest(), &[b"\0\x04MQTT", b"\0\x06MQIsdp"]),
            Some(0x80..) => {}
        }
    }
    Likeness::No
}
