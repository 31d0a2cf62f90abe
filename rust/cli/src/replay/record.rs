//! One flow of a capture for programs. Its format is promised in docs/replay-format.md.

use std::net::{IpAddr, SocketAddr};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use telltale_capture::OtherFlow;
use telltale_model::{
    Application, Class, Coverage, Ending, Facts, Flow, Hello, Lookup, Name, Protocol, Relation, Request,
    Role, Timestamp, Traffic,
};
use telltale_watch::destinations::Destinations;
use telltale_words::Words;

use crate::findings::Telling;
use crate::findings::json::Entry;

/// The flow as one line of JSON, with its line feed.
pub(super) fn of_flow(capture: &str, flow: &Flow, words: &Words, tables: Option<&Destinations>) -> String {
    let facts = &flow.facts;
    let end = |end: SocketAddr| match flow.key.protocol {
        Protocol::Tcp | Protocol::Udp => end.to_string(),
        // There are no ports.
        Protocol::Icmp => end.ip().to_string(),
    };
    let questions = || facts.lookups.iter().map(Question::from).collect();
    // Questions to all devices of a network are none to the DNS.
    let is_nearby =
        matches!(facts.application, Some(Application::Mdns | Application::Llmnr | Application::Nbns));
    let telling = Telling::new(words, tables, &flow.findings);
    line(&Record {
        capture,
        protocol: flow.key.protocol.name().to_owned(),
        source: end(flow.key.app),
        destination: end(flow.key.remote),
        started: Seconds(flow.started),
        ended: flow.ended.map(Seconds),
        traffic: flow.traffic.into(),
        content_sent: facts.content_sent,
        application: facts.application,
        names: &facts.names,
        dns: if is_nearby { Vec::new() } else { questions() },
        destination_info: destination_info(flow, tables),
        coverage_bytes: facts.coverage,
        findings: flow.findings.iter().map(|finding| Entry::of(finding, &telling)).collect(),
        nearby: if is_nearby { questions() } else { Vec::new() },
        asked: flow.name.iter().chain(&flow.other_names).map(String::as_str).collect(),
        hello: facts.hello.as_ref(),
        requests: &facts.requests,
        ending: flow.ending,
        inside: facts.inside,
        read_with_keys: facts.read_with_keys,
    })
}

/// The same for a flow of a protocol that is not watched.
pub(super) fn of_other(capture: &str, flow: &OtherFlow) -> String {
    let facts = facts_of_other(flow);
    line(&Record {
        capture,
        protocol: protocol(flow.protocol),
        source: flow.source.to_string(),
        destination: flow.destination.to_string(),
        started: Seconds(flow.started),
        ended: Some(Seconds(flow.ended)),
        traffic: flow.traffic.into(),
        content_sent: facts.content_sent,
        application: None,
        names: &[],
        dns: Vec::new(),
        destination_info: Destination::default(),
        coverage_bytes: facts.coverage,
        findings: Vec::new(),
        nearby: Vec::new(),
        asked: Vec::new(),
        hello: None,
        requests: &[],
        ending: None,
        inside: None,
        read_with_keys: 0,
    })
}

/// The members, in the order in which they are written.
#[derive(Serialize)]
struct Record<'a> {
    capture: &'a str,
    protocol: String,
    source: String,
    destination: String,
    started: Seconds,
    ended: Option<Seconds>,
    #[serde(flatten)]
    traffic: Amount,
    content_sent: u64,
    application: Option<Application>,
    names: &'a [Name],
    dns: Vec<Question<'a>>,
    destination_info: Destination,
    coverage_bytes: Coverage,
    findings: Vec<Entry<'a>>,
    nearby: Vec<Question<'a>>,
    asked: Vec<&'a str>,
    hello: Option<&'a Hello>,
    requests: &'a [Request],
    ending: Option<Ending>,
    inside: Option<Application>,
    read_with_keys: u64,
}

#[derive(Serialize)]
struct Amount {
    bytes_sent: u64,
    bytes_received: u64,
    packets_sent: u64,
    packets_received: u64,
}

#[derive(Serialize)]
struct Question<'a> {
    query: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    answered: bool,
    answers: Vec<String>,
}

/// What is known of the other side, besides what the flow said.
#[derive(Default, Serialize)]
struct Destination {
    company: Option<String>,
    role: Option<Role>,
    relation: Option<Relation>,
    asn: Option<u32>,
    network: Option<String>,
    country: Option<String>,
}

/// The one place where a flow meets the tables of destinations.
fn destination_info(flow: &Flow, tables: Option<&Destinations>) -> Destination {
    let about = &flow.destination;
    let network = tables.and_then(|tables| tables.address(flow.key.remote.ip()));
    Destination {
        company: about.company.clone(),
        role: about.role,
        relation: Some(about.relation).filter(|relation| *relation != Relation::Unknown),
        asn: network.map(|network| network.asn()),
        network: network.map(|network| network.name().to_owned()),
        country: network.and_then(|network| network.country()).map(|country| country.code().to_owned()),
    }
}

