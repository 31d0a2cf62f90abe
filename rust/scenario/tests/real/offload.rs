//! An app's system hands over TCP in large pieces, whatever the MTU is.

use std::fs;

use telltale_scenario::Namespace;
use telltale_scenario::server::{Manner, Server};

use crate::world::{SCENARIO, World, first, first_by_v6};

const SENT: u64 = 20_000_000;

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn an_upload_over_a_small_mtu_takes_few_packets_and_arrives_whole() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80), first_by_v6(80)], Manner::Exchange).unwrap();
    let relay = world.attach(1_500);
    for server in [first(80), first_by_v6(80)] {
        let before = packets_sent(&relay.phone);
        let output = relay.run(&[
            SCENARIO,
            "exchange",
            &server.to_string(),
            "--flows",
            "1",
            "--up",
            &SENT.to_string(),
            "--down",
            "1000000",
        ]);
        assert!(output.starts_with("good 1 failed 0 "), "{output}");
        let packets = packets_sent(&relay.phone) - before;
        // Cut to the MTU they would be 13,700.
        assert!(packets < SENT / 8_000, "{packets} packets to {server}");
    }
}

/// After the colon of the tun's line, eight figures of what was received; then bytes and packets sent.
fn packets_sent(phone: &Namespace) -> u64 {
    let devices = phone.inside(|| fs::read_to_string("/proc/thread-self/net/dev")).unwrap();
    let line = devices.lines().find_map(|line| line.trim_start().strip_prefix("tun0:")).unwrap();
    line.split_whitespace().nth(9).unwrap().parse().unwrap()
}
