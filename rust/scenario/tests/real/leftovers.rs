//! Whatever happens to its flows, the relay keeps no descriptor and no memory of them.

use std::time::Duration;

use nix::sys::signal::Signal;
use telltale_scenario::server::{Manner, Server};

use crate::relay::{Figures, Relay};
use crate::world::{SCENARIO, World, first};

const SOON: Duration = Duration::from_secs(10);
/// The relay gives memory back when nothing has happened for a second.
const AT_REST: Duration = Duration::from_millis(2_200);
/// What an allocator may keep between two equal rounds.
const SLACK: u64 = 1 << 20;

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_thousand_short_connections_one_after_another_and_256_at_once() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let relay = world.attach(9_000);
    let before = relay.figures();
    // The first round fills caches; what a later one adds would be a leak.
    let rounds = [(); 4].map(|()| {
        connections(&relay, "1000", "1");
        connections(&relay, "256", "256");
        settled(&relay, before)
    });
    let shown: Vec<_> = rounds.iter().map(ToString::to_string).collect();
    println!("before: {before}; after each round: {}", shown.join(", "));
    assert!(rounds[3].memory <= rounds[0].memory + SLACK, "memory grew: {shown:?}");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn servers_killed_in_the_middle() {
    let world = World::new();
    let relay = world.attach(9_000);
    let before = relay.figures();
    let rounds = [(); 4].map(|()| {
        let server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
        let mut client = relay.start(&[
            SCENARIO,
            "exchange",
            "203.0.113.10:80",
            "--flows",
            "50",
            "--concurrent",
            "50",
            "--up",
            "1000000000",
            "--down",
            "1000000000",
        ]);
        std::thread::sleep(Duration::from_millis(500));
        drop(server);
        let output = relay.finish(&mut client);
        assert!(output.starts_with("good 0 failed 50 "), "the clients did not notice: {output}");
        settled(&relay, before)
    });
    let shown: Vec<_> = rounds.iter().map(ToString::to_string).collect();
    println!("before: {before}; after each round: {}", shown.join(", "));
    assert!(rounds[3].memory <= rounds[1].memory + 4 * SLACK, "memory grew: {shown:?}");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn programs_that_give_up_before_there_is_an_answer() {
    let world = World::new();
    world.internet.ip("route add blackhole 192.0.2.0/24").unwrap();
    let relay = world.attach(9_000);
    let before = relay.figures();
    let mut programs = [(); 20].map(|()| relay.start(&["nc", "-w", "1", "192.0.2.1", "80"]));
    relay.eventually("20 connections are tried", SOON, |figures| {
        figures.descriptors >= before.descriptors + 20
    });
    for program in &mut programs {
        program.wait().unwrap();
    }
    settled(&relay, before);
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn the_tun_disappears_under_load() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let relay = world.attach(9_000);
    let _client = busy(&relay);
    relay.phone.ip("link delete tun0").unwrap();
    let status = relay.ended(Duration::from_secs(2));
    println!("the relay ended with {status}");
    assert!(status.code().is_some(), "the relay was killed: {status}");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_term_signal_under_load() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let relay = world.attach(9_000);
    let _client = busy(&relay);
    let (status, took) = relay.stop(Signal::SIGTERM);
    println!("the relay ended with {status} after {took:?}");
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_millis(500), "it took {took:?}");
}

fn connections(relay: &Relay, flows: &str, concurrent: &str) {
    let output = relay.run(&[
        SCENARIO,
        "exchange",
        "203.0.113.10:80",
        "--flows",
        flows,
        "--concurrent",
        concurrent,
        "--up",
        "2000",
        "--down",
        "2000",
    ]);
    assert!(output.starts_with(&format!("good {flows} failed 0 ")), "{output}");
}

fn busy(relay: &Relay) -> telltale_scenario::Process {
    let client = relay.start(&[
        SCENARIO,
        "exchange",
        "203.0.113.10:80",
        "--flows",
        "20",
        "--concurrent",
        "20",
        "--up",
        "1000000000",
        "--down",
        "1000000000",
    ]);
    std::thread::sleep(Duration::from_millis(500));
    client
}

/// The figures when all sockets are closed.
fn settled(relay: &Relay, before: Figures) -> Figures {
    relay.eventually("every socket is closed", SOON, |figures| figures.descriptors <= before.descriptors);
    std::thread::sleep(AT_REST);
    relay.figures()
}
