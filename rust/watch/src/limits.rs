//! What the watcher remembers at most.

/// Addresses with the name that was asked for. A busy phone uses some hundreds in an hour; past this
/// the address whose answer is oldest is forgotten, and a flow to it is shown by its address.
/// About 100 bytes each: 800 kB.
pub const NAMES: usize = 8_192;

/// Flows that are followed singly at one time: those that live, and those that have ended and were
/// not yet taken. About 300 bytes each: 20 MB. Past it the traffic of further flows counts in the
/// ledger's `others`.
pub const FLOWS: usize = 65_536;

/// Flows that have ended are still open to a late owner for so many further endings; the owner is
/// looked up on another thread, and its answer mostly comes within milliseconds. As many owners
/// are kept that come before their flows.
pub const LATE: usize = 1_024;

/// Lines of the ledger: pairs of a program and a destination. A scanner may make millions; past this
/// new pairs count in the ledger's `others`. About 300 bytes each: 2.5 MB.
pub const LINES: usize = 8_192;
