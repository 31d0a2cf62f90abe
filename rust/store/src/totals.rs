//! The hourly totals, kept right while flows still grow: what is added is always the difference to
//! what was counted before.

use rusqlite::{OptionalExtension, Transaction, params};
use telltale_model::{Flow, Owner, Timestamp, Traffic};

use crate::row;

/// How far a flow has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The hour into which the newest traffic was counted, in seconds since 1970.
    pub(crate) hour: i64,
    /// What was counted into hours before that one.
    pub(crate) earlier: Traffic,
}

struct Known {
    owner: Owner,
    name: Option<String>,
    traffic: Traffic,
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
    add(transaction, row::hour(flow.started), &identity(flow), Traffic::default(), 1)?;
    add(transaction, hour, &identity(flow), flow.traffic, 0)?;
    Ok(Counted { hour, earlier: Traffic::default() })
}

fn go_on(transaction: &Transaction<'_>, hour: i64, flow: &Flow, before: &Known) -> rusqlite::Result<Counted> {
    let Known { counted, .. } = *before;
    let old = Identity { owner: &before.owner, name: before.name.as_deref(), flow };
    let new = identity(flow);
    if !old.is_same(&new) {
        rename(transaction, &old, &new, before)?;
    }
    // A clock that was set back must not reopen hours that are over.
    let hour = hour.max(counted.hour);
    add(transaction, hour, &new, row::since(flow.traffic, before.traffic), 0)?;
    let earlier = if hour > counted.hour { before.traffic } else { counted.earlier };
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
    let share = row::since(before.traffic, before.counted.earlier);
    take(transaction, began, old, Traffic::default(), 1)?;
    add(transaction, began, new, Traffic::default(), 1)?;
    take(transaction, before.counted.hour, old, share, 0)?;
    add(transaction, before.counted.hour, new, share, 0)
}

/// Under whom and what a flow is counted.
struct Identity<'a> {
    owner: &'a Owner,
    name: Option<&'a str>,
    flow: &'a Flow,
}

fn identity(flow: &Flow) -> Identity<'_> {
    Identity { owner: &flow.owner, name: flow.name.as_deref(), flow }
}

impl Identity<'_> {
    /// The pid is not part of it: one program is one line, however often it was started.
    fn is_same(&self, other: &Self) -> bool {
        (row::program(self.owner), row::uid(self.owner), self.name)
            == (row::program(other.owner), row::uid(other.owner), other.name)
    }
}

fn known(transaction: &Transaction<'_>, run: i64, flow: &Flow) -> rusqlite::Result<Option<Known>> {
    transaction
        .prepare_cached(
            "SELECT bytes_sent, bytes_received, packets_sent, packets_received,
                    earlier_bytes_sent, earlier_bytes_received, earlier_packets_sent, earlier_packets_received,
                    hour, uid, pid, program, name
             FROM flow WHERE run = ?1 AND number = ?2",
        )?
        .query_row(params![run, row::signed(flow.number.0)], |found| {
            Ok(Known {
                traffic: row::traffic(found, 0)?,
                counted: Counted { earlier: row::traffic(found, 4)?, hour: found.get(8)? },
                owner: Owner { uid: found.get(9)?, pid: found.get(10)?, program: found.get(11)? },
                name: found.get(12)?,
            })
        })
        .optional()
}

fn add(
    transaction: &Transaction<'_>,
    hour: i64,
    identity: &Identity<'_>,
    traffic: Traffic,
    flows: i64,
) -> rusqlite::Result<()> {
    if traffic == Traffic::default() && flows == 0 {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO hourly VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT DO UPDATE SET
            bytes_sent = bytes_sent + excluded.bytes_sent,
            bytes_received = bytes_received + excluded.bytes_received,
            packets_sent = packets_sent + excluded.packets_sent,
            packets_received = packets_received + excluded.packets_received,
            flows = flows + excluded.flows",
    )?;
    change(&mut statement, hour, identity, traffic, flows)
}

/// The opposite of [`add`]; a row of which nothing is left goes.
fn take(
    transaction: &Transaction<'_>,
    hour: i64,
    identity: &Identity<'_>,
    traffic: Traffic,
    flows: i64,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "UPDATE hourly SET
            bytes_sent = bytes_sent - ?8, bytes_received = bytes_received - ?9,
            packets_sent = packets_sent - ?10, packets_received = packets_received - ?11,
            flows = flows - ?12
         WHERE hour = ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4
            AND address = ?5 AND port = ?6 AND name = ?7",
    )?;
    change(&mut statement, hour, identity, traffic, flows)?;
    let mut statement = transaction.prepare_cached(
        "DELETE FROM hourly
         WHERE hour = ?1 AND program = ?2 AND uid = ?3 AND protocol = ?4
            AND address = ?5 AND port = ?6 AND name = ?7
            AND (bytes_sent, bytes_received, packets_sent, packets_received, flows) = (?8, ?9, ?10, ?11, ?12)",
    )?;
    change(&mut statement, hour, identity, Traffic::default(), 0)
}

fn change(
    statement: &mut rusqlite::Statement<'_>,
    hour: i64,
    identity: &Identity<'_>,
    traffic: Traffic,
    flows: i64,
) -> rusqlite::Result<()> {
    let key = &identity.flow.key;
    statement.execute(params![
        hour,
        row::program(identity.owner),
        row::uid(identity.owner),
        key.protocol.name(),
        key.remote.ip().to_string(),
        key.remote.port(),
        identity.name.unwrap_or(""),
        row::signed(traffic.bytes_sent),
        row::signed(traffic.bytes_received),
        row::signed(traffic.packets_sent),
        row::signed(traffic.packets_received),
        flows,
    ])?;
    Ok(())
}
