//! TCP and datagrams pass the tun in large pieces, whatever the MTU is.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use std::{fs, io};

use telltale_scenario::Namespace;
use telltale_scenario::server::{Manner, Server};

use crate::relay::Relay;
use crate::world::{SCENARIO, World, first, first_by_v6};

const MUCH: u64 = 20_000_000;
const LITTLE: u64 = 1_000_000;

/// Cut to the MTU of 1,500 as much is 13,700 packets.
const FEW: u64 = MUCH / 8_000;

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn an_upload_over_a_small_mtu_takes_few_packets_and_arrives_whole() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80), first_by_v6(80)], Manner::Exchange).unwrap();
    for relay in [world.attach(1_500), world.attach_with_headers(1_500)] {
        for server in [first(80), first_by_v6(80)] {
            let before = packets(&relay.phone, SENT);
            exchange(&relay, &server.to_string(), MUCH, LITTLE);
            let packets = packets(&relay.phone, SENT) - before;
            assert!(packets < FEW, "{packets} packets to {server}");
        }
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_download_over_a_small_mtu_takes_few_packets_where_each_has_a_header_and_arrives_whole() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80), first_by_v6(80)], Manner::Exchange).unwrap();
    let relay = world.attach_with_headers(1_500);
    for server in [first(80), first_by_v6(80)] {
        let before = packets(&relay.phone, RECEIVED);
        exchange(&relay, &server.to_string(), LITTLE, MUCH);
        let packets = packets(&relay.phone, RECEIVED) - before;
        assert!(packets < FEW, "{packets} packets from {server}");
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn datagrams_that_pass_the_tun_together_reach_the_app_one_by_one() {
    let world = World::new();
    let _server = Server::udp(&world.internet, &[first(500), first_by_v6(500)]).unwrap();
    let relay = world.attach_with_headers(1_500);
    for server in [first(500), first_by_v6(500)] {
        let before = packets(&relay.phone, RECEIVED);
        relay.phone.inside(|| bursts(server)).unwrap();
        let packets = packets(&relay.phone, RECEIVED) - before;
        assert!((1..BURSTS * BURST.len() as u64).contains(&packets), "{packets} packets from {server}");
    }
}

const BURSTS: u64 = 50;

/// Bytes of each datagram in a burst.
const BURST: [usize; 24] = [
    1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 700, 300, 300, 300, 300, 1, 0, 0, 64, 64, 64, 64, 64,
    65, 64, 1_400, 9,
];

/// Sends datagrams that are told apart by what is in them, and gets each back as it was.
fn bursts(server: SocketAddr) -> io::Result<()> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut buffer = [0; 2_000];
    for _ in 0..BURSTS {
        let mut sent: Vec<Vec<u8>> = (1..).zip(BURST).map(|(byte, len)| vec![byte; len]).collect();
        sent.iter().try_for_each(|datagram| socket.send_to(datagram, server).map(drop))?;
        let received = sent.iter().map(|_| {
            let (len, from) = socket.recv_from(&mut buffer)?;
            assert_eq!(from, server);
            Ok(buffer[..len].to_vec())
        });
        let mut received = received.collect::<io::Result<Vec<_>>>()?;
        sent.sort();
        received.sort();
        assert!(sent == received, "{:?}", received.iter().map(Vec::len).collect::<Vec<_>>());
    }
    Ok(())
}

fn exchange(relay: &Relay, server: &str, up: u64, down: u64) {
    let (up, down) = (up.to_string(), down.to_string());
    let output = relay.run(&[SCENARIO, "exchange", server, "--flows", "1", "--up", &up, "--down", &down]);
    assert!(output.starts_with("good 1 failed 0 "), "{output}");
}

/// Places of the figures after the colon of a device's line.
const RECEIVED: usize = 1;
const SENT: usize = 9;

fn packets(phone: &Namespace, place: usize) -> u64 {
    let devices = phone.inside(|| fs::read_to_string("/proc/thread-self/net/dev")).unwrap();
    let line = devices.lines().find_map(|line| line.trim_start().strip_prefix("tun0:")).unwrap();
    line.split_whitespace().nth(place).unwrap().parse().unwrap()
}
