//! Apps that try in vain to get somewhere while others get answers: what a relay may have broken.

use std::net::IpAddr;

use rusqlite::{Connection, params};

use crate::reader::{known, text};
use crate::{Span, limits, row};

/// Where one app tried to get to and got no answer, while other apps got theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The program's path or the app's first package, where known.
    pub program: Option<String>,
    /// Its user.
    pub uid: u32,
    /// The name of the host, or its address.
    pub host: String,
    /// One of the addresses that it tried.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// How often it tried.
    pub tries: u64,
    /// Whether the app got answers from anybody else.
    pub is_answered_elsewhere: bool,
}

/// A TCP connection is one try. What nobody answers in UDP is seldom a failure, but for key exchange and calls (IKE,
/// RFC 7296 2; SIP, RFC 3261 18), where each datagram without an answer is one. Our own resolver refuses DNS over TLS
/// (RFC 7858 3.1: port 853) on purpose. Only the latest flows are looked at.
/// A name that begins with a blank stands for many hosts ([`crate::hosts`]).
const FAILING: &str = "
WITH latest AS (
    SELECT program, uid, name, protocol, remote_address, remote_port, started, ended, ending, bytes_received, packets_sent
    FROM flow WHERE started >= ?1 AND started < ?2 ORDER BY started DESC LIMIT ?3
), tried AS MATERIALIZED (
    SELECT ifnull(program, '') AS owner, uid, ifnull(name, remote_address) AS whom, remote_address, remote_port AS port,
           started, iif(protocol = 'tcp', started, ifnull(ended, ?2)) AS until, bytes_received > 0 AS answered,
           CASE WHEN bytes_received > 0 THEN 0
                WHEN protocol = 'udp' THEN packets_sent
                ELSE ifnull(ending IN ('refused', 'unreachable', 'timed_out', 'given_up'), 0) END AS failed
    FROM latest
    WHERE uid IS NOT NULL AND remote_port <> 853
        AND (protocol = 'tcp' OR protocol = 'udp' AND remote_port IN (500, 4500, 5060, 5061))
), receiver AS (
    SELECT owner, uid, whom, port, max(remote_address) AS address, sum(failed) AS tries,
           min(iif(failed > 0, started, NULL)) AS first, max(iif(failed > 0, until, NULL)) AS last
    FROM tried GROUP BY owner, uid, whom, port
    HAVING sum(answered) = 0 AND tries >= ?4 AND last - first >= ?5 AND substr(whom, 1, 1) <> ' '
    ORDER BY tries DESC, owner, uid, whom, port LIMIT ?6
)
SELECT owner, uid, whom, address, port, tries,
       EXISTS (SELECT 1 FROM tried WHERE answered AND tried.uid = receiver.uid)
FROM receiver
WHERE EXISTS (SELECT 1 FROM tried WHERE answered AND tried.uid <> receiver.uid AND started BETWEEN first AND last)
ORDER BY tries DESC, owner, uid, whom, port
";

