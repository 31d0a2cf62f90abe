//! The handshake with the app is finished only when the destination has answered.

use std::time::Duration;

use telltale_engine::{Failure, limits};
use telltale_model::Ending;

use crate::packets::{ACK, RST, SYN, Segment};
use crate::player::{APP_PORT, PORT, Player, USUAL};
use crate::server::{Answer, Server, Stage};
use crate::shell::Shell;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn no_syn_ack_before_the_remote_has_answered() {
    let slow = Server { answer: Answer::Accept(Duration::from_millis(700)), ..Server::SINK };
    let mut player = Player::new(slow);
    player.syn(USUAL);
    player.shell.run_for(Duration::from_millis(699));
    player.expect(&[]);
    player.shell.run_for(Duration::from_millis(1));
    let heard = player.hear();
    assert_eq!((heard[0].flags.as_str(), heard[0].seq, heard[0].ack), ("SA", 0, 1));
    assert_eq!(heard[0].options, [2, 4, 0x05, 0xb4, 1, 3, 3, limits::WINDOW_SCALE, 1, 1, 4, 2]);
    player.say(ACK, 1, 1, b"hello");
    player.expect(&[("A", 1, 6, 0)]);
    assert_eq!(player.arrived(), b"hello");
}

#[test]
fn a_refusal_is_a_reset_with_number_0_for_the_syn() {
    let mut player = Player::new(Server::failing(Failure::Refused));
    player.syn(USUAL);
    let segment = Segment::read(&player.shell.take_packets()[0]).unwrap();
    assert_eq!((segment.flags, segment.seq, segment.ack), (RST | ACK, 0, player.start.wrapping_add(1)));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Refused));
    player.shell.assert_empty();
}

#[test]
fn no_way_is_an_icmp_error_that_quotes_the_syn() {
    for (failure, code) in [(Failure::NetworkUnreachable, 0), (Failure::HostUnreachable, 1)] {
        let mut player = Player::new(Server::failing(failure));
        player.syn(USUAL);
        let (kind, said, quoted) = player.hear_icmp();
        assert_eq!((kind, said), (3, code));
        assert_eq!(quoted[12..20], [10, 0, 0, 2, 192, 0, 2, 1], "addresses as the app sent them");
        assert_eq!(quoted[20..24], [0x9c, 0x40, 0, 80], "ports");
        assert_eq!(quoted[24..28], player.start.to_be_bytes(), "the number of the SYN");
        assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Unreachable));
        player.shell.assert_empty();
    }
}

#[test]
fn no_way_over_ipv6_is_an_icmpv6_error() {
    let mut player = Player::new(Server::failing(Failure::HostUnreachable));
    player.app.set_ip("2001:db8::2".parse().unwrap());
    player.remote.set_ip("2001:db8:1::1".parse().unwrap());
    player.syn(USUAL);
    let (kind, code, quoted) = player.hear_icmp();
    assert_eq!((kind, code), (1, 3), "address unreachable");
    assert_eq!(quoted[40..44], [0x9c, 0x40, 0, 80]);
    assert_eq!(quoted[44..48], player.start.to_be_bytes());
}

#[test]
fn a_remote_that_times_out_is_met_with_silence() {
    let mut player = Player::new(Server::failing(Failure::TimedOut));
    player.syn(USUAL);
    player.expect(&[]);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::TimedOut));
    player.shell.assert_empty();
}

#[test]
fn an_app_that_does_not_repeat_its_syn_has_given_up_after_3_seconds() {
    let mut player = Player::new(Server::SILENT);
    player.syn(USUAL);
    player.shell.run_for(3 * SECOND - Duration::from_micros(1));
    assert_eq!(player.shell.ending(APP_PORT), None);
    player.shell.run_for(Duration::from_micros(1));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::GivenUp));
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Aborted);
    assert_eq!(player.shell.engine.counters().held_given_up, 1);
    player.expect(&[]);
    player.shell.assert_empty();
}

