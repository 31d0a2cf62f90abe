//! One attempt to get one answer from one server.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use bytes::{Bytes, BytesMut};
use libc::c_int;

use super::LONGEST;
use super::message::Asked;
use crate::poll::{Epoll, Token};
use crate::sys;

/// Datagrams to look at in one go for the right one. More than a few are forgeries.
const LOOKS: usize = 16;

/// A question on its way.
pub(super) enum Exchange {
    /// The socket is connected: the kernel drops what others send.
    Udp { fd: OwnedFd, id: [u8; 2] },
    /// RFC 7766: each message with its length before it.
    Tcp { fd: OwnedFd, id: [u8; 2], unsent: Bytes, received: BytesMut },
}

pub(super) enum Progress {
    /// Nothing yet.
    Waiting,
    /// The answer, with the id of this exchange.
    Answered(Bytes),
    /// This server cannot be reached.
    Failed,
}

impl Exchange {
    /// Sends a question, or begins to. The socket is in the epoll set under that token.
    pub(super) fn start(
        epoll: &Epoll,
        token: Token,
        server: SocketAddr,
        question: Bytes,
        over_tcp: bool,
    ) -> io::Result<Self> {
        let domain = c_int::from(sys::family(&server));
        let id = question.first_chunk().copied().unwrap_or_default();
        if over_tcp {
            let fd = sys::socket(domain, libc::SOCK_STREAM, 0)?;
            epoll.add(fd.as_fd(), token)?;
            unless_in_progress(sys::connect(fd.as_fd(), server))?;
            return Ok(Self::Tcp { fd, id, unsent: with_length(&question), received: BytesMut::new() });
        }
        let fd = sys::socket(domain, libc::SOCK_DGRAM, 0)?;
        sys::connect(fd.as_fd(), server)?;
        sys::send_slices(fd.as_fd(), &[IoSlice::new(&question)])?;
        epoll.add_reading(fd.as_fd(), token)?;
        Ok(Self::Udp { fd, id })
    }

    /// Does what the socket is ready for.
    pub(super) fn advance(&mut self, asked: &Asked, scratch: &mut BytesMut) -> Progress {
        let answer = match self {
            Self::Udp { fd, id } => receive_datagram(fd, *id, asked, scratch),
            Self::Tcp { fd, id, unsent, received } => {
                send_rest(fd, unsent).and_then(|()| receive_stream(fd, *id, asked, received))
            }
        };
        match answer {
            Ok(answer) => Progress::Answered(answer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Progress::Waiting,
            Err(_) => Progress::Failed,
        }
    }
}

/// Datagrams that are not the answer are passed over: the answer may be behind them.
fn receive_datagram(fd: &OwnedFd, id: [u8; 2], asked: &Asked, scratch: &mut BytesMut) -> io::Result<Bytes> {
    for _ in 0..LOOKS {
        scratch.clear();
        sys::receive_into(fd.as_fd(), scratch, LONGEST)?;
        if asked.is_answered_by(scratch, id) {
            return Ok(Bytes::copy_from_slice(scratch));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

fn send_rest(fd: &OwnedFd, unsent: &mut Bytes) -> io::Result<()> {
    while !unsent.is_empty() {
        let sent = sys::send_slices(fd.as_fd(), &[IoSlice::new(unsent)])?;
        *unsent = unsent.slice(sent..);
    }
    Ok(())
}

/// The first message of the stream must be the answer.
fn receive_stream(fd: &OwnedFd, id: [u8; 2], asked: &Asked, received: &mut BytesMut) -> io::Result<Bytes> {
    loop {
        let wanted = received.first_chunk().map_or(2, |length| 2 + usize::from(u16::from_be_bytes(*length)));
        if wanted > 2 && received.len() == wanted {
            break;
        }
        let missing = wanted - received.len();
        if missing == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        received.reserve(missing);
        if sys::receive_into(fd.as_fd(), received, missing)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let answer = received.split().freeze().slice(2..);
    if asked.is_answered_by(&answer, id) { Ok(answer) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn with_length(message: &[u8]) -> Bytes {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length[..], message].concat().into()
}

fn unless_in_progress(connected: io::Result<()>) -> io::Result<()> {
    match connected {
        Err(error) if sys::errno(&error) == libc::EINPROGRESS => Ok(()),
        other => other,
    }
}
