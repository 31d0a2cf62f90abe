//! Each direction ends as it ended on the other side: FIN as FIN, reset as reset, after all bytes.

use std::time::Duration;

use telltale_engine::{Failure, Input, limits};
use telltale_model::Ending;

use crate::packets::{ACK, FIN, PSH, RST, SYN};
use crate::player::{APP_PORT, PORT, Player, USUAL};
use crate::server::{Answer, Finish, Server, Stage};

const SECOND: Duration = Duration::from_secs(1);

/// Stays open whatever the app does.
const OPEN: Server = Server { finish: Finish::Never, ..Server::SINK };

#[test]
fn the_app_closes_first() {
    let mut player = Player::open(Server::SINK);
    player.say(ACK | FIN, 1, 1, b"bye");
    assert!(player.shell.socket(PORT).1.shut);
    assert_eq!(player.arrived(), b"bye");
    let heard = player.hear();
    assert_eq!(heard.last().map(|h| (h.flags.as_str(), h.seq, h.ack)), Some(("FA", 1, 5)));
    player.say(ACK, 5, 2, b"");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Finished));
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Closed);
    player.expect(&[]);
    player.shell.assert_empty();
}

#[test]
fn the_apps_fin_is_acknowledged_with_that_of_a_server_near_by() {
    let mut player = Player::open(Server::SINK);
    player.say(ACK | FIN, 1, 1, b"");
    player.expect(&[("FA", 1, 2, 0)]);
}

#[test]
fn the_apps_fin_is_acknowledged_at_once_where_the_server_is_far_away() {
    let away = limits::NEAR + Duration::from_millis(1);
    let mut player = Player::new(Server { answer: Answer::Accept(away), ..OPEN });
    player.syn(USUAL);
    player.shell.run_for(away);
    assert_eq!(player.hear().len(), 1);
    player.say(ACK, 1, 1, b"");
    player.say(ACK | FIN, 1, 1, b"");
    player.expect(&[("A", 1, 2, 0)]);
}

#[test]
fn the_app_half_closes_and_goes_on_reading() {
    let mut player = Player::open(OPEN);
    player.say(ACK | FIN, 1, 1, b"");
    player.shell.run_for(limits::DELAYED_ACK);
    player.expect(&[("A", 1, 2, 0)]);
    assert!(player.shell.socket(PORT).1.shut);
    player.server_sends(b"still here");
    player.expect(&[("PA", 1, 2, 10)]);
    player.say(ACK, 2, 11, b"");
    player.shell.run_for(200 * SECOND);
    player.server_sends(b"and here");
    player.expect(&[("PA", 11, 2, 8)]);
    player.say(ACK, 2, 19, b"");
    let (id, socket) = player.shell.socket(PORT);
    socket.script.finish = Finish::AfterSending;
    player.shell.wake(id);
    player.expect(&[("FA", 19, 2, 0)]);
    player.say(ACK, 2, 20, b"");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Finished));
    player.shell.assert_empty();
}

#[test]
fn the_server_half_closes_and_goes_on_reading() {
    let mut player = Player::open(Server::source(3));
    let heard = player.hear();
    assert_eq!(heard.last().map(|h| (h.seq + u32::try_from(h.len).unwrap(), h.ack)), Some((4, 1)));
    player.say(ACK, 1, 5, b"");
    player.say(ACK | PSH, 1, 5, b"upload");
    player.expect(&[("A", 5, 7, 0)]);
    player.say(ACK | FIN, 7, 5, b"");
    player.expect(&[("A", 5, 8, 0)]);
    assert_eq!(player.arrived(), b"upload");
    assert!(player.shell.socket(PORT).1.shut);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Finished));
    player.shell.assert_empty();
}

#[test]
fn the_remotes_fin_is_repeated_until_it_is_acknowledged() {
    let mut player = Player::open(Server::source(0));
    player.expect(&[("FA", 1, 1, 0)]);
    player.shell.run_for(SECOND);
    player.expect(&[("FA", 1, 1, 0)]);
    player.shell.run_for(2 * SECOND);
    player.expect(&[("FA", 1, 1, 0)]);
    player.say(ACK, 1, 2, b"");
    player.shell.run_for(60 * SECOND);
    player.expect(&[]);
}

#[test]
fn the_apps_fin_is_acknowledged_each_time_it_comes() {
    let mut player = Player::open(OPEN);
    player.say(ACK | FIN, 1, 1, b"ab");
    player.expect(&[("A", 1, 4, 0)]);
    player.say(ACK | FIN, 1, 1, b"ab");
    player.expect(&[("A", 1, 4, 0)]);
    player.say(ACK | FIN, 3, 1, b"");
    player.expect(&[("A", 1, 4, 0)]);
    assert_eq!(player.arrived(), b"ab");
}

#[test]
fn a_simultaneous_close() {
    let mut player = Player::open(Server::source(0));
    player.expect(&[("FA", 1, 1, 0)]);
    player.say(ACK | FIN, 1, 1, b"");
    player.expect(&[("A", 2, 2, 0)]);
    player.say(ACK, 2, 2, b"");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Finished));
    player.shell.assert_empty();
}

