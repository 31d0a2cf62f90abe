//! When and how the app's bytes are acknowledged (RFC 2018, RFC 2883, RFC 9293 3.8.6.3).

use std::time::Duration;

use crate::packets::{ACK, FIN, PSH, Segment, URG};
use crate::player::{PORT, Player, USUAL};
use crate::server::{Finish, Server};

const MILLISECOND: Duration = Duration::from_millis(1);
const OPEN: Server = Server { finish: Finish::Never, ..Server::SINK };

#[test]
fn a_gap_is_told_in_sack_blocks_with_the_latest_first() {
    let mut player = Player::open(OPEN);
    player.say(ACK, 11, 1, b"bbbbb");
    assert_eq!(sacked(&mut player), [(11, 16)]);
    player.say(ACK, 31, 1, b"ddddd");
    assert_eq!(sacked(&mut player), [(31, 36), (11, 16)]);
    player.say(ACK, 21, 1, b"ccccc");
    assert_eq!(sacked(&mut player), [(21, 26), (11, 16), (31, 36)]);
    player.say(ACK, 16, 1, b"-----");
    assert_eq!(sacked(&mut player), [(11, 26), (31, 36)]);
    player.say(ACK, 1, 1, b"aaaaaaaaaa");
    let heard = player.hear();
    assert_eq!((heard[0].ack, heard[0].sacked.as_slice()), (26, &[(31, 36)][..]));
    player.say(ACK, 26, 1, b"-----");
    let heard = player.hear();
    assert_eq!((heard[0].ack, heard[0].sacked.len()), (36, 0));
    assert_eq!(player.arrived(), b"aaaaaaaaaabbbbb-----ccccc-----ddddd");
}

#[test]
fn what_is_missing_is_told_also_while_bytes_for_the_app_wait() {
    let mut player = Player::new(Server { finish: Finish::Never, ..Server::source(200_000) });
    player.window = 12;
    player.shake_hands(USUAL);
    let got = player.hear().iter().map(|heard| heard.seq + u32::try_from(heard.len).unwrap()).max().unwrap();
    player.window = 501;
    player.shell.feed(&player.segment(ACK, 1, got, b"").to_packet());
    player.shell.feed(&player.segment(ACK, 11, got, b"bbbbb").to_packet());
    player.shell.settle();
    let (told, rest): (Vec<_>, Vec<_>) =
        player.hear().into_iter().partition(|heard| !heard.sacked.is_empty());
    assert_eq!(told.len(), 1, "{told:?}");
    // RFC 5681 2: with bytes it would be no duplicate to the app.
    assert_eq!((told[0].ack, told[0].len, told[0].sacked.as_slice()), (1, 0, &[(11, 16)][..]));
    assert!(rest.iter().map(|heard| heard.len).sum::<usize>() > 50_000, "{rest:?}");
}

#[test]
fn what_came_twice_is_told_once_as_d_sack() {
    let mut player = Player::open(OPEN);
    player.say(ACK, 1, 1, b"abcdef");
    player.hear();
    player.say(ACK, 1, 1, b"abcdef");
    let heard = player.hear();
    // RFC 2883 4.1: below the acknowledgement.
    assert_eq!((heard[0].ack, heard[0].sacked.as_slice()), (7, &[(1, 7)][..]));
    player.say(ACK, 5, 1, b"efgh");
    let heard = player.hear();
    assert_eq!((heard[0].ack, heard[0].sacked.as_slice()), (9, &[(5, 7)][..]));
    player.say(ACK, 15, 1, b"op");
    assert_eq!(sacked(&mut player), [(15, 17)]);
    player.say(ACK, 15, 1, b"op");
    // RFC 2883 4.2: a duplicate above it comes first, then the range that holds it.
    assert_eq!(sacked(&mut player), [(15, 17), (15, 17)]);
}

#[test]
fn an_app_without_sack_gets_none_and_its_acknowledgements_stay_usual_after_a_duplicate() {
    let mut player = Player::new(OPEN);
    player.shake_hands(&[2, 4, 0x05, 0xb4]);
    player.say(ACK, 1, 1, b"ab");
    player.say(ACK, 1, 1, b"ab");
    player.say(ACK, 9, 1, b"ij");
    assert!(player.hear().iter().all(|heard| heard.sacked.is_empty()));
    player.say(ACK, 3, 1, b"cdefgh");
    player.hear();
    let next = converse(&mut player, 11);
    player.say(ACK, next, 13, b"q");
    player.expect(&[]);
}

#[test]
fn in_a_conversation_the_acknowledgement_rides_on_the_answer() {
    let mut player = Player::open(OPEN);
    let next = converse(&mut player, 1);
    player.say(ACK, next, 13, b"question");
    player.expect(&[]);
    player.server_sends(b"answer");
    player.expect(&[("PA", 13, next + 8, 6)]);
}

#[test]
fn without_an_answer_it_comes_after_40_milliseconds() {
    let mut player = Player::open(OPEN);
    let next = converse(&mut player, 1);
    player.say(ACK, next, 13, b"question");
    player.shell.run_for(39 * MILLISECOND);
    player.expect(&[]);
    player.shell.run_for(MILLISECOND);
    player.expect(&[("A", 13, next + 8, 0)]);
}

