//! What a flow asks for: of its socket, and of its app.

use super::{Flow, KeepAlive, Stage, Upstream, headers};
use crate::limits::{
    FLOW_MEMORY, FLOW_RESERVE, FLOW_UNACKNOWLEDGED, LEAST_ROOM, PACKETS_UNACKNOWLEDGED, WINDOW_SCALE,
    WINDOW_STEP,
};
use crate::shared::Shared;
use crate::{Output, Packet};

impl Flow {
    /// The next thing to do for this flow.
    pub(crate) fn poll(&mut self, shared: &mut Shared) -> Option<Output> {
        match &mut self.stage {
            Stage::Held { .. } => None,
            Stage::Answered { due, .. } => std::mem::take(due).then(|| self.syn_ack(shared)),
            Stage::Open if self.broken_off => self.poll_send(),
            Stage::Open => self.poll_upstream(shared).or_else(|| self.poll_app(shared)),
        }
    }

    fn poll_upstream(&mut self, shared: &mut Shared) -> Option<Output> {
        if self.upstream != Upstream::Socket {
            return None;
        }
        if let Some(send) = self.poll_send() {
            return Some(send);
        }
        if self.receiver.finished() && self.receiver.pending.len() == 0 && !self.finish_told {
            self.finish_told = true;
            return Some(Output::Finish(self.id));
        }
        if self.keep_alive == KeepAlive::Due {
            self.keep_alive = KeepAlive::Told;
            return Some(Output::KeepAlive(self.id));
        }
        if self.starved && !self.sender.ended() && self.room_for_more(shared) > 0 {
            self.starved = false;
            return Some(Output::Receive(self.id));
        }
        None
    }

    fn poll_send(&mut self) -> Option<Output> {
        let due = std::mem::take(&mut self.send_due) && self.receiver.pending.len() > 0;
        due.then_some(Output::Send(self.id))
    }

    fn poll_app(&mut self, shared: &mut Shared) -> Option<Output> {
        // What is missing or came twice is told by itself: segments with bytes carry no options, and to a system
        // they are no duplicate acknowledgements (RFC 5681 2).
        if self.receiver.has_sack_blocks() && self.acknowledge.take_due() {
            return Some(self.bare_acknowledgement(shared));
        }
        if let Some(piece) = self.sender.next_piece(shared.now, self.most(shared)) {
            shared.counters.retransmitted += u64::from(piece.again);
            self.acknowledge.ridden(!piece.payload.is_empty());
            let window = self.offer(shared);
            let (reply, next) = (self.reply(), self.receiver.next());
            let cut = shared.offload.then_some(self.terms.mss);
            return Some(self.packet_out(reply.piece(piece, next, window, cut)));
        }
        if self.acknowledge.take_due() {
            return Some(self.bare_acknowledgement(shared));
        }
        std::mem::take(&mut self.probe_due).then(|| self.probe(shared))
    }

    /// Payload bytes that one packet takes at most: a full segment, or what is cut into such behind us.
    fn most(&self, shared: &Shared) -> usize {
        if shared.offload { shared.longest().saturating_sub(headers(&self.remote)) } else { self.terms.mss }
    }

    fn packet_out(&mut self, packet: Packet) -> Output {
        self.traffic.packets_received += 1;
        Output::Packet(packet)
    }

    fn syn_ack(&mut self, shared: &mut Shared) -> Output {
        let size = u16::try_from(shared.mtu.saturating_sub(headers(&self.remote))).unwrap_or(u16::MAX);
        self.offer(shared);
        // RFC 7323 2.2: the window of a SYN is never scaled.
        let window = u16::try_from(self.receiver.window()).unwrap_or(u16::MAX);
        let isn = self.sender.next().minus(1);
        let packet = self.reply().syn_ack(
            isn,
            self.receiver.next(),
            window,
            size,
            self.terms.scale.is_some(),
            self.terms.sack,
        );
        self.packet_out(packet)
    }

    fn bare_acknowledgement(&mut self, shared: &mut Shared) -> Output {
        let window = self.offer(shared);
        let blocks = if self.receiver.has_sack_blocks() {
            self.receiver.take_sack_blocks()
        } else {
            Default::default()
        };
        let blocks = if self.terms.sack { blocks } else { Default::default() };
        let packet = self.reply().acknowledgement(self.sender.next(), self.receiver.next(), window, &blocks);
        self.packet_out(packet)
    }

    /// An empty segment outside the app's window: the app must answer it (RFC 9293 3.8.4, 3.8.6.1).
    fn probe(&mut self, shared: &mut Shared) -> Output {
        let window = self.offer(shared);
        let before = self.sender.unacknowledged().minus(1);
        let packet = self.reply().acknowledgement(before, self.receiver.next(), window, &Default::default());
        self.packet_out(packet)
    }

    /// Widens the window as far as the bounds allow; gives the field of the header.
    fn offer(&mut self, shared: &mut Shared) -> u16 {
        let window = self.receiver.window();
        let growth = self.opening(shared);
        if self.is_worth_telling(growth, shared) {
            self.receiver.promise(window + growth, &mut shared.memory);
            shared.windows.weigh(&mut self.given, self.receiver.window());
        }
        let shift = if self.terms.scale.is_some() { WINDOW_SCALE } else { 0 };
        u16::try_from(self.receiver.window() >> shift).unwrap_or(u16::MAX)
    }

    /// RFC 9293 3.8.6.2.2: no silly windows, but any window rather than none where memory is short.
    pub(super) fn is_worth_telling(&self, growth: usize, shared: &mut Shared) -> bool {
        let step = self.terms.mss.min(self.allowance(shared) / 2).min(WINDOW_STEP);
        growth >= step || (self.receiver.window() == 0 && growth >= FLOW_RESERVE)
    }

    /// By how much the window could grow now.
    pub(super) fn opening(&mut self, shared: &mut Shared) -> usize {
        shared.windows.weigh(&mut self.given, self.receiver.window());
        if self.receiver.finished() || self.upstream == Upstream::Gone {
            return 0;
        }
        let scale_limit = if self.terms.scale.is_some() { usize::MAX } else { usize::from(u16::MAX) };
        let allowed = self.allowance(shared).min(scale_limit);
        let wanted = allowed.saturating_sub(self.receiver.window());
        wanted.min(shared.memory.share(self.receiver.held(), FLOW_MEMORY))
    }

    fn allowance(&self, shared: &mut Shared) -> usize {
        shared.windows.allowance(&self.given, shared.mtu, shared.now)
    }

    pub(super) fn room_for_more(&self, shared: &mut Shared) -> usize {
        let outgoing = &self.sender.outgoing;
        let most = (PACKETS_UNACKNOWLEDGED * shared.longest()).min(FLOW_UNACKNOWLEDGED);
        let room = shared.memory.share(outgoing.charged(), most);
        if room >= LEAST_ROOM || outgoing.len() == 0 { room } else { 0 }
    }
}
