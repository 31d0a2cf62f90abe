//! However many flows stall, and whatever they hold, memory stays within its bounds.

use std::time::Duration;

use bytes::Bytes;
use telltale_engine::{Input, limits};
use telltale_model::Ending;

use crate::packets::{ACK, RST, SYN, Segment, udp};
use crate::player::{APP_PORT, PORT, Player};
use crate::server::{Finish, Server};
use crate::shell::Shell;

const SECOND: Duration = Duration::from_secs(1);
const BLOCKED: Server = Server { takes: 0, finish: Finish::Never, ..Server::SINK };

#[test]
fn ten_thousand_stalled_flows_stay_under_the_bound_and_all_end() {
    let mut shell = Shell::new(1_500);
    shell.serve(PORT, Server { read: 16 << 10, ..Server { sends: 20_000, ..BLOCKED } });
    let mut player = Player::new(BLOCKED);
    player.window = 0;
    for at in 0..10_000 {
        player.app.set_port(10_000 + at);
        let syn = Segment { ack: 0, ..player.segment(SYN, 0, 0, b"") };
        shell.packet(&syn.to_packet());
        let answer = shell.take_packets().pop().and_then(|packet| Segment::read(&packet)).expect("SYN-ACK");
        let hello = Segment { ack: answer.seq.wrapping_add(1), ..player.segment(ACK, 1, 0, &[5; 1_000]) };
        shell.packet(&hello.to_packet());
        shell.take_packets();
        assert!(shell.engine.memory() <= limits::PAYLOAD_MEMORY, "{} bytes at {at}", shell.engine.memory());
    }
    assert_eq!(shell.engine.live_flows(), 10_000);
    shell.stop();
}

#[test]
fn a_reordered_segment_keeps_no_more_alive_than_is_counted() {
    let mut player = Player::open(Server { finish: Finish::Never, ..Server::SINK });
    // Ahead of its turn too, so that the window has grown as far as it will.
    player.say(ACK, 5_001, 1, &[5; 1_000]);
    let before = player.shell.engine.memory();
    let slab = Bytes::from(player.segment(ACK, 1_001, 1, &[5; 1_000]).to_packet());
    player.shell.input(Input::Packet { packet: slab.clone(), pinned: 3_900 });
    player.shell.settle();
    let held = player.shell.engine.memory() - before;
    assert!(slab.is_unique() || held >= 3_900, "a buffer of 3,900 bytes is alive, {held} are counted");
}

#[test]
fn the_flow_that_was_quiet_for_longest_makes_room_and_hears_of_it() {
    let mut shell = Shell::with_sockets(1_500, 3);
    let mut player = Player::new(Server::SINK);
    for at in 0..4 {
        player.app.set_port(APP_PORT + at);
        shell.packet(&Segment { ack: 0, ..player.segment(SYN, 0, 0, b"") }.to_packet());
        let answer = shell.take_packets().pop().and_then(|packet| Segment::read(&packet)).expect("SYN-ACK");
        if at == 3 {
            break;
        }
        let ack = answer.seq.wrapping_add(1);
        shell.packet(&Segment { ack, ..player.segment(ACK, 1, 0, b"") }.to_packet());
        shell.run_for(2 * SECOND);
        shell.take_packets();
    }
    assert_eq!(shell.ending(APP_PORT), Some(Ending::Evicted));
    assert_eq!(shell.engine.counters().evicted, 1);
    assert_eq!(shell.engine.live_flows(), 3);
}

#[test]
fn an_evicted_flow_is_reset() {
    let mut player = Player::new(Server { finish: Finish::Never, ..Server::SINK });
    player.shell = Shell::with_sockets(1_500, 1);
    player.shake_hands(crate::player::USUAL);
    player.shell.run_for(2 * SECOND);
    let other = Segment { ack: 0, ..player.segment(SYN, 0, 0, b"") };
    let other = Segment { from: "10.0.0.2:50000".parse().unwrap(), ..other };
    player.shell.packet(&other.to_packet());
    let packets = player.shell.take_packets();
    let resets: Vec<_> = packets.iter().filter_map(|p| Segment::read(p)).filter(|s| s.has(RST)).collect();
    assert_eq!(resets.len(), 1);
    assert_eq!(resets[0].to.port(), APP_PORT);
}

#[test]
fn the_mapping_that_was_quiet_for_longest_makes_room() {
    let mut shell = Shell::with_sockets(1_500, 2);
    for at in 0..3 {
        let app = format!("10.0.0.2:{}", 5_000 + at).parse().unwrap();
        shell.packet(&udp(app, "192.0.2.1:9".parse().unwrap(), b"x"));
        shell.run_for(2 * SECOND);
    }
    assert_eq!(shell.ending(5_000), Some(Ending::Evicted));
    assert_eq!(shell.engine.counters().evicted, 1);
    assert_eq!(shell.mappings.values().filter(|live| **live).count(), 2);
    shell.stop();
}
