//! UDP: one mapping for each app port, whoever it speaks to; and ICMP echo.

use std::net::SocketAddr;
use std::time::Duration;

use telltale_engine::{DatagramFailure, Input};
use telltale_model::Ending;

use crate::packets::SYN;
use crate::packets::{Read, cut, echo, join, read_udp, udp};
use crate::player::Player;
use crate::server::Server;
use crate::shell::Shell;

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

#[test]
fn two_remotes_see_one_port_and_a_third_may_answer() {
    let mut shell = Shell::new(1_500);
    let app = at("10.0.0.2:5000");
    shell.packet(&udp(app, at("192.0.2.1:1"), b"one"));
    shell.packet(&udp(app, at("192.0.2.2:2"), b"two"));
    let mapping = shell.datagrams[0].mapping;
    assert_eq!(shell.datagrams[1].mapping, mapping);
    assert_eq!((shell.datagrams[1].to, &shell.datagrams[1].payload[..]), (at("192.0.2.2:2"), &b"two"[..]));
    shell.reply(mapping, at("198.51.100.3:3"), b"third");
    let packet = shell.take_packets().pop().unwrap();
    assert_eq!(read_udp(&packet), Some((at("198.51.100.3:3"), app, b"third".to_vec())));
    assert_eq!(shell.open.len(), 3);
    shell.stop();
}

#[test]
fn empty_and_ipv6_datagrams() {
    let mut shell = Shell::new(1_500);
    let (app, remote) = (at("[2001:db8::2]:5000"), at("[2001:db8:1::1]:9"));
    shell.packet(&udp(app, remote, b""));
    assert_eq!(shell.datagrams[0].payload.len(), 0);
    shell.reply(shell.datagrams[0].mapping, remote, b"");
    assert_eq!(read_udp(&shell.take_packets()[0]), Some((remote, app, Vec::new())));
}

#[test]
fn the_largest_datagram_goes_both_ways_in_fragments() {
    let mut shell = Shell::new(1_500);
    let (app, remote) = (at("10.0.0.2:5000"), at("192.0.2.1:9"));
    let payload: Vec<u8> = (0..65_507_u32).map(|at| at.to_le_bytes()[0]).collect();
    let mut fragments = cut(&udp(app, remote, &payload), 1_480, 77);
    fragments.swap(0, 7);
    fragments.iter().for_each(|fragment| shell.packet(fragment));
    assert!(shell.datagrams[0].payload == payload);
    shell.reply(shell.datagrams[0].mapping, remote, &payload);
    let fragments = shell.take_packets();
    assert!(fragments.len() > 40 && fragments.iter().all(|fragment| fragment.len() <= 1_500));
    assert_eq!(read_udp(&join(&fragments)), Some((remote, app, payload)));
    shell.stop();
}

#[test]
fn a_fragment_alone_is_forgotten() {
    let mut shell = Shell::new(1_500);
    let fragments = cut(&udp(at("10.0.0.2:5000"), at("192.0.2.1:9"), &[0; 3_000]), 1_480, 77);
    shell.packet(&fragments[0]);
    shell.run_for(Duration::from_secs(60));
    assert_eq!(shell.engine.counters().fragments_dropped, 1);
    assert_eq!(shell.wakes_at, None);
}

#[test]
fn a_quiet_flow_ends_after_5_minutes_and_one_to_a_name_server_after_20_seconds() {
    let mut shell = Shell::new(1_500);
    shell.packet(&udp(at("10.0.0.2:5000"), at("192.0.2.1:9"), b"x"));
    shell.packet(&udp(at("10.0.0.2:5001"), at("192.0.2.1:53"), b"x"));
    shell.run_for(Duration::from_secs(20));
    assert_eq!(shell.ending(5_001), Some(Ending::Idle));
    shell.run_for(Duration::from_secs(279));
    assert_eq!(shell.ending(5_000), None);
    shell.run_for(Duration::from_secs(1));
    assert_eq!(shell.ending(5_000), Some(Ending::Idle));
    shell.assert_empty();
}

