//! What of a flow a person may want to know: rules over facts, one family a file.
//!
//! A rule sees a flow with its facts, its destination and what was noted while it spoke, and never its bytes.
//! [`Context`] is what rules know of other flows, of the days before and of the phone.

mod after_event;
mod apps;
mod certificate;
mod clear;
mod context;
mod first_contact;
mod identifier;
mod maker;
mod own_dns;
mod past;
mod screen;
mod tally;
#[cfg(test)]
mod testing;
mod unusual;

use telltale_model::{
    Confidence, Destination, Envelope, Evidence, Facts, Finding, Flow, Hit, Severity, What,
};

pub(crate) use context::{Context, Grown, Noted};
pub(crate) use tally::Tally;

/// A flow as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Without facts and destination.
    pub(crate) flow: &'a Flow,
    pub(crate) facts: &'a Facts,
    pub(crate) destination: &'a Destination,
    pub(crate) noted: &'a Noted,
    pub(crate) resolvers: Resolvers,
}

/// What is known of the system's own resolvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolvers {
    /// The flow goes to one of them.
    This,
    /// They are known, and the flow goes to none of them.
    Others,
    /// Nobody knows them.
    Unknown,
}

/// All findings of a flow: at most as many as hits, and one or two of each other rule.
pub(crate) fn of(seen: &Seen<'_>) -> Vec<Finding> {
    let rules = [
        identifier::find,
        apps::find,
        clear::find,
        unusual::find,
        screen::find,
        first_contact::find,
        own_dns::find,
        certificate::find,
        maker::find,
    ];
    rules.iter().flat_map(|find| find(seen)).collect()
}

impl Seen<'_> {
    /// A finding about the whole flow, as of its beginning.
    fn finding(&self, what: What, severity: Severity, confidence: Confidence) -> Finding {
        let Self { flow, destination, .. } = self;
        Finding {
            what,
            program: flow.owner.program.clone(),
            uid: flow.owner.uid,
            destination: (*destination).clone(),
            envelope: self.envelope(),
            severity,
            confidence,
            evidence: Evidence { flow: flow.number, offset: None, field: None, excerpt: None },
            times: 1,
            at: flow.started,
        }
    }

    fn envelope(&self) -> Envelope {
        Envelope::of(self.facts, self.flow.key.protocol)
    }

    /// What shows a hit.
    fn evidence(&self, hit: &Hit) -> Evidence {
        Evidence {
            flow: self.flow.number,
            offset: Some(hit.offset),
            field: Some(hit.field.clone()),
            excerpt: Some(hit.excerpt.clone()),
        }
    }
}
