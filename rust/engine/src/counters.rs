/// What the engine dropped, repaired or refused. Each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// IP packets read from the tun.
    pub packets_in: u64,
    /// IP packets written to the tun.
    pub packets_out: u64,
    /// Packets that are not well-formed IP, TCP, UDP or ICMP, or whose checksum is wrong.
    pub malformed: u64,
    /// Packets of a protocol that cannot be relayed.
    pub unsupported: u64,
    /// Packets to addresses that are never dialled.
    pub never_dialled: u64,
    /// Fragments dropped: overlapping, too many, too old or too large together.
    pub fragments_dropped: u64,
    /// TCP segments that belong to no flow.
    pub stray_segments: u64,
    /// TCP segments of a flow that RFC 9293 says to ignore: out of the window or blind resets.
    pub unacceptable_segments: u64,
    /// Segments sent again toward apps.
    pub retransmitted: u64,
    /// SYNs dropped because too many were held.
    pub held_dropped: u64,
    /// Held SYNs whose app gave up.
    pub held_given_up: u64,
    /// Flows ended to make room for others.
    pub evicted: u64,
    /// Flows ended because nothing was said for too long.
    pub idle: u64,
    /// Datagrams and echo requests dropped for want of a socket.
    pub datagrams_dropped: u64,
    /// Datagrams from strangers that were delivered without a flow of their own, since they were too many.
    pub unrecorded: u64,
    /// Echo requests dropped because the system gives no ping socket.
    pub echoes_dropped: u64,
    /// Questions to our resolver that were answered with SERVFAIL.
    pub queries_failed: u64,
    /// Times that the whole memory bound closed a window.
    pub memory_full: u64,
}
