//! The UDP sockets of mappings: one unconnected socket for each address and port of an app, so that
//! the app shows every peer the same source (RFC 4787 4.1) and hears every peer.

mod path;
mod receive;
mod send;
mod socket;

use std::io;
use std::mem;

use telltale_engine::{DatagramFailure, Input, MappingId};

use crate::poll::{Epoll, Token};
use crate::sys;
use path::PathMtus;
use receive::Receiver;
use send::QUEUE;
use socket::Socket;

pub(crate) use send::Outgoing;

/// Datagrams read from one mapping before others get their turn.
const READ_LIMIT: usize = 64;

/// All mappings that have sent something.
pub(crate) struct Mappings {
    /// By [`MappingId::index`].
    mappings: Vec<Option<Mapping>>,
    /// Those with something to send at the end of the turn.
    unsent: Vec<MappingId>,
    receiver: Receiver,
    paths: PathMtus,
    dropped: u64,
}

struct Mapping {
    id: MappingId,
    /// Opened at the first send.
    socket: Option<Socket>,
    outgoing: Vec<Outgoing>,
}

impl Mappings {
    pub(crate) fn new() -> Self {
        Self {
            mappings: Vec::new(),
            unsent: Vec::new(),
            receiver: Receiver::new(),
            paths: PathMtus::default(),
            dropped: 0,
        }
    }

    /// Whether this mapping has sent before.
    pub(crate) fn knows(&self, id: MappingId) -> bool {
        let mapping = self.mappings.get(place(id)).and_then(Option::as_ref);
        mapping.is_some_and(|mapping| mapping.id == id)
    }

    /// Queues a datagram until [`Self::flush`].
    pub(crate) fn send(&mut self, mapping: MappingId, datagram: Outgoing) {
        let outgoing = &mut self.open(mapping).outgoing;
        if outgoing.len() >= QUEUE {
            self.dropped += 1;
            return;
        }
        outgoing.push(datagram);
        if outgoing.len() == 1 {
            self.unsent.push(mapping);
        }
    }

    /// Sends what was queued, the datagrams of one mapping together.
    pub(crate) fn flush(&mut self, epoll: &Epoll, inputs: &mut Vec<Input>) {
        let mut unsent = mem::take(&mut self.unsent);
        for id in unsent.drain(..) {
            self.flush_one(id, epoll, inputs);
        }
        self.unsent = unsent;
    }

    /// Reads what has arrived at a mapping's socket, `most` datagrams or little more: true says that more may be
    /// there, which nothing will announce again. `failed`: the event said that an error waits.
    pub(crate) fn ready(
        &mut self,
        id: MappingId,
        failed: bool,
        most: usize,
        inputs: &mut Vec<Input>,
    ) -> bool {
        let Some(mapping) = find(&mut self.mappings, id) else { return false };
        let Some(socket) = &mut mapping.socket else { return false };
        if failed {
            socket.take_errors(id, &mut self.paths, inputs);
        }
        let most = most.min(READ_LIMIT);
        let limit = inputs.len() + most;
        for _ in 0..READ_LIMIT {
            let deliver = |from, payload| inputs.push(Input::Datagram { mapping: id, from, payload });
            match socket.receive(&mut self.receiver, most, deliver) {
                Ok(more) if !more => return false,
                Ok(_) if inputs.len() >= limit => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // The network had reported it about an earlier datagram; the call has cleared it.
                Err(_) => _ = socket.take_errors(id, &mut self.paths, inputs),
            }
        }
        // Nothing but errors: the next event begins anew.
        false
    }

    /// The network is another one: each mapping gets a new socket at its next datagram, and what is known of
    /// paths is forgotten. Whoever had sent to the old sockets could not reach them any more.
    pub(crate) fn change_network(&mut self) {
        for mapping in self.mappings.iter_mut().flatten() {
            mapping.socket = None;
        }
        self.paths = PathMtus::default();
    }

    /// Closes a mapping's socket. What was queued and not sent is lost with it.
    pub(crate) fn close(&mut self, id: MappingId) {
        if find(&mut self.mappings, id).is_some() {
            self.forget(id);
        }
    }

    /// Datagrams that the system had no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The mapping of that id, which takes the place of an earlier one of the same index.
    fn open(&mut self, id: MappingId) -> &mut Mapping {
        let index = place(id);
        if index >= self.mappings.len() {
            self.mappings.resize_with(index + 1, || None);
        }
        let fresh = || Mapping { id, socket: None, outgoing: Vec::new() };
        #[expect(clippy::indexing_slicing, reason = "the table was made long enough above")]
        let slot = &mut self.mappings[index];
        if slot.as_ref().is_some_and(|mapping| mapping.id != id) {
            *slot = None;
        }
        slot.get_or_insert_with(fresh)
    }

    fn forget(&mut self, id: MappingId) {
        if let Some(slot) = self.mappings.get_mut(place(id)) {
            *slot = None;
        }
    }

    fn flush_one(&mut self, id: MappingId, epoll: &Epoll, inputs: &mut Vec<Input>) {
        let Some(mapping) = find(&mut self.mappings, id) else { return };
        let mut outgoing = mem::take(&mut mapping.outgoing);
        match mapping.open_socket(&outgoing, epoll) {
            Ok(socket) => {
                self.dropped += send::send_all(id, socket, &mut outgoing, &mut self.paths, inputs);
                outgoing.clear();
                mapping.outgoing = outgoing;
            }
            // The system has no such family.
            Err(error) if sys::errno(&error) == libc::EAFNOSUPPORT => {
                inputs.extend(outgoing.iter().map(|one| one.failed(id, DatagramFailure::NetworkUnreachable)));
            }
            Err(_) => {
                self.dropped += outgoing.len() as u64;
                self.forget(id);
                inputs.push(Input::Unmapped(id));
            }
        }
    }
}

impl Mapping {
    /// The socket, opened now if there is none. An app's address has one family, and so has all that
    /// it sends: the first datagram tells which.
    fn open_socket(&mut self, outgoing: &[Outgoing], epoll: &Epoll) -> io::Result<&mut Socket> {
        match &mut self.socket {
            Some(socket) => Ok(socket),
            none => {
                let first = outgoing.first().ok_or(io::ErrorKind::InvalidInput)?;
                let socket = Socket::open(first.to())?;
                epoll.add_reading(socket.as_fd(), Token::Udp(self.id))?;
                Ok(none.insert(socket))
            }
        }
    }
}

/// The mapping of that id, unless it is gone.
fn find(mappings: &mut [Option<Mapping>], id: MappingId) -> Option<&mut Mapping> {
    mappings.get_mut(place(id))?.as_mut().filter(|mapping| mapping.id == id)
}

fn place(id: MappingId) -> usize {
    usize::try_from(id.index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
