//! Each flow is its program's, also where an exchange takes less time than to look up whose it is.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use telltale_scenario::Process;
use telltale_scenario::server::{Manner, Server};

use crate::world::{Run, SCENARIO, World, eventually, first};

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn connections_that_end_at_once() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let run = world.scenario("exchange 203.0.113.10:80 --flows 2000 --up 100 --down 100").succeeded();
    assert_eq!(programs(&run, first(80)), [(SCENARIO.to_owned(), 2_000)]);
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn many_at_once_in_one_process() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let run = world
        .scenario("exchange 203.0.113.10:80 --flows 2000 --concurrent 256 --up 100 --down 100")
        .succeeded();
    assert_eq!(programs(&run, first(80)), [(SCENARIO.to_owned(), 2_000)]);
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn connections_that_are_refused() {
    let world = World::new();
    let run = world.run(&["sh", "-c", "for i in $(seq 50); do nc 203.0.113.10 81; done"]).ended_with(1);
    assert_eq!(programs(&run, first(81)), [(program("nc"), 50)]);
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn datagrams_that_are_answered_at_once() {
    let world = World::new();
    // A port for each: two of 50 programs get the same port of their own once in twenty runs, and to one server
    // that is one flow.
    let ports: Vec<_> = (500..550).map(first).collect();
    let _server = Server::udp(&world.internet, &ports).unwrap();
    let script = format!("for port in $(seq 500 549); do {SCENARIO} udp-echo 203.0.113.10:$port 100; done");
    let run = world.run(&["sh", "-c", &script]).succeeded();
    for port in ports {
        assert_eq!(programs(&run, port), [(SCENARIO.to_owned(), 1)], "{port}");
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn questions_that_are_answered_at_once() {
    let world = World::new();
    let _server = name_server(&world);
    let script = "for i in $(seq 50); do getent ahosts news.example || exit; done";
    let run = world.run(&["sh", "-c", script]).succeeded();
    let programs: Vec<_> =
        programs_of(&run, |row| row["port"] == 53).into_iter().map(|(name, _)| name).collect();
    assert_eq!(programs, [program("getent")]);
}

/// One that knows `news.example`.
fn name_server(world: &World) -> Process {
    let mut dnsmasq = Command::new("dnsmasq");
    dnsmasq.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=",
        "--group=",
        "--pid-file=",
    ]);
    dnsmasq.args([
        "--bind-interfaces",
        "--listen-address=203.0.113.10",
        "--host-record=news.example,203.0.113.10",
    ]);
    let server = world.internet.spawn(&mut dnsmasq).unwrap();
    eventually("the name server listens", Duration::from_secs(5), || {
        let output = world.internet.output(Command::new("ss").args(["-Hlnu"])).unwrap();
        String::from_utf8_lossy(&output.stdout).contains("203.0.113.10:53")
    });
    server
}

/// The programs that had flows there, and how many.
fn programs(run: &Run, remote: SocketAddr) -> Vec<(String, u64)> {
    programs_of(run, |row| row["address"] == remote.ip().to_string() && row["port"] == remote.port())
}

fn programs_of(run: &Run, wanted: impl Fn(&serde_json::Value) -> bool) -> Vec<(String, u64)> {
    let report = run.report.as_ref().expect("no report was written");
    let rows = report["rows"].as_array().unwrap().iter().filter(|row| wanted(row));
    rows.map(|row| (row["program"].as_str().unwrap_or("unknown").to_owned(), row["flows"].as_u64().unwrap()))
        .collect()
}

/// Where the program of that name really is, behind all links.
fn program(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).find_map(|folder| fs::canonicalize(folder.join(name)).ok());
    found.unwrap_or_else(|| panic!("{name} is not installed")).to_str().unwrap().to_owned()
}
