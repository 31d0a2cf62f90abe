//! Hosts in the totals, and when they are forgotten: then only company, role and bytes are left.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use telltale_model::Timestamp;

use crate::limits;

/// In seconds.
const DAY: i64 = 86_400;

/// What the totals call all hosts of a company and role that were forgotten. With its blanks it is no name of the DNS.
pub(crate) fn forgotten(company: Option<&str>, role: Option<&str>) -> String {
    format!(" {} {}", company.unwrap_or_default(), role.unwrap_or_default())
}

/// The address of hosts of which not even the network is kept.
pub(crate) const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Whether a name of the totals is that of hosts that were forgotten.
pub(crate) fn is_forgotten(name: &str) -> bool {
    name.starts_with(' ')
}

/// One look at all hours in which hosts are too old to be named, a few rows with each commit.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// Program, user and host of what has findings: hosts of these stay as long as their flows do.
    flagged: BTreeSet<(String, i64, String)>,
    /// The last finding that was looked at.
    finding: Option<(i64, i64, i64)>,
    has_all_findings: bool,
    /// The last row that was looked at.
    row: Key,
}

/// What tells a row of the totals from others: hour, program, user, protocol, address, port and name.
type Key = (i64, String, i64, String, String, i64, String);

/// A row of the totals, with company and role.
struct Row {
    key: Key,
    company: Option<String>,
    role: Option<String>,
}

impl Pass {
    /// Makes one row of the hosts that were spoken with in hours that are more than [`limits::HOST_DAYS`] old and in
    /// which no finding was seen: at most [`limits::HOSTS_AT_ONCE`]. Says whether there may be more.
    pub(crate) fn forget_some(&mut self, connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
        if !self.has_all_findings {
            self.has_all_findings = !self.flag(connection)?;
            if !self.has_all_findings {
                return Ok(true);
            }
        }
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let rows = self.next(&transaction, now.seconds().saturating_sub(limits::HOST_DAYS * DAY))?;
        let mut more = rows.len() as u64 >= u64::from(limits::OLD_READ);
        let mut last = None;
        let mut merged = 0;
        for row in rows {
            if merged == limits::HOSTS_AT_ONCE {
                more = true;
                break;
            }
            if self.is_named_too_long(&row) {
                row.merge(&transaction)?;
                merged += 1;
            }
            last = Some(row.key);
        }
        transaction.commit()?;
        if let Some(last) = last {
            self.row = last;
        }
        Ok(more)
    }

    /// Looks at the findings behind the last one. Says whether there may be more.
    fn flag(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut statement = connection.prepare_cached(FLAGGED)?;
        let (run, number, place) = self.finding.unwrap_or((i64::MIN, 0, 0));
        let mut rows = statement.query(params![run, number, place, limits::OLD_READ])?;
        let mut read = 0;
        while let Some(found) = rows.next()? {
            self.flagged.insert((found.get(0)?, found.get(1)?, found.get(2)?));
            self.finding = Some((found.get(3)?, found.get(4)?, found.get(5)?));
            read += 1;
        }
        Ok(read >= limits::OLD_READ)
    }

    /// Rows behind the last one, of hours before this one.
    fn next(&self, transaction: &Transaction<'_>, before: i64) -> rusqlite::Result<Vec<Row>> {
        let mut statement = transaction.prepare_cached(NEXT)?;
        let (hour, program, uid, protocol, address, port, name) = &self.row;
        let after = params![hour, program, uid, protocol, address, port, name, before, limits::OLD_READ];
        let rows = statement.query_map(after, |found| {
            Ok(Row {
                key: (
                    found.get(0)?,
                    found.get(1)?,
                    found.get(2)?,
                    found.get(3)?,
                    found.get(4)?,
                    found.get(5)?,
                    found.get(6)?,
                ),
                company: found.get(7)?,
                role: found.get(8)?,
            })
        })?;
        rows.collect()
    }

    /// Names with a blank are none of hosts.
    fn is_named_too_long(&self, row: &Row) -> bool {
        let (_, program, uid, _, address, _, name) = &row.key;
        let host = if name.is_empty() { address } else { name };
        !name.contains(' ') && !self.flagged.contains(&(program.clone(), *uid, host.clone()))
    }
}

