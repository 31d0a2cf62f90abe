//! Back-pressure is the window alone. `watch` checks for every segment of every test that its right edge
//! never moves left and that in-order bytes inside it are acknowledged in time.

use std::time::Duration;

use telltale_engine::limits;

use crate::packets::ACK;
use crate::player::{Player, USUAL};
use crate::random::pattern;
use crate::server::{Finish, Server};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

const BLOCKED: Server = Server { takes: 0, finish: Finish::Never, ..Server::SINK };

/// Sends in full segments until the window is closed. Gives the number of the next byte.
fn fill(player: &mut Player, size: usize) -> u32 {
    let (mut next, mut edge) = (1, 1 + u32::try_from(limits::STANDING_WINDOW).unwrap());
    loop {
        let len = usize::try_from(edge - next).unwrap().min(size);
        if len == 0 {
            return next;
        }
        let bytes = pattern(1, usize::try_from(next).unwrap() - 1, len);
        player.say(ACK, next, 1, &bytes);
        next += u32::try_from(len).unwrap();
        let heard = player.hear();
        let last = heard.last().expect("bytes inside the window are acknowledged at once");
        assert_eq!(last.ack, next);
        edge = edge.max(last.ack + last.window);
    }
}

#[test]
fn a_server_that_takes_nothing_for_an_hour() {
    let mut player = Player::open(BLOCKED);
    let next = fill(&mut player, 1_460);
    assert!(usize::try_from(next).unwrap() <= limits::FLOW_MEMORY + 2_000, "{next} bytes were taken");
    let end = player.shell.now + HOUR;
    while player.shell.now < end {
        player.shell.run_for(30 * SECOND);
        player.say(ACK, next - 1, 1, b"");
        let heard = player.hear();
        assert_eq!(heard.len(), 1, "every probe is answered");
        assert_eq!((heard[0].ack, heard[0].window), (next, 0));
    }
    player.server_takes(usize::MAX);
    let heard = player.hear();
    assert!(heard.last().is_some_and(|heard| heard.window > 1_460), "the app is told: {heard:?}");
    assert!(player.arrived() == pattern(1, 0, usize::try_from(next).unwrap() - 1));
    player.say(ACK, next, 1, b"on");
    assert!(player.arrived().ends_with(b"on"));
    player.shell.stop();
}

/// Linux sends no part of a segment where it has seen larger windows, and waits for its timer instead.
#[test]
fn an_app_is_told_as_soon_as_a_full_segment_fits_again() {
    const MTU: usize = 65_535;
    const SEGMENT: u32 = 65_495;
    const LEFT: u32 = 35_535;
    let mut player = Player::with_mtu(BLOCKED, MTU);
    player.shake_hands(&[2, 4, 0xff, 0xd7, 1, 1, 4, 2, 1, 3, 3, 7]);
    let (mut next, mut edge) = (1, SEGMENT);
    while edge - next > LEFT {
        let len = (edge - next - LEFT).min(SEGMENT);
        player.say(ACK, next, 1, &vec![7; usize::try_from(len).unwrap()]);
        next += len;
        edge = player.hear().iter().map(|heard| heard.ack + heard.window).fold(edge, u32::max);
    }
    // A flow that has not sent for a while is offered a single segment.
    player.shell.run_for(Duration::from_millis(20));
    player.say(ACK, next, 1, b"");
    player.hear();
    player.server_takes(usize::MAX);
    let heard = player.hear();
    assert!(heard.last().is_some_and(|heard| heard.window >= SEGMENT), "{heard:?}");
    player.shell.stop();
}

#[test]
fn a_byte_past_a_closed_window_is_not_taken_but_answered() {
    let mut player = Player::open(BLOCKED);
    let next = fill(&mut player, 1_460);
    player.say(ACK, next, 1, b"?");
    player.expect(&[("A", 1, next, 0)]);
    player.server_takes(usize::MAX);
    assert_eq!(player.arrived().len(), usize::try_from(next).unwrap() - 1);
}

#[test]
fn a_window_too_small_for_a_segment_is_widened_without_being_asked() {
    for mtu in [1_280, 1_500, 9_000, 65_535] {
        let mut player = Player::with_mtu(BLOCKED, mtu);
        player.shake_hands(USUAL);
        let next = fill(&mut player, 1_459);
        player.server_takes(usize::MAX);
        let heard = player.hear();
        let edge = heard.iter().map(|heard| heard.ack + heard.window).max().unwrap_or(next);
        assert!(edge >= next + 1_280, "MTU {mtu}: {heard:?}");
    }
}

#[test]
fn a_remnant_of_a_window_is_widened_when_the_server_takes_bytes_again() {
    let mut player = Player::with_mtu(BLOCKED, 65_535);
    player.shake_hands(&[2, 4, 0xff, 0xd7, 1, 1, 4, 2, 1, 3, 3, 7]);
    // The app leaves a window that is too small for what it has: it waits for a larger one.
    player.say(ACK, 1, 1, &pattern(1, 0, 12_000));
    let heard = player.hear();
    let left = heard[0].window;
    player.shell.run_for(SECOND);
    let mut next = 12_001;
    while left > 0 && usize::try_from(next).unwrap() < limits::FLOW_MEMORY - 3_000 {
        player.say(ACK, next, 1, &pattern(1, usize::try_from(next).unwrap() - 1, 1_000));
        next += 1_000;
    }
    player.shell.run_for(SECOND);
    player.hear();
    player.server_takes(usize::MAX);
    let heard = player.hear();
    assert!(heard.last().is_some_and(|heard| heard.window >= 8_000), "{heard:?}");
}

