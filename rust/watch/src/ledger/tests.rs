use telltale_model::{
    Class, Content, Detail, DetailKind, DetailName, Details, Direction, Ending, Event, FlowKey, FlowNumber,
    NameKnown, Observation, Owner, Protection, Protocol, Relation, Role, Rule, Severity, Timestamp, Traffic,
};
use zeroize::Zeroizing;

use super::{Host, Whom, contacts};
use crate::destinations::{Destinations, unpack};
use crate::{Config, Ledger, Watcher};

fn tables() -> Destinations {
    let asset = include_bytes!("../../../tables/destinations.zst");
    Destinations::open(unpack(asset).unwrap().into()).unwrap()
}

/// A watcher that saw these flows: program, address, host of an HTTP request.
fn seen(tables: Option<Destinations>, flows: &[(&str, &str, &str)]) -> Ledger {
    let mut watcher = Watcher::new(Config { tables, ..Config::default() });
    for (number, (program, remote, host)) in (1..).zip(flows) {
        let (flow, at) = (FlowNumber(number), Timestamp(1));
        let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), remote.parse().unwrap());
        let key = FlowKey { protocol: Protocol::Tcp, app, remote };
        watcher.observe(Observation::Opened { flow, key, at });
        let owner = Owner { uid: Some(1), program: Some((*program).into()), ..Owner::default() };
        watcher.observe(Observation::Owned { flow, owner });
        let request = format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello");
        let traffic = Traffic { bytes_sent: request.len() as u64, ..Traffic::default() };
        let payload = request.into_bytes().into();
        watcher.observe(Observation::Bytes { flow, direction: Direction::Sent, payload, at });
        watcher.observe(Observation::Closed { flow, traffic, ending: Ending::Finished, at });
    }
    watcher.ledger()
}

const FLOWS: [(&str, &str, &str); 4] = [
    ("/bin/a", "192.0.2.1:80", "accounts.gstatic.com"),
    ("/bin/a", "192.0.2.2:80", "maps.googleapis.com"),
    ("/bin/b", "192.0.2.2:80", "maps.googleapis.com"),
    ("/bin/b", "192.0.2.3:80", "nobody.example"),
];

#[test]
fn hosts_of_one_company_are_one_contact_of_a_program() {
    let ledger = seen(Some(tables()), &FLOWS);
    let contacts = contacts(&ledger.lines);
    let google = Whom::Company("google".into());
    let count = |program: &str, whom: &Whom| {
        let mut found = contacts.iter().filter(|one| one.program == Some(program) && one.whom == *whom);
        let contact = found.next().unwrap();
        assert!(found.next().is_none());
        (contact.sum.flows, contact.lines.len(), contact.relation)
    };
    assert_eq!(count("/bin/a", &google), (2, 2, Relation::AndroidAndGoogle));
    assert_eq!(count("/bin/b", &google), (1, 1, Relation::AndroidAndGoogle));
    let nobody = Whom::Host(Host::Name("nobody.example".into()));
    assert_eq!(count("/bin/b", &nobody), (1, 1, Relation::Unknown));
    assert!(contacts[0].roles.contains(&Role::Account), "{:?}", contacts[0].roles);
}

#[test]
fn a_line_says_how_its_host_is_known_and_how_far_it_was_read() {
    let ledger = seen(Some(tables()), &FLOWS[..1]);
    let [line] = ledger.lines.as_slice() else { panic!("{ledger:?}") };
    assert_eq!((line.name.as_deref(), line.known), (Some("accounts.gstatic.com"), Some(NameKnown::Http)));
    assert_eq!((line.role, line.probable), (Some(Role::Account), false));
    let Content { sent, coverage, .. } = line.sum.content;
    assert!(sent >= 5 && coverage.total() == line.sum.traffic.bytes_sent, "{coverage:?}");
    assert!(coverage.opaque > 0, "{coverage:?}");
    assert_eq!(line.sum.content.protection(), Protection::None, "HTTP, understood or not");
}

#[test]
fn without_tables_nobody_is_named() {
    let ledger = seen(None, &FLOWS);
    assert!(ledger.lines.iter().all(|line| line.company.is_none() && line.relation == Relation::Unknown));
    assert_eq!(contacts(&ledger.lines).len(), 4, "a host for each program");
}

#[test]
fn most_content_comes_first() {
    let mut lines = seen(None, &FLOWS).lines;
    let most = lines.last_mut().unwrap();
    most.sum.content = Content { sent: 1_000_000, ..Content::default() };
    most.sum.content.coverage.add(Class::Encrypted, 1_000_000);
    let (name, program) = (most.name.clone().unwrap(), most.program.clone());
    let first = &contacts(&lines)[0];
    assert_eq!((&first.whom, first.program), (&Whom::Host(Host::Name(name)), program.as_deref()));
}

#[test]
fn findings_of_all_flows_are_told_together() {
    let ledger = seen(None, &FLOWS);
    let told: Vec<_> = ledger
        .findings
        .iter()
        .map(|told| {
            let finding = &told.finding;
            (
                finding.what.rule().name(),
                finding.program.as_deref().unwrap(),
                finding.destination.name.as_deref(),
                told.times,
            )
        })
        .collect();
    let clear = |program, host| ("content-in-clear", program, Some(host), 1);
    assert_eq!(
        told,
        [
            clear("/bin/a", "accounts.gstatic.com"),
            clear("/bin/a", "maps.googleapis.com"),
            clear("/bin/b", "maps.googleapis.com"),
            clear("/bin/b", "nobody.example"),
        ]
    );
    assert!(ledger.lines.iter().all(|line| line.given == Some(false)), "nothing was looked for");
}