#[test]
fn a_fin_ahead_of_its_bytes_waits_for_them() {
    let mut player = Player::open(OPEN);
    player.say(ACK | FIN, 4, 1, b"def");
    player.expect(&[("A", 1, 1, 0)]);
    assert!(!player.shell.socket(PORT).1.shut);
    player.say(ACK, 1, 1, b"abc");
    player.expect(&[("A", 1, 8, 0)]);
    assert_eq!(player.arrived(), b"abcdef");
    assert!(player.shell.socket(PORT).1.shut);
}

#[test]
fn bytes_that_wait_for_the_server_go_before_the_fin() {
    let mut player = Player::open(Server { takes: 0, ..OPEN });
    player.say(ACK | FIN, 1, 1, b"slowly");
    player.expect(&[("A", 1, 8, 0)]);
    assert!(!player.shell.socket(PORT).1.shut);
    player.server_takes(4);
    assert!(player.shell.socket(PORT).1.shut);
    assert_eq!(player.arrived(), b"slowly");
    player.expect(&[]);
}

#[test]
fn a_reset_of_the_app_resets_the_socket() {
    let mut player = Player::open(OPEN);
    player.say(RST, 1, 0, b"");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByApp));
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Aborted);
    player.expect(&[]);
    player.shell.assert_empty();
}

#[test]
fn bytes_before_a_reset_of_the_app_reach_the_server_though_both_come_in_one_batch() {
    let mut player = Player::open(OPEN);
    player.shell.feed(&player.segment(ACK, 1, 1, b"last words").to_packet());
    player.shell.feed(&player.segment(RST, 11, 0, b"").to_packet());
    player.shell.settle();
    assert_eq!(player.arrived(), b"last words");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByApp));
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Aborted);
    player.shell.assert_empty();
}

#[test]
fn a_reset_of_the_app_does_not_wait_for_a_server_that_takes_nothing() {
    let mut player = Player::open(Server { takes: 0, ..OPEN });
    player.say(ACK, 1, 1, b"unread");
    player.say(RST, 7, 0, b"");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByApp));
    player.shell.assert_empty();
    let mut player = Player::open(Server { takes: 0, ..OPEN });
    player.shell.feed(&player.segment(ACK, 1, 1, b"unread").to_packet());
    player.shell.feed(&player.segment(RST, 7, 0, b"").to_packet());
    player.shell.settle();
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByApp));
    player.shell.assert_empty();
}

#[test]
fn a_reset_ahead_of_its_bytes_is_challenged_and_then_believed() {
    let mut player = Player::open(OPEN);
    player.say(RST, 11, 0, b"");
    player.expect(&[("A", 1, 1, 0)]);
    assert_eq!(player.shell.ending(APP_PORT), None);
    // The app's kernel knows no such connection any more and answers the challenge.
    player.say(RST, 1, 0, b"");
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByApp));
}

#[test]
fn a_reset_of_the_remote_comes_after_its_bytes() {
    let mut player = Player::open(Server { finish: Finish::Reset, ..Server::source(5_000) });
    let mut bytes = 0;
    let mut resets = 0;
    for _ in 0..10 {
        for heard in player.hear() {
            resets += usize::from(heard.flags.contains('R'));
            bytes += u32::try_from(heard.len).unwrap();
            assert!(resets == 0 || bytes == 5_000, "reset after {bytes} bytes");
        }
        if resets == 0 {
            player.say(ACK, 1, 1 + bytes, b"");
        }
    }
    assert_eq!((bytes, resets), (5_000, 1));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByRemote));
    player.shell.assert_empty();
}

#[test]
fn an_app_that_goes_on_sending_still_gets_what_came_before_the_remotes_reset() {
    let mut player = Player::open(Server { finish: Finish::Reset, ..Server::source(200_000) });
    let (mut got, mut sent, mut reset) = (1, 1, false);
    for _ in 0..100 {
        for heard in player.hear() {
            assert!(!reset, "after the reset: {heard:?}");
            reset = heard.flags.contains('R');
            got = got.max(heard.seq + u32::try_from(heard.len).unwrap());
            assert!(heard.ack <= sent);
        }
        if reset {
            break;
        }
        player.say(ACK, sent, got, b"more");
        sent += 4;
    }
    assert!(reset);
    assert_eq!(got, 200_001);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByRemote));
    player.shell.assert_empty();
}

#[test]
fn a_reset_after_the_remotes_fin_is_a_reset() {
    let mut player = Player::open(Server::source(0));
    player.expect(&[("FA", 1, 1, 0)]);
    player.say(ACK, 1, 2, b"");
    player.say(ACK, 1, 2, b"to nobody");
    player.expect(&[("A", 2, 10, 0)]);
    let (id, _) = player.shell.socket(PORT);
    player.shell.break_off(id, Failure::Reset);
    player.expect(&[("RA", 2, 10, 0)]);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::ResetByRemote));
}