impl Row {
    fn merge(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let (hour, program, uid, protocol, address, port, name) = &self.key;
        let left = forgotten(self.company.as_deref(), self.role.as_deref());
        let unknown = address.parse().ok().filter(|_| self.company.is_none());
        let network = unknown.map_or(NOWHERE, network).to_string();
        transaction
            .prepare_cached(MERGE)?
            .execute(params![hour, program, uid, protocol, address, port, name, network, left])?;
        transaction
            .prepare_cached(DROP)?
            .execute(params![hour, program, uid, protocol, address, port, name])
            .map(drop)
    }
}

/// Flows with findings are kept as long as those.
const FLAGGED: &str = "
SELECT ifnull(flow.program, ''), ifnull(flow.uid, -1), coalesce(flow.name, flow.remote_address),
       finding.run, finding.number, finding.place
FROM finding JOIN flow ON flow.run = finding.run AND flow.number = finding.number
WHERE (finding.run, finding.number, finding.place) > (?1, ?2, ?3)
ORDER BY finding.run, finding.number, finding.place LIMIT ?4
";

const NEXT: &str = "
SELECT hour, program, uid, protocol, address, port, name, company, role FROM hourly
WHERE (hour, program, uid, protocol, address, port, name) > (?1, ?2, ?3, ?4, ?5, ?6, ?7) AND hour < ?8
ORDER BY hour, program, uid, protocol, address, port, name LIMIT ?9
";

/// The row in which what is left of a host counts.
const MERGE: &str = "
INSERT INTO hourly (
    hour, program, uid, protocol, address, port, name, bytes_sent, bytes_received, packets_sent,
    packets_received, content_sent, handshake, searched, found, opaque, encrypted, unknown, not_watched,
    asked_openly, read_with_keys, flows, name_known, company, probable, role, given
)
SELECT
    hour, program, uid, protocol, ?8, 0, ?9, bytes_sent, bytes_received, packets_sent,
    packets_received, content_sent, handshake, searched, found, opaque, encrypted, unknown, not_watched,
    asked_openly, read_with_keys, flows, 0, company, probable, role, given
FROM hourly
WHERE hour = ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4 AND address = ?5 AND port = ?6 AND name = ?7
ON CONFLICT DO UPDATE SET
    bytes_sent = bytes_sent + excluded.bytes_sent,
    bytes_received = bytes_received + excluded.bytes_received,
    packets_sent = packets_sent + excluded.packets_sent,
    packets_received = packets_received + excluded.packets_received,
    content_sent = content_sent + excluded.content_sent,
    handshake = handshake + excluded.handshake,
    searched = searched + excluded.searched,
    found = found + excluded.found,
    opaque = opaque + excluded.opaque,
    encrypted = encrypted + excluded.encrypted,
    unknown = unknown + excluded.unknown,
    not_watched = not_watched + excluded.not_watched,
    asked_openly = asked_openly + excluded.asked_openly,
    read_with_keys = read_with_keys + excluded.read_with_keys,
    flows = flows + excluded.flows,
    probable = max(probable, excluded.probable),
    given = coalesce(min(given, excluded.given), given, excluded.given)
";

const DROP: &str = "
DELETE FROM hourly
WHERE hour = ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4 AND address = ?5 AND port = ?6 AND name = ?7
";

