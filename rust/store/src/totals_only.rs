//! What is kept of apps of which only totals of companies are kept: browsers, unless the person asked for more. Hosts
//! of a browser say what somebody reads, and this file is the most revealing one of the phone.

use std::borrow::Cow;
use std::net::SocketAddr;

use telltale_model::{Evidence, Finding, Flow, Grade, Tells, What};

use crate::hosts;

/// The flow as it is kept. Where a detail of the person was sent it is kept whole: of that they want to know all.
pub(crate) fn kept_of(flow: &Flow) -> Cow<'_, Flow> {
    let totals_only = flow.owner.app.as_deref().is_some_and(|app| app.totals_only);
    if !totals_only || flow.findings.iter().any(is_of_a_detail) {
        return Cow::Borrowed(flow);
    }
    Cow::Owned(without_host(flow.clone()))
}

/// What only looks like a detail is none, and what many share says nothing of whoever reads there.
fn is_of_a_detail(finding: &Finding) -> bool {
    if let What::IdentifierSent { kind, grade, .. } = &finding.what {
        return *grade == Grade::Yours && kind.tells() != Tells::Many;
    }
    matches!(finding.what, What::AppsSent { .. })
}

/// As hosts that were forgotten: company and role, of nobody's the network.
fn without_host(mut flow: Flow) -> Flow {
    let destination = &mut flow.destination;
    let (company, role) = (destination.company.as_deref(), destination.role.map(|role| role.name()));
    let remote = flow.key.remote.ip();
    let network = if company.is_some() { hosts::NOWHERE } else { hosts::network(remote) };
    flow.key.remote = SocketAddr::new(network, 0);
    flow.name = Some(hosts::forgotten(company, role));
    (destination.name, destination.known, destination.address) = (None, None, None);
    flow.facts.names.clear();
    flow.facts.hits.clear();
    // Nothing can be said of a certificate without the name that it was not for.
    flow.findings.retain(|finding| !matches!(finding.what, What::OtherCertificate { .. }));
    flow.findings.iter_mut().for_each(forget_host);
    flow
}

fn forget_host(finding: &mut Finding) {
    let destination = &mut finding.destination;
    (destination.name, destination.known, destination.address) = (None, None, None);
    let Evidence { flow, offset, .. } = finding.evidence;
    finding.evidence = Evidence { flow, offset, field: None, excerpt: None };
}

