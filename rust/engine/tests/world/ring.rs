//! The tun's ring has 500 places, and drops silently what finds none: so what apps may have under way together
//! is bounded, whoever begins when, and however small the packets are.

use std::time::Duration;

use crate::packets::{ACK, SYN, Segment};
use crate::player::{APP_PORT, PORT, Player, USUAL};
use crate::server::{Finish, Server};
use crate::shell::Shell;

const SINK: Server = Server { finish: Finish::Never, ..Server::SINK };
const SEGMENT: usize = 1_460;
/// Half of the ring, and a few more where a window is never less than a full segment.
const HALF: usize = 250;

/// An app that knows its window.
struct App {
    /// The next segment that it will send, without payload.
    segment: Segment,
    edge: u32,
    scale: u8,
}

impl App {
    fn open(shell: &mut Shell, place: u16) -> Self {
        let player = Player::new(SINK);
        let mut segment = Segment { options: USUAL.to_vec(), ..player.segment(SYN, 0, 0, b"") };
        segment.from.set_port(APP_PORT + place);
        segment.ack = 0;
        shell.packet(&segment.to_packet());
        let answer = shell.take_packets().pop().and_then(|packet| Segment::read(&packet)).expect("SYN-ACK");
        let edge = answer.ack.wrapping_add(u32::from(answer.window));
        let (seq, ack) = (answer.ack, answer.seq.wrapping_add(1));
        segment = Segment { flags: ACK, seq, ack, options: Vec::new(), ..segment };
        shell.packet(&segment.to_packet());
        Self { segment, edge, scale: answer.window_scale().expect("a scale") }
    }

    /// Sends a packet with so much payload, if its window has room for that.
    fn send(&mut self, shell: &mut Shell, len: usize) {
        shell.run_for(Duration::from_micros(10));
        if self.window() < len {
            return;
        }
        shell.packet(&Segment { payload: vec![7; len], ..self.segment.clone() }.to_packet());
        self.segment.seq = self.segment.seq.wrapping_add(u32::try_from(len).unwrap());
        for packet in shell.take_packets() {
            let heard = Segment::read(&packet).expect("a segment");
            assert_eq!(heard.to, self.segment.from);
            let edge = heard.ack.wrapping_add(u32::from(heard.window) << self.scale);
            if edge.wrapping_sub(self.edge) < 1 << 31 {
                self.edge = edge;
            }
        }
    }

    fn window(&self) -> usize {
        usize::try_from(self.edge.wrapping_sub(self.segment.seq)).unwrap()
    }
}

/// Packets of that payload that all may have under way together.
fn packets(apps: &[App], len: usize) -> usize {
    apps.iter().map(|app| app.window().div_ceil(len)).sum()
}

fn shell() -> Shell {
    let mut shell = Shell::new(1_500);
    shell.serve(PORT, SINK);
    shell
}

#[test]
fn apps_that_begin_one_after_the_other_share_half_of_it() {
    let mut shell = shell();
    let mut apps = Vec::new();
    for place in 0..8 {
        apps.push(App::open(&mut shell, place));
        // The new one sends as much as it may, the others go on.
        for _ in 0..400 {
            apps.iter_mut().rev().take(2).for_each(|app| app.send(&mut shell, SEGMENT));
        }
        let all = packets(&apps, SEGMENT);
        assert!(all <= HALF + apps.len(), "{all} packets of {} apps", apps.len());
    }
}

#[test]
fn small_packets_count_for_their_places() {
    const SMALL: usize = 100;
    let mut shell = shell();
    let mut apps: Vec<App> = (0..8).map(|place| App::open(&mut shell, place)).collect();
    for _ in 0..2_000 {
        apps.iter_mut().for_each(|app| app.send(&mut shell, SMALL));
    }
    let all = packets(&apps, SMALL);
    assert!(all <= HALF + apps.len(), "{all} packets");
    apps.iter_mut().for_each(|app| app.send(&mut shell, SEGMENT));
}

#[test]
fn apps_that_are_silent_keep_no_more_than_the_other_half_or_two_segments_each() {
    let mut shell = shell();
    let mut apps = Vec::new();
    for place in 0..100 {
        apps.push(App::open(&mut shell, place));
        apps.iter_mut().rev().take(1).for_each(|app| app.send(&mut shell, 500));
        shell.run_for(Duration::from_secs(1));
    }
    let (all, least) = (packets(&apps, SEGMENT), 3 * apps.len());
    assert!(all <= HALF + least, "{all} packets");
}
