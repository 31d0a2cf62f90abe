//! What the fuzz target of capture files does with a string of bytes. A test of telltale-capture replays
//! the committed corpus through the same function.

use std::collections::BTreeMap;
use std::io::{self, Read};

use bytes::Bytes;
use telltale_capture::{Capture, Event, Frame, Tracker};
use telltale_model::{Direction, FlowNumber, Observation, Timestamp, Traffic};

/// The kinds of link that have a reader.
const LINKS: [u32; 20] =
    [0, 1, 9, 12, 50, 51, 101, 104, 105, 108, 113, 127, 192, 219, 228, 229, 239, 258, 276, 7];

/// A capture file behind a zero; else frames of the kind of link that the first byte chooses, each with two
/// bytes of length and one of time before it.
pub fn capture(data: &[u8]) {
    match data {
        [0, file @ ..] => follow(&of_file(file)),
        [link, frames @ ..] => follow(&of_frames(LINKS[usize::from(*link) % LINKS.len()], frames)),
        [] => {}
    }
}

fn of_file(file: &[u8]) -> Vec<Frame> {
    let frames = read(file);
    let slowly = read(Slow(file));
    if file.starts_with(&[0x1f, 0x8b]) {
        // Of packed bytes that are damaged, the unpacking gives more or less of those before the damage.
        assert!(slowly.starts_with(&frames) || frames.starts_with(&slowly));
    } else {
        assert_eq!(frames, slowly, "however few bytes a read gives, they are the same file");
    }
    frames
}

fn read(source: impl Read) -> Vec<Frame> {
    let Ok(mut capture) = Capture::open(source) else { return Vec::new() };
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = capture.next_frame() {
        frames.push(frame);
    }
    frames
}

fn of_frames(link: u32, mut data: &[u8]) -> Vec<Frame> {
    let (mut frames, mut now) = (Vec::new(), 1_700_000_000_000_000);
    while let [high, low, wait, rest @ ..] = data {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (frame, after) = rest.split_at(len);
        now += i64::from(*wait).pow(3) * 1_000;
        frames.push(Frame { at: Timestamp(now), link, bytes: Bytes::copy_from_slice(frame) });
        data = after;
    }
    frames
}

/// One byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

/// Whatever the packets are, each flow begins once, ends once, and in between tells as many bytes as it says
/// at its end.
fn follow(frames: &[Frame]) {
    let (mut tracker, mut events) = (Tracker::new(), Vec::new());
    let mut open: BTreeMap<FlowNumber, Traffic> = BTreeMap::new();
    let mut last = FlowNumber(0);
    for frame in frames {
        tracker.take(frame, &mut events);
    }
    tracker.finish(&mut events);
    for event in events {
        let Event::Observed(observation) = event else { continue };
        match observation {
            Observation::Opened { flow, .. } => {
                assert!(flow > last, "numbers grow");
                last = flow;
                open.insert(flow, Traffic::default());
            }
            Observation::Bytes { flow, direction, payload, .. } => {
                assert!(!payload.is_empty());
                count(open.get_mut(&flow).expect("a flow that lives"), direction, payload.len() as u64);
            }
            Observation::Missed { flow, direction, bytes } => {
                let told = open.get_mut(&flow).expect("a flow that lives");
                assert!(
                    bytes > 0 || *told == Traffic::default(),
                    "nobody knows how many only at the beginning"
                );
                count(told, direction, bytes);
            }
            Observation::Closed { flow, traffic, .. } => {
                let told = open.remove(&flow).expect("a flow that lives");
                assert_eq!(
                    (told.bytes_sent, told.bytes_received),
                    (traffic.bytes_sent, traffic.bytes_received)
                );
            }
            Observation::Owned { .. }
            | Observation::Carried { .. }
            | Observation::Sealed { .. }
            | Observation::Happened { .. } => {
                panic!("no capture tells {observation:?}")
            }
        }
    }
    assert!(open.is_empty(), "every flow ends");
}

fn count(traffic: &mut Traffic, direction: Direction, bytes: u64) {
    match direction {
        Direction::Sent => traffic.bytes_sent += bytes,
        Direction::Received => traffic.bytes_received += bytes,
    }
}
