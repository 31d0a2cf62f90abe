//! Where nothing flows nothing wakes, and only an app that does not answer is forgotten.

use std::time::Duration;

use telltale_engine::limits;
use telltale_model::Ending;

use crate::packets::{ACK, FIN, SYN, Segment};
use crate::player::{APP_PORT, Player};
use crate::server::{Finish, Server};
use crate::shell::Shell;

const OPEN: Server = Server { finish: Finish::Never, ..Server::SINK };

#[test]
fn a_hundred_idle_flows_cause_no_wake_up_before_their_idle_limit() {
    let mut shell = Shell::new(1_500);
    let mut player = Player::new(OPEN);
    for at in 0..100 {
        player.app.set_port(APP_PORT + at);
        shell.packet(&Segment { ack: 0, ..player.segment(SYN, 0, 0, b"") }.to_packet());
        let answer = shell.take_packets().pop().and_then(|packet| Segment::read(&packet)).expect("SYN-ACK");
        let ack = answer.seq.wrapping_add(1);
        shell.packet(&Segment { ack, ..player.segment(ACK, 1, 0, b"hello") }.to_packet());
    }
    let (at, _) = shell.wakes_at.expect("a deadline");
    assert!(at - shell.now >= limits::TCP_IDLE, "woken after {:?}", at - shell.now);
    shell.stop();
}

#[test]
fn an_idle_app_that_answers_is_kept() {
    let mut player = Player::open(OPEN);
    for _ in 0..3 {
        player.shell.run_for(limits::TCP_IDLE - Duration::from_micros(1));
        player.expect(&[]);
        player.shell.run_for(Duration::from_micros(1));
        player.expect(&[("A", 0, 1, 0)]);
        player.say(ACK, 1, 1, b"");
    }
    assert_eq!(player.shell.ending(APP_PORT), None);
}

#[test]
fn an_idle_app_that_never_answers_is_forgotten_with_a_reset() {
    let mut player = Player::open(OPEN);
    player.shell.run_for(limits::TCP_IDLE);
    player.expect(&[("A", 0, 1, 0)]);
    for _ in 1..limits::IDLE_PROBES {
        player.shell.run_for(limits::IDLE_PROBE_INTERVAL);
        player.expect(&[("A", 0, 1, 0)]);
    }
    player.shell.run_for(limits::IDLE_PROBE_INTERVAL);
    player.expect(&[("RA", 1, 1, 0)]);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Idle));
    assert_eq!(player.shell.engine.counters().idle, 1);
    player.shell.assert_empty();
}

#[test]
fn a_half_closed_flow_is_asked_after_4_minutes() {
    let mut player = Player::open(OPEN);
    player.say(ACK | FIN, 1, 1, b"");
    player.shell.run_for(limits::DELAYED_ACK);
    player.hear();
    player.shell.run_for(limits::TCP_CLOSING_IDLE - limits::DELAYED_ACK);
    player.expect(&[("A", 0, 2, 0)]);
    player.say(ACK, 2, 1, b"");
    player.shell.run_for(limits::TCP_CLOSING_IDLE - Duration::from_secs(1));
    player.expect(&[]);
}
