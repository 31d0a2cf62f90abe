//! The network goes away and comes back.

use std::process::Command;
use std::time::Duration;

use telltale_scenario::server::{Manner, Server};

use crate::world::{SCENARIO, World, first};

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_route_vanishes_and_comes_back() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let relay = world.attach(9_000);
    let mut running = relay.start(&[
        SCENARIO,
        "exchange",
        "203.0.113.10:80",
        "--flows",
        "4",
        "--up",
        "300000000",
        "--down",
        "300000000",
    ]);
    std::thread::sleep(Duration::from_millis(300));

    world.computer.ip("route delete default").unwrap();
    let output =
        relay.phone.output(Command::new("nc").args(["-v", "-w", "10", "203.0.113.10", "80"])).unwrap();
    let refused = String::from_utf8_lossy(&output.stderr);
    assert!(
        refused.contains("unreachable") || refused.contains("No route"),
        "expected to be told at once, found: {refused}"
    );
    world.computer.ip("route add default via 198.51.100.1").unwrap();

    let output = relay.run(&[SCENARIO, "exchange", "203.0.113.10:80", "--up", "1000", "--down", "1000"]);
    assert!(output.starts_with("good 1 failed 0"), "a new flow after the route came back: {output}");
    let output = relay.finish(&mut running);
    assert!(output.starts_with("good 4 failed 0"), "the flows from before: {output}");
}