#[cfg(test)]
mod tests {
    use telltale_model::{
        App, Confidence, Coverage, DetailKind, Envelope, Name, NameKnown, NameSource, Owner, Role, Severity,
        Timestamp,
    };

    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Filter, Reader, Span, Store};

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn app(totals_only: bool) -> Owner {
        let packages = vec!["org.browser".to_owned()];
        App { uid: 10_001, packages, totals_only, ..App::default() }.into()
    }

    fn visit(number: u64, host: &str, company: Option<&str>, owner: Owner) -> Flow {
        let mut flow = Flow { name: Some(host.into()), owner, ..flow(number, NOW.0) };
        let destination = &mut flow.destination;
        (destination.name, destination.known) = (Some(host.into()), Some(NameKnown::Tls));
        (destination.company, destination.role) = (company.map(str::to_owned), Some(Role::Content));
        destination.address = Some(flow.key.remote.ip());
        flow.facts.names = vec![Name { from: NameSource::Tls, name: host.into(), outer: false }];
        flow
    }

    fn with(mut flow: Flow, what: What) -> Flow {
        flow.findings.push(Finding {
            what,
            program: flow.owner.program.clone(),
            uid: flow.owner.uid,
            destination: flow.destination.clone(),
            envelope: Envelope::None,
            severity: Severity::Medium,
            confidence: Confidence::Certain,
            evidence: Evidence {
                flow: flow.number,
                offset: Some(0),
                field: Some("path[1]".into()),
                excerpt: Some(format!("GET http://{}/", flow.name.as_deref().unwrap_or_default())),
            },
            times: 1,
            at: flow.started,
        });
        flow
    }

    fn is_in_the_file(folder: &Folder, text: &str) -> bool {
        let files = std::fs::read_dir(folder.path()).unwrap();
        let mut bytes = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        bytes.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    fn in_clear() -> What {
        What::ContentInClear { bytes: 9, form: true, coverage: Coverage::default(), given: true, more: false }
    }

    #[test]
    fn of_a_browser_no_host_comes_to_the_disk() {
        let folder = Folder::new("browser");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let other = What::OtherCertificate { name: "read.example".into(), names: vec!["x.example".into()] };
        let flows = [
            with(visit(1, "read.example", Some("shop"), app(true)), in_clear()),
            with(visit(2, "read.example", Some("shop"), app(true)), other),
            visit(3, "also.read.example", None, app(true)),
        ];
        let address = flows[0].key.remote.ip();
        // Twice, as flows are: nothing is counted again.
        store.commit(NOW, &flows).unwrap();
        store.commit(NOW, &flows).unwrap();
        assert!(!is_in_the_file(&folder, "read.example") && !is_in_the_file(&folder, &address.to_string()));

        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        let totals = reader.totals(&Filter::default()).unwrap();
        let mut told: Vec<_> =
            totals.iter().map(|total| (total.company.as_deref(), total.flows, total.name.clone())).collect();
        told.sort();
        assert_eq!(told, [(None, 1, None), (Some("shop"), 2, None)]);
        assert_eq!(totals.iter().map(|total| total.traffic.bytes_sent).sum::<u64>(), 300);
        let parts = reader.begun(Span { from: Timestamp(0), to: Timestamp(NOW.0 + 1) }).unwrap();
        assert!(parts.len() == 2 && parts.iter().all(|part| part.host.is_none() && part.address.is_none()));
        let findings = reader.findings(&Filter::default()).unwrap().told;
        let [told] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(told.finding.destination.whom().as_deref(), Some("shop"));
    }

    #[test]
    fn where_a_detail_was_sent_or_the_person_asked_hosts_are_kept() {
        let folder = Folder::new("browser-asked");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let sent = |number, host, kind, grade| {
            let what = What::IdentifierSent { kind, detail: None, grade, form: Vec::new() };
            with(visit(number, host, None, app(true)), what)
        };
        let flows = [
            sent(1, "tracker.example", DetailKind::Imei, Grade::Yours),
            sent(2, "like.example", DetailKind::Imei, Grade::LooksLike),
            sent(3, "shared.example", DetailKind::Carrier, Grade::Yours),
            visit(4, "asked.example", None, app(false)),
        ];
        store.commit(NOW, &flows).unwrap();
        assert!(is_in_the_file(&folder, "tracker.example") && is_in_the_file(&folder, "asked.example"));
        assert!(!is_in_the_file(&folder, "like.example") && !is_in_the_file(&folder, "shared.example"));
    }

    #[test]
    fn an_owner_that_is_known_late_or_a_detail_that_is_sent_late_moves_what_was_counted() {
        let folder = Folder::new("browser-late");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let names = |store: &Store| -> (String, i64) {
            let query = "SELECT group_concat(name || '@' || address || ':' || port, ';') FROM hourly";
            let names = store.connection().query_row(query, [], |row| row.get(0)).unwrap();
            (names, count(store.connection(), "SELECT sum(flows) FROM hourly"))
        };
        let whole = ("read.example@192.0.2.7:443".to_owned(), 1);
        store.commit(NOW, &[visit(1, "read.example", Some("shop"), Owner::default())]).unwrap();
        assert_eq!(names(&store), whole);
        let known = visit(1, "read.example", Some("shop"), app(true));
        store.commit(NOW, std::slice::from_ref(&known)).unwrap();
        assert_eq!(names(&store), (" shop content@0.0.0.0:0".to_owned(), 1));
        assert_eq!(
            count(store.connection(), "SELECT count(*) FROM flow WHERE remote_address = '0.0.0.0'"),
            1
        );
        let what = What::AppsSent { packages: 9, form: Vec::new() };
        store.commit(NOW, &[with(known, what)]).unwrap();
        assert_eq!(names(&store), whole);
    }
}
