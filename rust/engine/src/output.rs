use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Traffic};

use crate::{EchoId, FlowId, Instant, MappingId, Packet, QueryId};

/// What the shell has to do. Order matters: do each before asking for the next.
#[derive(Debug)]
pub enum Output {
    /// Write this packet to the tun.
    Packet(Packet),

    /// Open a TCP socket and connect it; answer with `Connected` or `ConnectFailed`.
    Connect {
        /// For this flow.
        flow: FlowId,
        /// Its number, as [`Self::Opened`] told it.
        number: FlowNumber,
        /// Where to.
        to: SocketAddr,
    },
    /// [`crate::Engine::pending`] has bytes: send them as far as the socket takes them, answer with
    /// `Sent` and, where some are left, `Blocked`.
    Send(FlowId),
    /// [`crate::Engine::room`] has grown from nothing: reading may go on.
    Receive(FlowId),
    /// The app will send no more and all of it has been sent: shut down writing.
    Finish(FlowId),
    /// The app probes with keep-alives: turn `SO_KEEPALIVE` on.
    KeepAlive(FlowId),
    /// Close the socket in order.
    Close(FlowId),
    /// Close the socket with a reset (`SO_LINGER` 0). What it has not sent by then was never sent: the next output
    /// but packets is the flow's [`Self::Closed`], whose traffic does not know of that.
    Abort(FlowId),

    /// Send a datagram from the mapping's own socket; open that socket where there is none yet.
    Datagram {
        /// From this mapping.
        mapping: MappingId,
        /// Its flow's number, as [`Self::Opened`] told it.
        number: FlowNumber,
        /// To this address.
        to: SocketAddr,
        /// Its payload, possibly empty.
        payload: Bytes,
        /// Time to live or hop limit for it.
        hop_limit: u8,
        /// Whether the app's system wants to hear of it where the path does not carry it in one piece
        /// ([`crate::DatagramFailure::TooBig`]). It is sent in fragments then all the same.
        dont_fragment: bool,
    },
    /// Close the mapping's socket.
    Unmap(MappingId),

    /// Send an echo request; open the ping socket where there is none yet.
    EchoRequest {
        /// From this echo.
        echo: EchoId,
        /// To this address.
        to: IpAddr,
        /// Its sequence number.
        sequence: u16,
        /// Its payload.
        payload: Bytes,
        /// Time to live or hop limit for it.
        hop_limit: u8,
    },
    /// Close the ping socket.
    Unecho(EchoId),

    /// Ask the system's resolver; answer with [`crate::Input::Answer`] in the end, always.
    Query {
        /// The question's id.
        query: QueryId,
        /// The number of the flow that it came in, as [`Self::Opened`] told it.
        number: FlowNumber,
        /// The DNS message, without length prefix.
        message: Bytes,
        /// Whether the app asked over TCP: then the answer may be of any size.
        over_tcp: bool,
    },
    /// Nobody waits for this answer any more.
    Forget(QueryId),

    /// A flow began: ask for its owner, tell the watcher. It comes before what the flow has the shell do.
    Opened {
        /// Its number.
        flow: FlowNumber,
        /// What it is.
        key: FlowKey,
    },
    /// What a flow carries: tell the watcher. Each byte once, in order, as soon as it was taken from one
    /// side, whether the other has taken it or not. Only where [`crate::Config::watched`].
    Seen {
        /// The flow's number.
        flow: FlowNumber,
        /// Which way it goes.
        direction: Direction,
        /// How it is to be understood.
        shape: Shape,
        /// The bytes, by reference.
        payload: Bytes,
        /// Bytes of the buffer that `payload` keeps alive, which it may share with others.
        pinned: usize,
    },
    /// A flow ended: tell the watcher.
    Closed {
        /// Its number.
        flow: FlowNumber,
        /// What it carried.
        traffic: Traffic,
        /// How it ended.
        ending: Ending,
    },

    /// Nothing more to do now. Call with [`crate::Input::Timeout`] at that moment, or never if
    /// there is none. The word says why.
    Timeout(Option<(Instant, &'static str)>),
}

/// How the payload of a flow is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A piece of a stream, cut anywhere.
    Stream,
    /// One datagram whole, possibly empty.
    Datagram,
}