/// Calls over Wi-Fi: IPsec in UDP, which an app keeps open with a byte each 20 s (RFC 3948 4). Its gateway sees that an
/// address was translated (RFC 7296 2.23), and that the port stays the same.
#[test]
fn a_call_that_comes_in_after_a_quiet_hour_reaches_the_app() {
    let mut shell = Shell::new(1_500);
    let (app, gateway) = (at("10.0.0.2:4500"), at("192.0.2.1:4500"));
    shell.packet(&udp(at("10.0.0.2:500"), at("192.0.2.1:500"), b"first exchange"));
    shell.packet(&udp(app, gateway, b"\0\0\0\0second exchange"));
    let mapping = shell.datagrams[1].mapping;
    for _ in 0..180 {
        shell.run_for(Duration::from_secs(20));
        shell.packet(&udp(app, gateway, &[0xff]));
    }
    let kept = shell.datagrams.iter().skip(1).filter(|datagram| datagram.mapping == mapping).count();
    assert_eq!((kept, shell.ending(4_500)), (181, None));
    shell.reply(mapping, gateway, b"a call");
    let packet = shell.take_packets().pop().unwrap();
    assert_eq!(read_udp(&packet), Some((gateway, app, b"a call".to_vec())));
    shell.stop();
}

#[test]
fn failures_become_icmp_errors_about_the_right_ports() {
    let mut shell = Shell::new(1_500);
    let (app, remote) = (at("10.0.0.2:5000"), at("192.0.2.1:9"));
    shell.packet(&udp(app, remote, b"x"));
    let mapping = shell.datagrams[0].mapping;
    let cases = [
        (DatagramFailure::PortUnreachable, (3, 3)),
        (DatagramFailure::HostUnreachable, (3, 1)),
        (DatagramFailure::NetworkUnreachable, (3, 0)),
        (DatagramFailure::Prohibited, (3, 13)),
        (DatagramFailure::HopLimitExceeded(Some("192.0.2.254".parse().unwrap())), (11, 0)),
    ];
    for (failure, expected) in cases {
        shell.fail_datagram(mapping, remote, failure);
        let read = Read::packet(&shell.take_packets()[0]).unwrap();
        let icmp = &read.payload;
        assert_eq!((icmp[0], icmp[1]), expected, "{failure:?}");
        assert_eq!(icmp[20..28], [10, 0, 0, 2, 192, 0, 2, 1], "{failure:?}");
        assert_eq!(icmp[28..32], [0x13, 0x88, 0, 9], "{failure:?}");
    }
}

#[test]
fn too_big_teaches_the_system_first_and_a_socket_that_goes_on_regardless() {
    let mut shell = Shell::new(65_535);
    let (app, remote) = (at("10.0.0.2:5000"), at("192.0.2.1:9"));
    shell.packet(&udp(app, remote, b"x"));
    let mapping = shell.datagrams[0].mapping;
    let quoted = |shell: &mut Shell| {
        shell.fail_datagram(mapping, remote, DatagramFailure::TooBig { mtu: 1_400, payload_len: 1_450 });
        let icmp = Read::packet(&shell.take_packets()[0]).unwrap().payload;
        assert_eq!((icmp[0], icmp[1]), (3, 4));
        assert_eq!(icmp[6..8], 1_400_u16.to_be_bytes());
        assert_eq!(icmp[20..28], [10, 0, 0, 2, 192, 0, 2, 1]);
        // The protocol of the packet that is quoted, and its first bytes.
        (icmp[17], icmp[28..32].to_vec())
    };
    let of_the_system = (1, vec![0, 0, 0xff, 0xff]);
    let of_the_socket = (17, vec![0x13, 0x88, 0, 9]);
    assert_eq!(quoted(&mut shell), of_the_system);
    assert_eq!(quoted(&mut shell), of_the_system, "of the same burst");
    shell.run_for(Duration::from_secs(2));
    assert_eq!(quoted(&mut shell), of_the_socket);
    for _ in 0..6 {
        shell.run_for(Duration::from_secs(100));
        shell.packet(&udp(app, remote, b"still here"));
    }
    assert_eq!(quoted(&mut shell), of_the_system, "which may have forgotten");
}

