//! The table's numbers are the program's own numbers, to the byte.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use telltale_scenario::server::{Manner, Server};

use crate::world::{Run, World, eventually, first};

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn curl_counts_the_same() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Http).unwrap();
    let counts = "%{size_request} %{size_upload} %{size_header} %{size_download}";
    let run = world
        .run(&["sh", "-c", &format!("head -c 5000000 /dev/zero | curl -sS -o /dev/null -w '{counts}' -H 'Expect:' --data-binary @- http://203.0.113.10/")])
        .succeeded();
    let own: Vec<u64> = run.text().split(' ').map(|number| number.parse().unwrap()).collect();
    let row = row(&run, first(80), "tcp");
    assert_eq!(own[1], 5_000_000);
    assert_eq!(
        number(&row, "bytes_sent"),
        own[0] + own[1],
        "sent: the table's number and curl's request and body"
    );
    assert_eq!(
        number(&row, "bytes_received"),
        own[2] + own[3],
        "received: the table's number and curl's header and body"
    );
    assert!(row["program"].as_str().unwrap().ends_with("/curl"), "the program: {row}");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn many_flows_add_up() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let run = world
        .scenario("exchange 203.0.113.10:80 --flows 300 --concurrent 20 --up 100003 --down 70001")
        .succeeded();
    let row = row(&run, first(80), "tcp");
    assert_eq!(number(&row, "bytes_sent"), 300 * 100_027, "sent");
    assert_eq!(number(&row, "bytes_received"), 300 * 70_041, "received");
    assert_eq!(number(&row, "flows"), 300, "flows");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn datagrams_count_the_same() {
    let world = World::new();
    let _server = Server::udp(&world.internet, &[first(500)]).unwrap();
    let run = world.scenario("udp-echo 203.0.113.10:500 1200").succeeded();
    let row = row(&run, first(500), "udp");
    let counted =
        ["bytes_sent", "bytes_received", "packets_sent", "packets_received"].map(|field| number(&row, field));
    assert_eq!(counted, [1_200, 1_200, 1, 1], "bytes and packets each way");
}

/// iperf3 stops in the middle of a stream: what it wrote and what the other side read by then differ by
/// what is under way. With datagrams nothing is: they count the same, but for the greeting of 4 bytes.
#[test]
#[ignore = "real namespaces: scripts/test real"]
fn iperf3_counts_the_same() {
    const COOKIE: u64 = 37;
    const GREETING: u64 = 4;
    let world = World::new();
    let _server = world.internet.spawn(Command::new("iperf3").args(["-s", "-B", "203.0.113.10"])).unwrap();
    listens(&world, first(5_201));

    let (end, (sent, received)) = iperf3(&world, &["-n", "300M"]);
    let [wrote, read] =
        ["sum_sent", "sum_received"].map(|side| end[side]["bytes"].as_u64().unwrap() + COOKIE);
    assert!((read..=wrote).contains(&sent), "iperf3 wrote {wrote} and read {read}, we counted {sent}");
    assert_eq!(received, 0, "bytes back in the data stream");

    let (end, (sent, received)) = iperf3(&world, &["-u", "-l", "1400", "-b", "50M", "-t", "2"]);
    let own = end["sum"]["bytes"].as_u64().unwrap();
    assert_eq!(
        (sent, received),
        (own + GREETING, GREETING),
        "by our count and iperf3's, with {}",
        end["sum"]
    );
}

/// Runs iperf3 with these arguments: the end of its report, and what went each way in its largest flow.
fn iperf3(world: &World, arguments: &[&str]) -> (Value, (u64, u64)) {
    let database = world.scratch.0.join("iperf3.db");
    let _ = std::fs::remove_file(&database);
    let mut telltale = Command::new(crate::world::telltale());
    telltale.arg("run").arg("--db").arg(&database).args(["--report", "none", "--"]);
    telltale.args(["iperf3", "-J", "-c", "203.0.113.10"]).args(arguments);
    let run = world.finish(&mut telltale).succeeded();
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    (report["end"].clone(), largest_flow(&database))
}

/// What the flow with the most bytes sent and received.
fn largest_flow(database: &Path) -> (u64, u64) {
    let database = Connection::open(database).unwrap();
    let query =
        "SELECT bytes_sent, bytes_received FROM flow ORDER BY bytes_sent + bytes_received DESC LIMIT 1";
    let (sent, received): (i64, i64) =
        database.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    (sent.try_into().unwrap(), received.try_into().unwrap())
}

/// The row of the report for this destination.
fn row(run: &Run, remote: SocketAddr, protocol: &str) -> Value {
    let report = run.report.as_ref().expect("no report was written");
    let rows = report["rows"].as_array().unwrap();
    rows.iter()
        .find(|row| {
            row["address"] == remote.ip().to_string()
                && row["port"] == remote.port()
                && row["protocol"] == protocol
        })
        .unwrap_or_else(|| panic!("no row for {protocol} {remote} in {report:#}"))
        .clone()
}

fn number(row: &Value, field: &str) -> u64 {
    row[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {row}"))
}

fn listens(world: &World, address: SocketAddr) {
    eventually("the server listens", Duration::from_secs(5), || {
        let output = world.internet.output(Command::new("ss").args(["-Hlnt"])).unwrap();
        String::from_utf8_lossy(&output.stdout).contains(&address.to_string())
    });
}
