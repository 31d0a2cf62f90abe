//! Mappings on real sockets of the loopback interface.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::datagram::namespace::{Namespace, three_in_line};
use crate::poll::Events;

const ID: MappingId = MappingId { index: 3, generation: 9 };

struct World {
    mappings: Mappings,
    epoll: Epoll,
    events: Events,
    inputs: Vec<Input>,
}

impl World {
    fn new() -> Self {
        let (epoll, events) = (Epoll::new().unwrap(), Events::with_capacity(16));
        Self { mappings: Mappings::new(), epoll, events, inputs: Vec::new() }
    }

    fn send(&mut self, to: SocketAddr, payload: &[u8]) {
        self.mappings.send(ID, outgoing(to, payload, 64));
    }

    fn flush(&mut self) -> Vec<Input> {
        self.mappings.flush(&self.epoll, &mut self.inputs);
        mem::take(&mut self.inputs)
    }

    /// Turns the crank for as long as events come, and once more after a short while.
    fn turn(&mut self) -> Vec<Input> {
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(20));
            self.epoll.wait_now(&mut self.events).unwrap();
            for index in 0.. {
                let Some(event) = self.events.at(index) else { break };
                let Token::Udp(id) = event.token else { panic!("{event:?}") };
                while self.mappings.ready(id, event.error, READ_LIMIT, &mut self.inputs) {}
            }
        }
        mem::take(&mut self.inputs)
    }
}

/// A datagram that forbids fragments.
fn outgoing(to: SocketAddr, payload: &[u8], hop_limit: u8) -> Outgoing {
    Outgoing::new(to, Bytes::copy_from_slice(payload), hop_limit, true)
}

fn server(any: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(any).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, from) = socket.recv_from(&mut buffer).unwrap();
    buffer.truncate(len);
    (buffer, from)
}

fn payloads(inputs: &[Input]) -> Vec<Vec<u8>> {
    let payload = |input: &Input| {
        let Input::Datagram { mapping: ID, payload, .. } = input else { panic!("{input:?}") };
        payload.to_vec()
    };
    inputs.iter().map(payload).collect()
}

fn failures(inputs: &[Input]) -> Vec<(SocketAddr, DatagramFailure)> {
    let failure = |input: &Input| {
        let Input::DatagramFailed { mapping: ID, to, failure } = input else { panic!("{input:?}") };
        (*to, *failure)
    };
    inputs.iter().map(failure).collect()
}

#[test]
fn every_peer_sees_one_source_and_anyone_may_answer() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let mut world = World::new();
        let ((one, to_one), (two, to_two), (stranger, _)) = (server(any), server(any), server(any));
        world.send(to_one, b"1");
        world.send(to_two, b"2");
        world.send(to_one, b"");
        assert!(world.flush().is_empty());
        let (first, source) = receive(&one);
        assert_eq!((first, receive(&two)), (b"1".to_vec(), (b"2".to_vec(), source)));
        assert_eq!(receive(&one), (Vec::new(), source), "an empty datagram is a datagram");
        stranger.send_to(b"hello", source).unwrap();
        let inputs = world.turn();
        assert_eq!(payloads(&inputs), [b"hello"]);
        assert!(
            matches!(&inputs[0], Input::Datagram { from, .. } if *from == stranger.local_addr().unwrap())
        );
    }
}

#[test]
fn a_burst_arrives_whole_and_in_order() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let mut world = World::new();
        let (peer, to) = server(any);
        let burst: Vec<Vec<u8>> =
            (0..100_u8).map(|n| vec![n; if n % 10 == 9 { 700 } else { 1200 }]).collect();
        for payload in &burst {
            world.send(to, payload);
        }
        assert!(world.flush().is_empty());
        assert!(
            find(&mut world.mappings.mappings, ID).unwrap().socket.as_ref().unwrap().segments,
            "GSO works here"
        );
        let received: Vec<Vec<u8>> = burst.iter().map(|_| receive(&peer).0).collect();
        assert!(received == burst);
    }
}

