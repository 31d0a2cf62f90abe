//! The bounds of packet parsing and reassembly, each with its reason.

use std::time::Duration;

/// IPv6 extension headers that are followed before a packet is taken for an attack. RFC 8200 4.1 names
/// seven places in a chain, no sane sender uses more.
pub(crate) const EXTENSION_HEADERS: usize = 8;

/// Datagrams in reassembly at once. The app's kernel writes the fragments of one datagram to the tun
/// one after the other, so more than one is rare; 64 leaves room for many sending threads.
pub(crate) const REASSEMBLY_DATAGRAMS: usize = 64;

/// Bytes that all datagrams in reassembly may hold: 16 datagrams of the largest size.
pub(crate) const REASSEMBLY_BYTES: usize = 1 << 20;

/// Bytes that one kept fragment costs besides its payload (its place in the list, the allocation).
pub(crate) const REASSEMBLY_FRAGMENT_COST: usize = 64;

/// Fragments of one datagram: 65,535 bytes in packets of 576, the least that every host takes
/// (RFC 791), are 119.
pub(crate) const REASSEMBLY_FRAGMENTS: usize = 128;

/// Largest datagram, header and data: what the length field of IPv4 can say. IPv6 could hold 40 bytes
/// more, which no datagram of an app uses.
pub(crate) const REASSEMBLY_LENGTH: usize = 65_535;

/// How long a datagram waits for its missing fragments. RFC 8200 4.5 says 60 s and RFC 1122 3.3.2 60 s
/// to 120 s, for fragments that cross the Internet. Ours come from a kernel on this machine within
/// microseconds, so a shorter wait loses nothing; 30 s is Linux's own for IPv4.
pub(crate) const REASSEMBLY_TIME: Duration = Duration::from_secs(30);
