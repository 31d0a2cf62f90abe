//! The phone of 2014 and its servers, through telltale and as captures.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use telltale_scenario::Process;
use telltale_scenario::phone::{Act, Over, Variant, Visit};

use crate::world::{SCENARIO, World, telltale};

fn visits(act: Act, variant: Variant) -> impl Iterator<Item = Visit> {
    act.steps(variant).into_iter().flat_map(|step| step.visits)
}

/// The phone's servers, ready, and where the phone finds them.
fn servers(world: &World) -> Process {
    world.internet.ip("address add 203.0.113.64/26 dev lo").unwrap();
    let mut servers = Command::new(SCENARIO);
    servers.args(["servers", "203.0.113.10:53"]).arg(&world.scratch.0).stdout(Stdio::piped());
    let mut servers = world.internet.spawn(&mut servers).unwrap();
    let mut line = String::new();
    BufReader::new(servers.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    servers
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn each_program_of_each_act_is_seen_with_its_host() {
    let world = World::new();
    let _servers = servers(&world);
    let (ca, programs) = (world.scratch.0.join("ca.pem"), world.scratch.0.join("programs"));
    for (act, variant) in Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant))) {
        let scene = ["--act", act.name(), "--variant", variant.name()];
        let places = ["--ca", ca.to_str().unwrap(), "--programs", programs.to_str().unwrap()];
        let command: Vec<_> = [SCENARIO, "phone"].into_iter().chain(scene).chain(places).collect();
        let run = world.run(&command).succeeded();
        let report = run.report.unwrap();
        let rows = report["rows"].as_array().unwrap().iter().filter(|row| row["port"] != 53);
        let seen: BTreeSet<_> = rows.map(|row| (program(row), text(&row["name"]))).collect();
        let played = visits(act, variant).map(|visit| (visit.program.to_owned(), visit.host.to_owned()));
        assert_eq!(seen, played.collect(), "{act} {variant}");
        assert_eq!(report["problems"], Value::Array(Vec::new()));
    }
}

fn program(row: &Value) -> String {
    text(&row["program"]).rsplit('/').next().unwrap_or_default().to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_capture_replays_with_the_hosts_of_the_act() {
    let world = World::new();
    let file = world.scratch.0.join("act.pcap");
    for (act, variant) in Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant))) {
        let scene = ["--act", act.name(), "--variant", variant.name()];
        let mut capture = Command::new(SCENARIO);
        assert!(capture.arg("capture").args(scene).arg(&file).status().unwrap().success());
        let output =
            Command::new(telltale()).args(["replay", "--format", "jsonl"]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let flows: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
        let flows: Vec<_> = flows.iter().filter(|flow| flow["application"] != "dns").map(spoken).collect();
        let played: Vec<_> = visits(act, variant).map(|visit| expected(&visit)).collect();
        assert_eq!(flows.iter().collect::<BTreeSet<_>>(), played.iter().collect(), "{act} {variant}");
        assert_eq!(flows.len(), played.len(), "{act} {variant}");
    }
}

/// What is spoken, with whom, and in which requests.
fn spoken(flow: &Value) -> (String, String, Vec<String>) {
    let name = flow["names"].get(0).map_or(&flow["asked"][0], |name| &name["name"]);
    let requests = flow["requests"].as_array().unwrap().iter();
    let lines = requests.map(|request| format!("{} {}", text(&request["method"]), text(&request["path"])));
    (text(&flow["application"]), text(name), lines.collect())
}

fn expected(visit: &Visit) -> (String, String, Vec<String>) {
    let line = |request: &[u8]| {
        let text = String::from_utf8_lossy(request);
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    let requests = visit.exchanges.iter().map(|exchange| line(&exchange.request)).collect();
    let (application, requests) = match visit.over {
        Over::Http => ("http", requests),
        Over::Tls12 | Over::Tls13 => ("tls", Vec::new()),
        Over::Datagram => ("ntp", Vec::new()),
    };
    (application.to_owned(), visit.host.to_owned(), requests)
}