#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    let mut player = Player::open(OPEN);
    let next = converse(&mut player, 1);
    player.say(ACK, next, 13, &[0; 1_460]);
    player.expect(&[]);
    player.say(ACK, next + 1_460, 13, &[0; 1_460]);
    player.expect(&[("A", 13, next + 2_920, 0)]);
}

#[test]
fn a_batch_is_acknowledged_once() {
    let mut player = Player::open(OPEN);
    for at in 0..8 {
        player.shell.feed(&player.segment(ACK, 1 + at * 1_000, 1, &[0; 1_000]).to_packet());
    }
    player.shell.settle();
    player.expect(&[("A", 1, 8_001, 0)]);
}

#[test]
fn old_bytes_are_acknowledged_each_time() {
    let mut player = Player::open(OPEN);
    player.say(ACK, 1, 1, b"abc");
    player.expect(&[("A", 1, 4, 0)]);
    for _ in 0..5 {
        player.say(ACK, 1, 1, b"abc");
        player.expect(&[("A", 1, 4, 0)]);
    }
    assert_eq!(player.arrived(), b"abc");
}

#[test]
fn a_keep_alive_probe_is_answered_and_turns_keep_alives_on_upstream_once() {
    let mut player = Player::open(OPEN);
    player.say(ACK, 1, 1, b"abc");
    player.hear();
    player.say(ACK, 3, 1, b"");
    player.expect(&[("A", 1, 4, 0)]);
    assert!(player.shell.socket(PORT).1.keep_alive);
    // With a byte of garbage, as old stacks send it (RFC 9293 3.8.4). A second KeepAlive would fail in
    // the shell.
    player.say(ACK, 3, 1, b"\0");
    player.expect(&[("A", 1, 4, 0)]);
    assert_eq!(player.arrived(), b"abc");
}

#[test]
fn a_probe_of_a_closed_window_is_no_keep_alive() {
    let mut player = Player::open(Server { takes: 0, ..OPEN });
    let mut next = 1;
    loop {
        player.say(ACK, next, 1, &[0; 1_000]);
        next += 1_000;
        let edge = player.hear().iter().map(|heard| heard.ack + heard.window).max().unwrap_or(0);
        if edge < next + 1_000 {
            player.say(ACK, next, 1, &vec![0; usize::try_from(edge - next).unwrap()]);
            next = edge;
            break;
        }
    }
    player.hear();
    player.say(ACK, next - 1, 1, b"");
    assert_eq!(player.hear().len(), 1);
    assert!(!player.shell.socket(PORT).1.keep_alive);
}

#[test]
fn urgent_bytes_stay_in_line() {
    let mut player = Player::open(OPEN);
    let urgent = Segment { urgent: 3, ..player.segment(ACK | URG | PSH, 1, 1, b"abcdef") };
    player.send(&urgent);
    player.expect(&[("A", 1, 7, 0)]);
    assert_eq!(player.arrived(), b"abcdef");
}

#[test]
fn odd_flags_are_read_by_their_meaning() {
    let mut player = Player::open(OPEN);
    // ECE and CWR without negotiation, reserved bits, PSH without bytes.
    player.say(ACK | 0x40 | 0x80, 1, 1, b"ab");
    player.expect(&[("A", 1, 3, 0)]);
    player.say(ACK | PSH, 3, 1, b"");
    player.expect(&[]);
    // Without ACK a segment is dropped (RFC 9293 3.10.7.4, fifth check), here with a challenge.
    player.say(0, 3, 1, b"cd");
    assert_eq!(player.arrived(), b"ab");
    player.hear();
    player.say(ACK | FIN | URG | PSH, 3, 1, b"cd");
    assert_eq!(player.arrived(), b"abcd");
}

#[test]
fn what_lies_past_the_window_is_cut_and_the_rest_is_taken() {
    let mut player = Player::new(Server { takes: 0, ..OPEN });
    player.shake_hands(USUAL);
    let long = vec![7; 20_000];
    let cut = player.segment(ACK, 1, 1, &long);
    player.send(&cut);
    let heard = player.hear();
    let taken = heard[0].ack - 1;
    assert!((14_592..=14_600).contains(&taken), "{taken} bytes of a window of 14,600");
}

/// Questions with answers until acknowledgements may wait. Gives the app's next number; the server has
/// sent twelve bytes.
fn converse(player: &mut Player, mut next: u32) -> u32 {
    player.hear();
    for at in 0..4 {
        player.say(ACK, next, 1 + 3 * at, b"ask");
        next += 3;
        player.server_sends(b"yes");
        player.hear();
    }
    player.say(ACK, next, 13, b"");
    player.expect(&[]);
    next
}

fn sacked(player: &mut Player) -> Vec<(u32, u32)> {
    let heard = player.hear();
    assert_eq!((heard.len(), heard[0].flags.as_str()), (1, "A"));
    heard[0].sacked.clone()
}
