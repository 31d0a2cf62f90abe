//! Echo requests toward the network: a ping socket for each echo, which the kernel gives an
//! identifier of its own; where the system forbids those, a raw socket that echoes share.

mod message;
mod raw;

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytes::{Bytes, BytesMut};
use libc::c_int;
use telltale_engine::{EchoId, Input};

use crate::datagram::{self, Control, Reported};
use crate::poll::{Epoll, Token};
use crate::sys;
use raw::RawSocket;

/// Replies read from one socket before others get their turn.
const READ_LIMIT: usize = 64;
/// The longest IP packet.
const BUFFER: usize = 65_535;

/// All echoes that have sent something.
pub(crate) struct Echoes {
    /// By [`EchoId::index`].
    echoes: Vec<Option<Echo>>,
    raw_v4: Option<RawSocket>,
    raw_v6: Option<RawSocket>,
    buffer: BytesMut,
    dropped: u64,
    refusal: Option<String>,
}

struct Echo {
    id: EchoId,
    way: Way,
}

/// How an echo speaks to the network.
enum Way {
    Ping(OwnedFd),
    /// Under this identifier on the shared socket.
    Raw {
        identifier: u16,
        family: Family,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Echoes {
    pub(crate) fn new() -> Self {
        let buffer = BytesMut::with_capacity(BUFFER);
        Self { echoes: Vec::new(), raw_v4: None, raw_v6: None, buffer, dropped: 0, refusal: None }
    }

    /// Sends an echo request, and opens the socket where there is none yet.
    #[expect(clippy::too_many_arguments, reason = "these are the fields of Output::EchoRequest")]
    pub(crate) fn send(
        &mut self,
        epoll: &Epoll,
        id: EchoId,
        to: IpAddr,
        sequence: u16,
        payload: &Bytes,
        hop_limit: u8,
        inputs: &mut Vec<Input>,
    ) {
        if self.find(id).is_none() && self.open(epoll, id, to).is_err() {
            inputs.push(Input::Unechoed(id));
            return;
        }
        let request = Request { to, sequence, payload, hop_limit };
        if let Err(error) = self.transmit(id, &request) {
            // The error may be one that the network reported about an earlier request. The call has
            // cleared it.
            self.take_errors(id, inputs);
            if sys::errno(&error) == libc::EAGAIN {
                self.dropped += 1;
            } else if let Err(error) = self.transmit(id, &request) {
                self.failed(id, sequence, &error, inputs);
            }
        }
    }

    /// The network is another one: echoes get new sockets at their next request.
    pub(crate) fn change_network(&mut self) {
        self.echoes.clear();
        (self.raw_v4, self.raw_v6) = (None, None);
    }

    /// Reads replies from an echo's ping socket, in bounded amount: true says that more may be there,
    /// which nothing will announce again. `failed`: the event said that an error waits.
    pub(crate) fn ready(&mut self, id: EchoId, failed: bool, inputs: &mut Vec<Input>) -> bool {
        if failed {
            self.take_errors(id, inputs);
        }
        let Some(Echo { way: Way::Ping(fd), .. }) = find(&self.echoes, id) else { return false };
        let mut errors = 0;
        for _ in 0..READ_LIMIT {
            match datagram::receive(fd.as_fd(), &mut self.buffer) {
                Ok(_from) => {
                    let reply = message::read_reply(&self.buffer);
                    inputs.extend(reply.map(|reply| reply.into_input(id)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => {
                    take_ping_errors(fd.as_fd(), id, inputs);
                    errors += 1;
                }
            }
        }
        errors < READ_LIMIT
    }

    /// The same for the shared raw socket of one family, 4 or 6.
    pub(crate) fn ready_raw(&mut self, family: u32, failed: bool, inputs: &mut Vec<Input>) -> bool {
        let socket = if family == Family::V4.number() { &self.raw_v4 } else { &self.raw_v6 };
        let Some(socket) = socket else { return false };
        if failed {
            socket.take_errors(inputs);
        }
        let mut errors = 0;
        for _ in 0..READ_LIMIT {
            match socket.receive(&mut self.buffer) {
                Ok(reply) => inputs.extend(reply),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => {
                    socket.take_errors(inputs);
                    errors += 1;
                }
            }
        }
        errors < READ_LIMIT
    }

    /// Ends an echo, and closes its socket where no other needs it.
    pub(crate) fn close(&mut self, id: EchoId) {
        let Some(slot) = self.echoes.get_mut(place(id)).filter(|slot| holds(slot, id)) else { return };
        let Some(Echo { way: Way::Raw { identifier, family }, .. }) = slot.take() else { return };
        let shared = self.raw(family);
        if shared.as_mut().is_some_and(|socket| socket.give_back(identifier)) {
            *shared = None;
        }
    }

    /// Requests that the system had no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Why echo requests cannot be sent at all, and what to do about it: a sentence for the user.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    fn find(&self, id: EchoId) -> Option<&Echo> {
        find(&self.echoes, id)
    }

    fn open(&mut self, epoll: &Epoll, id: EchoId, to: IpAddr) -> io::Result<()> {
        let way = match open_ping(epoll, id, to) {
            Err(error) if is_forbidden(&error) => self.open_raw(epoll, id, to)?,
            opened => Way::Ping(opened?),
        };
        if self.echoes.len() <= place(id) {
            self.echoes.resize_with(place(id) + 1, || None);
        }
        if let Some(slot) = self.echoes.get_mut(place(id)) {
            *slot = Some(Echo { id, way });
        }
        Ok(())
    }

    fn open_raw(&mut self, epoll: &Epoll, id: EchoId, to: IpAddr) -> io::Result<Way> {
        let family = Family::of(to);
        let shared = self.raw(family);
        if shared.is_none() {
            match RawSocket::open(epoll, family) {
                Ok(socket) => *shared = Some(socket),
                Err(error) => {
                    if is_forbidden(&error) {
                        self.refusal = Some(refusal());
                    }
                    return Err(error);
                }
            }
        }
        let identifier = self.raw(family).as_mut().and_then(|socket| socket.lend_identifier(id, to));
        identifier.map(|identifier| Way::Raw { identifier, family }).ok_or(io::ErrorKind::AddrInUse.into())
    }

    fn raw(&mut self, family: Family) -> &mut Option<RawSocket> {
        match family {
            Family::V4 => &mut self.raw_v4,
            Family::V6 => &mut self.raw_v6,
        }
    }

    fn shared(&self, family: Family) -> Option<&RawSocket> {
        match family {
            Family::V4 => self.raw_v4.as_ref(),
            Family::V6 => self.raw_v6.as_ref(),
        }
    }

    fn transmit(&self, id: EchoId, request: &Request<'_>) -> io::Result<()> {
        match self.find(id).map(|echo| &echo.way) {
            Some(Way::Ping(fd)) => request.send(fd.as_fd(), 0),
            Some(Way::Raw { identifier, family }) => {
                self.shared(*family).map_or(Ok(()), |socket| request.send(socket.as_fd(), *identifier))
            }
            None => Ok(()),
        }
    }

    fn take_errors(&self, id: EchoId, inputs: &mut Vec<Input>) {
        match self.find(id).map(|echo| &echo.way) {
            Some(Way::Ping(fd)) => take_ping_errors(fd.as_fd(), id, inputs),
            Some(Way::Raw { family, .. }) => {
                self.shared(*family).into_iter().for_each(|socket| socket.take_errors(inputs));
            }
            None => {}
        }
    }

    /// What the system has no room for is lost, as in any full queue on the way.
    fn failed(&mut self, id: EchoId, sequence: u16, error: &io::Error, inputs: &mut Vec<Input>) {
        match sys::errno(error) {
            libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM => self.dropped += 1,
            refused => {
                inputs.push(Input::EchoFailed { echo: id, sequence, failure: datagram::refusal(refused) })
            }
        }
    }
}

impl Family {
    fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// As [`Token::RawEcho`] has it.
    fn number(self) -> u32 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    fn domain(self) -> c_int {
        match self {
            Self::V4 => libc::AF_INET,
            Self::V6 => libc::AF_INET6,
        }
    }

    fn protocol(self) -> c_int {
        match self {
            Self::V4 => libc::IPPROTO_ICMP,
            Self::V6 => libc::IPPROTO_ICMPV6,
        }
    }
}

/// An echo request without its identifier.
struct Request<'a> {
    to: IpAddr,
    sequence: u16,
    payload: &'a Bytes,
    hop_limit: u8,
}

impl Request<'_> {
    fn send(&self, fd: BorrowedFd<'_>, identifier: u16) -> io::Result<()> {
        let family = Family::of(self.to);
        let header = message::request_header(family, identifier, self.sequence, self.payload);
        let slices = [IoSlice::new(&header), IoSlice::new(self.payload)];
        let mut control = Control::new();
        if self.hop_limit != datagram::USUAL_HOP_LIMIT || self.to.is_multicast() {
            datagram::hop_limit_control(family.domain(), self.hop_limit, &mut control);
        }
        datagram::send(fd, SocketAddr::new(self.to, 0), &slices, &mut control)
    }
}

fn open_ping(epoll: &Epoll, id: EchoId, to: IpAddr) -> io::Result<OwnedFd> {
    let family = Family::of(to);
    let fd = sys::socket(family.domain(), libc::SOCK_DGRAM, family.protocol())?;
    datagram::keep_errors(fd.as_fd(), family.domain())?;
    sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_BROADCAST, 1)?;
    epoll.add_reading(fd.as_fd(), Token::Echo(id))?;
    Ok(fd)
}

fn take_ping_errors(fd: BorrowedFd<'_>, id: EchoId, inputs: &mut Vec<Input>) {
    inputs.extend(reports(fd).map(|reported| {
        let sequence = message::sequence(&reported.quoted);
        Input::EchoFailed { echo: id, sequence, failure: reported.failure }
    }));
}

/// What the error queue holds, in bounded amount.
fn reports(fd: BorrowedFd<'_>) -> impl Iterator<Item = Reported> {
    std::iter::from_fn(move || datagram::next_error(fd).ok()).take(READ_LIMIT).flatten()
}

/// Ping sockets are for groups that the administrator names, raw ones for himself; some kernels know
/// no ping sockets.
fn is_forbidden(error: &io::Error) -> bool {
    matches!(sys::errno(error), libc::EACCES | libc::EPERM | libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT)
}

fn refusal() -> String {
    "ping did not work: this system does not let this user send echo requests. To allow it, run: \
     sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""
        .to_owned()
}

fn find(echoes: &[Option<Echo>], id: EchoId) -> Option<&Echo> {
    echoes.get(place(id)).filter(|slot| holds(slot, id))?.as_ref()
}

fn holds(slot: &Option<Echo>, id: EchoId) -> bool {
    slot.as_ref().is_some_and(|echo| echo.id == id)
}

fn place(id: EchoId) -> usize {
    usize::try_from(id.index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
