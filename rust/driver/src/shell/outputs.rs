//! What the engine asks for, done.

use std::io;
use std::mem;
use std::net::SocketAddr;

use telltale_engine::{FlowId, Input, Output};

use super::Shell;
use crate::introductions::Carrier;
use crate::udp::Outgoing;

impl Shell {
    /// Does all that the engine asks for, until it asks for nothing more. An error means that the tun
    /// is gone.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        loop {
            self.hand_over();
            self.perform_all()?;
            self.mappings.flush(self.epoll.get_ref(), &mut self.inputs);
            if self.inputs.is_empty() {
                return Ok(());
            }
        }
    }

    /// Hands what came back to the engine, unless it has to wait for the owner of its flow.
    fn hand_over(&mut self) {
        let mut inputs = mem::take(&mut self.inputs);
        for input in inputs.drain(..) {
            if is_answer(&input) {
                self.stall.answered();
            }
            if let Some(input) = self.introductions.hold_input(input) {
                self.engine.handle_input(self.now, input);
            }
        }
        // The empty list keeps its memory for the next time.
        self.inputs = inputs;
    }

    fn perform_all(&mut self) -> io::Result<()> {
        loop {
            let (epoll, inputs) = (self.epoll.get_ref(), &mut self.inputs);
            match self.engine.poll_output() {
                Output::Packet(packet) => self.tun.write(packet)?,
                Output::Timeout(at) => {
                    self.deadline = at.map(|(at, _why)| at);
                    return self.tun.end_joining();
                }

                Output::Connect { flow, number, to } => {
                    self.introductions.carry(number, Carrier::Tcp(flow));
                    self.stall.tried(self.now);
                    self.connect(flow, to);
                }
                Output::Send(flow) => self.send(flow),
                Output::Receive(flow) => self.queue(flow),
                Output::Finish(flow) => self.finish(flow),
                Output::KeepAlive(flow) => self.sockets.keep_alive(flow),
                Output::Close(flow) => self.sockets.close(flow),
                Output::Abort(flow) => self.unsent = self.sockets.abort(flow),

                Output::Datagram { mapping, number, to, payload, hop_limit, dont_fragment } => {
                    if !self.mappings.knows(mapping) {
                        self.introductions.carry(number, Carrier::Udp(mapping));
                    }
                    if !to.ip().is_multicast() {
                        self.stall.tried(self.now);
                    }
                    self.mappings.send(mapping, Outgoing::new(to, payload, hop_limit, dont_fragment));
                }
                Output::Unmap(mapping) => self.mappings.close(mapping),
                Output::EchoRequest { echo, to, sequence, payload, hop_limit } => {
                    self.echoes.send(epoll, echo, to, sequence, &payload, hop_limit, inputs);
                }
                Output::Unecho(echo) => self.echoes.close(echo),
                Output::Query { query, number, message, over_tcp } => {
                    self.introductions.carry(number, Carrier::Query(query));
                    self.stall.tried(self.now);
                    self.resolver.ask(epoll, self.now, query, message, over_tcp, inputs);
                }
                Output::Forget(query) => self.resolver.forget(query),

                Output::Opened { flow, key } => {
                    if self.reports.opened(flow, key) {
                        self.introductions.expect(flow, self.now);
                    }
                }
                Output::Seen { flow, direction, shape, payload, pinned } => {
                    self.reports.seen(flow, direction, shape, payload, pinned);
                }
                Output::Closed { flow, mut traffic, ending } => {
                    let unsent = mem::take(&mut self.unsent) as u64;
                    traffic.bytes_sent = traffic.bytes_sent.saturating_sub(unsent);
                    self.reports.closed(flow, traffic, ending);
                }
            }
        }
    }

    fn connect(&mut self, flow: FlowId, to: SocketAddr) {
        if let Err(failure) = self.sockets.connect(self.epoll.get_ref(), flow, to) {
            self.inputs.push(Input::ConnectFailed(flow, failure));
        }
    }

    /// Sends what an app has sent, as far as the socket takes it.
    pub(super) fn send(&mut self, flow: FlowId) {
        while let Some(sent) = self.sockets.send(flow, self.engine.pending(flow)) {
            if sent.bytes > 0 {
                self.engine.handle_input(self.now, Input::Sent(flow, sent.bytes));
            }
            if sent.blocked {
                self.engine.handle_input(self.now, Input::Blocked(flow));
                return;
            }
        }
        self.queue_if_broken(flow);
    }

    fn finish(&mut self, flow: FlowId) {
        self.sockets.finish(flow);
        self.queue_if_broken(flow);
    }

    /// Where the connection has broken, what had arrived before is read, and then the break told.
    fn queue_if_broken(&mut self, flow: FlowId) {
        if self.sockets.is_broken(flow) {
            self.queue(flow);
        }
    }
}

/// Whether somebody out there has said this.
fn is_answer(input: &Input) -> bool {
    matches!(input, Input::Datagram { .. } | Input::EchoReply { .. } | Input::Answer { message: Some(_), .. })
}
