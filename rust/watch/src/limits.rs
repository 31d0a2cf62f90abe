//! What the watcher remembers at most.

/// Pairs of an address and a name that was asked for. A busy phone uses some hundreds in an hour; past
/// this the oldest answer is forgotten, and a flow to that address is shown by its address.
/// About 200 bytes each: 1.6 MB.
pub const NAMES: usize = 8_192;

/// Names of one address: servers that deliver for many have thousands, an hour's questions a handful.
pub const NAMES_OF_ADDRESS: usize = 16;

/// Names of which it is known that hellos may hide them: about 120 bytes each, 0.5 MB.
pub const HIDING: usize = 4_096;

/// Names that are told of one flow where several fit.
pub const CANDIDATES: usize = 8;

/// Flows that are followed singly at one time: those that live, and those that have ended and were
/// not yet taken. About 600 bytes each, besides
/// what was read in them: 40 MB. Past it the traffic of further flows counts in the
/// ledger's `others`.
pub const FLOWS: usize = 65_536;

/// Flows that have ended are still open to a late owner for so many further endings; the owner is
/// looked up on another thread, and its answer mostly comes within milliseconds. As many owners
/// are kept that come before their flows.
pub const LATE: usize = 1_024;

/// Lines of the ledger: pairs of a program and a destination. A scanner may make millions; past this
/// new pairs count in the ledger's `others`. About 300 bytes each: 2.5 MB.
pub const LINES: usize = 8_192;

/// Names besides the first that a line of the ledger tells: a proxy's connection may carry hundreds.
pub const OTHER_NAMES: usize = 64;

/// The same of all lines together: 60 bytes each, or where somebody means it 1 kB: 16 MB. Past it lines tell the first
/// alone.
pub const ALL_OTHER_NAMES: usize = 16_384;

/// Bytes of one DNS message over TCP that are read, of either direction: what a name needs is in the first
/// hundreds.
pub const DNS_MESSAGE: usize = 7_168;

/// First bytes of a flow that are held until it is known what it speaks, of both directions together.
pub const OPENING: usize = 4_096;

/// Bytes of memory behind all flows that are being read: sessions, what they hold, and what was read. Past
/// it the flow that was silent longest is read no further.
pub const CONVERSATIONS: usize = 8 << 20;

/// QUIC flows to one server of which each may go on from another port: one for each app that speaks with it at a time.
pub const MOVING: usize = 8;

/// Bytes of memory behind what is told of flows that are read no further: those that have ended, as long as they are
/// followed singly ([`LATE`]), and those that made room. A usual one has 1 kB, one of 64 long requests 200. Past it, of a
/// further one no more is told than its host, how much it sent, and details in it.
pub const FACTS: usize = 32 << 20;

/// Statements about flows that are told apart, each with its evidence: about 1 kB, so 4 MB.
pub const FINDINGS: usize = 4_096;

/// Companies and countries that apps are known to have contacted, all apps together: 100 bytes each, 1.6 MB.
/// Past it nothing new is learned, no contact is told as the first, and how many were not judged is counted.
pub const CONTACTS: usize = 16_384;

/// Apps of which it is known whom they contacted: a phone has some hundreds. About 300 bytes each, 1.2 MB.
pub const APPS: usize = 4_096;

/// Days of an app whose content is remembered: those that make a usual one, and this one.
pub const DAYS: usize = 16;

/// Days of which it is known that anything was watched: a year and some.
pub const WATCHED_DAYS: usize = 400;

/// Apps and receivers whose sending after events is counted: 300 bytes each, 1.2 MB.
pub const AFTER_EVENTS: usize = 4_096;

/// Parts of what was sent, such as bodies of requests, that are collected at one time to be searched whole, and
/// the bytes of each: 2 MiB, besides what conversations hold. Of what is longer, or has no place, the pieces
/// are searched as they come.
pub const PARTS: usize = 8;

/// See [`PARTS`].
pub const PART: usize = 256 << 10;

/// Bytes of a part that need no place among [`PARTS`]: most heads of requests, and small bodies.
pub const SMALL_PART: usize = 4 << 10;

/// Bytes that are searched again with the next piece, where a part is searched in pieces: whatever is looked for
/// is shorter in most forms.
pub const OVERLAP: usize = 512;

/// Parts that one flow has under way: the streams of an HTTP/2 connection. What more there is stays opaque.
pub const SHEETS: usize = 72;

/// Places in one request that may hold a detail.
pub const CANDIDATES_OF_REQUEST: usize = 256;
