//! What is forgotten, and when. Flows with findings stay as long as those. Deletion goes in slices, each a transaction
//! of its own, so that no commit waits long behind it.

use rusqlite::{Connection, params};
use telltale_model::Timestamp;

use crate::{hosts, limits, row};

const DAY: i64 = 86_400 * 1_000_000;

/// What is too old. Once an hour all of it is looked for, and forgotten a little with each commit.
#[derive(Debug, Default)]
pub(crate) struct Old {
    /// The hour in which it was looked for.
    hour: Option<i64>,
    left: Left,
}

/// What is left to be looked at, in this order.
#[derive(Debug, Default)]
enum Left {
    Findings,
    Flows,
    Runs,
    Hosts(hosts::Pass),
    #[default]
    Nothing,
}

impl Old {
    /// Forgets as much as a commit may. Says whether there is more.
    pub(crate) fn forget_some(
        &mut self,
        connection: &Connection,
        run: Option<i64>,
        now: Timestamp,
    ) -> rusqlite::Result<bool> {
        let hour = Some(row::hour(now));
        let oldest = now.0.saturating_sub(limits::FLOW_DAYS * DAY);
        let oldest_finding = now.0.saturating_sub(limits::FINDING_DAYS * DAY);
        loop {
            let (more, next) = match &mut self.left {
                Left::Findings => (forget_findings_before(connection, oldest_finding)?, Left::Flows),
                Left::Flows => (forget_flows_before(connection, run, oldest)?, Left::Runs),
                Left::Runs => {
                    forget_runs(connection, run, oldest, oldest_finding)?;
                    (false, Left::Hosts(hosts::Pass::default()))
                }
                Left::Hosts(pass) => (pass.forget_some(connection, now)?, Left::Nothing),
                Left::Nothing if self.hour == hour => return Ok(false),
                Left::Nothing => {
                    self.hour = hour;
                    (false, Left::Findings)
                }
            };
            if more {
                return Ok(true);
            }
            self.left = next;
        }
    }
}

/// Deletes what is not of one flow: a command line says much about a person too.
fn forget_runs(
    connection: &Connection,
    run: Option<i64>,
    oldest: i64,
    oldest_finding: i64,
) -> rusqlite::Result<()> {
    // As long as findings: who looks those up must see what was not watched.
    connection.execute("DELETE FROM gap WHERE ended < ?1", params![oldest_finding])?;
    connection.execute(
        "DELETE FROM run
         WHERE started < ?1 AND id IS NOT ?2 AND NOT EXISTS (SELECT 1 FROM flow WHERE flow.run = run.id)",
        params![oldest, run],
    )?;
    // Their numbers begin anew with each run.
    connection.execute("DELETE FROM forgotten WHERE run NOT IN (SELECT id FROM run)", [])?;
    forget_apps(connection)
}

/// Deletes the apps of which nothing is left: that somebody had one says much about them.
pub(crate) fn forget_apps(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM app
         WHERE NOT EXISTS (SELECT 1 FROM party WHERE party.program = app.program AND party.uid = app.uid)
            AND id NOT IN (SELECT app FROM flow WHERE app IS NOT NULL)",
        [],
    )?;
    Ok(())
}

/// Deletes the oldest flows without findings, then the oldest totals, then the oldest findings, until the
/// file is at most this large.
pub(crate) fn bound(connection: &Connection, limit: i64) -> rusqlite::Result<()> {
    while bytes(connection)? > limit {
        let gone =
            forget_ended_flows(connection)? || forget_totals(connection)? || forget_findings(connection)?;
        if !gone {
            break;
        }
    }
    Ok(())
}

/// Says whether a whole slice went, so that there may be more. A flow of another run that is so old and has no end was
/// cut off with its relay; one of this run still lives, and the totals need to know how far it was
/// counted.
fn forget_flows_before(connection: &Connection, run: Option<i64>, before: i64) -> rusqlite::Result<bool> {
    let gone = connection.prepare_cached(
        "DELETE FROM flow WHERE (run, number) IN (
            SELECT run, number FROM flow
            WHERE started < ?1 AND (ended IS NOT NULL OR run IS NOT ?2) AND NOT EXISTS (
                SELECT 1 FROM finding WHERE finding.run = flow.run AND finding.number = flow.number
            )
            ORDER BY started LIMIT ?3
         )",
    )?;
    delete(connection, gone, params![before, run, limits::SLICE]).map(is_slice)
}

/// Says whether any went. A flow without an end stays: another relay may be counting it now.
fn forget_ended_flows(connection: &Connection) -> rusqlite::Result<bool> {
    let gone = connection.prepare_cached(
        "DELETE FROM flow WHERE (run, number) IN (
            SELECT run, number FROM flow WHERE ended IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM finding WHERE finding.run = flow.run AND finding.number = flow.number
            )
            ORDER BY started LIMIT ?1
         )",
    )?;
    delete(connection, gone, params![limits::SLICE]).map(|gone| gone > 0)
}

/// Says whether a whole slice went. Their flows then go as others do. Those of a flow that lives come back with its next change.
fn forget_findings_before(connection: &Connection, before: i64) -> rusqlite::Result<bool> {
    let gone = connection.prepare_cached(
        "DELETE FROM finding WHERE (run, number, place) IN (
            SELECT run, number, place FROM finding WHERE at < ?1 ORDER BY at LIMIT ?2
         )",
    )?;
    delete(connection, gone, params![before, limits::SLICE]).map(is_slice)
}