#[test]
fn a_joined_burst_comes_apart() {
    let mut world = World::new();
    let (peer, to) = server("127.0.0.1:0");
    world.send(to, b"who are you");
    world.flush();
    let (_, source) = receive(&peer);
    // Another mapping sends with GSO, which loopback hands over as one to a socket with GRO.
    let mut other = World::new();
    let burst: Vec<Vec<u8>> = (0..60_u8).map(|n| vec![n; if n == 59 { 10 } else { 1000 }]).collect();
    for payload in &burst {
        other.send(source, payload);
    }
    other.flush();
    assert!(payloads(&world.turn()) == burst);
}

#[test]
fn one_call_reads_a_bounded_number() {
    let mut world = World::new();
    let (peer, to) = server("127.0.0.1:0");
    world.send(to, b"x");
    world.flush();
    let (_, source) = receive(&peer);
    for _ in 0..100 {
        peer.send_to(b"y", source).unwrap();
    }
    assert!(world.mappings.ready(ID, false, READ_LIMIT, &mut world.inputs), "more is there");
    assert!((READ_LIMIT..READ_LIMIT + 8).contains(&world.inputs.len()), "{}", world.inputs.len());
    assert!(!world.mappings.ready(ID, false, READ_LIMIT, &mut world.inputs));
    assert_eq!(world.inputs.len(), 100);
}

#[test]
fn joined_datagrams_count_one_by_one() {
    let mut world = World::new();
    let (peer, to) = server("127.0.0.1:0");
    world.send(to, b"x");
    world.flush();
    let (_, source) = receive(&peer);
    let mut other = World::new();
    for _ in 0..5 {
        (0..60).for_each(|_| other.send(source, &[1; 100]));
        other.flush();
    }
    let mut calls = 0;
    loop {
        let before = world.inputs.len();
        let more = world.mappings.ready(ID, false, READ_LIMIT, &mut world.inputs);
        calls += 1;
        assert!(world.inputs.len() - before <= 2 * READ_LIMIT);
        if !more {
            break;
        }
    }
    assert_eq!(world.inputs.len(), 300);
    assert!(calls >= 3, "{calls}");
}

#[test]
fn a_closed_port_is_told_and_hides_nothing() {
    let mut world = World::new();
    let (peer, to) = server("127.0.0.1:0");
    let (gone, closed) = server("127.0.0.1:0");
    drop(gone);
    world.send(closed, b"anyone?");
    assert!(world.flush().is_empty());
    world.send(to, b"after the error");
    let told = world.flush();
    assert_eq!(failures(&told), [(closed, DatagramFailure::PortUnreachable)]);
    let (payload, source) = receive(&peer);
    assert_eq!(payload, b"after the error");
    world.send(closed, b"anyone?");
    world.flush();
    peer.send_to(b"reply", source).unwrap();
    let inputs = world.turn();
    assert_eq!(inputs.len(), 2, "{inputs:?}");
    assert_eq!(failures(&inputs[..1]), [(closed, DatagramFailure::PortUnreachable)]);
    assert_eq!(payloads(&inputs[1..]), [b"reply"]);
}

#[test]
fn what_the_system_refuses_is_told() {
    let mut world = World::new();
    let (peer, to) = server("[::1]:0");
    // Port 0 is no destination.
    let nowhere = "[::1]:0".parse().unwrap();
    world.send(nowhere, b"lost");
    world.send(to, b"found");
    assert_eq!(failures(&world.flush()), [(nowhere, DatagramFailure::HostUnreachable)]);
    assert_eq!(receive(&peer).0, b"found");
}

#[test]
fn the_queue_is_bounded_and_counts() {
    let mut world = World::new();
    let (_peer, to) = server("127.0.0.1:0");
    for _ in 0..QUEUE + 5 {
        world.send(to, b"x");
    }
    assert_eq!(world.mappings.dropped(), 5);
}

