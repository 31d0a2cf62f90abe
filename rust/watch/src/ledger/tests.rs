use telltale_model::{
    Class, Content, Direction, Ending, FlowKey, FlowNumber, NameKnown, Observation, Owner, Protection,
    Protocol, Relation, Role, Timestamp, Traffic,
};

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
        let owner = Owner { uid: Some(1), pid: None, program: Some((*program).into()) };
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
    assert_eq!(line.sum.content.protection(), Protection::Mixed, "what was not understood");
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
