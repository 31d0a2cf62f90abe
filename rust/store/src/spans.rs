//! What was sent in a span of hours, as the screens of the app show it: by app and company, and hour by hour.

use std::net::IpAddr;

use rusqlite::{Connection, params};
use telltale_model::{App, AppGroup, Content, Role, Timestamp};

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
    /// One of the addresses it had.
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

const PARTS: &str = "
SELECT sum(bytes_sent), sum(bytes_received), sum(packets_sent), sum(packets_received), sum(content_sent) AS sent,
       sum(handshake), sum(searched), sum(found), sum(opaque), sum(encrypted), sum(unknown), sum(not_watched),
       sum(asked_openly), sum(read_with_keys), program, uid, name, min(address), max(company), max(probable),
       max(role), sum(flows), min(given)
FROM hourly
WHERE hour >= ?1 AND hour < ?2
GROUP BY program, uid, name, CASE name WHEN '' THEN address ELSE '' END
ORDER BY sent DESC, program, uid, name, min(address)
";

/// Most sent first.
pub(crate) fn parts(connection: &Connection, span: Span) -> rusqlite::Result<Vec<Part>> {
    let (from, to) = hours(span);
    let mut statement = connection.prepare(PARTS)?;
    let rows = statement.query_map(params![from, to], |found| {
        Ok(Part {
            content: Amount::read(found, 0)?.content,
            program: known(text(found, 14)?),
            uid: u32::try_from(found.get::<_, i64>(15)?).ok(),
            host: known(text(found, 16)?),
            address: text(found, 17)?.parse().ok(),
            company: maybe(found, 18)?,
            probable: found.get(19)?,
            role: maybe(found, 20)?.and_then(|role| role_named(&role)),
            flows: row::unsigned(found.get(21)?),
            given: found.get(22)?,
        })
    })?;
    rows.collect()
}

const SLICES: &str = "
SELECT sum(bytes_sent), sum(bytes_received), sum(packets_sent), sum(packets_received), sum(content_sent),
       sum(handshake), sum(searched), sum(found), sum(opaque), sum(encrypted), sum(unknown), sum(not_watched),
       sum(asked_openly), sum(read_with_keys), hour
FROM hourly
WHERE hour >= ?1 AND hour < ?2 AND (?3 IS NULL OR (program = ?3 AND uid = ?4))
GROUP BY hour ORDER BY hour
";

/// Hours in which something was sent, by one app or by all.
pub(crate) fn slices(
    connection: &Connection,
    span: Span,
    app: Option<(&str, Option<u32>)>,
) -> rusqlite::Result<Vec<Slice>> {
    let (from, to) = hours(span);
    let (program, uid) =
        (app.map(|(program, _)| program), app.and_then(|(_, uid)| uid).map_or(-1, i64::from));
    let mut statement = connection.prepare(SLICES)?;
    let rows = statement.query_map(params![from, to, program, uid], |found| {
        let hour = Timestamp(found.get::<_, i64>(14)?.saturating_mul(1_000_000));
        Ok(Slice { hour, content: Amount::read(found, 0)?.content })
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
    use crate::testing::{Folder, flow, run};
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
        let slices = reader.slices(both, Some(("org.example.a10001", Some(10_001)))).unwrap();
        let slices: Vec<_> = slices.iter().map(|slice| (slice.hour.0 / HOUR, slice.content.sent)).collect();
        assert_eq!(slices, [(0, 5), (1, 7)]);
        assert_eq!(reader.slices(both, None).unwrap()[1].content.sent, 18);

        let apps = reader.apps().unwrap();
        assert_eq!(apps.len(), 2);
        assert!(apps.iter().any(|known| known.app.names == ["App 10002"] && known.id > 0));
    }
}
