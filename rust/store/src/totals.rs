//! The hourly totals, kept right while flows still grow: what is added is always the difference to
//! what was counted before.

use rusqlite::{OptionalExtension, ToSql, Transaction, params};
use telltale_model::{Flow, Owner, Timestamp};

use crate::row::{self, About, Amount};

/// How far a flow has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The hour into which the newest traffic was counted, in seconds since 1970.
    pub(crate) hour: i64,
    /// What was counted into hours before that one.
    pub(crate) earlier: Amount,
}

struct Known {
    owner: Owner,
    name: Option<String>,
    remote: (String, u16),
    about: About,
    amount: Amount,
    counted: Counted,
}

/// Brings the totals up to date with this flow, before its row is.
pub(crate) fn count(
    transaction: &Transaction<'_>,
    run: i64,
    now: Timestamp,
    flow: &Flow,
) -> rusqlite::Result<Counted> {
    let hour = row::hour(flow.ended.unwrap_or(now));
    match known(transaction, run, flow)? {
        None => begin(transaction, hour, flow),
        Some(before) => go_on(transaction, hour, flow, &before),
    }
}

/// A flow counts as one in the hour in which it began, so that sums over hours count it once.
fn begin(transaction: &Transaction<'_>, hour: i64, flow: &Flow) -> rusqlite::Result<Counted> {
    let began = row::hour(flow.started);
    if began == hour {
        add(transaction, hour, &identity(flow), Amount::of(flow), 1)?;
    } else {
        add(transaction, began, &identity(flow), Amount::default(), 1)?;
        add(transaction, hour, &identity(flow), Amount::of(flow), 0)?;
    }
    Ok(Counted { hour, earlier: Amount::default() })
}

fn go_on(transaction: &Transaction<'_>, hour: i64, flow: &Flow, before: &Known) -> rusqlite::Result<Counted> {
    let Known { counted, .. } = *before;
    let (owner, remote) = (&before.owner, before.remote.clone());
    let old = Identity { owner, name: before.name.as_deref(), remote, flow };
    let new = identity(flow);
    if !old.is_same(&new) {
        rename(transaction, &old, &new, before)?;
    } else if before.about != About::of(flow) {
        describe(transaction, &new)?;
    }
    // A clock that was set back must not reopen hours that are over.
    let hour = hour.max(counted.hour);
    add(transaction, hour, &new, Amount::of(flow).since(&before.amount), 0)?;
    let earlier = if hour > counted.hour { before.amount } else { counted.earlier };
    Ok(Counted { hour, earlier })
}

/// An owner or a name that becomes known late, mostly within milliseconds, takes along the flow and
/// its share of the last hour. What stands in earlier hours stays as it was said then.
fn rename(
    transaction: &Transaction<'_>,
    old: &Identity<'_>,
    new: &Identity<'_>,
    before: &Known,
) -> rusqlite::Result<()> {
    let began = row::hour(new.flow.started);
    let share = before.amount.since(&before.counted.earlier);
    take(transaction, began, old, Amount::default(), 1)?;
    add(transaction, began, new, Amount::default(), 1)?;
    take(transaction, before.counted.hour, old, share, 0)?;
    add(transaction, before.counted.hour, new, share, 0)
}

/// Under whom and what a flow is counted. The remote end is another where only totals of a company are kept.
struct Identity<'a> {
    owner: &'a Owner,
    name: Option<&'a str>,
    remote: (String, u16),
    flow: &'a Flow,
}

fn identity(flow: &Flow) -> Identity<'_> {
    let remote = (flow.key.remote.ip().to_string(), flow.key.remote.port());
    Identity { owner: &flow.owner, name: flow.host(), remote, flow }
}

impl Identity<'_> {
    /// The pid is not part of it: one program is one line, however often it was started.
    fn is_same(&self, other: &Self) -> bool {
        (row::program(self.owner), row::uid(self.owner), self.name, &self.remote)
            == (row::program(other.owner), row::uid(other.owner), other.name, &other.remote)
    }
}

fn known(transaction: &Transaction<'_>, run: i64, flow: &Flow) -> rusqlite::Result<Option<Known>> {
    transaction
        .prepare_cached(
            "SELECT bytes_sent, bytes_received, packets_sent, packets_received, content_sent, handshake, searched, found, opaque,
                    encrypted, unknown, not_watched, asked_openly, read_with_keys,
                    earlier_bytes_sent, earlier_bytes_received, earlier_packets_sent, earlier_packets_received,
                    earlier_content_sent, earlier_handshake, earlier_searched, earlier_found,
                    earlier_opaque, earlier_encrypted, earlier_unknown, earlier_not_watched, earlier_asked_openly,
                    earlier_read_with_keys,
                    hour, uid, pid, program, name, name_known, company, probable, role, remote_address, remote_port
             FROM flow WHERE run = ?1 AND number = ?2",
        )?
        .query_row(params![run, row::signed(flow.number.0)], |found| {
            Ok(Known {
                amount: Amount::read(found, 0)?,
                counted: Counted { earlier: Amount::read(found, 14)?, hour: found.get(28)? },
                owner: Owner { uid: found.get(29)?, pid: found.get(30)?, program: found.get(31)?, app: None },
                name: found.get(32)?,
                about: About::read(found, 33)?,
                remote: (found.get(37)?, found.get(38)?),
            })
        })
        .optional()
}

