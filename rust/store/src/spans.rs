//! What was sent in a span of hours, as the screens of the app show it: by app and company, and hour by hour.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use rusqlite::{Connection, params};
use telltale_model::{App, AppGroup, Content, Role, Timestamp};

use crate::hosts;
use crate::reader::{known, maybe, role_named, text};
use crate::row::{self, Amount};

/// From one moment to another; the hours that they lie in count whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first one that is too late.
    pub to: Timestamp,
}

/// What one app sent to one host, or to one address without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The program's path or the app's first package, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// The name of the host, where known.
    pub host: Option<String>,
    /// One of the addresses it had; `None` of hosts that were forgotten.
    pub address: Option<IpAddr>,
    /// The id of the company that runs the host, where known.
    pub company: Option<String>,
    /// Whether the company must be called probable.
    pub probable: bool,
    /// What the host is for, where known.
    pub role: Option<Role>,
    /// What was sent, and how far it could be looked into.
    pub content: Content,
    /// How many flows began.
    pub flows: u64,
    /// Whether there were details to look for, wherever bytes could be searched; `None` where nothing says so.
    pub given: Option<bool>,
}

/// What was sent in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// When the hour began.
    pub hour: Timestamp,
    /// What was sent in it.
    pub content: Content,
}

/// An app of the phone as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownApp {
    /// Its number in this database, from 1 on.
    pub id: i64,
    /// What flows call it.
    pub program: String,
    /// The app.
    pub app: App,
}

/// The first hour of a span and the first one behind it, in seconds.
fn hours(span: Span) -> (i64, i64) {
    (row::hour(span.from), row::hour(Timestamp(span.to.0.saturating_sub(1))).saturating_add(3_600))
}

/// Whole days of UTC within hours; from its end on to its end where there is none.
fn days((from, to): (i64, i64)) -> (i64, i64) {
    const DAY: i64 = 86_400;
    let first = from.saturating_add(DAY - 1).div_euclid(DAY).saturating_mul(DAY);
    let last = to.div_euclid(DAY).saturating_mul(DAY);
    if first < last { (first, last) } else { (to, to) }
}

const TOTALS: &str = "
SELECT content_sent, handshake, searched, found, opaque, encrypted, unknown, not_watched, asked_openly, read_with_keys,
       flows, given, party
FROM total WHERE step = ?1 AND began >= ?2 AND began < ?3
";

/// The same of one app.
const TOTALS_OF: &str = "
SELECT content_sent, handshake, searched, found, opaque, encrypted, unknown, not_watched, asked_openly, read_with_keys,
       flows, given, party
FROM total WHERE step = ?1 AND began >= ?2 AND began < ?3
    AND party IN (SELECT id FROM party WHERE program = ?4 AND uid = ?5 AND (name <> '' OR lone <> ''))
";

const PARTIES: &str = "
SELECT id, program, uid, name, address, company, probable, role FROM party WHERE name <> '' OR lone <> ''
";

/// What is summed of one party.
#[derive(Default)]
struct Sum {
    content: Content,
    flows: u64,
    given: Option<bool>,
}

impl Sum {
    /// From the first columns of a row.
    fn read(found: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let content = Amount::read_content(found, 0)?;
        Ok(Self { content, flows: row::unsigned(found.get(10)?), given: found.get(11)? })
    }

    fn add(&mut self, other: &Self) {
        self.content.add(&other.content);
        self.flows = self.flows.saturating_add(other.flows);
        self.given = [self.given, other.given].into_iter().flatten().min();
    }
}

/// Of one app (its program and user), or of all; most sent first. Whole days have totals of their own: of a month, they
/// are a tenth of what its hours have.
pub(crate) fn parts(
    connection: &Connection,
    span: Span,
    app: Option<(&str, u32)>,
) -> rusqlite::Result<Vec<Part>> {
    let (from, to) = hours(span);
    let (first, last) = days((from, to));
    let mut sums: HashMap<i64, Sum> = HashMap::new();
    let mut totals = connection.prepare(if app.is_some() { TOTALS_OF } else { TOTALS })?;
    for (step, from, to) in [(3_600, from, first), (86_400, first, last), (3_600, last, to)] {
        let mut rows = match app {
            Some((program, uid)) => totals.query(params![step, from, to, program, uid])?,
            None => totals.query([step, from, to])?,
        };
        // The database sorts to group, which takes longer than to look each up here.
        while let Some(found) = rows.next()? {
            sums.entry(found.get(12)?).or_default().add(&Sum::read(found)?);
        }
    }
    let mut parties = connection.prepare(PARTIES)?;
    let parts = parties.query_map([], |found| {
        let Some(sum) = sums.remove(&found.get(0)?) else { return Ok(None) };
        part(found, 1, sum).map(Some)
    })?;
    let mut parts: Vec<Part> = parts.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    parts.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(parts)
}

