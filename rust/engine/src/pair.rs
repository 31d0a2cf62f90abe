//! The two ends of a flow as a key for look-ups: compact, and hashed with a secret, since what an app
//! or a server chooses must not slow down the others.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use siphasher::sip::SipHasher13;

/// App and remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    app: u128,
    remote: u128,
    /// App port, remote port, and whether they are IPv4.
    ports: u64,
}

impl Pair {
    pub(crate) fn new(app: SocketAddr, remote: SocketAddr) -> Self {
        let family = u64::from(app.is_ipv4()) << 32;
        let ports = family | u64::from(app.port()) << 16 | u64::from(remote.port());
        Self { app: number(app.ip()), remote: number(remote.ip()), ports }
    }

    pub(crate) fn feed(&self, hasher: &mut impl Hasher) {
        hasher.write_u128(self.app);
        hasher.write_u128(self.remote);
        hasher.write_u64(self.ports);
    }
}

impl Hash for Pair {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.feed(hasher);
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// A hash with a secret key, the same for one engine's life.
#[derive(Clone, Debug)]
pub(crate) struct Keyed(pub(crate) [u8; 16]);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_key(&self.0)
    }
}

/// Indices by pair.
pub(crate) type ByPair = HashMap<Pair, u32, Keyed>;