#[test]
fn names_of_all_lines_together_are_bounded() {
    let hosts: Vec<String> = (0..65).map(|nth| format!("{nth}.example")).collect();
    let flows: Vec<_> =
        (0..400).flat_map(|line| hosts.iter().map(move |host| (line, host.as_str()))).collect();
    let mut watcher = Watcher::new(Config::default());
    for chunk in flows.chunks(hosts.len()) {
        let flow = FlowNumber(chunk[0].0);
        let remote = format!("192.0.2.1:{}", 1_000 + flow.0).parse().unwrap();
        let (app, at) = ("198.19.84.1:4000".parse().unwrap(), Timestamp(1));
        watcher.observe(Observation::Opened {
            flow,
            key: FlowKey { protocol: Protocol::Tcp, app, remote },
            at,
        });
        let requests: String =
            chunk.iter().map(|(_, host)| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).collect();
        let payload = requests.into_bytes().into();
        watcher.observe(Observation::Bytes { flow, direction: Direction::Sent, payload, at });
    }
    let lines = watcher.ledger().lines;
    let names: Vec<usize> = lines.iter().map(|line| line.other_names.len()).collect();
    assert_eq!((lines.len(), names.iter().max()), (400, Some(&crate::limits::OTHER_NAMES)));
    assert_eq!(names.iter().sum::<usize>(), crate::limits::ALL_OTHER_NAMES);
}

#[test]
fn what_happens_on_the_phone_is_told_of_the_flows_that_speak_then() {
    let mut watcher = Watcher::new(Config::default());
    let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), "192.0.2.1:80".parse().unwrap());
    let key = FlowKey { protocol: Protocol::Tcp, app, remote };
    let at = |minute: i64| Timestamp(minute * 60_000_000);
    let request = |body: usize| {
        let body = "x".repeat(body);
        format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    watcher.observe(Observation::Happened { event: Event::Quiet, at: at(-5) });
    for (number, minute) in [(1, 0), (2, 10), (3, 20)] {
        let flow = FlowNumber(number);
        watcher.observe(Observation::Happened { event: Event::ScreenOff, at: at(minute) });
        watcher.observe(Observation::Opened { flow, key, at: at(minute) });
        let owner = Owner { uid: Some(1), program: Some("/bin/a".into()), ..Owner::default() };
        watcher.observe(Observation::Owned { flow, owner });
        let payload = request(2_000).into_bytes().into();
        watcher.observe(Observation::Bytes { flow, direction: Direction::Sent, payload, at: at(minute + 1) });
        let (traffic, ending) = (Traffic::default(), Ending::Finished);
        watcher.observe(Observation::Closed { flow, traffic, ending, at: at(minute + 2) });
        watcher.observe(Observation::Happened { event: Event::Quiet, at: at(minute + 5) });
    }
    watcher.observe(Observation::Happened { event: Event::ScreenOn, at: at(30) });
    let flows = watcher.take_changed();
    let rules: Vec<_> = flows[0].findings.iter().map(|finding| finding.what.rule()).collect();
    assert_eq!(rules, [Rule::ContentInClear, Rule::ScreenOff]);
    let told = watcher.ledger().findings;
    let rules: Vec<_> = told.iter().map(|told| (told.finding.what.rule(), told.times)).collect();
    let expected = [(Rule::ContentInClear, 3), (Rule::ScreenOff, 3), (Rule::AfterEvent, 3)];
    assert_eq!(rules, expected);
}

#[test]
fn a_detail_in_a_request_becomes_a_finding_in_clear_and_in_disguise() {
    let kind = DetailKind::Imei;
    let name = DetailName { kind, number: 1, id: 7 };
    let value = Zeroizing::new("490154203237518".to_owned());
    let mut watcher = Watcher::new(Config::default());
    watcher.set_details(&Details { set: 5, list: vec![Detail { name, value }], ..Details::default() });
    let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), "192.0.2.1:80".parse().unwrap());
    let (flow, at) = (FlowNumber(1), Timestamp(1));
    let key = FlowKey { protocol: Protocol::Tcp, app, remote };
    watcher.observe(Observation::Opened { flow, key, at });
    // MIUI's form of an IMEI: the first 16 letters of the Base64 for URLs of its SHA-1.
    let request = "GET /pass/activate/dev/l6IQUjLsyHVvA6Ap/activating?imei=490154203237518 HTTP/1.1\r\n\
                   Host: api.shop.example\r\n\r\n";
    let payload = request.as_bytes().to_vec().into();
    watcher.observe(Observation::Bytes { flow, direction: Direction::Sent, payload, at });
    let (traffic, ending) = (Traffic::default(), Ending::Finished);
    watcher.observe(Observation::Closed { flow, traffic, ending, at });

    let ledger = watcher.ledger();
    let told: Vec<_> =
        ledger.findings.iter().map(|told| (told.finding.key(), told.finding.severity)).collect();
    let expected = [
        ("identifier-sent||api.shop.example|imei #7 open".to_owned(), Severity::High),
        ("identifier-sent||api.shop.example|imei #7 disguised".to_owned(), Severity::Medium),
    ];
    assert_eq!(told, expected);
    assert!(!format!("{ledger:?}").contains("490154203237518"), "no finding holds a value");
    assert_eq!(ledger.lines[0].given, Some(true));
}
