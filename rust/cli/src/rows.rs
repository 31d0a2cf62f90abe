//! What the table and the JSON are made of, from the watcher's ledger or from the database.

use telltale_model::{Country, NameKnown, Relation, Told};
use telltale_store::{Mute, Total};
use telltale_watch::destinations::{Around, Destinations};
use telltale_watch::{Ledger, Line, Sum};

/// All rows, most sent first, and what could not be told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// One for each program and destination.
    pub(crate) rows: Vec<Line>,
    /// What was too many to be told apart.
    pub(crate) others: Sum,
    /// What of it a person may want to know, in the order in which it is told.
    pub(crate) findings: Vec<Told>,
    /// Those that nobody wants to be told of any more.
    pub(crate) muted: Vec<Told>,
    /// Findings that were too many to be told apart.
    pub(crate) untold: u64,
    /// Whether some of what was seen is in none of these.
    pub(crate) incomplete: bool,
}

impl Rows {
    /// What the database holds. The companies' relations are told by the tables of today.
    pub(crate) fn kept(totals: Vec<Total>, tables: Option<&Destinations>) -> Self {
        Self { rows: totals.into_iter().map(|total| line(total, tables)).collect(), ..Self::default() }
    }

    /// Tells no more of these. They were seen all the same, and count.
    pub(crate) fn mute(&mut self, mutes: &[Mute]) {
        let is_muted = |told: &Told| mutes.iter().any(|mute| mute.covers(&told.finding));
        let (muted, told) = std::mem::take(&mut self.findings).into_iter().partition(is_muted);
        (self.muted, self.findings) = (muted, told);
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.others == Sum::default()
    }

    /// All rows and the others together.
    pub(crate) fn total(&self) -> Sum {
        let mut total = self.others;
        self.rows.iter().for_each(|row| total.add(&row.sum));
        total
    }
}

impl From<Ledger> for Rows {
    fn from(ledger: Ledger) -> Self {
        let Ledger { lines, others, findings, untold, .. } = ledger;
        Self { rows: lines, others, findings, untold, ..Self::default() }
    }
}

fn line(total: Total, tables: Option<&Destinations>) -> Line {
    let Total {
        program,
        uid,
        protocol,
        name,
        other_names,
        known,
        remote,
        company,
        probable,
        role,
        given,
        ..
    } = total;
    let relation = match (&company, tables) {
        // Of a guess nothing more is said, as by the watcher.
        (Some(id), Some(tables)) if !known.is_some_and(NameKnown::is_guess) => {
            let number = tables.company_with_id(id).map(|company| company.number);
            let relation = tables.relation(number, &Around::default());
            if number.is_none() { Relation::AnotherCompany } else { relation }
        }
        _ => Relation::Unknown,
    };
    let sum = Sum { traffic: total.traffic, content: total.content, flows: total.flows };
    Line {
        program,
        uid,
        name,
        other_names,
        known,
        remote,
        protocol,
        company,
        probable,
        role,
        relation,
        given,
        sum,
    }
}

/// The company's name as people know it; its id where the tables have it no more.
pub(crate) fn company_name<'a>(id: &'a str, tables: Option<&'a Destinations>) -> &'a str {
    let found = tables.and_then(|tables| {
        tables.company_with_id(id).or_else(|| tables.all_companies().find(|company| company.id == id))
    });
    found.map_or(id, |company| company.name)
}

/// The network that a row's address belongs to: number, name, and where it is registered.
pub(crate) fn network<'a>(
    line: &Line,
    tables: Option<&'a Destinations>,
) -> Option<(u32, &'a str, Option<Country>)> {
    let network = tables?.address(line.remote.ip())?;
    Some((network.asn(), network.name(), network.country()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use telltale_model::{Class, Content, Protocol, Role, Traffic};

    use super::*;

    /// Three rows as they come from one run of `curl` and `ping`.
    pub(crate) fn sample() -> Rows {
        let row = |program: Option<&str>, name: Option<&str>, remote: &str, protocol, sum| Line {
            program: program.map(str::to_owned),
            uid: Some(1000),
            name: name.map(str::to_owned),
            other_names: BTreeSet::new(),
            known: None,
            remote: remote.parse().unwrap(),
            protocol,
            company: None,
            probable: false,
            role: None,
            relation: Relation::Unknown,
            given: None,
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
            ..Rows::default()
        }
    }

    pub(crate) fn sum(bytes_sent: u64, bytes_received: u64, flows: u64) -> Sum {
        let traffic =
            Traffic { bytes_sent, bytes_received, packets_sent: 10 * flows, packets_received: 9 * flows };
        Sum { traffic, flows, ..Sum::default() }
    }

    /// Two hosts of one company, one of them read in clear, and one host of nobody known.
    pub(crate) fn companies() -> Rows {
        let mut rows = sample();
        let [first, second, third] = rows.rows.as_mut_slice() else { unreachable!() };
        *second = Line { name: Some("push.shop.example".into()), sum: sum(2_000, 90, 2), ..first.clone() };
        for (line, class, sent, role) in [
            (&mut *first, Class::Encrypted, 1_200_000, Role::Sync),
            (second, Class::Searched, 1_800, Role::Push),
        ] {
            (line.company, line.role) = (Some("google".into()), Some(role));
            (line.relation, line.known) = (Relation::AndroidAndGoogle, Some(NameKnown::Tls));
            line.sum.content = content(class, sent);
        }
        third.sum.content.openly = 64;
        third.sum.content.coverage.handshake = 64;
        rows
    }

    pub(crate) fn content(class: Class, sent: u64) -> Content {
        let mut content = Content { sent, ..Content::default() };
        content.coverage.add(class, sent);
        content
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
                },
                ..Sum::default()
            }
        );
        let mut most = sum(u64::MAX, 0, 1);
        most.add(&sum(1, 0, 1));
        assert_eq!(most.traffic.bytes_sent, u64::MAX);
    }
}
