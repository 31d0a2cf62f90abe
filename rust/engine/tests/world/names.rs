//! Our own resolver inside the tunnel.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use telltale_engine::Input;

use crate::packets::{ACK, FIN, RST, Read, Segment, read_udp, udp};
use crate::player::{Player, USUAL};
use crate::server::Server;
use crate::shell::Shell;

const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

#[test]
fn a_question_and_its_answer_over_udp() {
    let mut shell = Shell::new(1_500);
    let (app, resolver) = (at("10.0.0.2:5000"), at("10.0.0.53:53"));
    shell.packet(&udp(app, resolver, QUESTION));
    let (query, message, over_tcp) = shell.queries[0].clone();
    assert_eq!((&message[..], over_tcp), (QUESTION, false));
    shell.answer(query, Some(b"\x12\x34 the answer"));
    let expected = Some((resolver, app, b"\x12\x34 the answer".to_vec()));
    assert_eq!(read_udp(&shell.take_packets()[0]), expected);
    shell.run_for(Duration::from_secs(20));
    shell.assert_empty();
}

#[test]
fn a_cancelled_or_forgotten_question_is_answered_with_servfail() {
    let mut shell = Shell::new(1_500);
    shell.packet(&udp(at("10.0.0.2:5000"), at("10.0.0.53:53"), QUESTION));
    shell.answer(shell.queries[0].0, None);
    let (_, _, answer) = read_udp(&shell.take_packets()[0]).unwrap();
    assert_eq!((&answer[..2], answer[3] & 15), (&b"\x12\x34"[..], 2));
    shell.packet(&udp(at("10.0.0.2:5000"), at("10.0.0.53:53"), QUESTION));
    shell.run_for(Duration::from_secs(30));
    assert_eq!(shell.forgotten, [shell.queries[1].0]);
    assert_eq!(shell.engine.counters().queries_failed, 2);
    shell.answer(shell.queries[1].0, Some(b"too late"));
    assert_eq!(shell.take_packets().len(), 1);
}

#[test]
fn question_129_is_answered_with_servfail_at_once() {
    let mut shell = Shell::new(1_500);
    for port in 0..130 {
        let app = format!("10.0.0.2:{}", 5_000 + port).parse().unwrap();
        shell.packet(&udp(app, at("10.0.0.53:53"), QUESTION));
    }
    assert_eq!(shell.queries.len(), 128);
    assert_eq!(shell.take_packets().len(), 2);
}

#[test]
fn every_other_port_of_the_resolver_is_closed() {
    let mut player = Player::new(Server::SINK);
    for port in [853, 80] {
        player.remote = SocketAddr::new("10.0.0.53".parse().unwrap(), port);
        player.syn(USUAL);
        let reset = Segment::read(&player.shell.take_packets()[0]).unwrap();
        assert_eq!((reset.flags, reset.seq), (RST | ACK, 0));
        player.shell.packet(&udp(player.app, player.remote, b"x"));
        let icmp = Read::packet(&player.shell.take_packets()[0]).unwrap();
        assert_eq!(icmp.payload[..2], [3, 3]);
    }
    assert!(player.shell.sockets.is_empty());
    player.shell.assert_empty();
}

#[test]
fn questions_over_tcp_in_any_split_and_pipelined() {
    let framed = framed();
    let two = [&framed[..], &framed[..]].concat();
    for split in 0..=two.len() {
        let mut player = to_resolver();
        player.say(ACK, 1, 1, &two[..split]);
        player.say(ACK, 1 + u32::try_from(split).unwrap(), 1, &two[split..]);
        player.hear();
        assert_eq!(player.shell.queries.len(), 2, "split at {split}");
        let (query, message, over_tcp) = player.shell.queries[1].clone();
        assert_eq!((&message[..], over_tcp), (QUESTION, true));
        player.shell.answer(query, Some(b"\x12\x34 second"));
        let heard = player.hear();
        assert_eq!(heard[0].payload, b"\0\x09\x12\x34 second");
        player.shell.stop();
    }
}

#[test]
fn an_app_that_half_closes_still_gets_its_answer_and_then_a_fin() {
    let mut player = to_resolver();
    player.say(ACK | FIN, 1, 1, &framed());
    let end = 2 + u32::try_from(framed().len()).unwrap();
    player.expect(&[("A", 1, end, 0)]);
    player.shell.answer(player.shell.queries[0].0, None);
    let bytes: usize = player.hear().iter().map(|heard| heard.len).sum();
    assert_eq!(bytes, 2 + QUESTION.len());
    let done = 2 + u32::try_from(bytes).unwrap();
    player.say(ACK, end, done, b"");
    player.shell.assert_empty();
}

#[test]
fn half_a_question_and_a_fin_end_the_connection() {
    let mut player = to_resolver();
    player.say(ACK | FIN, 1, 1, b"\0");
    let heard = player.hear();
    assert!(heard.iter().any(|heard| heard.flags.contains('F')), "{heard:?}");
    player.say(ACK, 3, 2, b"");
    player.shell.assert_empty();
}

#[test]
fn more_questions_than_one_connection_may_ask_wait_their_turn() {
    let mut player = to_resolver();
    let many: Vec<u8> = (0..40).flat_map(|_| framed()).collect();
    player.say(ACK, 1, 1, &many);
    for asked in 0..40 {
        assert!(player.shell.queries.len() <= asked + 16);
        player.shell.answer(player.shell.queries[asked].0, Some(&[0; 12]));
    }
    assert_eq!(player.shell.queries.len(), 40);
    player.shell.stop();
}

fn framed() -> Vec<u8> {
    [&u16::try_from(QUESTION.len()).unwrap().to_be_bytes()[..], QUESTION].concat()
}

/// A connection to our resolver, which answers without a socket.
#[test]
fn an_app_that_asks_and_never_reads_fills_no_memory() {
    let mut player = to_resolver();
    player.window = 0;
    let (mut said, mut answered) = (1_u32, 0);
    for _ in 0..500 {
        player.say(ACK, said, 1, &framed());
        player.shell.take_packets();
        said += u32::try_from(framed().len()).unwrap();
        for index in answered..player.shell.queries.len() {
            player.shell.answer(player.shell.queries[index].0, Some(&[b'x'; 60_000]));
        }
        answered = player.shell.queries.len();
    }
    assert!(answered < 40, "{answered} questions were passed on");
    let memory = player.shell.engine.memory();
    assert!(memory < 2_500_000, "{memory} bytes are held");
    player.shell.stop();
}

#[test]
fn a_dribbled_question_keeps_no_read_buffer_alive() {
    let mut player = to_resolver();
    player.say(ACK, 1, 1, b"\xff");
    for seq in 2..200 {
        let packet = Bytes::from(player.segment(ACK, seq, 1, b"x").to_packet());
        player.shell.input(Input::Packet { packet: packet.clone(), pinned: 1 << 18 });
        player.shell.settle();
        player.shell.take_packets();
        assert!(packet.is_unique(), "byte {seq} keeps its buffer");
    }
    player.shell.stop();
}

fn to_resolver() -> Player {
    let mut player = Player::new(Server::SINK);
    player.remote = at("10.0.0.53:53");
    player.syn(USUAL);
    let heard = player.hear();
    assert_eq!((heard[0].flags.as_str(), heard[0].ack), ("SA", 1));
    player.say(ACK, 1, 1, b"");
    assert!(player.shell.sockets.is_empty());
    player
}
