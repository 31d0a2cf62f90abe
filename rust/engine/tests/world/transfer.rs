//! Bytes in are bytes out, whatever the link does, and nothing is left.

use std::net::SocketAddr;
use std::time::Duration;

use telltale_model::Ending;

use crate::app::{Plan, World};
use crate::link::Weather;
use crate::random::pattern;
use crate::server::{Finish, Server};
use crate::shell::stream_of;

const V4: &str = "192.0.2.1";
const V6: &str = "2001:db8:1::1";
const MILLISECOND: Duration = Duration::from_millis(1);

const CALM: Weather = Weather { loss: 0, reorder: 0, duplicate: 0, delay: MILLISECOND };

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

/// An app sends to a server that sends as much back; both ends are compared.
fn both_ways(mtu: usize, weather: Weather, seed: u64, address: &str, bytes: usize) {
    let mut world = World::new(mtu, weather, seed);
    let to = at(address, 80);
    world.serve(80, Server { sends: bytes, finish: Finish::AfterApp, ..Server::SINK });
    let app = world.open(Plan { to, sends: bytes, closes_first: true }, 64 << 10);
    world.run();
    assert!(world.received(app) == pattern(stream_of(to), 0, bytes), "the app's bytes differ");
    let sent = world.sent(app);
    let (_, socket) = world.shell.socket(80);
    assert!(socket.received == sent, "the server's bytes differ");
    let [seen_sent, seen_received] = world.shell.seen.values().last().expect("a flow");
    assert!(*seen_sent == sent && *seen_received == world.received(app), "other bytes were seen");
    let closed = world.shell.closed.last().expect("a flow");
    assert_eq!(closed.ending, Ending::Finished);
    assert_eq!(closed.traffic.bytes_sent, bytes as u64);
    assert_eq!(closed.traffic.bytes_received, bytes as u64);
    world.shell.assert_empty();
}

#[test]
fn a_good_link_at_every_mtu_and_in_both_families() {
    for mtu in [1_280, 1_500, 9_000, 65_535] {
        both_ways(mtu, CALM, 1, V4, 300_000);
        both_ways(mtu, CALM, 2, V6, 300_000);
    }
}

#[test]
fn nothing_is_lost_where_the_link_loses_1_percent() {
    for seed in 0..12 {
        both_ways(1_500, Weather { loss: 1, ..CALM }, seed, V4, 200_000);
    }
}

#[test]
fn nothing_is_lost_where_the_link_loses_5_percent() {
    for seed in 0..12 {
        both_ways(1_500, Weather { loss: 5, ..CALM }, seed, V6, 120_000);
    }
}

#[test]
fn nothing_is_lost_where_the_link_loses_20_percent() {
    for seed in 0..8 {
        both_ways(1_280, Weather { loss: 20, ..CALM }, seed, V4, 40_000);
    }
}

#[test]
fn a_link_that_reorders_and_repeats() {
    for seed in 0..8 {
        both_ways(1_500, Weather { reorder: 10, ..CALM }, seed, V4, 200_000);
        both_ways(1_500, Weather { duplicate: 5, ..CALM }, seed, V6, 200_000);
        both_ways(1_280, Weather { loss: 5, reorder: 10, duplicate: 5, ..CALM }, seed, V4, 60_000);
    }
}

#[test]
fn large_packets_on_a_bad_link() {
    for seed in 0..4 {
        let weather = Weather { loss: 5, reorder: 10, duplicate: 5, ..CALM };
        both_ways(9_000, weather, seed, V6, 400_000);
        both_ways(65_535, weather, seed, V4, 800_000);
    }
}

#[test]
fn an_echo_of_a_whole_stream() {
    for seed in 0..4 {
        let mut world = World::new(1_500, Weather { loss: 2, reorder: 5, ..CALM }, seed);
        world.serve(7, Server { takes: 3_000, ..Server::ECHO });
        let app = world.open(Plan { to: at(V4, 7), sends: 100_000, closes_first: true }, 32 << 10);
        world.run();
        assert!(world.received(app) == world.sent(app));
        world.shell.assert_empty();
    }
}

#[test]
fn many_flows_over_one_bad_link_do_not_mix() {
    let mut world = World::new(1_500, Weather { loss: 3, reorder: 5, duplicate: 3, ..CALM }, 5);
    world.serve(80, Server { sends: 20_000, finish: Finish::AfterApp, read: 1_000, ..Server::SINK });
    world.serve(81, Server::source(50_000));
    for place in 0..40 {
        let (address, port) = (if place % 2 == 0 { V4 } else { V6 }, 80 + place % 4 / 2);
        world.open(Plan { to: at(address, port), sends: 10_000, closes_first: port == 80 }, 16 << 10);
    }
    world.run();
    for app in 0..40 {
        let (port, bytes) = if app % 4 / 2 == 0 { (80, 20_000) } else { (81, 50_000) };
        assert!(world.received(app) == pattern(stream_of(at(V4, port)), 0, bytes), "app {app}");
    }
    assert_eq!(world.shell.closed.len(), 40);
    assert!(world.shell.closed.iter().all(|closed| closed.ending == Ending::Finished));
    world.shell.assert_empty();
}

#[test]
fn a_server_that_takes_little_at_a_time_gets_everything() {
    let mut world = World::new(1_500, CALM, 3);
    world.serve(9, Server { takes: 100, ..Server::SINK });
    let app = world.open(Plan { to: at(V4, 9), sends: 50_000, closes_first: true }, 64 << 10);
    world.run();
    let sent = world.sent(app);
    assert!(world.shell.socket(9).1.received == sent);
    world.shell.assert_empty();
}
