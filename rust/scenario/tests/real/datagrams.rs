//! UDP keeps what calls and games rely on (RFC 4787), and large datagrams pass.

use telltale_scenario::server::Server;

use crate::world::{World, first, first_by_v6, second, second_by_v6};

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn one_port_looks_the_same_to_two_servers_and_hears_a_third() {
    let world = World::new();
    let _servers = [first(500), second(500), first_by_v6(500), second_by_v6(500)]
        .map(|address| Server::udp(&world.internet, &[address]).unwrap());
    for servers in ["203.0.113.10:500 203.0.113.20:500", "[2001:db8:2::10]:500 [2001:db8:2::20]:500"] {
        world.scenario(&format!("udp-mapping {servers}")).succeeded();
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn datagrams_of_every_size_come_back() {
    let world = World::new();
    let _server = Server::udp(&world.internet, &[first(500), first_by_v6(500)]).unwrap();
    for server in ["203.0.113.10:500", "[2001:db8:2::10]:500"] {
        for size in [1, 1_472, 1_473, 4_000, 20_000, 60_000] {
            for fragments in ["default", "yes"] {
                world.scenario(&format!("udp-echo {server} {size} --fragments {fragments}")).succeeded();
            }
        }
    }
}

/// The path carries 1,500 bytes and the tun more: a socket that forbids fragments gets its datagram
/// through all the same, or is told; silence would be a black hole.
#[test]
#[ignore = "real namespaces: scripts/test real"]
fn four_thousand_bytes_with_df() {
    let world = World::new();
    let _server = Server::udp(&world.internet, &[first(500), first_by_v6(500)]).unwrap();
    for server in ["203.0.113.10:500", "[2001:db8:2::10]:500"] {
        let run = world.scenario(&format!("udp-echo {server} 4000 --fragments no"));
        let told = run.stderr.contains("Message too long");
        assert!(
            run.status.success() || told,
            "expected the datagram back or EMSGSIZE, found: {}",
            run.stderr
        );
    }
}