/// Seconds since 1970 with six digits behind the point, exact.
struct Seconds(Timestamp);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Timestamp(micros) = self.0;
        let sign = if micros < 0 { "-" } else { "" };
        let (seconds, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
        let number = RawValue::from_string(format!("{sign}{seconds}.{fraction:06}"));
        number.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl From<Traffic> for Amount {
    fn from(traffic: Traffic) -> Self {
        Self {
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            packets_sent: traffic.packets_sent,
            packets_received: traffic.packets_received,
        }
    }
}

impl<'a> From<&'a Lookup> for Question<'a> {
    fn from(lookup: &'a Lookup) -> Self {
        let addresses = lookup.addresses.iter().map(IpAddr::to_string);
        let answers = addresses.chain(lookup.others.iter().cloned()).collect();
        Self { query: &lookup.query, kind: &lookup.kind, answered: lookup.answered, answers }
    }
}

/// Of IPsec it is known that it is encrypted.
fn facts_of_other(flow: &OtherFlow) -> Facts {
    const ESP: u8 = 50;
    let mut facts = Facts::default();
    let class = if flow.protocol == ESP { Class::Encrypted } else { Class::Unknown };
    facts.count_content(class, usize::try_from(flow.traffic.bytes_sent).unwrap_or(usize::MAX));
    facts
}

/// IANA's keyword in lower case, or the number.
fn protocol(number: u8) -> String {
    let keyword = match number {
        2 => "igmp",
        4 => "ipv4",
        41 => "ipv6",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        137 => "mpls-in-ip",
        _ => return number.to_string(),
    };
    keyword.to_owned()
}

/// Strings, numbers and lists always have a JSON form.
fn line(record: &Record<'_>) -> String {
    let mut line = serde_json::to_string(record).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use telltale_model::{FlowKey, FlowNumber, NameSource, Owner};

    use super::*;

    fn flow(protocol: Protocol, facts: Facts) -> Flow {
        Flow {
            number: FlowNumber(1),
            key: FlowKey {
                protocol,
                app: "[2001:db8::7]:40000".parse().unwrap(),
                remote: "[2001:db8::1]:443".parse().unwrap(),
            },
            owner: Owner::default(),
            name: Some("a.example".into()),
            other_names: vec!["b.example".into()],
            started: Timestamp(1_700_000_000_500_000),
            ended: Some(Timestamp(-1)),
            ending: Some(Ending::Idle),
            traffic: Traffic { bytes_sent: 1, bytes_received: 2, packets_sent: 3, packets_received: 4 },
            facts,
            destination: telltale_model::Destination::default(),
            findings: Vec::new(),
        }
    }

    fn lookup() -> Lookup {
        Lookup {
            query: "a.example".into(),
            kind: "A".into(),
            answered: true,
            addresses: vec!["192.0.2.1".parse().unwrap()],
            others: vec!["CNAME b.example".into()],
        }
    }

    fn parsed(line: &str) -> Value {
        assert!(line.ends_with("}\n") && line.matches('\n').count() == 1);
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_record_says_all_that_is_known() {
        let name = Name { name: "a.example".into(), from: NameSource::Tls, outer: true };
        let facts = Facts {
            application: Some(Application::Tls),
            names: vec![name],
            lookups: vec![lookup()],
            ..Facts::default()
        };
        let line = of_flow("x.pcap", &flow(Protocol::Tcp, facts), &Words::new("en"), None);
        assert!(
            line.contains("\"started\":1700000000.500000,\"ended\":-0.000001,\"bytes_sent\":1,"),
            "{line}"
        );
        let record = parsed(&line);
        assert_eq!(record["source"], "[2001:db8::7]:40000");
        assert_eq!(record["names"], json!([{"name": "a.example", "from": "tls", "outer": true}]));
        let question = json!({"query": "a.example", "type": "A", "answered": true, "answers": ["192.0.2.1", "CNAME b.example"]});
        assert_eq!((&record["dns"], &record["nearby"]), (&json!([question]), &json!([])));
        assert_eq!(record["asked"], json!(["a.example", "b.example"]));
        assert_eq!((&record["application"], &record["ending"]), (&json!("tls"), &json!("idle")));
    }

    #[test]
    fn questions_to_devices_nearby_are_none_to_the_dns() {
        let facts =
            Facts { application: Some(Application::Mdns), lookups: vec![lookup()], ..Facts::default() };
        let record = parsed(&of_flow("x.pcap", &flow(Protocol::Udp, facts), &Words::new("en"), None));
        assert_eq!((&record["dns"], &record["nearby"][0]["query"]), (&json!([]), &json!("a.example")));
    }

    #[test]
    fn where_there_are_no_ports_none_is_shown() {
        let record =
            parsed(&of_flow("x.pcap", &flow(Protocol::Icmp, Facts::default()), &Words::new("en"), None));
        assert_eq!(
            (&record["source"], &record["destination"]),
            (&json!("2001:db8::7"), &json!("2001:db8::1"))
        );
        let other = OtherFlow {
            protocol: 50,
            source: "192.0.2.7".parse().unwrap(),
            destination: "192.0.2.1".parse().unwrap(),
            started: Timestamp(0),
            ended: Timestamp(1),
            traffic: Traffic { bytes_sent: 7, ..Traffic::default() },
        };
        let record = parsed(&of_other("x.pcap", &other));
        assert_eq!((&record["protocol"], &record["source"]), (&json!("esp"), &json!("192.0.2.7")));
        assert_eq!((&record["coverage_bytes"]["encrypted"], &record["ending"]), (&json!(7), &Value::Null));
        assert_eq!(parsed(&of_other("x.pcap", &OtherFlow { protocol: 200, ..other }))["protocol"], "200");
    }
}