#[test]
fn an_app_that_repeats_its_syn_as_linux_does_is_waited_for() {
    let mut player = Player::new(Server::SILENT);
    player.syn(USUAL);
    for wait in [1, 2, 4, 8, 16] {
        player.shell.run_for(wait * SECOND);
        player.syn(USUAL);
    }
    player.shell.run_for(33 * SECOND - Duration::from_micros(1));
    assert_eq!(player.shell.ending(APP_PORT), None);
    player.shell.run_for(Duration::from_micros(1));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::GivenUp));
    assert_eq!(player.shell.sockets.len(), 1, "one flow, one socket");
}

#[test]
fn a_syn_that_comes_twice_at_once_does_not_shorten_the_wait() {
    let mut player = Player::new(Server::SILENT);
    for wait in [1, 2, 4, 8, 0] {
        player.syn(USUAL);
        player.shell.run_for(wait * SECOND);
    }
    player.syn(USUAL);
    player.shell.run_for(15 * SECOND);
    assert_eq!(player.shell.ending(APP_PORT), None, "the app would have repeated after 16 s");
}

#[test]
fn a_reset_of_the_app_ends_a_held_syn() {
    let mut player = Player::new(Server::SILENT);
    player.syn(USUAL);
    player.say(RST, 1, 0, b"");
    player.expect(&[]);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::GivenUp));
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Aborted);
    player.shell.assert_empty();
}

#[test]
fn no_more_than_2048_syns_are_held() {
    let mut shell = Shell::new(1_500);
    shell.serve(PORT, Server::SILENT);
    let mut player = Player::new(Server::SILENT);
    for port in 0..2_100 {
        player.app.set_port(10_000 + port);
        shell.packet(&player.segment(SYN, 0, 0, b"").to_packet());
    }
    assert_eq!(shell.sockets.len(), 2_048);
    assert_eq!(shell.engine.counters().held_dropped, 52);
    assert!(shell.take_packets().is_empty());
    shell.run_for(4 * SECOND);
    shell.assert_empty();
    shell.serve(PORT, Server::SINK);
    shell.packet(&player.segment(SYN, 0, 0, b"").to_packet());
    assert_eq!(shell.take_packets().len(), 1, "there is room again");
}

#[test]
fn a_syn_ack_is_repeated_until_it_is_acknowledged() {
    let mut player = Player::new(Server::SINK);
    player.syn(USUAL);
    player.expect(&[("SA", 0, 1, 0)]);
    player.syn(USUAL);
    player.expect(&[("SA", 0, 1, 0)]);
    player.shell.run_for(SECOND);
    player.expect(&[("SA", 0, 1, 0)]);
    player.shell.run_for(2 * SECOND);
    player.expect(&[("SA", 0, 1, 0)]);
    player.say(ACK, 1, 1, b"");
    player.shell.run_for(100 * SECOND);
    player.expect(&[]);
}

#[test]
fn an_app_that_never_acknowledges_the_syn_ack_is_forgotten() {
    let mut player = Player::new(Server::SINK);
    player.syn(USUAL);
    player.shell.run_for(600 * SECOND);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::GivenUp));
    player.shell.assert_empty();
}

#[test]
fn a_lost_last_step_of_the_handshake_is_made_good_by_the_first_bytes() {
    let mut player = Player::new(Server::SINK);
    player.syn(USUAL);
    player.expect(&[("SA", 0, 1, 0)]);
    player.say(ACK, 1, 1, b"first");
    player.expect(&[("A", 1, 6, 0)]);
    assert_eq!(player.arrived(), b"first");
}

#[test]
fn bytes_with_the_syn_are_sent_again_by_the_app() {
    let mut player = Player::new(Server::SINK);
    let syn = Segment { ack: 0, ..player.segment(SYN, 0, 0, b"early") };
    player.send(&syn);
    player.expect(&[("SA", 0, 1, 0)]);
    player.say(ACK, 1, 1, b"early");
    player.expect(&[("A", 1, 6, 0)]);
    assert_eq!(player.arrived(), b"early");
}

#[test]
fn a_new_syn_with_another_number_while_held_is_the_one_to_answer() {
    let slow = Server { answer: Answer::Accept(2 * SECOND), ..Server::SINK };
    let mut player = Player::new(slow);
    player.syn(USUAL);
    player.start = 5_000;
    player.shell.run_for(SECOND);
    player.syn(USUAL);
    player.shell.run_for(SECOND);
    player.expect(&[("SA", 0, 1, 0)]);
}

