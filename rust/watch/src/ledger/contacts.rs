//! Lines of the ledger together by program and company.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use telltale_model::{Relation, Role};

use super::{Host, Line, Sum};

/// One program and whom it spoke with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact<'a> {
    /// The program's path, where known.
    pub program: Option<&'a str>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// With whom.
    pub whom: Whom,
    /// Whether the company must be called probable: for every line.
    pub probable: bool,
    /// What its hosts are for, the one that most content went to first.
    pub roles: Vec<Role>,
    /// What the company is to this phone.
    pub relation: Relation,
    /// How much, and how often.
    pub sum: Sum,
    /// The lines that it was made of.
    pub lines: Vec<&'a Line>,
}

/// A company by its id, or a host of which no company is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// A company.
    Company(String),
    /// A host.
    Host(Host),
}

/// Groups lines, most content first.
pub fn contacts(lines: &[Line]) -> Vec<Contact<'_>> {
    let mut contacts: BTreeMap<_, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        contacts.entry((line.program.as_deref(), line.uid, whom(line))).or_default().push(line);
    }
    let mut contacts: Vec<Contact<'_>> = contacts
        .into_iter()
        .map(|((program, uid, whom), lines)| contact(program, uid, whom, lines))
        .collect();
    contacts.sort_by_key(|contact| Reverse(weight(&contact.sum)));
    contacts
}

fn whom(line: &Line) -> Whom {
    match &line.company {
        Some(company) => Whom::Company(company.clone()),
        None => Whom::Host(Host::new(line.name.as_deref(), line.remote.ip())),
    }
}

fn contact<'a>(
    program: Option<&'a str>,
    uid: Option<u32>,
    whom: Whom,
    mut lines: Vec<&'a Line>,
) -> Contact<'a> {
    lines.sort_by_key(|line| Reverse(weight(&line.sum)));
    let mut contact = Contact {
        program,
        uid,
        whom,
        probable: lines.iter().all(|line| line.probable),
        roles: Vec::new(),
        relation: Relation::Unknown,
        sum: Sum::default(),
        lines,
    };
    for line in &contact.lines {
        contact.sum.add(&line.sum);
        contact.roles.extend(line.role.filter(|role| !contact.roles.contains(role)));
        if contact.relation == Relation::Unknown {
            contact.relation = line.relation;
        }
    }
    contact
}

/// What a person sent counts first, then all that was.
fn weight(sum: &Sum) -> (u64, u64, u64) {
    (sum.content.sent, sum.traffic.bytes_sent, sum.traffic.bytes_received)
}
