//! Packets and files for tests.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use telltale_model::{Direction, Observation, Timestamp};

use crate::{Event, Frame, Tracker};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

pub(crate) const APP: &str = "192.0.2.7:40000";
pub(crate) const REMOTE: &str = "198.51.100.1:443";

/// An IP packet without a checksum, as a machine that leaves it to the network card captures it.
pub(crate) fn ip(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let [high, low] = (len + 20).to_be_bytes();
            let fixed = [0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0];
            [&fixed[..], &source.octets(), &destination.octets(), payload].concat()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let [high, low] = len.to_be_bytes();
            let fixed = [0x60, 0, 0, 0, high, low, protocol, 64];
            [&fixed[..], &source.octets(), &destination.octets(), payload].concat()
        }
        _ => panic!("two families"),
    }
}

pub(crate) fn udp(source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    let (source, destination): (SocketAddr, SocketAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    let len = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
    let header = [source.port().to_be_bytes(), destination.port().to_be_bytes(), len, [0, 0]].concat();
    ip(source.ip(), destination.ip(), 17, &[&header, payload].concat())
}

pub(crate) fn tcp(
    ends: (&str, &str),
    flags: u8,
    sequence: u32,
    acknowledged: u32,
    payload: &[u8],
) -> Vec<u8> {
    let (source, destination): (SocketAddr, SocketAddr) = (ends.0.parse().unwrap(), ends.1.parse().unwrap());
    let mut header = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    header.extend(sequence.to_be_bytes());
    header.extend(acknowledged.to_be_bytes());
    header.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    ip(source.ip(), destination.ip(), 6, &[&header, payload].concat())
}

/// A frame of raw IP.
pub(crate) fn frame(micros: i64, packet: &[u8]) -> Frame {
    Frame { at: Timestamp(micros), link: 101, bytes: Bytes::copy_from_slice(packet) }
}

/// What a tracker tells of raw IP packets, a millisecond apart.
pub(crate) fn told(packets: &[Vec<u8>]) -> Vec<Event> {
    let frames: Vec<Frame> =
        (0..).step_by(1_000).zip(packets).map(|(at, packet)| frame(at, packet)).collect();
    told_of(&frames)
}

pub(crate) fn told_of(frames: &[Frame]) -> Vec<Event> {
    let (mut tracker, mut events) = (Tracker::new(), Vec::new());
    for frame in frames {
        tracker.take(frame, &mut events);
    }
    tracker.finish(&mut events);
    events
}

/// The events in short: one line for each opening and end; bytes of one direction and flow that follow each
/// other are one text.
pub(crate) fn lines(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut speaker = None;
    for event in events {
        let (next, text) = match event {
            Event::Observed(Observation::Bytes { flow, direction, payload, .. }) => {
                (Some((*flow, *direction)), String::from_utf8_lossy(payload).into_owned())
            }
            Event::Observed(observation) => (None, line(observation)),
            Event::Other(other) => {
                let (sent, received) = (other.traffic.packets_sent, other.traffic.packets_received);
                let ends = format!("{} {}", other.source, other.destination);
                (None, format!("other {} {ends}: {sent}+{received} packets", other.protocol))
            }
        };
        match (next, lines.last_mut()) {
            (Some((_, _)), Some(last)) if next == speaker => last.push_str(&text),
            (Some((flow, direction)), _) => lines.push(format!("{} {}{text}", flow.0, arrow(direction))),
            (None, _) => lines.push(text),
        }
        speaker = next;
    }
    lines
}

fn line(observation: &Observation) -> String {
    match observation {
        Observation::Opened { flow, key, .. } => {
            format!("{} {} {} {}", flow.0, key.protocol.name(), key.app, key.remote)
        }
        Observation::Missed { flow, direction, bytes } => {
            format!("{} {}missed {bytes}", flow.0, arrow(*direction))
        }
        Observation::Closed { flow, traffic, ending, .. } => {
            format!("{} {} {}+{}", flow.0, ending.name(), traffic.bytes_sent, traffic.bytes_received)
        }
        Observation::Owned { .. }
        | Observation::Carried { .. }
        | Observation::Bytes { .. }
        | Observation::Sealed { .. }
        | Observation::Happened { .. } => format!("{observation:?}"),
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => ">",
        Direction::Received => "<",
    }
}
