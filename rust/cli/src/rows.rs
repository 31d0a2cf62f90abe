//! What the table and the JSON are made of, from the watcher's ledger or from the database.

use std::net::SocketAddr;

use telltale_model::{Protocol, Traffic};
use telltale_store::Total;
use telltale_watch::{Ledger, Line, Sum};

/// All rows, most sent first, and what could not be told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// One for each program and destination.
    pub(crate) rows: Vec<Row>,
    /// What was too many to be told apart.
    pub(crate) others: Sum,
}

/// One program and one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The program's path, where known.
    pub(crate) program: Option<String>,
    /// Its user, where known.
    pub(crate) uid: Option<u32>,
    /// The name that was asked for, where known. Then `remote` is one of the addresses it had.
    pub(crate) name: Option<String>,
    /// Address and port.
    pub(crate) remote: SocketAddr,
    /// What was spoken.
    pub(crate) protocol: Protocol,
    /// How much.
    pub(crate) sum: Sum,
}

impl Rows {
    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.others == Sum::default()
    }

    /// All rows and the others together.
    pub(crate) fn total(&self) -> Sum {
        self.rows.iter().fold(self.others, |total, row| plus(total, row.sum))
    }
}

impl From<Ledger> for Rows {
    fn from(ledger: Ledger) -> Self {
        Self { rows: ledger.lines.into_iter().map(Row::from).collect(), others: ledger.others }
    }
}

impl From<Vec<Total>> for Rows {
    fn from(totals: Vec<Total>) -> Self {
        Self { rows: totals.into_iter().map(Row::from).collect(), others: Sum::default() }
    }
}

impl From<Line> for Row {
    fn from(line: Line) -> Self {
        let Line { program, uid, name, remote, protocol, sum } = line;
        Self { program, uid, name, remote, protocol, sum }
    }
}

impl From<Total> for Row {
    fn from(total: Total) -> Self {
        let Total { program, uid, protocol, name, remote, traffic, flows } = total;
        Self { program, uid, name, remote, protocol, sum: Sum { traffic, flows } }
    }
}

/// The sum of both. It stays at the largest number rather than to start again from 0.
fn plus(left: Sum, right: Sum) -> Sum {
    let (one, other) = (left.traffic, right.traffic);
    let traffic = Traffic {
        bytes_sent: one.bytes_sent.saturating_add(other.bytes_sent),
        bytes_received: one.bytes_received.saturating_add(other.bytes_received),
        packets_sent: one.packets_sent.saturating_add(other.packets_sent),
        packets_received: one.packets_received.saturating_add(other.packets_received),
    };
    Sum { traffic, flows: left.flows.saturating_add(right.flows) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Three rows as they come from one run of `curl` and `ping`.
    pub(crate) fn sample() -> Rows {
        let row = |program: Option<&str>, name: Option<&str>, remote: &str, protocol, sum| Row {
            program: program.map(str::to_owned),
            uid: Some(1000),
            name: name.map(str::to_owned),
            remote: remote.parse().unwrap(),
            protocol,
            sum,
        };
        Rows {
            rows: vec![
                row(
                    Some("/usr/bin/curl"),
                    Some("shop.example"),
                    "192.0.2.7:443",
                    Protocol::Tcp,
                    sum(1_234_567, 89, 3),
                ),
                row(Some("/usr/bin/ping"), None, "[2001:db8::7]:0", Protocol::Icmp, sum(168, 168, 1)),
                row(None, Some("system resolver"), "198.19.84.53:53", Protocol::Udp, sum(64, 128, 2)),
            ],
            others: Sum::default(),
        }
    }

    pub(crate) fn sum(bytes_sent: u64, bytes_received: u64, flows: u64) -> Sum {
        let traffic =
            Traffic { bytes_sent, bytes_received, packets_sent: 10 * flows, packets_received: 9 * flows };
        Sum { traffic, flows }
    }

    #[test]
    fn the_total_holds_the_others_too() {
        let rows = Rows { others: sum(1, 2, 3), ..sample() };
        assert_eq!(
            rows.total(),
            Sum {
                flows: 9,
                traffic: Traffic {
                    bytes_sent: 1_234_800,
                    bytes_received: 387,
                    packets_sent: 90,
                    packets_received: 81
                }
            }
        );
        assert_eq!(plus(sum(u64::MAX, 0, 1), sum(1, 0, 1)).traffic.bytes_sent, u64::MAX);
    }
}
