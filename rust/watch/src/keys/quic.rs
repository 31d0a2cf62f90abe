//! A QUIC connection, read with its keys as far as they are known.

use std::collections::VecDeque;

use telltale_model::{Class, Direction, Facts};

use super::frames::{self, Frame};
use super::inside::count_with_keys;
use super::log::Label;
use super::protection::Protection;
use super::sources::Keys;
use super::streams::Streams;
use crate::http3::Http3;
use crate::page::Page;
use crate::quic;
use crate::reader::Reader;
use crate::session::Step;

/// A flow of QUIC.
///
/// What its streams carry is read as HTTP/3 where the client offers that, else it is opaque. Of a packet that
/// opens, all but that is framing, and so is what a stream carried before; a packet that does not open is
/// counted as without keys.
#[derive(Debug)]
pub(crate) struct Quic {
    outside: quic::Quic,
    keys: Keys,
    sent: Side,
    received: Side,
    inside: Option<Box<Http3>>,
    /// Packets whose key may still come.
    waiting: VecDeque<(Direction, Packet)>,
    waiting_bytes: usize,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    early: Option<Protection>,
    late: Option<Protection>,
    streams: Streams,
    /// Packets that did not open since one did.
    failed: u8,
}

/// A protected packet of the application.
#[derive(Debug)]
struct Packet {
    bytes: Vec<u8>,
    number_at: usize,
    /// Whether it is one of 0-RTT.
    early: bool,
    /// What of it is content as long as it is not open.
    content: usize,
}

enum Opened {
    Payload(Vec<u8>),
    NotYet,
    Never,
}

/// Packets that may fail one after the other: some come damaged, or are of another connection (RFC 9000 10.3).
const FAILURES: u8 = 64;

/// Bytes of packets that wait for their keys.
const WAITING: usize = 64 * 1_024;

impl Quic {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            outside: quic::Quic::new(),
            keys: keys.clone(),
            sent: Side::default(),
            received: Side::default(),
            inside: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// The connection as it is without keys.
    pub(crate) fn outside(&self) -> &quic::Quic {
        &self.outside
    }

    /// The next datagram.
    pub(crate) fn take(&mut self, direction: Direction, datagram: &[u8], page: &mut Page) -> Step {
        let mut content = self.outside.read(direction, datagram, &mut page.facts);
        let packets: Vec<Packet> = self.outside.protected(direction, datagram).map(Packet::from).collect();
        let apart: usize = packets.iter().map(|packet| packet.bytes.len()).sum();
        content.encrypted -=
            packets.iter().map(|packet| packet.content).sum::<usize>().min(content.encrypted);
        quic::count(direction, content, datagram.len() - apart, &mut page.facts);
        self.retry(page);
        for packet in packets {
            let packet = if self.waiting.is_empty() {
                self.packet(direction, packet, false, page)
            } else {
                Some(packet)
            };
            if let Some(packet) = packet {
                self.waiting_bytes += packet.bytes.len();
                self.waiting.push_back((direction, packet));
            }
        }
        if self.waiting_bytes > WAITING {
            self.settle(page);
        }
        Step::On
    }

    /// Each datagram is opened on its own; what is missing of a stream may be sent again.
    pub(crate) fn miss(&mut self, _: Direction, _: u64, _: &mut Page) {}

    /// No more datagrams come.
    pub(crate) fn end(&mut self, page: &mut Page) {
        self.settle(page);
        let left = self.sent.streams.give_up();
        count_with_keys(page, |page| {
            page.facts.count_content(Class::Opaque, left);
            if let Some(inside) = &mut self.inside {
                inside.end(page);
            }
            page.close_all();
        });
        self.outside.end(page);
    }

    /// Bytes of memory that are held beyond the session itself.
    pub(crate) fn held(&self) -> usize {
        let inside = self.inside.as_ref().map_or(0, |inside| size_of_val(&**inside) + inside.held());
        let waiting = self.waiting_bytes + self.waiting.capacity() * size_of::<(Direction, Packet)>();
        self.outside.held() + self.sent.held() + self.received.held() + inside + waiting
    }

    /// Reads what waits, up to the first packet that has to go on waiting.
    fn retry(&mut self, page: &mut Page) {
        while let Some((direction, packet)) = self.waiting.pop_front() {
            self.waiting_bytes -= packet.bytes.len();
            if let Some(packet) = self.packet(direction, packet, false, page) {
                self.waiting_bytes += packet.bytes.len();
                return self.waiting.push_front((direction, packet));
            }
        }
    }

    /// Nothing waits any longer.
    fn settle(&mut self, page: &mut Page) {
        self.waiting_bytes = 0;
        while let Some((direction, packet)) = self.waiting.pop_front() {
            self.packet(direction, packet, true, page);
        }
    }

    /// Reads a packet, or gives it back where its key may still come and it is not `due`.
    fn packet(&mut self, direction: Direction, packet: Packet, due: bool, page: &mut Page) -> Option<Packet> {
        let opened = self.open(direction, &packet);
        match opened {
            Opened::NotYet if !due => return Some(packet),
            Opened::Payload(payload) => {
                self.take_frames(direction, &payload, page);
                if direction == Direction::Sent {
                    page.facts.count_handshake(packet.bytes.len() - payload.len());
                }
            }
            Opened::NotYet | Opened::Never => {
                let content = quic::Content::encrypted(packet.content);
                quic::count(direction, content, packet.bytes.len(), &mut page.facts);
            }
        }
        None
    }