/// Of the flows that began in a span, which is short. Most tries first.
pub(crate) fn select(connection: &Connection, span: Span) -> rusqlite::Result<Vec<Failing>> {
    let mut statement = connection.prepare(FAILING)?;
    let least = (limits::TRIES, limits::TRIED_FOR, limits::FAILING_READ);
    let asked = params![span.from.0, span.to.0, limits::TRIED_READ, least.0, least.1, least.2];
    let rows = statement.query_map(asked, |found| {
        let (Ok(uid), Ok(port)) =
            (u32::try_from(found.get::<_, i64>(1)?), u16::try_from(found.get::<_, i64>(4)?))
        else {
            return Ok(None);
        };
        Ok(Some(Failing {
            program: known(text(found, 0)?),
            uid,
            host: text(found, 2)?,
            address: text(found, 3)?.parse().ok(),
            port,
            tries: row::unsigned(found.get(5)?),
            is_answered_elsewhere: found.get(6)?,
        }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use telltale_model::{Ending, Flow, Protocol, Timestamp};

    use super::*;
    use crate::testing::{Folder, flow, run, traffic};
    use crate::{Reader, Store};

    const MINUTE: i64 = 60_000_000;
    const HOUR: Span = Span { from: Timestamp(0), to: Timestamp(60 * MINUTE) };

    fn tried(number: u64, minute: i64, uid: u32, ending: Ending) -> Flow {
        let mut flow = flow(number, minute * MINUTE);
        (flow.owner.uid, flow.owner.program) = (Some(uid), Some(format!("app{uid}")));
        (flow.ending, flow.traffic) = (Some(ending), traffic(0, 0));
        flow
    }

    fn answered(number: u64, minute: i64, uid: u32) -> Flow {
        Flow { traffic: traffic(100, 1_000), ..tried(number, minute, uid, Ending::Finished) }
    }

    fn failing(test: &str, flows: &[Flow]) -> Vec<Failing> {
        let folder = Folder::new(test);
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(HOUR.to, flows).unwrap();
        Reader::open(&folder.database()).unwrap().unwrap().failing(HOUR).unwrap()
    }

    fn five(uid: u32, ending: Ending) -> Vec<Flow> {
        (0..5).map(|at| tried(at + 1, 1 + at as i64, uid, ending)).collect()
    }

    #[test]
    fn an_app_that_nobody_answers_while_others_are_answered_is_failing() {
        let mut flows = five(7, Ending::TimedOut);
        flows.push(answered(9, 3, 8));
        let found = failing("failing", &flows);
        let expected = Failing {
            program: Some("app7".into()),
            uid: 7,
            host: "a.example".into(),
            address: Some("192.0.2.7".parse().unwrap()),
            port: 443,
            tries: 5,
            is_answered_elsewhere: false,
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn answers_of_another_receiver_are_told() {
        let mut flows = five(7, Ending::Refused);
        let mut other = answered(8, 2, 7);
        other.name = Some("b.example".into());
        flows.extend([answered(9, 3, 8), other]);
        assert_eq!(failing("elsewhere", &flows).first().map(|found| found.is_answered_elsewhere), Some(true));
    }

    #[test]
    fn a_phone_without_a_network_breaks_no_app() {
        assert_eq!(failing("alone", &five(7, Ending::TimedOut)), [], "nobody else was answered");
        let mut flows = five(7, Ending::TimedOut);
        flows.push(answered(9, 50, 8));
        assert_eq!(failing("later", &flows), [], "nobody else was answered meanwhile");
    }

    #[test]
    fn a_few_tries_or_one_answer_are_no_failure() {
        let other = answered(9, 2, 8);
        let few = [&five(7, Ending::GivenUp)[..3], std::slice::from_ref(&other)].concat();
        assert_eq!(failing("few", &few), []);
        let healed = [&five(7, Ending::GivenUp)[..], &[other.clone(), answered(10, 6, 7)]].concat();
        assert_eq!(failing("healed", &healed), []);
        let at_once: Vec<Flow> = (1..6).map(|number| tried(number, 2, 7, Ending::Refused)).collect();
        assert_eq!(failing("at-once", &[&at_once[..], &[other]].concat()), [], "in less than a minute");
    }

    #[test]
    fn datagrams_without_an_answer_count_where_one_is_due() {
        let asks = |number, port: u16| {
            let mut flow = tried(number, 1, 7, Ending::Idle);
            flow.key.protocol = Protocol::Udp;
            flow.key.remote.set_port(port);
            (flow.ended, flow.traffic.packets_sent) = (Some(Timestamp(9 * MINUTE)), 6);
            flow
        };
        let found = failing("ike", &[asks(1, 500), asks(2, 9_999), answered(3, 2, 8)]);
        assert_eq!(found.iter().map(|found| (found.port, found.tries)).collect::<Vec<_>>(), [(500, 6)]);
    }

    #[test]
    fn our_own_refusal_of_dns_over_tls_is_none() {
        let mut flows = five(7, Ending::Refused);
        flows.iter_mut().for_each(|flow| flow.key.remote.set_port(853));
        flows.push(answered(9, 3, 8));
        assert_eq!(failing("dot", &flows), []);
    }
}
