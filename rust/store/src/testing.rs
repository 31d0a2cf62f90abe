//! What the tests of this crate share.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use telltale_model::{
    Destination, Ending, Facts, Flow, FlowKey, FlowNumber, Owner, Protocol, Timestamp, Traffic,
};

use crate::Run;

/// A folder of one test's own, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("telltale-store-{test}-{}", std::process::id()));
        let _absent = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("telltale.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _kept = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn run() -> Run {
    Run { started: Timestamp(0), command: "curl https://a.example".into(), version: "0.1.0".into() }
}

/// A flow that ended a second after it began, with 100 bytes sent and 1,000 received.
pub(crate) fn flow(number: u64, started: i64) -> Flow {
    Flow {
        number: FlowNumber(number),
        key: FlowKey {
            protocol: Protocol::Tcp,
            app: "198.19.84.1:40000".parse().unwrap(),
            remote: "192.0.2.7:443".parse().unwrap(),
        },
        owner: Owner { uid: Some(1000), pid: Some(77), program: Some("/usr/bin/curl".into()), app: None },
        name: Some("a.example".into()),
        other_names: Vec::new(),
        started: Timestamp(started),
        ended: Some(Timestamp(started + 1_000_000)),
        ending: Some(Ending::Finished),
        traffic: traffic(100, 1_000),
        facts: Facts::default(),
        destination: Destination::default(),
        findings: Vec::new(),
    }
}

pub(crate) fn traffic(bytes_sent: u64, bytes_received: u64) -> Traffic {
    Traffic {
        bytes_sent,
        bytes_received,
        packets_sent: bytes_sent / 10,
        packets_received: bytes_received / 10,
    }
}

pub(crate) fn count(connection: &Connection, query: &str) -> i64 {
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}
