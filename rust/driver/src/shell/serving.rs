//! Sockets that may be read, each served a bounded amount in its turn.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use telltale_engine::{FlowId, Input, Instant};

use super::{PACKETS_WRITTEN, SERVED, Shell};
use crate::poll::{Event, Token};
use crate::tcp::Arrival;

/// TCP sockets that may be read, in the order in which they became so.
pub(super) struct Streams {
    /// Those that had little to say when they were read last: they are served first, for an answer waits for no
    /// more than other answers.
    short: VecDeque<FlowId>,
    long: VecDeque<FlowId>,
    /// When one of the short ones had a little to say again.
    others: Option<Instant>,
    /// Bytes read from all of them in one turn.
    bytes: usize,
}

/// Bytes read from all TCP sockets in one turn: a millisecond of writing. Those that wait share them.
const STREAMS_READ: usize = 1 << 20;

/// But so much of each at least: less costs more than it brings.
const STREAM_READ: usize = 64 << 10;

/// While others have little to say now and then, as answers to what they ask are, the turns that they wait for are
/// shorter: long ones read this fraction (1/n).
const BESIDE: usize = 4;

/// For so long after it.
const NOW_AND_THEN: Duration = Duration::from_millis(20);

/// So much is little, and all that a socket is read for at once as long as it had little.
const SHORT: usize = 8 << 10;

impl Streams {
    /// None yet. What one turn reads is to fill [`PACKETS_WRITTEN`] of a tun that takes segments
    /// of so many bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { short: VecDeque::new(), long: VecDeque::new(), others: None, bytes: bytes(longest) }
    }

    /// From now on it takes such.
    pub(super) fn fill(&mut self, longest: usize) {
        self.bytes = bytes(longest);
    }

    fn push(&mut self, flow: FlowId, long: bool) {
        let list = if long { &mut self.long } else { &mut self.short };
        list.push_back(flow);
    }

    /// Another than a long one had something to say.
    fn note_other(&mut self, now: Instant) {
        self.others = Some(now);
    }

    /// What long ones may read together in this turn.
    fn room(&self, now: Instant) -> usize {
        let beside = self.others.is_some_and(|at| now - at < NOW_AND_THEN);
        if beside { self.bytes / BESIDE } else { self.bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_empty()
    }
}

/// Never more than is good.
fn bytes(longest: usize) -> usize {
    (PACKETS_WRITTEN * longest).min(STREAMS_READ)
}

impl Shell {
    /// Reads from TCP sockets: first from those that have little to say, then from the others, who share what a
    /// turn may bring.
    pub(super) fn serve_streams(&mut self) -> io::Result<()> {
        for _ in 0..self.streams.short.len().min(SERVED) {
            if self.tun.is_stuffed() {
                return Ok(());
            }
            let Some(flow) = self.streams.short.pop_front() else { break };
            if (1..SHORT).contains(&self.serve_stream(flow, SHORT)?) {
                self.streams.note_other(self.now);
            }
        }
        let mut left = self.streams.room(self.now);
        let share = (left / self.streams.long.len().max(1)).max(STREAM_READ);
        for _ in 0..self.streams.long.len().min(SERVED) {
            if left == 0 || self.tun.is_stuffed() {
                break;
            }
            let Some(flow) = self.streams.long.pop_front() else { break };
            left -= self.serve_stream(flow, left.min(share))?;
        }
        Ok(())
    }

    /// Reads at most `limit` bytes from a socket that was taken out of its list. How many there were.
    fn serve_stream(&mut self, flow: FlowId, limit: usize) -> io::Result<usize> {
        self.sockets.unqueue(flow);
        let read = self.receive(flow, limit)?;
        self.sockets.note_read(flow, read >= SHORT);
        self.queue_if_roomy(flow);
        Ok(read)
    }

    /// Reads at most `limit` bytes from a socket. How many there were.
    fn receive(&mut self, flow: FlowId, limit: usize) -> io::Result<usize> {
        let mut read = 0;
        while read < limit {
            let room = self.engine.room(flow);
            match self.sockets.receive(flow, room.min(limit - read)) {
                Arrival::Bytes(len) => {
                    read += len;
                    self.stall.answered();
                    for (payload, pinned) in self.sockets.pieces() {
                        self.engine.handle_input(self.now, Input::Received { flow, payload, pinned });
                    }
                }
                Arrival::Finished => self.engine.handle_input(self.now, Input::Finished(flow)),
                Arrival::Broken(failure, unsent) => {
                    self.engine.handle_input(self.now, Input::Broken { flow, failure, unsent });
                }
                Arrival::Nothing => break,
            }
            self.settle()?;
        }
        Ok(read)
    }

    /// Puts a socket that may be read into the list of those to serve, once.
    pub(super) fn queue(&mut self, flow: FlowId) {
        if self.sockets.queue(flow) {
            self.streams.push(flow, self.sockets.says_much(flow));
        }
    }

    /// The same, but only if the engine takes more: else [`Output::Receive`] puts it back.
    ///
    /// [`Output::Receive`]: telltale_engine::Output::Receive
    fn queue_if_roomy(&mut self, flow: FlowId) {
        if self.engine.room(flow) > 0 {
            self.queue(flow);
        }
    }

    /// Goes on with datagram sockets that were not read to the end, some of them in each turn.
    pub(super) fn serve_datagrams(&mut self) -> io::Result<()> {
        for _ in 0..self.datagrams.len().min(SERVED) {
            if self.tun.is_stuffed() {
                break;
            }
            let Some(token) = self.datagrams.pop_front() else { break };
            self.queued.remove(&token);
            self.act(Event::again(token))?;
        }
        Ok(())
    }

    /// Reads a bounded amount from a datagram socket, and remembers it if there may be more.
    pub(super) fn serve_datagram(&mut self, token: Token, failed: bool) -> io::Result<()> {
        let inputs = &mut self.inputs;
        let more = match token {
            Token::Udp(mapping) => {
                self.streams.note_other(self.now);
                self.mappings.ready(mapping, failed, inputs)
            }
            Token::Echo(echo) => self.echoes.ready(echo, failed, inputs),
            Token::RawEcho(family) => self.echoes.ready_raw(family, failed, inputs),
            Token::Query { slot, generation } => {
                self.resolver.ready(self.epoll.get_ref(), self.now, slot, generation, inputs);
                false
            }
            Token::Tcp(_) | Token::Owners => false,
        };
        if more && self.queued.insert(token) {
            self.datagrams.push_back(token);
        }
        self.settle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ones_read_what_fills_the_tun_in_a_turn_and_less_while_others_have_a_little_to_say() {
        let at = |milliseconds: u64| Instant::from_micros(milliseconds * 1_000);
        let mut streams = Streams::new(65_535);
        assert_eq!(streams.room(at(0)), STREAMS_READ);
        streams.fill(1_500);
        assert_eq!(streams.room(at(0)), 96_000);
        streams.note_other(at(5));
        assert_eq!([5, 24, 25].map(|now| streams.room(at(now))), [24_000, 24_000, 96_000]);
    }
}
