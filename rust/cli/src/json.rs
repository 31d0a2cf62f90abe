//! The report for programs. Its format is promised in docs/report-format.md.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;
use telltale_model::{Coverage, Protection, Relation, Role};
use telltale_watch::destinations::Destinations;
use telltale_watch::{Contact, Host, Line, Sum, Whom, contacts};

use crate::findings::{self, Telling};
use crate::identifiers::LookedFor;
use crate::rows::{Rows, company_name, network};

/// Grows by one when a field changes its meaning or goes; new fields may come without that.
const FORMAT: u32 = 1;

/// What surrounds the rows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Frame {
    /// COMMAND and its arguments; none for `telltale report`.
    pub(crate) command: Option<Vec<String>>,
    /// Observations that came too fast to be looked at.
    pub(crate) dropped: u64,
    /// How many details were looked for; `None` where none were, and for `telltale report`.
    pub(crate) looked_for: Option<LookedFor>,
    /// Sentences for a person.
    pub(crate) problems: Vec<String>,
}

/// The report as JSON text, with a line feed at its end.
pub(crate) fn render(rows: &Rows, tables: Option<&Destinations>, frame: &Frame) -> String {
    let grouped = contacts(&rows.rows);
    let words = findings::words();
    let telling = Telling::new(&words, tables, rows.findings.iter().map(|told| &told.finding));
    let summary = rows.summary();
    let found = |told| findings::json::Report::of(told, &telling);
    let report = Report {
        format: FORMAT,
        telltale: env!("CARGO_PKG_VERSION"),
        frame,
        rows: rows.rows.iter().map(|row| Entry::of(row, tables)).collect(),
        others: rows.others.into(),
        total: rows.total().into(),
        contacts: grouped.iter().map(|contact| Company::of(contact, tables)).collect(),
        findings: rows.findings.iter().map(found).collect(),
        findings_untold: rows.untold,
        findings_muted: rows.muted.len(),
        details_sent: DetailsSent {
            count: summary.details,
            at_least: summary.is_at_least(),
            open: summary.open,
            disguised: summary.disguised,
        },
        summary: words.lead(&summary),
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
    contacts: Vec<Company<'a>>,
    findings: Vec<findings::json::Report<'a>>,
    findings_untold: u64,
    findings_muted: usize,
    details_sent: DetailsSent,
    summary: String,
}

/// How many details were sent.
#[derive(Serialize)]
struct DetailsSent {
    count: u64,
    at_least: bool,
    open: u64,
    disguised: u64,
}

#[derive(Serialize)]
struct Entry<'a> {
    program: Option<&'a str>,
    uid: Option<u32>,
    name: Option<&'a str>,
    other_names: &'a BTreeSet<String>,
    address: IpAddr,
    port: u16,
    protocol: &'static str,
    #[serde(flatten)]
    amount: Amount,
    name_known: Option<&'static str>,
    company: Option<&'a str>,
    company_name: Option<&'a str>,
    probable: bool,
    role: Option<Role>,
    relation: Relation,
    asn: Option<u32>,
    network: Option<&'a str>,
    country: Option<String>,
}

/// One program and one company, or a host of which no company is known.
#[derive(Serialize)]
struct Company<'a> {
    program: Option<&'a str>,
    uid: Option<u32>,
    company: Option<&'a str>,
    company_name: Option<&'a str>,
    name: Option<&'a str>,
    address: Option<IpAddr>,
    probable: bool,
    roles: &'a [Role],
    relation: Relation,
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
    content_sent: u64,
    protection: Protection,
    coverage_bytes: Coverage,
    read_with_keys: u64,
}