#[test]
fn a_remote_that_breaks_off_while_bytes_wait_for_it() {
    let mut player = Player::open(Server { takes: 0, ..OPEN });
    player.say(ACK, 1, 1, b"waiting");
    player.expect(&[("A", 1, 8, 0)]);
    let (id, _) = player.shell.socket(PORT);
    player.shell.break_off(id, Failure::Reset);
    player.expect(&[("RA", 1, 8, 0)]);
    player.shell.assert_empty();
}

#[test]
fn a_blind_reset_or_syn_ends_nothing() {
    let mut player = Player::open(OPEN);
    // RFC 5961 3.2: outside the window, nothing; inside, a challenge.
    player.say(RST, 1_000_000, 0, b"");
    player.expect(&[]);
    player.say(RST, 2, 0, b"");
    player.expect(&[("A", 1, 1, 0)]);
    // RFC 5961 4.2: any SYN is challenged.
    player.say(SYN, 0, 0, b"");
    player.expect(&[("A", 1, 1, 0)]);
    player.say(SYN, 500, 0, b"");
    player.expect(&[("A", 1, 1, 0)]);
    player.say(SYN | ACK, 1, 1, b"");
    player.expect(&[("A", 1, 1, 0)]);
    player.say(ACK, 1, 1, b"alive");
    assert_eq!(player.arrived(), b"alive");
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_is_challenged() {
    let mut player = Player::open(OPEN);
    player.say(ACK, 1, 99, b"ignored");
    player.expect(&[("A", 1, 1, 0)]);
    assert_eq!(player.arrived(), b"");
}

#[test]
fn a_reused_port_breaks_off_what_the_server_has_not_got_yet() {
    let mut player = Player::open(Server { takes: 0, ..Server::SINK });
    player.say(ACK | FIN, 1, 1, &[7; 1_000]);
    player.shell.take_packets();
    player.shell.run_for(Duration::from_secs(61));
    player.shell.take_packets();
    player.start = player.start.wrapping_add(900_000);
    player.syn(USUAL);
    assert_eq!(player.shell.ending(player.app.port()), Some(Ending::ResetByApp));
    let heard = player.hear();
    assert_eq!((heard.len(), heard[0].flags.as_str(), heard[0].ack), (1, "SA", 1));
    player.shell.stop();
}

#[test]
fn what_an_app_has_said_to_its_end_is_not_taken_back_when_the_relay_stops() {
    let mut player = Player::open(OPEN);
    assert_eq!(player.shell.engine.unfinished(), (1, 0));
    player.say(ACK | FIN, 1, 1, b"bye");
    assert_eq!(player.shell.engine.unfinished(), (0, 3));
    player.shell.stop();
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Closed);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Stopped));
}

#[test]
fn an_app_has_more_to_say_until_the_socket_has_taken_its_last_byte() {
    let mut player = Player::open(Server { takes: 0, ..Server::SINK });
    player.say(ACK | FIN, 1, 1, b"bye");
    assert_eq!(player.shell.engine.unfinished(), (1, 0));
    player.shell.stop();
    assert_eq!(player.shell.socket(PORT).1.stage, Stage::Aborted);
}

#[test]
fn the_same_ports_serve_again_after_a_close() {
    let mut player = Player::open(Server::SINK);
    player.say(ACK | FIN, 1, 1, b"one");
    player.hear();
    player.say(ACK, 5, 2, b"");
    player.start = player.start.wrapping_add(1_000);
    player.shake_hands(USUAL);
    player.say(ACK, 1, 1, b"two");
    assert_eq!(player.arrived(), b"two");
    assert_eq!(player.shell.sockets.len(), 2);
}

#[test]
fn the_same_ports_serve_again_while_the_last_acknowledgement_is_awaited() {
    let mut player = Player::open(Server::SINK);
    player.say(ACK | FIN, 1, 1, b"one");
    player.hear();
    // The acknowledgement of our FIN was lost; the app begins anew (RFC 9293 3.10.7.4, TIME-WAIT).
    player.start = player.start.wrapping_add(1_000);
    player.shake_hands(USUAL);
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Finished));
    player.say(ACK, 1, 1, b"two");
    assert_eq!(player.arrived(), b"two");
}

#[test]
fn an_acknowledgement_is_not_repeated_because_the_server_takes_bytes_after_the_fin() {
    let mut player = Player::open(Server { takes: 1, ..OPEN });
    player.say(ACK | FIN, 1, 1, b"abcdef");
    player.expect(&[("A", 1, 8, 0)]);
    assert_eq!(player.arrived(), b"abcdef");
}

#[test]
fn what_a_broken_socket_had_not_sent_does_not_count_as_sent() {
    let mut player = Player::open(OPEN);
    player.say(ACK, 1, 1, &[7; 1_000]);
    let (id, socket) = player.shell.socket(PORT);
    socket.stage = Stage::Broken;
    player.shell.input(Input::Broken { flow: id, failure: Failure::Reset, unsent: 400 });
    player.shell.settle();
    let closed = player.shell.closed.last().expect("a flow");
    assert_eq!((closed.ending, closed.traffic.bytes_sent), (Ending::ResetByRemote, 600));
}
