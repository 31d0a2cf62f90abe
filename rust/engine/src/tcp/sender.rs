//! The half of a flow that sends to the app (RFC 9293 3.8, RFC 6298, RFC 2018).
//!
//! There is no congestion control: the path to the app is a memory copy. What the app's window takes is
//! sent at once; what was lost all the same (a full socket buffer, a full backlog) is sent again at a
//! gap, at the third duplicate acknowledgement, or by time-out.

use bytes::Bytes;

use super::outgoing::Outgoing;
use super::round_trip::RoundTrip;
use super::sequence::Sequence;
use crate::Instant;
use crate::limits::SACKED_RANGES;
use crate::memory::Memory;
use crate::wire::Payload;

/// What was sent, what may be sent, what is left.
#[derive(Debug)]
pub(crate) struct Sender {
    /// SND.UNA.
    unacknowledged: Sequence,
    /// SND.NXT.
    next: Sequence,
    /// The right edge of the app's window.
    edge: Sequence,
    /// The segment that last moved it: SND.WL1, SND.WL2.
    edge_from: (Sequence, Sequence),
    scale: u8,
    mss: usize,
    pub(crate) outgoing: Outgoing,
    end: Option<End>,
    fin_sent: bool,
    sacked: Vec<(Sequence, Sequence)>,
    duplicates: u8,
    recovery: Option<Recovery>,
    round_trip: RoundTrip,
    deadline: Option<Instant>,
}

/// How the remote ended its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A FIN follows the last byte.
    Fin,
    /// A reset follows the last byte.
    Reset,
}

/// Sending again what an app did not get.
#[derive(Clone, Copy, Debug)]
struct Recovery {
    /// It is over when this is acknowledged.
    until: Sequence,
    /// Up to here it was sent again already.
    cursor: Sequence,
    /// Up to here bytes that are not acknowledged count as lost.
    lost: Sequence,
    /// The app has shown what is missing by SACK, so nothing need be guessed.
    shown: bool,
}

/// An acknowledgement as a segment from the app carries it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgement {
    /// SEG.SEQ.
    pub(crate) sequence: Sequence,
    /// SEG.ACK.
    pub(crate) number: Sequence,
    /// SEG.WND as on the wire.
    pub(crate) window: u16,
    pub(crate) sacked: [Option<(Sequence, Sequence)>; 3],
    /// The segment carried nothing else: only such a one can be a duplicate (RFC 5681 2).
    pub(crate) bare: bool,
}

/// One segment to send.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) sequence: Sequence,
    pub(crate) payload: Payload,
    pub(crate) push: bool,
    pub(crate) fin: bool,
    pub(crate) again: bool,
}

impl Sender {
    /// A sender whose first byte has the number `first`, toward an app with this scale and segment size.
    pub(crate) fn new(first: Sequence, window: u16, scale: u8, mss: usize) -> Self {
        Self {
            unacknowledged: first,
            next: first,
            edge: first.plus(usize::from(window)),
            edge_from: (first, first),
            scale,
            mss,
            outgoing: Outgoing::default(),
            end: None,
            fin_sent: false,
            sacked: Vec::new(),
            duplicates: 0,
            recovery: None,
            round_trip: RoundTrip::default(),
            deadline: None,
        }
    }

    /// Notes which segment of the app the first window came with, before any other is judged by it.
    pub(crate) fn open(&mut self, acknowledgement: &Acknowledgement) {
        self.edge_from = (acknowledgement.sequence, acknowledgement.number);
        self.edge = acknowledgement.number.plus(self.scaled(acknowledgement.window));
    }

    pub(crate) fn push(&mut self, bytes: Bytes, pinned: usize, memory: &mut Memory) {
        self.outgoing.push(bytes, pinned, memory);
    }

    /// Nothing will be pushed any more; after the last byte goes this.
    pub(crate) fn end_with(&mut self, end: End) {
        self.end = Some(end);
    }

    /// Takes an acknowledgement of something that was sent; gives the bytes that it acknowledges anew.
    pub(crate) fn acknowledge(
        &mut self,
        now: Instant,
        acknowledgement: &Acknowledgement,
        memory: &mut Memory,
    ) -> usize {
        let number = acknowledgement.number;
        if number.is_before(self.unacknowledged) {
            return 0;
        }
        let window_moved = self.move_edge(acknowledgement);
        let bytes = number.since(self.unacknowledged).min(self.outgoing.len());
        let anew = number.is_after(self.unacknowledged);
        self.note_sacked(acknowledgement);
        if anew {
            self.advance(now, number, bytes, memory);
        } else {
            self.round_trip.answered(self.window_closed());
            self.deadline = self.deadline.filter(|_| self.in_flight());
            self.count_duplicate(acknowledgement.bare && !window_moved);
        }
        self.find_losses();
        bytes
    }

