//! The report for programs. Its format is promised in docs/report-format.md.

use std::net::IpAddr;

use serde::Serialize;
use telltale_watch::Sum;

use crate::rows::{Row, Rows};

/// Grows by one when a field changes its meaning or goes; new fields may come without that.
const FORMAT: u32 = 1;

/// What surrounds the rows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Frame {
    /// COMMAND and its arguments; none for `telltale report`.
    pub(crate) command: Option<Vec<String>>,
    /// Observations that came too fast to be looked at.
    pub(crate) dropped: u64,
    /// Sentences for a person.
    pub(crate) problems: Vec<String>,
}

/// The report as JSON text, with a line feed at its end.
pub(crate) fn render(rows: &Rows, frame: &Frame) -> String {
    let report = Report {
        format: FORMAT,
        telltale: env!("CARGO_PKG_VERSION"),
        frame,
        rows: rows.rows.iter().map(Entry::from).collect(),
        others: rows.others.into(),
        total: rows.total().into(),
    };
    // Strings, numbers and lists always have a JSON form.
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    telltale: &'a str,
    #[serde(flatten)]
    frame: &'a Frame,
    rows: Vec<Entry<'a>>,
    others: Amount,
    total: Amount,
}

#[derive(Serialize)]
struct Entry<'a> {
    program: Option<&'a str>,
    uid: Option<u32>,
    name: Option<&'a str>,
    address: IpAddr,
    port: u16,
    protocol: &'static str,
    #[serde(flatten)]
    amount: Amount,
}

#[derive(Serialize)]
struct Amount {
    bytes_sent: u64,
    bytes_received: u64,
    packets_sent: u64,
    packets_received: u64,
    flows: u64,
}

impl<'a> From<&'a Row> for Entry<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            program: row.program.as_deref(),
            uid: row.uid,
            name: row.name.as_deref(),
            address: row.remote.ip(),
            port: row.remote.port(),
            protocol: row.protocol.name(),
            amount: row.sum.into(),
        }
    }
}

impl From<Sum> for Amount {
    fn from(sum: Sum) -> Self {
        let traffic = sum.traffic;
        Self {
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            packets_sent: traffic.packets_sent,
            packets_received: traffic.packets_received,
            flows: sum.flows,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rows::tests::{sample, sum};

    fn parsed(rows: &Rows, frame: &Frame) -> Value {
        serde_json::from_str(&render(rows, frame)).unwrap()
    }

    #[test]
    fn the_format_is_as_documented() {
        let frame = Frame {
            command: Some(vec!["curl".into(), "https://shop.example".into()]),
            dropped: 2,
            problems: vec!["the disk is full".into()],
        };
        let mut rows = sample();
        rows.rows.truncate(1);
        rows.others = sum(1, 1, 1);
        let expected = json!({
            "format": 1,
            "telltale": env!("CARGO_PKG_VERSION"),
            "command": ["curl", "https://shop.example"],
            "dropped": 2,
            "problems": ["the disk is full"],
            "rows": [{
                "program": "/usr/bin/curl",
                "uid": 1000,
                "name": "shop.example",
                "address": "192.0.2.7",
                "port": 443,
                "protocol": "tcp",
                "bytes_sent": 1_234_567,
                "bytes_received": 89,
                "packets_sent": 30,
                "packets_received": 27,
                "flows": 3,
            }],
            "others": {"bytes_sent": 1, "bytes_received": 1, "packets_sent": 10, "packets_received": 9, "flows": 1},
            "total": {"bytes_sent": 1_234_568, "bytes_received": 90, "packets_sent": 40, "packets_received": 36, "flows": 4},
        });
        assert_eq!(parsed(&rows, &frame), expected);
    }

    #[test]
    fn unknown_is_null_and_numbers_are_exact() {
        let mut rows = sample();
        rows.rows[0].sum = sum(u64::MAX, 9_007_199_254_740_993, 1);
        let text = render(&rows, &Frame::default());
        assert!(text.contains("18446744073709551615") && text.contains("9007199254740993"));
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&report["rows"][2]["program"], &report["rows"][1]["name"]), (&Value::Null, &Value::Null));
        assert_eq!((&report["command"], &report["rows"][1]["protocol"]), (&Value::Null, &json!("icmp")));
    }

    #[test]
    fn nothing_seen_is_an_empty_list() {
        assert_eq!(parsed(&Rows::default(), &Frame::default())["rows"], json!([]));
    }
}
