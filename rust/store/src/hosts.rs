//! Hosts in the totals, and when they are forgotten: then only company, role and bytes are left.

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

/// A row of the totals that still says which host it was.
struct Row {
    hour: i64,
    program: String,
    uid: i64,
    protocol: String,
    address: String,
    port: i64,
    name: String,
    company: Option<String>,
    role: Option<String>,
}

/// Makes one row of the hosts that were spoken with in hours that are more than [`limits::HOST_DAYS`] old and in which
/// no finding was seen: at most [`limits::HOSTS_AT_ONCE`]. Says whether there may be more.
pub(crate) fn forget(connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let rows = old(&transaction, now.seconds().saturating_sub(limits::HOST_DAYS * DAY))?;
    {
        let mut merge = transaction.prepare_cached(MERGE)?;
        let mut drop = transaction.prepare_cached(DROP)?;
        for row in &rows {
            let Row { hour, program, uid, protocol, address, port, name, company, role } = row;
            let (left, known) = (forgotten(company.as_deref(), role.as_deref()), company.is_some());
            let network = address.parse().ok().filter(|_| !known).map_or(NOWHERE, network);
            merge.execute(params![
                hour,
                program,
                uid,
                protocol,
                address,
                port,
                name,
                network.to_string(),
                left,
            ])?;
            drop.execute(params![hour, program, uid, protocol, address, port, name])?;
        }
    }
    transaction.commit()?;
    Ok(rows.len() as u64 >= u64::from(limits::HOSTS_AT_ONCE))
}

/// Names with a blank are none of hosts. Flows with findings are kept as long as those.
const OLD: &str = "
WITH flagged AS MATERIALIZED (
    SELECT DISTINCT ifnull(flow.program, ''), ifnull(flow.uid, -1), coalesce(flow.name, flow.remote_address)
    FROM finding JOIN flow ON flow.run = finding.run AND flow.number = finding.number
)
SELECT hour, program, uid, protocol, address, port, name, company, role FROM hourly
WHERE hour < ?1 AND instr(name, ' ') = 0 AND (program, uid, iif(name = '', address, name)) NOT IN flagged
LIMIT ?2
";

fn old(transaction: &Transaction<'_>, before: i64) -> rusqlite::Result<Vec<Row>> {
    let mut statement = transaction.prepare_cached(OLD)?;
    let rows = statement.query_map(params![before, limits::HOSTS_AT_ONCE], |found| {
        Ok(Row {
            hour: found.get(0)?,
            program: found.get(1)?,
            uid: found.get(2)?,
            protocol: found.get(3)?,
            address: found.get(4)?,
            port: found.get(5)?,
            name: found.get(6)?,
            company: found.get(7)?,
            role: found.get(8)?,
        })
    })?;
    rows.collect()
}

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
        let many = u64::from(limits::HOSTS_AT_ONCE) + 5;
        let flows: Vec<_> =
            (0..many).map(|number| named(number, 8, &format!("{number}.example"), Some("shop"))).collect();
        store.commit(Timestamp(ago(8)), &flows).unwrap();
        let mut left = || {
            store.commit(NOW, &[]).unwrap();
            count(store.connection(), "SELECT count(*) FROM hourly")
        };
        assert_eq!((left(), left(), left()), (6, 1, 1));
    }
}
