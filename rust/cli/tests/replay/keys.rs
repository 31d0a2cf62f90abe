//! `--keys`: encrypted connections of programs that wrote their keys down are read as if they were in clear,
//! however their packets were cut, split, repeated or shuffled.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::packets;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/keys").join(name)
}

/// Captures with their keys and with prose beside them.
const FIXTURES: [&str; 3] = ["tls", "openssl", "quic"];

fn replay(arguments: &[&str], capture: Option<Vec<u8>>) -> Output {
    let mut telltale = Command::new(env!("CARGO_BIN_EXE_telltale"))
        .args(["replay", "--format", "jsonl"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = telltale.stdin.take().unwrap();
    // A program that has no use for it does not read it.
    let writer = std::thread::spawn(move || drop(input.write_all(&capture.unwrap_or_default())));
    let output = telltale.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn records(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The records of a capture, by these keys, in the order of their ports.
fn read(keys: &Path, capture: Vec<u8>) -> Vec<Value> {
    let mut records = records(&replay(&["--keys", keys.to_str().unwrap(), "-"], Some(capture)));
    records.sort_by_key(|record| record["source"].as_str().unwrap().to_owned());
    records
}

/// What was asked for: `POST keys.fixture.example/a 40`.
fn requests(records: &[Value]) -> Vec<String> {
    let requests = records.iter().flat_map(|record| record["requests"].as_array().unwrap());
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let mut asked: Vec<String> = requests
        .map(|request| {
            let [method, host, path] = ["method", "host", "path"].map(|member| word(&request[member]));
            format!("{method} {host}{path} {}", request["body"])
        })
        .collect();
    asked.sort();
    asked
}

/// The lines of the prose that begin with a dash.
fn truth(name: &str) -> Vec<String> {
    let prose = fs::read_to_string(fixture(&format!("{name}.md"))).unwrap();
    let mut lines: Vec<String> =
        prose.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What must be the same whatever became of the packets: of UDP, repeated datagrams are more bytes.
fn told(records: &[Value]) -> Vec<Value> {
    let tell = |record: &Value| {
        let coverage = &record["coverage_bytes"];
        let content =
            [&coverage["searched"], &coverage["opaque"], &coverage["unknown"], &record["read_with_keys"]];
        let encrypted = &coverage["encrypted"];
        let encrypted = if record["protocol"] == "tcp" { encrypted } else { &Value::Null };
        serde_json::json!([record["source"], record["inside"], record["requests"], content, encrypted])
    };
    records.iter().map(tell).collect()
}

#[test]
fn what_was_asked_for_is_read() {
    for name in FIXTURES {
        let capture = fs::read(fixture(&format!("{name}.pcap"))).unwrap();
        let records = read(&fixture(&format!("{name}.keys")), capture);
        assert_eq!(requests(&records), truth(name), "{name}");
        for record in &records {
            let coverage = record["coverage_bytes"].as_object().unwrap();
            let sum: u64 = coverage.values().map(|bytes| bytes.as_u64().unwrap()).sum();
            assert_eq!(Some(sum), record["bytes_sent"].as_u64(), "{record}");
            let readable = coverage["searched"].as_u64().unwrap() + coverage["opaque"].as_u64().unwrap();
            assert_eq!(record["read_with_keys"].as_u64(), Some(readable), "{record}");
            assert_eq!(readable > 0, !record["requests"].as_array().unwrap().is_empty(), "{record}");
        }
    }
}

#[test]
fn other_packets_with_the_same_bytes_give_the_same_answer() {
    for name in FIXTURES {
        let (keys, capture) =
            (fixture(&format!("{name}.keys")), fs::read(fixture(&format!("{name}.pcap"))).unwrap());
        let original = packets::read(&capture);
        let expected = told(&read(&keys, capture));
        let mut variants = vec![("repeated".to_owned(), packets::repeated(&original))];
        for size in [7, 100, 536] {
            variants.push((format!("in segments of {size}"), packets::split(&original, size)));
        }
        for (reach, seed) in [(1, 1), (2, 2)] {
            variants.push((
                format!("within {reach}"),
                packets::shuffled(&packets::split(&original, 700), reach, seed),
            ));
        }
        for (how, packets) in variants {
            assert_eq!(told(&read(&keys, packets::write(&packets))), expected, "{name} {how}");
        }
    }
}

#[test]
fn without_what_the_servers_said_what_was_sent_over_tls_stays_encrypted() {
    for name in ["tls", "openssl"] {
        let original = packets::read(&fs::read(fixture(&format!("{name}.pcap"))).unwrap());
        let alone: Vec<_> = original.into_iter().filter(|packet| !packet.is_from(4_433)).collect();
        let alone = packets::write(&alone);
        let with = read(&fixture(&format!("{name}.keys")), alone.clone());
        let mut without = records(&replay(&["-"], Some(alone)));
        without.sort_by_key(|record| record["source"].as_str().unwrap().to_owned());
        assert_eq!(with, without, "{name}");
        assert!(with.iter().all(|record| record["coverage_bytes"]["encrypted"].as_u64() > Some(0)));
    }
}

#[test]
fn keys_of_others_change_nothing() {
    for name in FIXTURES {
        let capture = fs::read(fixture(&format!("{name}.pcap"))).unwrap();
        let expected = records(&replay(&["-"], Some(capture.clone())));
        let log = fs::read_to_string(fixture(&format!("{name}.keys"))).unwrap();
        // The secrets of the same connections, each with its last digit changed.
        let wrong: String = log
            .lines()
            .map(|line| {
                let (rest, last) = line.split_at(line.len() - 1);
                format!("{rest}{}\n", if last == "0" { "1" } else { "0" })
            })
            .collect();
        let path = std::env::temp_dir().join(format!("telltale-wrong-{}-{name}.keys", std::process::id()));
        fs::write(&path, wrong).unwrap();
        let told = records(&replay(&["--keys", path.to_str().unwrap(), "-"], Some(capture)));
        fs::remove_file(&path).unwrap();
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn keys_that_a_file_brings_along_are_used() {
    let output = replay(&[fixture("embedded.pcapng").to_str().unwrap()], None);
    assert_eq!(requests(&records(&output)), truth("quic"));
}

#[test]
fn a_file_without_keys_is_a_mistake() {
    let (none, capture) = (fixture("quic.pcap"), fixture("tls.pcap"));
    for keys in [none.to_str().unwrap(), "/nonexistent"] {
        let output = replay(&["--keys", keys, capture.to_str().unwrap()], None);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0), "{keys}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(keys));
    }
}