/// What is known of the destination now holds for all hours of the flow.
fn describe(transaction: &Transaction<'_>, identity: &Identity<'_>) -> rusqlite::Result<()> {
    let (Key { program, uid, protocol, address, port, name }, about) =
        (Key::of(identity), About::of(identity.flow));
    transaction
        .prepare_cached(
            "UPDATE hourly SET name_known = ?8, company = ?9, probable = ?10, role = ?11
             WHERE hour >= ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4
                AND address = ?5 AND port = ?6 AND name = ?7",
        )?
        .execute(params![
            row::hour(identity.flow.started),
            program,
            uid,
            protocol,
            address,
            port,
            name,
            about.name_known,
            about.company,
            about.probable,
            about.role,
        ])?;
    Ok(())
}

fn add(
    transaction: &Transaction<'_>,
    hour: i64,
    identity: &Identity<'_>,
    amount: Amount,
    flows: i64,
) -> rusqlite::Result<()> {
    if amount == Amount::default() && flows == 0 {
        return Ok(());
    }
    change(transaction, ADD, hour, identity, &amount, flows)
}

const ADD: &str = "
INSERT INTO hourly (
    hour, program, uid, protocol, address, port, name, bytes_sent, bytes_received, packets_sent,
    packets_received, content_sent, handshake, searched, found, opaque, encrypted, unknown, not_watched,
    asked_openly, read_with_keys, flows, name_known, company, probable, role, given
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
    ?23, ?24, ?25, ?26, ?27
)
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
    name_known = excluded.name_known, company = excluded.company,
    probable = excluded.probable, role = excluded.role,
    given = coalesce(min(given, excluded.given), given, excluded.given)
";

/// The opposite of [`add`]; a row of which nothing is left goes.
fn take(
    transaction: &Transaction<'_>,
    hour: i64,
    identity: &Identity<'_>,
    amount: Amount,
    flows: i64,
) -> rusqlite::Result<()> {
    change(transaction, TAKE, hour, identity, &amount, flows)?;
    change(transaction, DROP, hour, identity, &Amount::default(), 0)
}

const TAKE: &str = "
UPDATE hourly SET
    bytes_sent = bytes_sent - ?8, bytes_received = bytes_received - ?9, packets_sent = packets_sent - ?10,
    packets_received = packets_received - ?11, content_sent = content_sent - ?12, handshake = handshake -
    ?13, searched = searched - ?14, found = found - ?15, opaque = opaque - ?16, encrypted = encrypted - ?17,
    unknown = unknown - ?18, not_watched = not_watched - ?19, asked_openly = asked_openly - ?20,
    read_with_keys = read_with_keys - ?21, flows = flows - ?22
WHERE hour = ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4 AND address = ?5 AND port = ?6 AND name = ?7
";

const DROP: &str = "
DELETE FROM hourly
WHERE hour = ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4 AND address = ?5 AND port = ?6 AND name = ?7
    AND (
        bytes_sent, bytes_received, packets_sent, packets_received, content_sent, handshake, searched,
        found, opaque, encrypted, unknown, not_watched, asked_openly, read_with_keys, flows
    ) = (
        ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22
    )
";

/// What finds a row of the totals within an hour.
struct Key<'a> {
    program: &'a str,
    uid: i64,
    protocol: &'static str,
    address: &'a str,
    port: u16,
    name: &'a str,
}

impl<'a> Key<'a> {
    fn of(identity: &'a Identity<'_>) -> Self {
        Self {
            program: row::program(identity.owner),
            uid: row::uid(identity.owner),
            protocol: identity.flow.key.protocol.name(),
            address: &identity.remote.0,
            port: identity.remote.1,
            name: identity.name.unwrap_or(""),
        }
    }
}

fn change(
    transaction: &Transaction<'_>,
    sql: &str,
    hour: i64,
    identity: &Identity<'_>,
    amount: &Amount,
    flows: i64,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(sql)?;
    let Key { program, uid, protocol, address, port, name } = Key::of(identity);
    let head = params![hour, program, uid, protocol, address, port, name];
    let columns = amount.columns();
    let About { name_known, company, probable, role } = About::of(identity.flow);
    let given = identity.flow.facts.given();
    let tail = params![flows, name_known, company, probable, role, given];
    // Only what adds also describes.
    let length = statement.parameter_count();
    let amounts = columns.iter().map(|column| column as &dyn ToSql);
    let all: Vec<&dyn ToSql> =
        head.iter().copied().chain(amounts).chain(tail.iter().copied()).take(length).collect();
    statement.execute(all.as_slice())?;
    Ok(())
}
