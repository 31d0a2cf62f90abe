//! Flows for the tests of rules.

use telltale_model::{
    Application, Destination, DetailKind, DetailName, Facts, Flow, FlowKey, FlowNumber, Form, Grade, Hit,
    Owner, Protocol, Relation, Request, Timestamp, Traffic,
};

use super::{Noted, Resolvers, Seen};

/// A flow of curl to a company called shop.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) flow: Flow,
    pub(super) facts: Facts,
    pub(super) destination: Destination,
    pub(super) noted: Noted,
    pub(super) resolvers: Resolvers,
}

impl Case {
    pub(super) fn new(application: Application, protocol: Protocol) -> Self {
        let facts = Facts { application: Some(application), set: 1, ..Facts::default() };
        let destination = Destination {
            company: Some("shop".into()),
            relation: Relation::AnotherCompany,
            ..Destination::default()
        };
        let (flow, noted) = (flow(protocol), Noted::default());
        Self { flow, facts, destination, noted, resolvers: Resolvers::Others }
    }

    pub(super) fn http() -> Self {
        Self::new(Application::Http, Protocol::Tcp)
    }

    pub(super) fn with_hits(mut self, hits: impl IntoIterator<Item = Hit>) -> Self {
        self.facts.hits.extend(hits);
        self
    }

    pub(super) fn with_requests(mut self, requests: impl IntoIterator<Item = Request>) -> Self {
        self.facts.requests.extend(requests);
        self
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        let Self { flow, facts, destination, noted, resolvers } = self;
        Seen { flow, facts, destination, noted, resolvers: *resolvers }
    }
}

fn flow(protocol: Protocol) -> Flow {
    let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), "192.0.2.7:443".parse().unwrap());
    Flow {
        number: FlowNumber(1),
        key: FlowKey { protocol, app, remote },
        owner: Owner { uid: Some(1000), pid: Some(7), program: Some("/usr/bin/curl".into()), app: None },
        name: None,
        other_names: Vec::new(),
        started: Timestamp(0),
        ended: None,
        ending: None,
        traffic: Traffic::default(),
        facts: Facts::default(),
        destination: Destination::default(),
        findings: Vec::new(),
    }
}

/// The first detail of its kind, or its shape alone.
pub(super) fn hit(kind: DetailKind, grade: Grade, form: &[Form], field: &str) -> Hit {
    Hit {
        kind,
        detail: (grade == Grade::Yours).then_some(DetailName { kind, number: 1, id: 9 }),
        grade,
        form: form.to_vec(),
        field: field.into(),
        request: None,
        offset: 40,
        at: Timestamp(7),
        excerpt: format!("{field}=<{} 1>", kind.name()),
        count: 1,
        hello: false,
    }
}