impl<'a> Company<'a> {
    fn of(contact: &'a Contact<'a>, tables: Option<&'a Destinations>) -> Self {
        let (company, name, address) = match &contact.whom {
            Whom::Company(id) => (Some(id.as_str()), None, None),
            Whom::Host(Host::Name(name)) => (None, Some(name.as_str()), None),
            Whom::Host(Host::Address(address)) => (None, None, Some(*address)),
        };
        Self {
            program: contact.program,
            uid: contact.uid,
            company,
            company_name: company.map(|id| company_name(id, tables)),
            name,
            address,
            probable: contact.probable,
            roles: &contact.roles,
            relation: contact.relation,
            amount: contact.sum.into(),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(row: &'a Line, tables: Option<&'a Destinations>) -> Self {
        let network = network(row, tables);
        Self {
            program: row.program.as_deref(),
            uid: row.uid,
            name: row.name.as_deref(),
            other_names: &row.other_names,
            address: row.remote.ip(),
            port: row.remote.port(),
            protocol: row.protocol.name(),
            amount: row.sum.into(),
            name_known: row.known.map(telltale_model::NameKnown::name),
            company: row.company.as_deref(),
            company_name: row.company.as_deref().map(|id| company_name(id, tables)),
            probable: row.probable,
            role: row.role,
            relation: row.relation,
            asn: network.map(|(asn, ..)| asn),
            network: network.map(|(_, name, _)| name),
            country: network.and_then(|(.., country)| country).map(|country| country.code().to_owned()),
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
            content_sent: sum.content.sent,
            protection: sum.content.protection(),
            coverage_bytes: sum.content.coverage,
            read_with_keys: sum.content.read_with_keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use telltale_model::{Class, NameKnown};

    use crate::rows::tests::{content, sample, sum};

    fn parsed(rows: &Rows, frame: &Frame) -> Value {
        serde_json::from_str(&render(rows, None, frame)).unwrap()
    }

    #[test]
    fn the_format_is_as_documented() {
        let frame = Frame {
            command: Some(vec!["curl".into(), "https://shop.example".into()]),
            dropped: 2,
            looked_for: Some(LookedFor::sample()),
            problems: vec!["the disk is full".into()],
        };
        let mut rows = sample();
        rows.rows.truncate(1);
        rows.others = sum(1, 1, 1);
        rows.rows[0] = Line {
            company: Some("shop".into()),
            probable: true,
            role: Some(Role::Payment),
            relation: Relation::AnotherCompany,
            known: Some(NameKnown::Tls),
            other_names: ["cart.example".to_owned()].into(),
            ..rows.rows[0].clone()
        };
        rows.rows[0].sum.content = content(Class::Encrypted, 7);
        let none = json!(Coverage::default());
        let encrypted = json!({"handshake": 0, "searched": 0, "found": 0, "opaque": 0, "encrypted": 7,
            "unknown": 0, "not_watched": 0});
        let expected = json!({
            "format": 1,
            "telltale": env!("CARGO_PKG_VERSION"),
            "command": ["curl", "https://shop.example"],
            "dropped": 2,
            "looked_for": {"own": 3, "contacts": 1_200, "packages": 1},
            "problems": ["the disk is full"],
            "rows": [{
                "program": "/usr/bin/curl",
                "uid": 1000,
                "name": "shop.example",
                "other_names": ["cart.example"],
                "address": "192.0.2.7",
                "port": 443,
                "protocol": "tcp",
                "bytes_sent": 1_234_567,
                "bytes_received": 89,
                "packets_sent": 30,
                "packets_received": 27,
                "flows": 3,
                "content_sent": 7,
                "protection": "protected", "read_with_keys": 0,
                "coverage_bytes": encrypted,
                "name_known": "tls",
                "company": "shop",
                "company_name": "shop",
                "probable": true,
                "role": "payment",
                "relation": "another_company",
                "asn": null,
                "network": null,
                "country": null,
            }],
            "others": {"bytes_sent": 1, "bytes_received": 1, "packets_sent": 10, "packets_received": 9, "flows": 1,
                "content_sent": 0, "protection": "unknown", "read_with_keys": 0, "coverage_bytes": none},
            "total": {"bytes_sent": 1_234_568, "bytes_received": 90, "packets_sent": 40, "packets_received": 36, "flows": 4,
                "content_sent": 7, "protection": "protected", "read_with_keys": 0, "coverage_bytes": encrypted},
            "contacts": [{
                "program": "/usr/bin/curl",
                "uid": 1000,
                "company": "shop",
                "company_name": "shop",
                "name": null,
                "address": null,
                "probable": true,
                "roles": ["payment"],
                "relation": "another_company",
                "bytes_sent": 1_234_567,
                "bytes_received": 89,
                "packets_sent": 30,
                "packets_received": 27,
                "flows": 3,
                "content_sent": 7,
                "protection": "protected", "read_with_keys": 0,
                "coverage_bytes": encrypted,
            }],
            "findings": [],
            "findings_untold": 0, "findings_muted": 0,
            "details_sent": {"count": 0, "at_least": true, "open": 0, "disguised": 0},
            "summary": "Nothing could be searched, so nothing can be said of your details; \
                        1,234,568 bytes could not be searched.",
        });
        assert_eq!(parsed(&rows, &frame), expected);
    }

    #[test]
    fn unknown_is_null_and_numbers_are_exact() {
        let mut rows = sample();
        rows.rows[0].sum = sum(u64::MAX, 9_007_199_254_740_993, 1);
        let text = render(&rows, None, &Frame::default());
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
