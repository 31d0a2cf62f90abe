use std::net::SocketAddr;

use bytes::Bytes;

use crate::{EchoId, FlowId, MappingId, QueryId};

/// What happened outside. Ids of flows that have ended meanwhile are ignored.
#[derive(Clone, Debug)]
pub enum Input {
    /// One IP packet was read from the tun.
    Packet {
        /// The whole packet.
        packet: Bytes,
        /// Bytes of the buffer that `packet` keeps alive. Where the engine must keep payload that is
        /// under a quarter of it, it copies the payload out.
        pinned: usize,
    },
    /// The moment that [`crate::Output::Timeout`] named has come (or any other moment: harmless).
    Timeout,

    /// The socket of a flow has connected.
    Connected(FlowId),
    /// The socket of a flow could not connect. The shell has closed it.
    ConnectFailed(FlowId, Failure),
    /// So many bytes from the front of [`crate::Engine::pending`] were handed to the socket.
    Sent(FlowId, usize),
    /// The socket takes no more at the moment; the shell sends the rest when it becomes writable. The
    /// engine takes pending payload out of shared buffers.
    Blocked(FlowId),
    /// Bytes were read from the socket, at most [`crate::Engine::room`] of them.
    Received {
        /// Whose.
        flow: FlowId,
        /// The bytes, not empty.
        payload: Bytes,
        /// Bytes of the buffer that `payload` keeps alive; all of them are counted as this flow's.
        pinned: usize,
    },
    /// The remote will send no more (its FIN was read).
    Finished(FlowId),
    /// The connection broke: reset by the remote, or any other error of an established socket
    /// ([`Failure::TimedOut`] for dead peers). The shell has closed the socket.
    Broken {
        /// Whose.
        flow: FlowId,
        /// Why.
        failure: Failure,
        /// Bytes of all that were [`Self::Sent`] that the socket had not sent yet and never will.
        unsent: usize,
    },

    /// A datagram arrived at the socket of a mapping, from anyone.
    Datagram {
        /// Whose.
        mapping: MappingId,
        /// Who sent it.
        from: SocketAddr,
        /// Its payload.
        payload: Bytes,
    },
    /// A datagram of a mapping came to nothing.
    DatagramFailed {
        /// Whose.
        mapping: MappingId,
        /// Where it went.
        to: SocketAddr,
        /// Why.
        failure: DatagramFailure,
    },
    /// No socket could be had for a mapping (too many open files...). The mapping is gone.
    Unmapped(MappingId),

    /// An echo reply.
    EchoReply {
        /// Whose.
        echo: EchoId,
        /// The sequence number of the reply.
        sequence: u16,
        /// Its payload.
        payload: Bytes,
    },
    /// The network answered an echo request with an error.
    EchoFailed {
        /// Whose.
        echo: EchoId,
        /// The sequence number of the request.
        sequence: u16,
        /// Why.
        failure: DatagramFailure,
    },
    /// No ping socket could be had. The echo is gone, its request is counted as dropped.
    Unechoed(EchoId),

    /// The system's resolver answered. `None`: it did not, and the app gets SERVFAIL.
    Answer {
        /// Which question.
        query: QueryId,
        /// The DNS message without length prefix, its id as in the question.
        message: Option<Bytes>,
    },
}

/// Why a TCP connection could not be made or broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// ECONNREFUSED.
    Refused,
    /// ECONNRESET, EPIPE and any other error that ends an established connection.
    Reset,
    /// ENETUNREACH.
    NetworkUnreachable,
    /// EHOSTUNREACH, and EADDRNOTAVAIL, EACCES, EPERM for a destination that the system forbids.
    HostUnreachable,
    /// ETIMEDOUT.
    TimedOut,
    /// EMFILE, ENFILE, ENOBUFS, ENOMEM: no socket at the moment.
    NoSockets,
}

/// Why a datagram or an echo request did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramFailure {
    /// ECONNREFUSED: ICMP port unreachable.
    PortUnreachable,
    /// EHOSTUNREACH.
    HostUnreachable,
    /// ENETUNREACH.
    NetworkUnreachable,
    /// EACCES, EPERM, or ICMP administratively prohibited.
    Prohibited,
    /// ICMP time exceeded from the given router, if known.
    HopLimitExceeded(Option<std::net::IpAddr>),
    /// Larger than the path carries whole: its MTU in bytes, IP header included. The datagram was
    /// sent in fragments all the same; `payload_len` is its payload length in bytes.
    TooBig {
        /// The MTU of the path, IP header included.
        mtu: u32,
        /// Payload bytes of the datagram.
        payload_len: usize,
    },
}
