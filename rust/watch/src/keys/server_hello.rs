//! What a server answers to a ClientHello (RFC 8446 4.1.3), as far as keys depend on it.

use super::log::Random;
use super::suite::Suite;
use crate::reader::Reader;

/// The server's part of a connection's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) random: Random,
    /// `None` for one that cannot be read.
    pub(super) suite: Option<Suite>,
}

/// The server's first handshake messages, until its hello is there.
#[derive(Debug, Default)]
pub(super) struct Answer {
    held: Vec<u8>,
}

/// Bytes that are held for it. A hello has some hundred bytes, with the largest key shares 1,300.
const LONGEST: usize = 8 * 1_024;

/// RFC 8446 4.1.3: instead of a random value, where the client shall ask once more.
const RETRY: Random = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

impl Answer {
    /// Takes the payload of a handshake record; gives the hello once it is whole.
    pub(super) fn take(&mut self, payload: &[u8]) -> Option<ServerHello> {
        const SERVER_HELLO: u8 = 2;
        let room = LONGEST.saturating_sub(self.held.len());
        self.held.extend(payload.iter().take(room));
        let mut messages = Reader::new(&self.held);
        let mut hello = None;
        while hello.is_none() {
            let mut ahead = messages;
            let (Some(kind), Some(body)) = (ahead.u8(), ahead.vector24()) else { break };
            hello =
                (kind == SERVER_HELLO).then(|| read(body)).flatten().filter(|hello| hello.random != RETRY);
            messages = ahead;
        }
        let read = self.held.len() - messages.len();
        self.held.drain(..read);
        hello
    }

    pub(super) fn held(&self) -> usize {
        self.held.capacity()
    }
}

fn read(mut hello: Reader<'_>) -> Option<ServerHello> {
    let _version = hello.u16()?;
    let random = hello.array()?;
    let _session = hello.vector8()?;
    Some(ServerHello { random, suite: Suite::of(hello.u16()?) })
}