#[test]
fn only_what_forbids_fragments_is_said_to_do_so() {
    let mut shell = Shell::new(65_535);
    let packet = udp(at("10.0.0.2:5000"), at("192.0.2.1:9"), &[7; 3_000]);
    shell.packet(&packet);
    cut(&packet, 1_400, 1).iter().for_each(|fragment| shell.packet(fragment));
    let said: Vec<_> = shell.datagrams.iter().map(|datagram| datagram.dont_fragment).collect();
    assert_eq!((packet[6] & 0x40, &said[..]), (0x40, &[true, false][..]));
}

#[test]
fn strangers_without_number_end_no_flow_of_others() {
    let mut shell = Shell::new(1_500);
    let (flooded, quiet) = (at("10.0.0.2:5000"), at("10.0.0.2:6000"));
    shell.packet(&udp(quiet, at("192.0.2.9:9"), b"x"));
    shell.packet(&udp(flooded, at("192.0.2.1:9"), b"x"));
    let mapping = shell.datagrams[1].mapping;
    for number in 0..17_000_u32 {
        let from = SocketAddr::new((0x0a00_0000_u32 + number).to_be_bytes().into(), 99);
        shell.reply(mapping, from, b"flood");
    }
    assert_eq!(shell.take_packets().len(), 17_000, "all are delivered");
    assert_eq!(shell.engine.counters().evicted, 0);
    assert!(shell.engine.live_flows() < 2_000);
}

#[test]
fn a_datagram_without_a_socket_ends_its_flow() {
    let mut shell = Shell::new(1_500);
    shell.packet(&udp(at("10.0.0.2:5000"), at("192.0.2.1:9"), b"x"));
    shell.input(Input::Unmapped(shell.datagrams[0].mapping));
    shell.settle();
    assert_eq!(shell.engine.counters().datagrams_dropped, 1);
    shell.assert_empty();
}

#[test]
fn an_echo_and_its_reply() {
    for (app, remote, kind) in [("10.0.0.2", "192.0.2.1", 0), ("2001:db8::2", "2001:db8:1::1", 129)] {
        let mut shell = Shell::new(1_500);
        let (app, remote) = (app.parse().unwrap(), remote.parse().unwrap());
        shell.packet(&echo(app, remote, 0x1234, 7, b"ping"));
        let request = shell.echoes[0].clone();
        assert_eq!((request.to, request.sequence, &request.payload[..]), (remote, 7, &b"ping"[..]));
        let (echo, payload) = (request.echo, request.payload);
        shell.input(Input::EchoReply { echo, sequence: 7, payload });
        shell.settle();
        let read = Read::packet(&shell.take_packets()[0]).unwrap();
        assert_eq!((read.from, read.to, read.payload[0]), (remote, app, kind));
        assert_eq!(read.payload[4..], *b"\x12\x34\0\x07ping");
        shell.run_for(Duration::from_secs(60));
        assert_eq!(shell.ending(0x1234), Some(Ending::Idle));
        shell.assert_empty();
    }
}

#[test]
fn some_addresses_are_never_dialled() {
    let mut shell = Shell::new(1_500);
    let mut player = Player::new(Server::SINK);
    for remote in ["127.0.0.1:80", "0.0.0.0:80", "10.0.0.2:80"] {
        player.remote = at(remote);
        shell.packet(&player.segment(SYN, 0, 0, b"").to_packet());
        shell.packet(&udp(player.app, player.remote, b"x"));
    }
    player.app = at("[2001:db8::2]:5000");
    for remote in ["[::1]:80", "[::]:80", "[::ffff:192.0.2.1]:80", "[2001:db8::2]:80"] {
        player.remote = at(remote);
        shell.packet(&player.segment(SYN, 0, 0, b"").to_packet());
        shell.packet(&udp(player.app, player.remote, b"x"));
    }
    assert_eq!(shell.engine.counters().never_dialled, 14);
    assert!(shell.sockets.is_empty() && shell.datagrams.is_empty() && shell.take_packets().is_empty());
}
