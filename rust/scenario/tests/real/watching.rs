//! Whatever the watcher does, no app notices.

use std::process::Command;
use std::thread;
use std::time::Duration;

use telltale_driver::resolv::ResolvConf;
use telltale_driver::watcher::{Report, Watch, WatchConfig};
use telltale_driver::{NameServers, Relay, Setup};
use telltale_model::Observation;
use telltale_scenario::server::{Manner, Server};
use telltale_watch::Watcher;

use crate::relay::{PHONE, phone};
use crate::world::{SCENARIO, World, first, now};

const FLOWS: u64 = 20;
/// Of each flow each way.
const BYTES: u64 = 10 << 20;
const MTU: u32 = 15_800;

/// Bytes both ways at once through a relay, checked by SHA-256 at both ends: how long that took, and what
/// the watcher said in the end.
fn carry(world: &World, observe: Option<fn(&mut Watcher, Observation)>) -> (Duration, Option<Report>) {
    let (phone, tun) = phone(MTU);
    let watch = observe.map(|observe| Watch::start_with(WatchConfig::default(), observe).unwrap());
    let setup = Setup {
        tun,
        mtu: MTU as usize,
        addresses: PHONE.map(|(address, _)| address).to_vec(),
        resolvers: Vec::new(),
        name_servers: NameServers::Listed { conf: ResolvConf::of(Vec::new()), file: None },
        owners: None,
        loopback: Vec::new(),
        watch: watch.as_ref().map(Watch::sender),
        at_end: None,
    };
    let relay = world.computer.inside(|| Relay::start(setup)).unwrap();
    let mut client = Command::new(SCENARIO);
    client.args(["exchange", "203.0.113.10:80", "--concurrent", "5", "--flows", &FLOWS.to_string()]);
    client.args(["--up", &BYTES.to_string(), "--down", &BYTES.to_string()]);
    let start = now();
    let output = phone.output(&mut client).unwrap();
    let took = start.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with(&format!("good {FLOWS} failed 0 ")), "{text}");
    let stopped = relay.stop();
    assert!(stopped.ended.is_none(), "{stopped:?}");
    (took, watch.map(|watch| watch.stop(Duration::from_secs(5))))
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_watcher_that_panics_on_all_that_is_said_costs_no_byte() {
    fn fragile(watcher: &mut Watcher, observation: Observation) {
        let is_payload = matches!(
            observation,
            Observation::Bytes { .. } | Observation::Sealed { .. } | Observation::Missed { .. }
        );
        assert!(!is_payload, "a mistake");
        watcher.observe(observation);
    }
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let (_, report) = carry(&world, Some(fragile));
    let Report { ledger, problems, dropped } = report.unwrap();
    let sum = ledger.lines.first().unwrap().sum;
    println!("{problems:?}");
    assert!(sum.traffic.bytes_sent >= FLOWS * BYTES && sum.traffic.bytes_received >= FLOWS * BYTES);
    assert_eq!((sum.flows, dropped), (FLOWS, 0), "what goes on is still counted");
    assert!(problems.iter().any(|problem| problem.contains("met a mistake")), "{problems:?}");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_watcher_that_stands_still_costs_no_byte_and_no_time() {
    fn stuck(_: &mut Watcher, _: Observation) {
        thread::sleep(Duration::from_secs(3_600));
    }
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let (alone, _) = carry(&world, None);
    let (beside, report) = carry(&world, Some(stuck));
    println!("alone {alone:?}, beside a watcher that stands still {beside:?}");
    assert!(beside < alone * 3 / 2 + Duration::from_millis(300), "{alone:?}, {beside:?}");
    assert!(report.unwrap().problems[0].contains("could not be made in time"));
}