#[test]
fn a_new_syn_with_another_number_after_the_syn_ack_gets_an_answer_that_the_app_resets() {
    let mut player = Player::new(Server::SINK);
    player.syn(USUAL);
    player.expect(&[("SA", 0, 1, 0)]);
    let old = player.start;
    player.start = old.wrapping_add(70_000);
    player.syn(USUAL);
    // RFC 9293 3.10.7.3: in SYN-SENT an acknowledgement of the wrong number is answered with a reset.
    assert_eq!(player.hear().len(), 1, "the app must learn that the relay is elsewhere");
    player.start = old;
    player.say(RST, 1, 0, b"");
    player.start = old.wrapping_add(70_000);
    player.syn(USUAL);
    player.expect(&[("SA", 0, 1, 0)]);
}

#[test]
fn a_refused_socket_for_want_of_descriptors_makes_room() {
    let mut player = Player::open(Server::SINK);
    player.shell.serve(81, Server::failing(Failure::NoSockets));
    player.shell.run_for(SECOND);
    player.remote.set_port(81);
    player.app.set_port(40_001);
    player.syn(USUAL);
    assert_eq!(player.shell.ending(40_001), Some(Ending::Evicted));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Evicted), "the oldest made room");
}

#[test]
fn every_option_may_be_missing_or_odd() {
    let none: &[u8] = &[];
    for scale in 0..=14 {
        let options = [2, 4, 0x05, 0xb4, 1, 3, 3, scale];
        transfer_with(&options, usize::from(u16::MAX) << scale);
    }
    transfer_with(none, usize::from(u16::MAX));
    // RFC 7323 2.3: over 14 counts as 14.
    transfer_with(&[1, 3, 3, 15], usize::from(u16::MAX) << 14);
    // A segment size of 1 counts as 64, one of 65,535 as what the tunnel carries.
    transfer_with(&[2, 4, 0, 1], usize::from(u16::MAX));
    transfer_with(&[2, 4, 0xff, 0xff], usize::from(u16::MAX));
    // Unknown options, an end of list and what follows it.
    transfer_with(&[254, 4, 1, 2, 1, 0, 77, 77], usize::from(u16::MAX));
    transfer_with(&[8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1], usize::from(u16::MAX));
}

/// A server's bytes arrive under any options, and never more than the window.
fn transfer_with(options: &[u8], full_window: usize) {
    let mut player = Player::new(Server::source(100_000));
    player.window = u16::MAX;
    player.shake_hands(options);
    let mut next: u32 = 1;
    let mut rounds = 0;
    while next < 100_001 {
        let heard = player.hear();
        let sent: usize = heard.iter().map(|heard| heard.len).sum();
        assert!(sent <= full_window, "{options:?}: {sent} bytes in a window of {full_window}");
        assert!(heard.iter().all(|heard| heard.len <= 1_460), "{options:?}");
        next += u32::try_from(sent).unwrap();
        player.say(ACK, 1, next, b"");
        rounds += 1;
        assert!(rounds < 10_000, "{options:?}: no progress");
    }
}

#[test]
fn what_belongs_to_no_flow_is_reset_as_rfc_9293_says() {
    let mut player = Player::new(Server::SINK);
    let stray = Segment { ack: 777, ..player.segment(ACK, 5, 0, b"stray") };
    player.send(&stray);
    let reset = Segment::read(&player.shell.take_packets()[0]).unwrap();
    assert_eq!((reset.flags, reset.seq), (RST, 777));
    player.send(&Segment { flags: 0, ..stray.clone() });
    let reset = Segment::read(&player.shell.take_packets()[0]).unwrap();
    assert_eq!((reset.flags, reset.seq, reset.ack), (RST | ACK, 0, stray.seq.wrapping_add(5)));
    player.send(&Segment { flags: RST, ..stray });
    assert!(player.shell.take_packets().is_empty());
    assert_eq!(player.shell.engine.counters().stray_segments, 3);
}
