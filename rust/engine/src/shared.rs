//! What every flow needs from the engine while something happens to it.

use std::collections::VecDeque;

use bytes::Bytes;
use telltale_model::{Direction, FlowNumber};

#[cfg(doc)]
use crate::Offload;
use crate::memory::Memory;
use crate::windows::Windows;
use crate::{Config, Counters, Instant, Output, Packet, Shape};

/// The moment, the common bounds, and where outputs go.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) now: Instant,
    pub(crate) mtu: usize,
    /// [`Offload::to_apps`]
    pub(crate) offload: bool,
    pub(crate) memory: Memory,
    pub(crate) windows: Windows,
    pub(crate) counters: Counters,
    /// Sockets that the shell has or is about to have for flows.
    pub(crate) sockets: usize,
    /// Whether anybody wants to see what flows carry.
    watched: bool,
    outputs: VecDeque<Output>,
    numbers: u64,
}

impl Shared {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Self {
            now,
            mtu: config.mtu,
            offload: config.offload.to_apps,
            memory: Memory::default(),
            windows: Windows::default(),
            counters: Counters::default(),
            sockets: 0,
            watched: config.watched,
            outputs: VecDeque::new(),
            numbers: 0,
        }
    }

    /// Bytes of the longest TCP segment to an app, headers included.
    pub(crate) fn longest(&self) -> usize {
        if self.offload { usize::from(u16::MAX) } else { self.mtu }
    }

    /// The number of a new flow.
    pub(crate) fn number(&mut self) -> FlowNumber {
        self.numbers += 1;
        FlowNumber(self.numbers)
    }

    /// Something for the shell to do, after what was asked before.
    pub(crate) fn ask(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Shows payload to whoever watches. Costs nothing where nobody does.
    pub(crate) fn show(
        &mut self,
        flow: FlowNumber,
        direction: Direction,
        shape: Shape,
        payload: &Bytes,
        pinned: usize,
    ) {
        if self.watched {
            let payload = payload.clone();
            self.ask(Output::Seen { flow, direction, shape, payload, pinned });
        }
    }

    /// A packet to an app that belongs to no flow's own queue, if there is one to send.
    pub(crate) fn reply(&mut self, packet: Option<Packet>) {
        if let Some(packet) = packet {
            self.outputs.push_back(Output::Packet(packet));
        }
    }

    pub(crate) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
