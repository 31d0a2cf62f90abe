//! Many flows at once, and flows that mean harm, stay within the bounds.

use std::time::Duration;

use telltale_scenario::raise_descriptor_limit;
use telltale_scenario::server::{Manner, Server};

use crate::world::{SCENARIO, World, first};

/// Twice the 32 MiB that the relay may keep for flows, and its own size.
const MEMORY: u64 = 96 << 20;

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn ten_thousand_flows_at_once() {
    raise_descriptor_limit().unwrap();
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let relay = world.attach(9_000);
    let before = relay.figures();
    let mut client = relay.start(&[
        SCENARIO,
        "exchange",
        "203.0.113.10:80",
        "--flows",
        "10000",
        "--concurrent",
        "10000",
        "--up",
        "2000",
        "--down",
        "2000",
        "--hold-ms",
        "15000",
    ]);
    relay.eventually("10,000 sockets are open", Duration::from_secs(15), |figures| {
        figures.descriptors >= before.descriptors + 10_000
    });
    let during = relay.figures();
    let output = relay.finish(&mut client);
    relay.eventually("every socket is closed", Duration::from_secs(10), |figures| {
        figures.descriptors <= before.descriptors
    });
    println!("before {before}, during {during}, after {}", relay.figures());
    assert!(output.starts_with("good 10000 failed 0 "), "{output}");
    assert!(during.memory < MEMORY, "{during} with 10,000 flows");
}

/// A server that never reads, and programs that write one byte at a time: each segment pins far more
/// memory than it carries.
#[test]
#[ignore = "real namespaces: scripts/test real"]
fn segments_of_one_byte_to_servers_that_never_read() {
    let world = World::new();
    let server = Server::tcp(&world.internet, &[first(80)], Manner::Stall).unwrap();
    let relay = world.attach(65_535);
    let before = relay.figures();
    let mut client = relay.start(&[
        SCENARIO,
        "exchange",
        "203.0.113.10:80",
        "--flows",
        "200",
        "--concurrent",
        "200",
        "--up",
        "5000000",
        "--piece",
        "1",
    ]);
    let mut most = before;
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(200));
        let figures = relay.figures();
        if figures.memory > most.memory {
            most = figures;
        }
    }
    println!("before {before}, at most {most}");
    client.kill().unwrap();
    // The system goes on sending for a program that is dead; the end of the server ends that too.
    drop(server);
    assert!(most.memory < MEMORY, "{most} with 200 flows of one-byte segments");
    relay.eventually("every socket is closed", Duration::from_secs(10), |figures| {
        figures.descriptors <= before.descriptors
    });
}
