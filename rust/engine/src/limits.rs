//! Every bound of the relay, each with its reason. What a bound refuses is counted, never an error.

use std::time::Duration;

/// TCP flows at once. A phone's busiest minute has a few hundred; 10,000 must be served, and twice
/// the kernel's usual 1,024..32,768 descriptors would be promises that nobody can keep.
pub const TCP_FLOWS: usize = 16_384;

/// UDP flows (app address, remote address) at once: as many as TCP, of which a peer-to-peer program
/// may use thousands over one socket.
pub const UDP_FLOWS: usize = 16_384;

/// Flows over one mapping up to which a datagram from a stranger begins another. Beyond, what strangers
/// send is delivered all the same, without a record of its own.
pub const FLOWS_FROM_OUTSIDE: usize = 1_024;

/// An app's system has taken in an error about a path within this time.
pub const PATH_LEARNED: Duration = Duration::from_secs(1);

/// And knows it for at least this long (Linux: `mtu_expires`, 600 s).
pub const PATH_KNOWN: Duration = Duration::from_secs(590);

/// Echo identifiers at once: one is one running `ping`.
pub const ECHOES: usize = 256;

/// SYNs held at once while their destination has not answered. A scan or a flood meets this bound;
/// a browser opens some dozens.
pub const HELD_SYNS: usize = 2_048;

/// Questions to our resolver at once, as Android's own resolver interface takes them.
pub const QUERIES: usize = 128;

/// Questions of one TCP connection at once; the rest waits in its window.
pub const QUERIES_PER_CONNECTION: usize = 16;

/// Payload memory of all flows together: retransmit, reorder and pending, in bytes of buffer kept
/// alive and of window promised. With the flows themselves it keeps the relay under 96 MiB at worst.
pub const PAYLOAD_MEMORY: usize = 48 << 20;

/// Payload memory of one flow for what its app sends, its window and what its socket has not taken yet: enough to go
/// on while the app hears that it may. More only adds delay: the kernel's socket buffers carry the network's round
/// trip.
pub const FLOW_MEMORY: usize = 512 << 10;

/// Payload memory of one flow for what its app has not acknowledged yet. With a quarter of it the relay and
/// the app wait for each other in turns: a third more of the relay's time for a byte, or more than that.
pub const FLOW_UNACKNOWLEDGED: usize = 2_000 << 10;

/// And in the longest segments: what is written to the tun in two milliseconds at the smallest MTU, where
/// a packet costs most and others would wait behind it. As all here it is held against bytes of buffer kept
/// alive: where buffers are half empty, half as many packets wait, and never more.
pub const PACKETS_UNACKNOWLEDGED: usize = 350;

/// What keeping one buffer costs beside its bytes: its handle, its count and the allocator's share.
pub const CHUNK_OVERHEAD: usize = 64;

/// Half of the payload memory is a pool; a flow may hold this fraction (1/n) of what is still free in it
/// (the dynamic threshold of Choudhury and Hahne, 1998), so that a few stalled flows never take it all.
pub const MEMORY_SHARE: usize = 8;

/// The other half is set aside: this much for each direction of each flow, so that every one goes on,
/// however slowly, whatever the others hold. What keeping it costs is set aside with it.
pub const FLOW_RESERVE: usize = PAYLOAD_MEMORY / 2 / (2 * TCP_FLOWS) - 2 * CHUNK_OVERHEAD;

/// Payload under this fraction (1/n) of the buffer that it keeps alive is copied out of it.
pub const COPY_OUT_SHARE: usize = 4;

/// Out-of-order segments kept for one flow. The windows given out keep fewer in flight.
pub const REORDERED_SEGMENTS: usize = 256;

/// Ranges that an app has acknowledged selectively, kept for one flow; RFC 2018 carries at most four
/// at a time, and ranges grow together.
pub const SACKED_RANGES: usize = 32;

/// Packets that flows which are sending may have in flight toward us together: half of what the tun's ring holds
/// (500), since it drops silently. The other half is for flows that are silent and may begin.
pub const WINDOW_PLACES: u64 = 250;

/// Bytes for which a packet counts at least. Where they are larger, as they are where apps hand over pieces of up
/// to 64 KiB, bytes bound what is in flight: 750 KiB, a millisecond at 6 Gbit/s. Eight uploads at once then have a
/// piece each under way, and one alone what it may have.
pub const RING_PLACE: u64 = 3 << 10;

/// A flow that is sending may have this fraction of what the others leave (the dynamic threshold of Choudhury and
/// Hahne with twice the rest): one alone two thirds, eight a seventeenth of the rest more than a ninth each.
pub const SENDING_SHARE: (u64, u64) = (2, 3);

/// A flow that is silent may keep this fraction (1/n) of what the other silent ones leave.
pub const SILENT_SHARE: u64 = 8;

