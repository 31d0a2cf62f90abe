//! An act as a capture file: what a phone's network would have seen of it. Always the same bytes.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::act::{Act, Over, Variant, Visit};
use super::hosts::Place;
use super::names;
use super::packets::{self, ACK, Ends, FIN, File, PUSH, SYN, Segment};
use super::seeded::{self, Flight};

/// The phone in its Wi-Fi, and the router, which answers questions for names.
const PHONE: Ipv4Addr = Ipv4Addr::new(192, 168, 31, 42);
const ROUTER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 31, 1), 53);

/// Between two steps: a minute, in microseconds.
const STEP: u64 = 60_000_000;
/// Between two visits of a step.
const VISIT: u64 = 1_500_000;
/// From the phone to a server.
const WAY: u64 = 35_000;
/// Between two packets of one side.
const NEXT: u64 = 150;
/// The payload of a segment on a path of 1,500 bytes.
const SEGMENT: usize = 1_460;

/// A capture and what opens it.
#[derive(Debug, PartialEq, Eq)]
pub struct Film {
    /// A file in the format pcap.
    pub capture: Vec<u8>,
    /// The secrets of its TLS connections, as `SSLKEYLOGFILE` holds them; empty where there are none.
    pub keys: String,
}

/// The act as a capture.
///
/// # Errors
/// When TLS cannot be made of it.
pub fn film(act: Act, variant: Variant) -> io::Result<Film> {
    let mut camera = Camera {
        file: File::new(),
        now: u64::from(act.began()) * 1_000_000,
        port: 38_000,
        known: BTreeSet::new(),
        keys: String::new(),
    };
    for (number, step) in (0..).zip(act.steps(variant)) {
        camera.now = u64::from(act.began()) * 1_000_000 + number * STEP;
        step.visits.iter().try_for_each(|visit| camera.visit(visit))?;
    }
    Ok(Film { capture: camera.file.into_bytes(), keys: camera.keys })
}

struct Camera {
    file: File,
    now: u64,
    /// The phone's own, each used once.
    port: u16,
    /// Names that were asked for before.
    known: BTreeSet<&'static str>,
    keys: String,
}

impl Camera {
    fn visit(&mut self, visit: &Visit) -> io::Result<()> {
        if self.known.insert(visit.host) {
            self.ask(visit.host);
        }
        let address = Place::INTERNET.address(visit.host).ok_or_else(|| io::Error::other(visit.host))?;
        let server = SocketAddrV4::new(address, visit.over.port(Place::INTERNET));
        let port = self.next_port();
        match visit.over {
            Over::Datagram => visit
                .exchanges
                .iter()
                .for_each(|exchange| self.datagrams(port, server, &exchange.request, &exchange.answer)),
            Over::Http => self.connection(port, server, &plain(visit)),
            Over::Tls12 => self.protected(port, server, visit, &rustls::version::TLS12)?,
            Over::Tls13 => self.protected(port, server, visit, &rustls::version::TLS13)?,
        }
        self.now += VISIT;
        Ok(())
    }

    fn ask(&mut self, host: &str) {
        let port = self.next_port();
        let question = names::question(port, host);
        let answer = names::answer(&question, Place::INTERNET).unwrap_or_default();
        self.datagrams(port, ROUTER, &question, &answer);
    }

    fn next_port(&mut self) -> u16 {
        self.port += 1;
        self.port
    }

    fn datagrams(&mut self, port: u16, server: SocketAddrV4, question: &[u8], answer: &[u8]) {
        let ends = Ends { source: SocketAddrV4::new(PHONE, port), destination: server };
        self.file.add(self.now, &packets::udp(ends, question));
        self.now += WAY;
        self.file.add(self.now, &packets::udp(ends.back(), answer));
        self.now += NEXT;
    }

    fn protected(
        &mut self,
        port: u16,
        server: SocketAddrV4,
        visit: &Visit,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> io::Result<()> {
        let (flights, keys) = seeded::flights(visit.host, version, &visit.exchanges, port.into())?;
        self.connection(port, server, &flights);
        self.keys.push_str(&keys);
        Ok(())
    }

    /// A connection of TCP: the three first segments, what is said, and the end from both sides.
    fn connection(&mut self, port: u16, server: SocketAddrV4, flights: &[Flight]) {
        let ends = Ends { source: SocketAddrV4::new(PHONE, port), destination: server };
        // Any two numbers, not the same for two connections.
        let first = u32::from(port).wrapping_mul(0x9e37_79b9);
        let mut talk = Talk { ends, sent: first, received: !first };
        self.segment(&mut talk, true, SYN, b"");
        self.now += WAY;
        self.segment(&mut talk, false, SYN | ACK, b"");
        self.segment(&mut talk, true, ACK, b"");
        let mut from_client = true;
        for flight in flights {
            self.now += if flight.from_client == from_client { NEXT } else { WAY };
            from_client = flight.from_client;
            for piece in flight.bytes.chunks(SEGMENT) {
                self.segment(&mut talk, from_client, PUSH | ACK, piece);
            }
        }
        self.segment(&mut talk, true, FIN | ACK, b"");
        self.now += WAY;
        self.segment(&mut talk, false, FIN | ACK, b"");
        self.segment(&mut talk, true, ACK, b"");
    }

    fn segment(&mut self, talk: &mut Talk, from_client: bool, flags: u8, payload: &[u8]) {
        let (ends, segment) = talk.next(from_client, flags, payload);
        self.file.add(self.now, &packets::tcp(ends, segment, payload));
        self.now += NEXT;
    }
}

impl Ends {
    fn back(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }
}

/// How far the two sides of a connection are.
struct Talk {
    ends: Ends,
    sent: u32,
    received: u32,
}

impl Talk {
    fn next(&mut self, from_client: bool, flags: u8, payload: &[u8]) -> (Ends, Segment) {
        let (ends, sequence, heard) = if from_client {
            (self.ends, &mut self.sent, self.received)
        } else {
            (self.ends.back(), &mut self.received, self.sent)
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { heard };
        let segment = Segment { flags, sequence: *sequence, acknowledged };
        // SYN and FIN count as a byte each: RFC 9293 3.4.
        let counted = payload.len() + usize::from(flags & (SYN | FIN) != 0);
        *sequence = sequence.wrapping_add(u32::try_from(counted).unwrap_or_default());
        (ends, segment)
    }
}

fn plain(visit: &Visit) -> Vec<Flight> {
    let said = |from_client, bytes: &Vec<u8>| Flight { from_client, bytes: bytes.clone() };
    visit
        .exchanges
        .iter()
        .flat_map(|exchange| [said(true, &exchange.request), said(false, &exchange.answer)])
        .collect()
}
