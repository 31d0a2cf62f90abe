//! Every byte arrives, once and in order, both ways at the same time: SHA-256 at both ends.

use telltale_scenario::Conditions;
use telltale_scenario::server::{Manner, Server};

use crate::world::{World, first, first_by_v6};

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_hundred_flows_of_10_mib_each_way() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let run = world
        .scenario("exchange 203.0.113.10:80 --flows 100 --concurrent 10 --up 10485760 --down 10485760")
        .succeeded();
    assert!(run.text().starts_with("good 100 failed 0 "), "{}", run.text());
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn the_same_by_ipv6() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first_by_v6(80)], Manner::Exchange).unwrap();
    world.scenario("exchange [2001:db8:2::10]:80 --flows 10 --up 10485760 --down 10485760").succeeded();
}

/// 40 ms each way, 1 % of the packets lost, 1 % out of order, some twice.
#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_hundred_flows_of_10_mib_each_way_through_a_bad_link() {
    let mut world = World::through(Conditions::BAD, 1);
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    world
        .scenario("exchange 203.0.113.10:80 --flows 100 --concurrent 100 --up 10485760 --down 10485760")
        .succeeded();
    let passages = world.impairer.take().unwrap().stop();
    println!("{passages:?}");
    for passage in passages {
        assert!(passage.lost > 0 && passage.reordered > 0, "the link was not bad: {passage:?}");
    }
}

/// Sizes around those of segments, windows and buffers.
#[test]
#[ignore = "real namespaces: scripts/test real"]
fn odd_sizes() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    for size in [0, 1, 1_459, 1_460, 65_495, 65_496, 131_073] {
        world.scenario(&format!("exchange 203.0.113.10:80 --flows 5 --up {size} --down {size}")).succeeded();
    }
    world.scenario("exchange 203.0.113.10:80 --flows 5 --up 3000000 --down 0").succeeded();
    world.scenario("exchange 203.0.113.10:80 --flows 5 --up 0 --down 3000000").succeeded();
}