/// The network that an address is in, of 256 of them or of a site's (RFC 6177). Of a host without a company it stays:
/// by it first contacts with a country are told.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::{
        Confidence, Envelope, Evidence, Finding, Flow, FlowNumber, Role, Severity, What, Zone,
    };

    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Filter, Reader, Store};

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn ago(days: i64) -> i64 {
        NOW.0 - days * DAY * 1_000_000
    }

    /// With a name, a company and a role, so many days ago.
    fn named(number: u64, days: i64, name: &str, company: Option<&str>) -> Flow {
        let mut flow = Flow { name: Some(name.into()), ..flow(number, ago(days)) };
        flow.destination.company = company.map(str::to_owned);
        flow.destination.role = Some(Role::Telemetry);
        flow
    }

    fn finding(flow: &Flow) -> Finding {
        Finding {
            what: What::MakerContacted,
            program: flow.owner.program.clone(),
            uid: flow.owner.uid,
            destination: flow.destination.clone(),
            envelope: Envelope::Tls,
            severity: Severity::Info,
            confidence: Confidence::Certain,
            evidence: Evidence { flow: FlowNumber(1), offset: None, field: None, excerpt: None },
            times: 1,
            at: flow.started,
        }
    }

    /// Each kept when it was seen, and then all as they are kept now.
    fn kept(folder: &Folder, flows: &[Flow]) -> Store {
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        for flow in flows {
            store.commit(flow.started, std::slice::from_ref(flow)).unwrap();
        }
        store.commit(NOW, &[]).unwrap();
        while store.has_more_to_forget() {
            store.commit(NOW, &[]).unwrap();
        }
        store
    }

    #[test]
    fn after_seven_days_company_role_and_bytes_are_left() {
        let folder = Folder::new("hosts");
        let mut flagged = named(5, 8, "flagged.example", Some("shop"));
        flagged.findings = vec![finding(&flagged)];
        let flows = [
            named(1, 8, "one.example", Some("shop")),
            named(2, 8, "two.example", Some("shop")),
            named(3, 8, "of-nobody.example", None),
            named(4, 6, "young.example", Some("shop")),
            flagged,
        ];
        let store = kept(&folder, &flows);
        let names = "SELECT group_concat(name || '@' || address, ';' ORDER BY name) FROM hourly";
        let names: String = store.connection().query_row(names, [], |row| row.get(0)).unwrap();
        let address = flows[3].key.remote.ip();
        let network = network(address);
        assert_eq!(
            names,
            format!(
                "  telemetry@{network}; shop telemetry@0.0.0.0;flagged.example@{address};young.example@{address}"
            )
        );
        assert_eq!(count(store.connection(), "SELECT count(*) FROM flow WHERE number < 4"), 0);
        let party = "SELECT count(*) FROM party WHERE name LIKE '%one.example' OR name LIKE '%nobody%'";
        assert_eq!(count(store.connection(), party), 0, "nor in what is summed from them");

        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        let totals = reader.totals(&Filter::default()).unwrap();
        let sent: u64 = totals.iter().map(|total| total.traffic.bytes_sent).sum();
        assert_eq!(sent, flows.iter().map(|flow| flow.traffic.bytes_sent).sum::<u64>());
        assert_eq!(totals.iter().map(|total| total.flows).sum::<u64>(), 5);
        let gone: Vec<_> = totals.iter().filter(|total| total.remote.ip().is_unspecified()).collect();
        assert!(gone.len() == 2 && gone.iter().all(|total| total.name.is_none() && total.remote.port() == 0));
        assert!(gone.iter().any(|total| total.company.as_deref() == Some("shop") && total.flows == 2));
        let parts = reader.parts(crate::Span { from: Timestamp(ago(9)), to: NOW }).unwrap();
        assert_eq!(parts.iter().filter(|part| part.host.is_none() && part.address.is_none()).count(), 2);
    }

    #[test]
    fn who_was_contacted_is_remembered_without_the_host() {
        let folder = Folder::new("remembered");
        kept(&folder, &[named(1, 8, "one.example", Some("shop")), named(2, 8, "two.example", None)]);
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        let contacts = reader.history(NOW, Zone::default()).unwrap().contacts;
        let told: Vec<_> = contacts.iter().map(|contact| contact.company.as_deref()).collect();
        assert_eq!(told, [Some("shop"), None]);
        assert!(contacts[0].address.is_unspecified() && contacts[1].address.to_string().ends_with(".0"));
    }

    #[test]
    fn of_many_no_commit_forgets_too_many_at_once_and_in_the_end_all_are() {
        let folder = Folder::new("many");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let most = limits::HOSTS_AT_ONCE as u64;
        let flows: Vec<_> = (0..3 * most)
            .map(|number| named(number, 8, &format!("{number}.example"), Some("shop")))
            .collect();
        store.commit(Timestamp(ago(8)), &flows).unwrap();
        let mut before = 3 * most as i64;
        store.commit(NOW, &[]).unwrap();
        while store.has_more_to_forget() {
            let left = count(store.connection(), "SELECT count(*) FROM hourly WHERE name LIKE '%example'");
            assert!(before - left <= most as i64, "{before} {left}");
            before = left;
            store.commit(NOW, &[]).unwrap();
        }
        assert_eq!(count(store.connection(), "SELECT count(*) FROM hourly"), 1);
    }
}