    fn open(&mut self, direction: Direction, packet: &Packet) -> Opened {
        let Some((random, labels)) = self.outside.secrets_of() else { return Opened::NotYet };
        let label = match direction {
            Direction::Sent if packet.early => Label::ClientEarly,
            Direction::Sent => Label::Client,
            Direction::Received => Label::Server,
        };
        let side = match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        };
        if side.failed >= FAILURES {
            return Opened::Never;
        }
        let protection = if packet.early { &mut side.early } else { &mut side.late };
        let payload = match protection {
            Some(protection) => protection.open(&packet.bytes, packet.number_at),
            None => {
                let Some(secret) = self.keys.secret(&random, label) else {
                    let later = packet.early && self.keys.secret(&random, Label::Client).is_some();
                    return if self.keys.may_grow() && !later { Opened::NotYet } else { Opened::Never };
                };
                let mut candidates = Protection::candidates(&secret, labels).into_iter();
                let opened = candidates.find_map(|mut candidate| {
                    let payload = candidate.open(&packet.bytes, packet.number_at)?;
                    Some((candidate, payload))
                });
                opened.map(|(candidate, payload)| {
                    *protection = Some(candidate);
                    payload
                })
            }
        };
        side.failed = if payload.is_some() { 0 } else { side.failed + 1 };
        payload.map_or(Opened::Never, Opened::Payload)
    }

    /// Reads the frames of a packet; what no stream carries is framing.
    pub(super) fn take_frames(&mut self, direction: Direction, frames: &[u8], page: &mut Page) {
        let carried = self.frames(direction, frames, page);
        if direction == Direction::Sent {
            page.facts.count_handshake(frames.len() - carried);
        }
    }

    /// So many bytes of them are counted here.
    fn frames(&mut self, direction: Direction, payload: &[u8], page: &mut Page) -> usize {
        let mut reader = Reader::new(payload);
        let mut carried = 0;
        while let Some(frame) = frames::next(&mut reader) {
            match frame {
                Frame::Stream { id, offset, bytes, last } => {
                    carried += bytes.len();
                    self.stream(direction, id, offset, bytes, last, page);
                }
                Frame::Reset { id } => {
                    let left = self.side(direction).streams.reset(id);
                    opaque(direction, left, page);
                    self.miss_stream(direction, id, page);
                    self.end_stream(direction, id, page);
                }
                Frame::Datagram(bytes) => {
                    carried += bytes.len();
                    opaque(direction, bytes.len(), page);
                }
                Frame::Framing => {}
            }
        }
        opaque(direction, reader.len(), page);
        carried + reader.len()
    }

    fn stream(
        &mut self,
        direction: Direction,
        id: u64,
        offset: u64,
        bytes: &[u8],
        last: bool,
        page: &mut Page,
    ) {
        let streams = &mut self.side(direction).streams;
        let dropped = streams.make_room(id);
        let given = streams.add(id, offset, bytes, last);
        opaque(direction, dropped + given.stray, page);
        if direction == Direction::Sent {
            page.facts.count_handshake(given.known);
        }
        if given.gap {
            self.miss_stream(direction, id, page);
        }
        match self.inside(&page.facts) {
            Some(inside) if !given.bytes.is_empty() => {
                count_with_keys(page, |page| inside.take(direction, id, &given.bytes, page));
            }
            Some(_) => {}
            None => opaque(direction, given.bytes.len(), page),
        }
        if given.last {
            self.end_stream(direction, id, page);
        }
    }

    fn miss_stream(&mut self, direction: Direction, id: u64, page: &mut Page) {
        if let Some(inside) = self.inside(&page.facts) {
            count_with_keys(page, |page| inside.miss(direction, id, page));
        }
    }

    fn end_stream(&mut self, direction: Direction, id: u64, page: &mut Page) {
        if let Some(inside) = self.inside(&page.facts) {
            count_with_keys(page, |page| inside.end_stream(direction, id, page));
        }
    }

    /// What is spoken inside, if that is HTTP/3: then the client offers nothing else.
    fn inside(&mut self, facts: &Facts) -> Option<&mut Http3> {
        let mut offered = facts.hello.iter().flat_map(|hello| &hello.alpn);
        if self.inside.is_none() && offered.any(|protocol| protocol.starts_with("h3")) {
            self.inside = Some(Box::default());
        }
        self.inside.as_deref_mut()
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }
}

impl Side {
    fn held(&self) -> usize {
        let protections = [&self.early, &self.late].into_iter().flatten();
        self.streams.held() + protections.map(Protection::held).sum::<usize>()
    }
}

impl From<quic::Protected<'_>> for Packet {
    fn from(packet: quic::Protected<'_>) -> Self {
        let quic::Protected { bytes, number_at, early, content } = packet;
        Self { bytes: bytes.to_vec(), number_at, early, content }
    }
}

fn opaque(direction: Direction, bytes: usize, page: &mut Page) {
    if direction == Direction::Sent && bytes > 0 {
        count_with_keys(page, |page| page.facts.count_content(Class::Opaque, bytes));
    }
}
