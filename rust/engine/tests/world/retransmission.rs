//! What an app did not get is sent again (RFC 6298, RFC 2018, RFC 5681 3.2).

use std::time::Duration;

use telltale_engine::limits;
use telltale_model::Ending;

use crate::packets::ACK;
use crate::player::{APP_PORT, Player};
use crate::server::{Finish, Server};

const SECOND: Duration = Duration::from_secs(1);
/// Full segments of the usual player.
const MSS: u32 = 1_460;

/// A server that has sent ten full segments.
fn ten_segments() -> Player {
    let mut player = Player::open(Server { finish: Finish::Never, ..Server::source(14_600) });
    let heard = player.hear();
    assert_eq!(heard.iter().map(|heard| heard.len).sum::<usize>(), 14_600);
    player
}

fn start(segment: u32) -> u32 {
    1 + segment * MSS
}

#[test]
fn the_third_duplicate_acknowledgement_brings_the_first_lost_segment() {
    let mut player = ten_segments();
    player.say(ACK, 1, start(3), b"");
    player.say(ACK, 1, start(3), b"");
    player.say(ACK, 1, start(3), b"");
    player.expect(&[]);
    player.say(ACK, 1, start(3), b"");
    player.expect(&[("A", start(3), 1, 1_460)]);
    // A partial acknowledgement shows the next loss (RFC 6582 3.2).
    player.say(ACK, 1, start(6), b"");
    let heard = player.hear();
    assert_eq!((heard[0].seq, heard[0].len), (start(6), 1_460));
    player.say(ACK, 1, start(10), b"");
    player.expect(&[]);
}

#[test]
fn a_sacked_gap_is_filled_at_once_and_nothing_else_is_sent() {
    let mut player = ten_segments();
    player.say_sacked(1, start(2), &[(start(3), start(4))]);
    player.expect(&[("A", start(2), 1, 1_460)]);
    player.say_sacked(1, start(2), &[(start(6), start(8)), (start(3), start(4))]);
    player.expect(&[("A", start(4), 1, 1_460), ("A", start(5), 1, 1_460)]);
    player.say_sacked(1, start(8), &[]);
    player.expect(&[]);
    player.say(ACK, 1, start(10), b"");
    player.shell.run_for(10 * SECOND);
    player.expect(&[]);
    assert_eq!(player.shell.engine.counters().retransmitted, 3);
}

#[test]
fn four_sack_blocks_and_a_d_sack_are_understood() {
    let mut player = ten_segments();
    // Linux sends four where it sends no timestamps.
    let blocks = [(start(7), start(8)), (start(5), start(6)), (start(3), start(4)), (start(1), start(2))];
    player.say_sacked(1, start(0), &blocks);
    let resent: Vec<u32> = player.hear().iter().map(|heard| heard.seq).collect();
    assert!(resent.contains(&start(0)) && resent.contains(&start(4)) && resent.contains(&start(6)));
    assert!(!resent.contains(&start(7)) && !resent.contains(&start(5)) && !resent.contains(&start(3)));
    // RFC 2883: a range below the acknowledgement says only that something came twice.
    player.say_sacked(1, start(10), &[(start(0), start(1))]);
    player.expect(&[]);
    assert_eq!(player.shell.engine.counters().malformed, 0);
}

#[test]
fn a_lie_in_a_sack_block_is_ignored() {
    let mut player = ten_segments();
    player.say_sacked(1, 1, &[(start(9), start(12)), (start(5), start(4)), (0x8000_0000, 0x8000_1000)]);
    player.expect(&[]);
    player.say(ACK, 1, start(10), b"");
    player.shell.run_for(10 * SECOND);
    player.expect(&[]);
}

#[test]
fn without_a_word_the_time_out_doubles() {
    let mut player = ten_segments();
    let sent_at = player.shell.now;
    let log = player.listen_until(sent_at + 32 * SECOND);
    let times: Vec<u64> = log
        .iter()
        .filter(|(_, heard)| heard.seq == 1 && heard.len > 0)
        .map(|(at, _)| u64::try_from((*at - sent_at).as_millis()).unwrap())
        .collect();
    // The first round trip was never measured: RFC 6298 2.1 begins with a second.
    assert_eq!(times, [1_000, 3_000, 7_000, 15_000, 31_000]);
    assert!(log.iter().all(|(_, heard)| heard.seq == 1), "one segment at a time");
    player.say(ACK, 1, start(1), b"");
    let heard = player.hear();
    assert_eq!(heard[0].seq, start(1), "after the answer the rest follows");
    assert!(heard.len() >= 9);
}

#[test]
fn a_measured_round_trip_shortens_the_time_out_to_200_ms() {
    let mut player = Player::open(Server { finish: Finish::Never, ..Server::SINK });
    for at in 0..8 {
        player.server_sends(&[1; 100]);
        player.hear();
        player.shell.run_for(Duration::from_millis(1));
        player.say(ACK, 1, 1 + 100 * (at + 1), b"");
    }
    player.server_sends(&[2; 100]);
    player.expect(&[("PA", 801, 1, 100)]);
    player.shell.run_for(Duration::from_millis(199));
    player.expect(&[]);
    player.shell.run_for(Duration::from_millis(2));
    player.expect(&[("PA", 801, 1, 100)]);
}

#[test]
fn an_app_that_never_answers_again_is_given_up_with_a_reset() {
    let mut player = ten_segments();
    let log = player.listen_until(player.shell.now + 900 * SECOND);
    let again = log.iter().filter(|(_, heard)| heard.len > 0).count();
    assert_eq!(again, usize::try_from(limits::RETRANSMISSIONS).unwrap());
    assert_eq!(log.last().map(|(_, heard)| heard.flags.as_str()), Some("RA"));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Idle));
    assert_eq!(player.shell.engine.counters().idle, 1);
    player.shell.assert_empty();
}

#[test]
fn a_lost_retransmission_is_sent_again_by_time_out() {
    let mut player = ten_segments();
    player.say_sacked(1, start(2), &[(start(3), start(10))]);
    player.expect(&[("A", start(2), 1, 1_460)]);
    player.shell.run_for(2 * SECOND);
    let heard = player.hear();
    assert_eq!((heard[0].seq, heard[0].len), (start(2), 1_460));
    player.say(ACK, 1, start(10), b"");
    player.hear();
    player.shell.run_for(10 * SECOND);
    player.expect(&[]);
}

#[test]
fn more_sacked_ranges_than_are_kept_still_end_well() {
    let mut player = Player::open(Server { finish: Finish::Never, ..Server::source(60_000) });
    player.hear();
    for at in 0..39 {
        player.say_sacked(1, 1, &[(start(2 * at % 40) + 100, start(2 * at % 40) + 200)]);
    }
    player.hear();
    player.say(ACK, 1, 60_001, b"");
    player.shell.run_for(10 * SECOND);
    player.expect(&[]);
    player.shell.stop();
}