/// A flow that sent within this time, in microseconds, counts as sending. After a retransmission time-out without
/// a word, at least 200 ms, a system takes back its congestion window (RFC 5681 4.1).
pub const SENDING: u64 = 200_000;

/// The window of a flow that is not sending: the initial window of RFC 6928, ten segments of an
/// Ethernet, so that a request goes out whole.
pub const STANDING_WINDOW: usize = 10 * 1_460;

/// A window grows by a full segment, half of itself, or this, whichever is least (RFC 9293 3.8.6.2.2).
pub const WINDOW_STEP: usize = 4 << 10;

/// Our window scale: 16-byte steps up to 1 MiB, enough for [`FLOW_MEMORY`]; finer steps retract less of
/// a window by rounding (RFC 7323 2.4).
pub const WINDOW_SCALE: u8 = 4;

/// An acknowledgement waits this long at most for data to ride on (RFC 9293 3.8.6.3 allows 500 ms,
/// Linux's minimum is 40 ms).
pub const DELAYED_ACK: Duration = Duration::from_millis(40);

/// A server that took no longer to answer the SYN is near: its own end follows the app's in less than
/// [`DELAYED_ACK`], as a rule. One further away would cost a wake-up for nothing.
pub const NEAR: Duration = Duration::from_millis(20);

/// Least retransmission time-out. RFC 6298 says 1 s; Linux 200 ms; the path is a memory copy, but the
/// app's side may be a phone that sleeps.
pub const RTO_MIN: Duration = Duration::from_millis(200);

/// First retransmission time-out, before any round trip was measured (RFC 6298 2.1).
pub const RTO_INITIAL: Duration = Duration::from_secs(1);

/// Most a retransmission or window probe waits (RFC 6298 2.5; RFC 9293 3.8.6.1).
pub const RTO_MAX: Duration = Duration::from_secs(60);

/// Retransmissions without any answer from the app before its flow is given up: 200 ms doubled ten
/// times is more than 100 s (RFC 9293 3.8.3, R2).
pub const RETRANSMISSIONS: u32 = 10;

/// An app that was silent for its idle limit is asked this often, this far apart, before its flow ends.
pub const IDLE_PROBES: u32 = 5;
/// See [`IDLE_PROBES`].
pub const IDLE_PROBE_INTERVAL: Duration = Duration::from_secs(15);

/// A flow is given memory for reading from its socket in pieces of at least this, so that a small gap is
/// not filled by many small reads.
pub const LEAST_ROOM: usize = 16 << 10;

/// A held SYN lives for twice the time between its repetitions and a little, at least this long: Linux
/// repeats the first after 1 s.
pub const HELD_SYN: Duration = Duration::from_secs(3);

/// The little: Linux doubles the time between repetitions, so that the next comes just then.
pub const HELD_SYN_GRACE: Duration = Duration::from_secs(1);

/// An established flow without a word: after this its app is asked whether it still lives
/// (RFC 5382 REQ-5: not less than 2 h 4 min).
pub const TCP_IDLE: Duration = Duration::from_secs(2 * 3_600 + 4 * 60);

/// The same for a flow with one direction closed (RFC 5382 REQ-5: not less than 4 min).
pub const TCP_CLOSING_IDLE: Duration = Duration::from_secs(4 * 60);

/// A UDP flow without a word ends (RFC 4787 REQ-5 recommends 5 min).
pub const UDP_IDLE: Duration = Duration::from_secs(5 * 60);

/// A UDP flow to a name server ends sooner: each question has a port of its own (RFC 4787 REQ-5 a
/// lets well-known ports have less).
pub const DNS_IDLE: Duration = Duration::from_secs(20);

/// An echo identifier without a word ends (RFC 5508 REQ-1: not less than 60 s).
pub const ECHO_IDLE: Duration = Duration::from_secs(60);

/// A question that the shell never answered is answered with SERVFAIL, so that nothing waits for ever.
pub const QUERY_TIME: Duration = Duration::from_secs(30);

/// Recency is kept to this grain, so that a busy flow is moved in the list once a second.
pub const RECENCY_GRAIN: Duration = Duration::from_secs(1);

// At worst, in bytes: payload, and for each TCP flow at most 1 KiB, for each UDP flow half of it.
const _: () = assert!(PAYLOAD_MEMORY + TCP_FLOWS * 1_024 + UDP_FLOWS * 512 <= 96 << 20);
// One flow alone can have what it may.
const _: () = assert!(FLOW_UNACKNOWLEDGED <= PAYLOAD_MEMORY / 2 / MEMORY_SHARE);
// The window scale must be able to say the largest window that a flow is ever offered.
const _: () = assert!(FLOW_MEMORY <= (u16::MAX as usize) << WINDOW_SCALE);