#[test]
fn an_app_whose_window_is_closed_for_an_hour() {
    let mut player = Player::new(Server { finish: Finish::Never, ..Server::source(50_000) });
    player.window = 10;
    player.shake_hands(USUAL);
    let mut got = 1;
    for heard in player.hear() {
        got = heard.seq + u32::try_from(heard.len).unwrap();
    }
    assert_eq!(got, 1 + (10 << 7), "as much as the window took");
    player.window = 0;
    player.say(ACK, 1, got, b"");
    let end = player.shell.now + HOUR;
    let (mut probes, mut last) = (0, player.shell.now);
    while player.shell.now < end {
        let until = player.shell.next().expect("a probe").min(end);
        assert!(until - last <= 60 * SECOND + SECOND, "no probe for {:?}", until - last);
        player.shell.run_until(until);
        for heard in player.hear() {
            // RFC 9293 3.8.6.1; an empty segment before the window must be answered all the same.
            assert_eq!((heard.flags.as_str(), heard.seq, heard.len), ("A", got - 1, 0));
            probes += 1;
            last = player.shell.now;
            player.say(ACK, 1, got, b"");
        }
    }
    assert!(probes < 90, "{probes} probes in an hour: they must grow rare (RFC 9293 3.8.6.1)");
    player.window = 501;
    player.say(ACK, 1, got, b"");
    let sent: usize = player.hear().iter().map(|heard| heard.len).sum();
    assert_eq!(sent, 50_000 - (10 << 7), "it goes on at once");
    player.shell.stop();
}

#[test]
fn what_a_server_trickles_before_a_closed_window_leaves_in_full_segments() {
    let mut player = Player::new(Server { read: 100, finish: Finish::Never, ..Server::source(60_000) });
    player.window = 0;
    player.shake_hands(USUAL);
    player.hear();
    player.window = 501;
    player.say(ACK, 1, 1, b"");
    let heard = player.hear();
    assert_eq!(heard.iter().map(|heard| heard.len).sum::<usize>(), 60_000);
    assert!(heard.len() <= 60_000 / 1_460 + 3, "{} packets", heard.len());
}

#[test]
fn an_app_that_closes_its_window_and_never_answers_again_is_given_up() {
    let mut player = Player::new(Server { finish: Finish::Never, ..Server::source(50_000) });
    player.window = 0;
    player.shake_hands(USUAL);
    player.shell.run_for(HOUR);
    player.shell.assert_empty();
}

#[test]
fn an_old_acknowledgement_does_not_close_the_window() {
    let mut player = Player::open(Server { finish: Finish::Never, ..Server::SINK });
    player.say(ACK, 1, 1, b"n");
    player.say(ACK, 2, 1, b"ew");
    player.window = 0;
    player.say(ACK, 1, 1, b"");
    player.hear();
    player.server_sends(b"goes out all the same");
    assert_eq!(player.hear().iter().map(|heard| heard.len).sum::<usize>(), 21);
}

#[test]
fn single_bytes_toward_a_server_that_takes_none_stay_within_bounds() {
    let mut player = Player::open(BLOCKED);
    let mut next = 1;
    let mut edge = 1 + u32::try_from(limits::STANDING_WINDOW).unwrap();
    while next < edge.min(40_000) {
        player.say(ACK, next, 1, &pattern(1, usize::try_from(next).unwrap() - 1, 1));
        next += 1;
        for heard in player.hear() {
            edge = edge.max(heard.ack + heard.window);
        }
        assert!(player.shell.engine.memory() <= limits::FLOW_MEMORY, "after {next} bytes");
    }
    player.server_takes(usize::MAX);
    assert!(player.arrived() == pattern(1, 0, usize::try_from(next).unwrap() - 1));
    player.shell.stop();
}

#[test]
fn single_bytes_in_one_batch_cost_no_more_than_the_bound() {
    let mut player = Player::open(BLOCKED);
    for at in 0..10_000 {
        player.shell.feed(&player.segment(ACK, 1 + at, 1, b"x").to_packet());
    }
    assert!(player.shell.engine.memory() <= 2 * limits::FLOW_MEMORY, "{}", player.shell.engine.memory());
    player.shell.settle();
    assert!(player.shell.engine.memory() <= limits::FLOW_MEMORY);
}

#[test]
fn a_silly_window_of_the_app_is_not_filled_with_slivers() {
    let mut player = Player::new(Server { finish: Finish::Never, ..Server::source(10_000) });
    player.window = 12;
    player.shake_hands(USUAL);
    let first = player.hear();
    assert_eq!(first.iter().map(|heard| heard.len).collect::<Vec<_>>(), [1_460]);
    // RFC 9293 3.8.6.2.1: the 76 bytes that are left of the window wait for the acknowledgement.
    player.say(ACK, 1, 1_461, b"");
    assert_eq!(player.hear().iter().map(|heard| heard.len).collect::<Vec<_>>(), [1_460]);
}