#[test]
fn a_closed_mapping_is_gone_and_its_place_is_used_again() {
    let mut world = World::new();
    let (peer, to) = server("127.0.0.1:0");
    world.send(to, b"one");
    world.flush();
    let (_, source) = receive(&peer);
    world.mappings.close(MappingId { generation: 8, ..ID });
    assert!(find(&mut world.mappings.mappings, ID).is_some(), "an id of the past closes nothing");
    world.mappings.close(ID);
    UdpSocket::bind(source).unwrap();
    assert!(!world.mappings.ready(ID, true, READ_LIMIT, &mut world.inputs));
    let next = MappingId { generation: 10, ..ID };
    world.mappings.send(next, outgoing(to, b"two", 64));
    world.flush();
    assert_eq!(receive(&peer).0, b"two");
}

/// A server in that namespace, and a world whose mappings send from the other one.
fn far_server(server: &Namespace, any: &'static str) -> UdpSocket {
    server.run(move || self::server(any).0)
}

#[test]
fn a_datagram_over_the_path_mtu_arrives_and_its_sender_hears_the_mtu() {
    let Some([client, _router, far]) = three_in_line() else { return };
    for (any, ip) in [("0.0.0.0:0", "198.51.100.2"), ("[::]:0", "2001:db8:2::2")] {
        let peer = far_server(&far, any);
        let to = SocketAddr::new(ip.parse().unwrap(), peer.local_addr().unwrap().port());
        client.run(move || {
            let mut world = World::new();
            let header = if to.is_ipv4() { 28 } else { 48 };
            // The near cable carries 1,500: only the router knows better, and says so.
            let payload = vec![5; 1400];
            world.send(to, &payload);
            assert!(world.flush().is_empty());
            let too_big = |payload_len| DatagramFailure::TooBig { mtu: 1280, payload_len };
            assert_eq!(failures(&world.turn()), [(to, too_big(1400))]);
            for size in [1400, 4000, 1280 - header + 1] {
                let payload = vec![6; size];
                world.send(to, &payload);
                assert_eq!(failures(&world.flush()), [(to, too_big(size))], "told before anybody asks");
                assert!(receive(&peer).0 == payload, "{size}");
            }
            let fits = vec![7; 1280 - header];
            world.send(to, &fits);
            assert!(world.flush().is_empty());
            assert!(receive(&peer).0 == fits);
        });
    }
}

#[test]
fn a_datagram_over_the_mtu_of_the_first_cable_is_told_at_once() {
    let Some([client, _router, far]) = three_in_line() else { return };
    let peer = far_server(&far, "0.0.0.0:0");
    let to = SocketAddr::new("198.51.100.2".parse().unwrap(), peer.local_addr().unwrap().port());
    client.run(move || {
        let mut world = World::new();
        for _ in 0..3 {
            world.send(to, &[1; 3000]);
        }
        let too_big = DatagramFailure::TooBig { mtu: 1500, payload_len: 3000 };
        assert_eq!(failures(&world.flush()), [(to, too_big); 3]);
    });
}

#[test]
fn who_allows_fragments_hears_nothing_of_them() {
    let Some([client, _router, far]) = three_in_line() else { return };
    let peer = far_server(&far, "0.0.0.0:0");
    let to = SocketAddr::new("198.51.100.2".parse().unwrap(), peer.local_addr().unwrap().port());
    client.run(move || {
        let mut world = World::new();
        let payload = Bytes::from(vec![5; 1400]);
        let send = |world: &mut World| {
            world.mappings.send(ID, Outgoing::new(to, payload.clone(), 64, false));
            assert!(world.flush().is_empty());
        };
        send(&mut world);
        assert!(world.turn().is_empty(), "the router's report is not for the app");
        send(&mut world);
        assert!(receive(&peer).0 == payload);
    });
}