/// From this column of a row on: who, then where and what is known of it.
fn part(found: &rusqlite::Row<'_>, column: usize, sum: Sum) -> rusqlite::Result<Part> {
    let Sum { content, flows, given } = sum;
    let host = text(found, column + 2)?;
    let gone = hosts::is_forgotten(&host);
    Ok(Part {
        program: known(text(found, column)?),
        uid: u32::try_from(found.get::<_, i64>(column + 1)?).ok(),
        host: known(host).filter(|_| !gone),
        address: text(found, column + 3)?.parse().ok().filter(|_| !gone),
        company: maybe(found, column + 4)?,
        probable: found.get(column + 5)?,
        role: maybe(found, column + 6)?.and_then(|role| role_named(&role)),
        content,
        flows,
        given,
    })
}

/// Most sent first; what else there is only makes the order stable.
fn order(part: &Part) -> impl Ord + '_ {
    (Reverse(part.content.sent), part.program.as_deref(), part.uid, part.host.as_deref(), part.address)
}

const BEGUN: &str = "
SELECT sum(content_sent) AS sent, sum(handshake), sum(searched), sum(found), sum(opaque), sum(encrypted), sum(unknown),
       sum(not_watched), sum(asked_openly), sum(read_with_keys), count(*), min(iif(searched > 0, details <> 0, NULL)),
       ifnull(program, '') AS owner, ifnull(uid, -1) AS user, ifnull(name, '') AS host, min(remote_address),
       max(company), max(probable), max(role)
FROM flow WHERE started >= ?1 AND started < ?2
GROUP BY owner, user, host, iif(host = '', remote_address, '')
ORDER BY sent DESC, owner, user, host, min(remote_address)
";

/// Of the flows alone that began in a span: to the moment, and for short ones.
pub(crate) fn begun(connection: &Connection, span: Span) -> rusqlite::Result<Vec<Part>> {
    let mut statement = connection.prepare(BEGUN)?;
    let rows = statement.query_map([span.from.0, span.to.0], |found| part(found, 12, Sum::read(found)?))?;
    rows.collect()
}

/// The key of `total` leads from one hour to the next.
const SLICES: &str = "
WITH RECURSIVE span (hour) AS (
    SELECT max(?1, (SELECT min(hour) FROM hourly))
    UNION ALL
    SELECT hour + 3600 FROM span WHERE hour + 3600 < min(?2, (SELECT max(hour) + 3600 FROM hourly))
)
SELECT content_sent, handshake, searched, found, opaque, encrypted, unknown, not_watched, asked_openly, read_with_keys,
       span.hour
FROM span CROSS JOIN total ON step = 3600 AND began = span.hour
    AND party = (SELECT id FROM party WHERE program = ?3 AND uid = ?4 AND name = '' AND lone = '')
WHERE span.hour < ?2
ORDER BY span.hour
";

/// Hours in which one app sent something.
pub(crate) fn slices(
    connection: &Connection,
    span: Span,
    (program, uid): (&str, u32),
) -> rusqlite::Result<Vec<Slice>> {
    let (from, to) = hours(span);
    let mut statement = connection.prepare(SLICES)?;
    let rows = statement.query_map(params![from, to, program, uid], |found| {
        let hour = Timestamp(found.get::<_, i64>(10)?.saturating_mul(1_000_000));
        Ok(Slice { hour, content: Amount::read_content(found, 0)? })
    })?;
    rows.collect()
}