    /// The next segment to send, if any may go now, of at most `longest` bytes: more than the app agreed to where it
    /// is cut behind us.
    pub(crate) fn next_piece(&mut self, now: Instant, longest: usize) -> Option<Piece> {
        let piece = self.lost_piece(longest).or_else(|| self.new_piece(now, longest))?;
        self.deadline.get_or_insert(now + self.round_trip.timeout());
        Some(piece)
    }

    /// Whether a reset is due: everything before it was delivered.
    pub(crate) fn reset_due(&self) -> bool {
        self.end == Some(End::Reset) && self.outgoing.len() == 0
    }

    /// Whether everything including the FIN was acknowledged.
    pub(crate) fn finished(&self) -> bool {
        self.fin_sent && self.unacknowledged == self.next
    }

    /// Whether the remote has ended its stream, whatever is left to deliver.
    pub(crate) fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// When something must be sent again or the app's closed window asked for.
    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        if self.deadline.is_none() && self.window_closed() {
            self.deadline = Some(now + self.round_trip.timeout());
        }
        self.deadline
    }

    /// The deadline has passed. True where the app's closed window must be probed now.
    pub(crate) fn time_out(&mut self, now: Instant) -> bool {
        self.round_trip.back_off();
        self.deadline = Some(now + self.round_trip.timeout());
        if !self.in_flight() {
            return true;
        }
        // RFC 2018 8: after a time-out what was sacked may have been dropped all the same.
        self.sacked.clear();
        self.duplicates = 0;
        let first = self.unacknowledged;
        self.recovery =
            Some(Recovery { until: self.next, cursor: first, lost: first.plus(self.mss), shown: false });
        false
    }

    /// Time-outs in a row without any answer.
    pub(crate) fn time_outs(&self) -> u32 {
        self.round_trip.unanswered()
    }

    pub(crate) fn in_flight(&self) -> bool {
        self.unacknowledged != self.next
    }

    /// SND.NXT: what a bare acknowledgement carries as its own number.
    pub(crate) fn next(&self) -> Sequence {
        self.next
    }

    /// SND.UNA.
    pub(crate) fn unacknowledged(&self) -> Sequence {
        self.unacknowledged
    }

    /// Whether an acknowledgement of this number makes sense (RFC 9293 3.10.7.4, fifth check).
    pub(crate) fn has_sent(&self, number: Sequence) -> bool {
        !number.is_after(self.next)
    }

    pub(crate) fn clear(&mut self, memory: &mut Memory) {
        self.outgoing.clear(memory);
        self.sacked = Vec::new();
        self.recovery = None;
        self.deadline = None;
    }

    fn scaled(&self, window: u16) -> usize {
        usize::from(window) << self.scale
    }

    /// RFC 9293 3.10.7.4, fifth check: only a newer segment may move the window.
    fn move_edge(&mut self, acknowledgement: &Acknowledgement) -> bool {
        let (sequence, number) = self.edge_from;
        let newer = acknowledgement.sequence.is_after(sequence)
            || (acknowledgement.sequence == sequence && !acknowledgement.number.is_before(number));
        let edge = acknowledgement.number.plus(self.scaled(acknowledgement.window));
        if !newer {
            return false;
        }
        self.edge_from = (acknowledgement.sequence, acknowledgement.number);
        std::mem::replace(&mut self.edge, edge) != edge
    }

    fn advance(&mut self, now: Instant, number: Sequence, bytes: usize, memory: &mut Memory) {
        self.unacknowledged = number;
        self.outgoing.acknowledge(bytes, memory);
        self.round_trip.acknowledged(number, now);
        self.duplicates = 0;
        self.sacked.retain(|(_, end)| end.is_after(number));
        self.deadline = self.in_flight().then(|| now + self.round_trip.timeout());
        if self.recovery.is_some_and(|recovery| !number.is_before(recovery.until)) {
            self.recovery = None;
        } else if let Some(recovery) = self.recovery.as_mut().filter(|recovery| !recovery.shown) {
            // A partial acknowledgement (RFC 6582 3.2): what follows was lost too.
            recovery.cursor = recovery.cursor.max(number);
            recovery.lost = recovery.until;
        }
    }

    /// RFC 2018 4: remembers what arrived past a gap.
    fn note_sacked(&mut self, acknowledgement: &Acknowledgement) {
        for (start, end) in acknowledgement.sacked.into_iter().flatten() {
            let sensible =
                start.is_before(end) && !end.is_after(self.next) && start.is_after(acknowledgement.number);
            if sensible && self.sacked.len() < SACKED_RANGES {
                self.merge_sacked(start, end);
            }
        }
    }

    fn merge_sacked(&mut self, mut start: Sequence, mut end: Sequence) {
        self.sacked.retain(|&(s, e)| {
            let apart = e.is_before(start) || s.is_after(end);
            if !apart {
                (start, end) = (start.min(s), end.max(e));
            }
            apart
        });
        let place = self.sacked.iter().take_while(|(s, _)| s.is_before(start)).count();
        self.sacked.insert(place, (start, end));
    }

    fn count_duplicate(&mut self, is_one: bool) {
        if is_one && self.in_flight() {
            self.duplicates = self.duplicates.saturating_add(1);
        }
    }

    /// Starts or widens recovery where the app has shown that bytes are missing.
    fn find_losses(&mut self) {
        let gap = self.sacked.last().map(|(_, end)| *end);
        let third = (self.duplicates >= 3).then(|| self.unacknowledged.plus(self.mss));
        let Some(lost) = gap.or(third).filter(|_| self.in_flight()) else { return };
        let shown = gap.is_some();
        match &mut self.recovery {
            Some(recovery) => {
                recovery.lost = recovery.lost.max(lost.min(recovery.until));
                recovery.shown |= shown;
            }
            None => {
                let (until, cursor) = (self.next, self.unacknowledged);
                self.recovery = Some(Recovery { until, cursor, lost, shown });
            }
        }
    }

    /// The sequence number after the last byte that there is.
    fn stream_end(&self) -> Sequence {
        self.unacknowledged.plus(self.outgoing.len())
    }

    fn lost_piece(&mut self, longest: usize) -> Option<Piece> {
        let recovery = self.recovery.as_ref()?;
        let start = self.skip_sacked(recovery.cursor.max(self.unacknowledged));
        let lost = recovery.lost.min(self.next);
        if !start.is_before(lost) {
            return None;
        }
        let hole_end =
            self.sacked.iter().map(|(s, _)| *s).find(|s| s.is_after(start)).unwrap_or(lost).min(lost);
        let most = hole_end.since(start).min(longest);
        Some(self.piece_again(start, most))
    }

    fn skip_sacked(&self, start: Sequence) -> Sequence {
        let covering = |(s, e): &&(Sequence, Sequence)| !s.is_after(start) && e.is_after(start);
        self.sacked.iter().find(covering).map_or(start, |(_, end)| *end)
    }

    fn piece_again(&mut self, start: Sequence, most: usize) -> Piece {
        let payload = self.outgoing.again(start.since(self.unacknowledged), most);
        let end = start.plus(payload.len());
        let fin = self.fin_sent && end == self.stream_end();
        self.round_trip.sent_again();
        if let Some(recovery) = &mut self.recovery {
            recovery.cursor = end.plus(usize::from(fin));
        }
        Piece { sequence: start, push: end == self.stream_end(), fin, again: true, payload }
    }

    fn new_piece(&mut self, now: Instant, longest: usize) -> Option<Piece> {
        if self.fin_sent {
            return None;
        }
        let most = self.sendable(longest);
        let payload = self.outgoing.take_unsent(most);
        let sequence = self.next;
        let last = self.outgoing.unsent() == 0;
        let fin = last && self.end == Some(End::Fin);
        if payload.is_empty() && !fin {
            return None;
        }
        self.fin_sent = fin;
        self.next = sequence.plus(payload.len() + usize::from(fin));
        self.round_trip.sent(self.next, now);
        Some(Piece { sequence, push: last, fin, again: false, payload })
    }

    /// Bytes that may go into the next new segment. A sliver of a window is not worth one while others
    /// are under way (RFC 9293 3.8.6.2.1).
    fn sendable(&self, longest: usize) -> usize {
        let unsent = self.outgoing.unsent();
        let window = self.edge.since(self.next);
        let most = unsent.min(window).min(longest);
        match most < unsent {
            true if most < self.mss => {
                if self.in_flight() {
                    0
                } else {
                    most
                }
            }
            // Nor is the rest of a longer one, which would be a small segment where it is cut.
            true => most - most % self.mss,
            false => most,
        }
    }

    fn window_closed(&self) -> bool {
        self.outgoing.unsent() > 0 && !self.in_flight()
    }
}