#[test]
fn hop_limits_are_those_of_the_app() {
    let Some([client, _router, far]) = three_in_line() else { return };
    for (any, ip, router) in
        [("0.0.0.0:0", "198.51.100.2", "192.0.2.1"), ("[::]:0", "2001:db8:2::2", "2001:db8:1::1")]
    {
        let peer = far_server(&far, any);
        let to = SocketAddr::new(ip.parse().unwrap(), peer.local_addr().unwrap().port());
        client.run(move || {
            let mut world = World::new();
            world.mappings.send(ID, outgoing(to, b"dies", 1));
            world.mappings.send(ID, outgoing(to, b"lives", 2));
            assert!(world.flush().is_empty());
            let exceeded = DatagramFailure::HopLimitExceeded(Some(router.parse().unwrap()));
            assert_eq!(failures(&world.turn()), [(to, exceeded)]);
            assert_eq!(receive(&peer).0, b"lives");
        });
    }
}

#[test]
fn no_route_and_a_silent_host_are_told() {
    let Some([client, _router, _far]) = three_in_line() else { return };
    client.run(|| {
        let mut world = World::new();
        let (silent, there) = ("192.0.2.77:9".parse().unwrap(), "192.0.2.1:9".parse().unwrap());
        world.send(silent, b"anyone?");
        world.send(there, b"anyone?");
        assert!(world.flush().is_empty());
        assert_eq!(failures(&world.turn()), [(there, DatagramFailure::PortUnreachable)]);
        // After three requests for its hardware address.
        std::thread::sleep(Duration::from_millis(3200));
        assert_eq!(failures(&world.turn()), [(silent, DatagramFailure::HostUnreachable)]);
    });
    client.shell("ip route del default");
    client.run(|| {
        let mut world = World::new();
        let nowhere = "203.0.113.1:9".parse().unwrap();
        world.send(nowhere, b"lost");
        assert_eq!(failures(&world.flush()), [(nowhere, DatagramFailure::NetworkUnreachable)]);
    });
}

#[test]
fn where_the_kernel_cannot_cut_the_datagrams_go_singly() {
    let Some([one, other]) = Namespace::several() else { return };
    one.cable("small", &["192.0.2.1/24"], &other, &["192.0.2.2/24"], 1000);
    let peer = far_server(&other, "0.0.0.0:0");
    let to = SocketAddr::new("192.0.2.2".parse().unwrap(), peer.local_addr().unwrap().port());
    one.run(move || {
        let mut world = World::new();
        for n in 0..5 {
            world.send(to, &[n; 1100]);
        }
        assert!(world.flush().is_empty());
        for n in 0..5 {
            assert!(receive(&peer).0 == [n; 1100]);
        }
        let socket = find(&mut world.mappings.mappings, ID).unwrap().socket.as_ref().unwrap();
        assert!(!socket.segments, "and it is not tried again");
    });
}

#[test]
fn multicast_and_broadcast_go_out_and_replies_come_back() {
    let Some([one, other]) = Namespace::several() else { return };
    one.cable("lan", &["192.0.2.1/24"], &other, &["192.0.2.2/24"], 1500);
    one.shell("ip route add 224.0.0.0/4 dev lan; ip route add 255.255.255.255 dev lan");
    let peer = far_server(&other, "0.0.0.0:0");
    peer.join_multicast_v4(&"239.1.2.3".parse().unwrap(), &"192.0.2.2".parse().unwrap()).unwrap();
    let port = peer.local_addr().unwrap().port();
    one.run(move || {
        let mut world = World::new();
        for to in ["239.1.2.3", "192.0.2.255", "255.255.255.255"] {
            world.send(SocketAddr::new(to.parse().unwrap(), port), b"who is there?");
            assert!(world.flush().is_empty(), "{to}");
            let (_, source) = receive(&peer);
            peer.send_to(b"me", source).unwrap();
            assert_eq!(payloads(&world.turn()), [b"me"], "{to}");
        }
    });
}