/// Every app that was ever seen, the latest first where a name was given to several.
pub(crate) fn apps(connection: &Connection) -> rusqlite::Result<Vec<KnownApp>> {
    let mut statement = connection.prepare(
        "SELECT id, program, uid, signer, packages, names, version, since, kind, shared FROM app ORDER BY seen DESC, id DESC",
    )?;
    let rows = statement.query_map([], |found| {
        let kind = text(found, 8)?;
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        Ok(KnownApp {
            id: found.get(0)?,
            program: text(found, 1)?,
            app: App {
                uid: u32::try_from(found.get::<_, i64>(2)?).unwrap_or(u32::MAX),
                packages: lines(text(found, 4)?),
                names: lines(text(found, 5)?),
                version: maybe(found, 6)?,
                since: found.get(7)?,
                signer: known(text(found, 3)?),
                group: AppGroup::ALL.into_iter().find(|group| group.name() == kind).unwrap_or_default(),
                shared: found.get(9)?,
                // What is kept of it is decided as it is seen.
                totals_only: false,
            },
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use telltale_model::{Flow, Owner};

    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Reader, Store};

    const HOUR: i64 = 3_600 * 1_000_000;

    fn sent(number: u64, at: i64, uid: u32, bytes: u64) -> Flow {
        let app = App {
            uid,
            packages: vec![format!("org.example.a{uid}")],
            names: vec![format!("App {uid}")],
            ..App::default()
        };
        let mut flow = Flow { owner: Owner::from(app.clone()), ..flow(number, at) };
        flow.owner.app = Some(Arc::new(app));
        flow.facts.content_sent = bytes;
        flow.facts.coverage.searched = bytes;
        flow
    }

    #[test]
    fn an_app_goes_with_the_last_that_it_sent() {
        let folder = Folder::new("gone");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(Timestamp(2 * HOUR), &[sent(1, 0, 10_001, 5), sent(2, HOUR, 10_002, 7)]).unwrap();
        store.forget(Timestamp(HOUR)).unwrap();
        assert_eq!(count(store.connection(), "SELECT sum(uid) FROM app"), 10_001);
    }

    #[test]
    fn a_span_has_its_own_hours_and_each_app_its_own_parts() {
        let folder = Folder::new("spans");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let flows = [sent(1, 0, 10_001, 5), sent(2, HOUR, 10_001, 7), sent(3, HOUR, 10_002, 11)];
        store.commit(Timestamp(2 * HOUR), &flows).unwrap();
        let reader = Reader::open(&folder.database()).unwrap().unwrap();

        let second = Span { from: Timestamp(HOUR), to: Timestamp(2 * HOUR) };
        let parts: Vec<_> =
            reader.parts(second).unwrap().into_iter().map(|part| (part.uid, part.content.sent)).collect();
        assert_eq!(parts, [(Some(10_002), 11), (Some(10_001), 7)]);

        let both = Span { from: Timestamp(0), to: Timestamp(2 * HOUR) };
        let slices = reader.slices(both, ("org.example.a10001", 10_001)).unwrap();
        let slices: Vec<_> = slices.iter().map(|slice| (slice.hour.0 / HOUR, slice.content.sent)).collect();
        assert_eq!(slices, [(0, 5), (1, 7)]);

        let begun = Span { from: Timestamp(1), to: Timestamp(HOUR + 1) };
        let begun: Vec<_> =
            reader.begun(begun).unwrap().into_iter().map(|part| (part.uid, part.content.sent)).collect();
        assert_eq!(begun, [(Some(10_002), 11), (Some(10_001), 7)], "the moment counts, not the hour");
        let ever = Span { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };
        assert_eq!(reader.slices(ever, ("org.example.a10002", 10_002)).unwrap().len(), 1);

        let apps = reader.apps().unwrap();
        assert_eq!(apps.len(), 2);
        assert!(apps.iter().any(|known| known.app.names == ["App 10002"] && known.id > 0));
    }

    /// Days and hours in which a flow grows, gets its name late, and is forgotten.
    #[test]
    fn totals_of_days_are_those_of_their_hours() {
        let folder = Folder::new("days");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let agree = |store: &Store| {
            let compare = "
                WITH whole AS (
                    SELECT step, hour / step * step AS began, program, uid, name, iif(name = '', address, '') AS lone,
                        count(*) AS hours, sum(content_sent) AS sent, sum(searched), sum(flows), min(given)
                    FROM hourly JOIN (SELECT 3600 AS step UNION ALL SELECT 86400) GROUP BY 1, 2, 3, 4, 5, 6
                    UNION ALL
                    SELECT step, hour / step * step, program, uid, '', '', count(*), sum(content_sent), sum(searched),
                        sum(flows), min(given)
                    FROM hourly JOIN (SELECT 3600 AS step UNION ALL SELECT 86400) GROUP BY 1, 2, 3, 4
                ), kept AS (
                    SELECT step, began, program, uid, name, lone, hours, content_sent, searched, flows, given
                    FROM total JOIN party ON party.id = total.party
                )
                SELECT (SELECT count(*) FROM (SELECT * FROM whole EXCEPT SELECT * FROM kept))
                    + (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM whole))
                    + (SELECT count(*) FROM party WHERE id NOT IN (SELECT party FROM total))";
            assert_eq!(count(store.connection(), compare), 0);
            count(store.connection(), "SELECT count(*) FROM total WHERE step = 86400")
        };
        let living = |bytes| Flow { ended: None, ending: None, ..sent(1, 20 * HOUR, 10_001, bytes) };
        for hour in 20_i64..30 {
            let late = Some(format!("{}.example", hour / 25)).filter(|_| hour > 21);
            let flow = Flow { name: late, ..living(hour.cast_unsigned() * 10) };
            let other = sent(hour.cast_unsigned(), hour * HOUR, 10_002, 3);
            store.commit(Timestamp(hour * HOUR), &[flow, other]).unwrap();
            agree(&store);
        }
        assert!(agree(&store) > 3);
        let span = |from, to| Span { from: Timestamp(from * HOUR), to: Timestamp(to * HOUR) };
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        let sum = |span| reader.parts(span).unwrap().iter().map(|part| part.content.sent).sum::<u64>();
        assert_eq!(sum(span(0, 48)), sum(span(0, 23)) + sum(span(23, 25)) + sum(span(25, 48)));
        assert_eq!(sum(span(0, 24)), sum(span(20, 22)) + sum(span(22, 24)));
        let mut one = reader.parts(span(0, 48)).unwrap();
        one.retain(|part| part.uid == Some(10_001));
        assert!(one.len() > 1);
        assert_eq!(reader.parts_of(span(0, 48), ("org.example.a10001", 10_001)).unwrap(), one);
        store.forget(Timestamp(26 * HOUR)).unwrap();
        assert!(agree(&store) > 0 && sum(span(24, 48)) > 0);
        store.delete_everything().unwrap();
        assert_eq!(agree(&store), 0);
    }
}
