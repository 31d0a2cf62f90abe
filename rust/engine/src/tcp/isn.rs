//! Initial sequence numbers (RFC 6528): a clock plus a keyed hash of the addresses and ports.

use std::hash::Hasher as _;
use std::net::SocketAddr;

use siphasher::sip::SipHasher13;

use super::sequence::Sequence;
use crate::Instant;
use crate::pair::Pair;

/// Gives a number that cannot be guessed from outside and moves on every 4 us.
pub(crate) fn initial_sequence(
    key: &[u8; 16],
    app: SocketAddr,
    remote: SocketAddr,
    now: Instant,
) -> Sequence {
    let mut hasher = SipHasher13::new_with_key(key);
    Pair::new(app, remote).feed(&mut hasher);
    #[expect(clippy::cast_possible_truncation, reason = "RFC 6528 3: both parts are taken modulo 2^32")]
    let number = (hasher.finish() as u32).wrapping_add((now.as_micros() / 4) as u32);
    Sequence(number)
}
