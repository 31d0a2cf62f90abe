//! What is held at most while a capture is read, each with its reason.

/// Largest packet, and largest block of a pcapng file that is looked into. Real packets end at 256 KiB
/// (the snaplen of tcpdump); blocks hold options besides. A length beyond it is damage, or a block of
/// something else, which is passed over without being held.
pub const RECORD: usize = 4 << 20;

/// Interfaces of one pcapng section. A packet block of old names one with 16 bits.
pub const INTERFACES: usize = 65_536;

/// Bytes of TLS secrets that a capture may bring along: some ten thousand sessions.
pub const SECRETS: usize = 4 << 20;

/// Headers around one IP packet, such as Ethernet, two VLANs, PPPoE, PPP: a dozen is more than any
/// network makes.
pub const LAYERS: usize = 16;

/// IP packets inside IP packets.
pub const TUNNELS: usize = 4;

/// First fragments whose datagrams are not complete: as many datagrams as the engine holds.
pub const FRAGMENTS: usize = 64;

/// How long they wait for the others, in seconds: as long as the engine.
pub const FRAGMENTS_SECONDS: i64 = 30;

/// Flows that are followed at one time: half as many as the watcher follows, which also holds those that
/// have ended for a while. About 500 bytes each: 16 MB. Past it the one that is nearest to its idle end is
/// told as evicted.
pub const FLOWS: usize = 32_768;

/// Bytes of one TCP stream that wait for others before them. Receivers offer some megabytes at most,
/// and fill them only where something was lost.
pub const WAITING: usize = 8 << 20;

/// Bytes that wait in all flows together.
pub const WAITING_IN_ALL: usize = 64 << 20;

/// What a waiting segment costs at most besides twice its payload: headers, and its place in the list.
pub const SEGMENT: usize = 1_024;

/// Packets of its connection for which a byte that was acknowledged, but not seen, may still come. Where
/// a capture has several queues or interfaces, packets stand some places from where they belong; a byte
/// that has reached its receiver is not sent again.
pub const PATIENCE: u32 = 32;

/// How far ahead of what was seen a segment may lie, in bytes: the largest window (RFC 7323 2.3).
pub const AHEAD: i64 = 1 << 30;

/// How far ahead of all that was seen one packet may say that a stream is, in bytes. Past it a second packet must say
/// so too: checksums tell nothing in a capture, and a number with a damaged bit would make a gap of up to [`AHEAD`].
/// More than this is hardly ever lost at once.
pub const LEAP: i64 = 1 << 20;

/// A TCP connection of which nothing was heard for so long has ended, in seconds: RFC 5382 REQ-5.
pub const TCP_IDLE: i64 = 7_440;

/// The same before the remote has answered: Linux tries for 127 seconds.
pub const TCP_UNANSWERED: i64 = 130;

/// For so long the packets of a TCP connection that has ended may still come, in seconds.
pub const TCP_ENDED: i64 = 60;

/// A flow of datagrams ends when nothing was heard for so long, in seconds: RFC 4787 REQ-5.
pub const DATAGRAMS_IDLE: i64 = 120;