fn forget_findings(connection: &Connection) -> rusqlite::Result<bool> {
    let gone = connection.prepare_cached(
        "DELETE FROM finding WHERE (run, number, place) IN (
            SELECT run, number, place FROM finding ORDER BY at LIMIT ?1
         )",
    )?;
    delete(connection, gone, params![limits::SLICE]).map(|gone| gone > 0)
}

fn forget_totals(connection: &Connection) -> rusqlite::Result<bool> {
    let gone = connection.prepare_cached(
        "DELETE FROM hourly WHERE (hour, program, uid, protocol, address, port, name) IN (
            SELECT hour, program, uid, protocol, address, port, name FROM hourly ORDER BY hour LIMIT ?1
         )",
    )?;
    delete(connection, gone, params![limits::SLICE]).map(|gone| gone > 0)
}

/// Deleted rows leave free pages inside the file; incremental vacuum gives them back to the disk.
fn delete(
    connection: &Connection,
    mut statement: rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<usize> {
    let gone = statement.execute(parameters)?;
    if gone > 0 {
        // It frees one page with each step, so all of its empty rows are asked for.
        let mut vacuum = connection.prepare_cached("PRAGMA incremental_vacuum")?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
    }
    Ok(gone)
}

fn is_slice(gone: usize) -> bool {
    gone as u64 >= u64::from(limits::SLICE)
}

fn bytes(connection: &Connection) -> rusqlite::Result<i64> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(pages.saturating_mul(page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Filter, Reader, Store};

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    #[test]
    fn a_file_that_is_too_large_loses_its_oldest_flows_and_keeps_the_totals() {
        let folder = Folder::new("bound");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        for batch in 0..12 {
            let flows: Vec<_> = (0..1_000).map(|number| flow(batch * 1_000 + number, NOW.0)).collect();
            store.commit(NOW, &flows).unwrap();
        }
        let connection = store.connection();
        let before = bytes(connection).unwrap();
        assert_eq!(count(connection, "PRAGMA auto_vacuum"), 2);
        bound(connection, before * 3 / 4).unwrap();
        let left = count(connection, "SELECT count(*) FROM flow");
        assert!((5_000..11_000).contains(&left), "{left}");
        assert_eq!(count(connection, "SELECT min(number) FROM flow"), 12_000 - left, "the oldest go first");
        let after = bytes(connection).unwrap();
        assert!(after <= before * 3 / 4, "room goes back to the disk: {before} -> {after}");
        let totals = Reader::open(&folder.database()).unwrap().unwrap().totals(&Filter::default()).unwrap();
        assert_eq!(totals.iter().map(|total| total.flows).sum::<u64>(), 12_000);

        bound(connection, 1).unwrap();
        assert_eq!(
            count(connection, "SELECT (SELECT count(*) FROM flow) + (SELECT count(*) FROM hourly)"),
            0
        );
    }

    #[test]
    fn of_many_old_flows_no_commit_forgets_more_than_a_slice_and_in_the_end_all_are_gone() {
        let folder = Folder::new("slices");
        let old = NOW.0 - (limits::FLOW_DAYS + 1) * DAY;
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let slice = u64::from(limits::SLICE);
        let flows: Vec<_> = (0..3 * slice).map(|number| flow(number, old)).collect();
        store.commit(Timestamp(old), &flows).unwrap();
        let mut before = 3 * slice as i64;
        store.commit(NOW, &[]).unwrap();
        while store.has_more_to_forget() {
            let left = count(store.connection(), "SELECT count(*) FROM flow");
            assert!(before - left <= slice as i64, "{before} {left}");
            before = left;
            store.commit(NOW, &[]).unwrap();
        }
        assert_eq!(count(store.connection(), "SELECT count(*) FROM flow"), 0);
    }

    #[test]
    fn old_flows_and_their_runs_go_but_a_flow_that_lives_stays() {
        let folder = Folder::new("age");
        let old = Timestamp(NOW.0 - (limits::FLOW_DAYS + 1) * DAY);
        let mut living = flow(2, old.0);
        (living.ended, living.ending) = (None, None);

        let mut other = Store::open(&folder.database(), run()).unwrap().store;
        other.commit(old, &[flow(1, old.0), living.clone()]).unwrap();
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(old, &[flow(1, old.0), living]).unwrap();
        store.commit(NOW, &[flow(3, NOW.0)]).unwrap();

        let connection = store.connection();
        assert_eq!(count(connection, "SELECT group_concat(number ORDER BY number) = '2,3' FROM flow"), 1);
        assert_eq!(count(connection, "SELECT count(*) FROM run"), 1);
        assert_eq!(count(connection, "SELECT sum(flows) FROM hourly"), 5);
    }

    #[test]
    fn what_was_forgotten_on_demand_goes_with_its_run() {
        let folder = Folder::new("forgotten");
        let old = Timestamp(NOW.0 - (limits::FLOW_DAYS + 1) * DAY);
        let mut living = flow(1, old.0);
        (living.ended, living.ending) = (None, None);
        let mut other = Store::open(&folder.database(), run()).unwrap().store;
        other.commit(old, &[living]).unwrap();
        other.forget(old).unwrap();
        assert_eq!(count(other.connection(), "SELECT count(*) FROM forgotten"), 1);
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(NOW, &[flow(1, NOW.0)]).unwrap();
        assert_eq!(count(store.connection(), "SELECT count(*) FROM forgotten"), 0);
    }
}
