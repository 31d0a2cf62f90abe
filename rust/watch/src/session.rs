//! What the sessions of all protocols have in common.
//!
//! A session is made when the first bytes of a flow tell its protocol, and gets every byte of both
//! directions in order, the first ones again:
//! - `take(&mut self, direction, bytes: &[u8], page: &mut Page) -> Step`: the next bytes, in pieces of
//!   any size: the same bytes in other pieces give the same facts. Of UDP one datagram. It counts every
//!   byte sent in one class of the coverage as soon as that is known.
//! - `miss(&mut self, direction, bytes: u64, page: &mut Page)`: bytes are missing here, 0 where nobody
//!   knows how many. They were counted as not watched already.
//! - `end(&mut self, page: &mut Page)`: no more come; what was held back is counted.
//!
//! What can be read of what is sent goes to the page ([`crate::page`]), which counts it: where details are looked for
//! by what the search says, else as the session says.
//!
//! None holds more than 16 KiB (32 where lines are held to be searched), panics, or reads any byte more than a few
//! times. Until there is one, the first bytes may be looked at more often ([`crate::opening`]).

/// What a session says after each piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All was taken; it goes on.
    On,
    /// From here on something else is spoken.
    Switch {
        /// What.
        to: Next,
        /// What was sent already and belongs to it: neither used nor counted here.
        sent: Vec<u8>,
        /// What was received already and belongs to it.
        received: Vec<u8>,
    },
}

/// What may follow on the same connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// TLS, after STARTTLS or the like.
    Tls,
    /// TLS whose beginning was not seen. The next bytes that are sent are so much of the payload of a record; or nobody
    /// knows.
    WithinTls(Option<usize>),
    /// HTTP/2, after an upgrade (RFC 7540 3.2). The client's preface still comes.
    Http2,
    /// WebSocket frames (RFC 6455).
    WebSocket,
    /// To be found out, as at the beginning: behind CONNECT.
    Anything,
}

/// Whether the first bytes of one direction are those of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// They are.
    Yes,
    /// So far they are: more would tell.
    Maybe,
    /// They are not.
    No,
}
