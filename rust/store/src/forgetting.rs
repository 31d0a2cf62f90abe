//! Forgetting on demand: the last hour, or everything.

use rusqlite::{Connection, TransactionBehavior, params};
use telltale_model::Timestamp;

use crate::{retention, row};

/// Forgets what was sent from the hour on that holds this moment, and all flows that were alive then: a flow that
/// goes on is not kept again, or its next bytes would bring back all that was forgotten.
pub(crate) fn since(connection: &Connection, from: Timestamp) -> rusqlite::Result<()> {
    let hour = row::hour(from);
    let moment = hour.saturating_mul(1_000_000);
    let forget = || {
        connection.execute(
            "INSERT OR IGNORE INTO forgotten (run, number)
             SELECT run, number FROM flow WHERE ended IS NULL AND (hour >= ?1 OR started >= ?2)",
            params![hour, moment],
        )?;
        connection.execute("DELETE FROM finding WHERE at >= ?1", [moment])?;
        connection.execute("DELETE FROM flow WHERE hour >= ?1 OR started >= ?2", params![hour, moment])?;
        connection.execute("DELETE FROM hourly WHERE hour >= ?1", [hour])?;
        retention::forget_apps(connection)
    };
    whole(connection, forget)?;
    scrub(connection)
}

/// Forgets everything, also what the person chose not to be told: that names apps.
pub(crate) fn everything(connection: &Connection) -> rusqlite::Result<()> {
    whole(connection, || {
        // Sums that go as a whole need not follow each of their rows.
        let follows: String = connection.query_row(
            "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'hour_goes'",
            [],
            |found| found.get(0),
        )?;
        connection.execute_batch("DROP TRIGGER hour_goes")?;
        connection.execute_batch(
            "INSERT OR IGNORE INTO forgotten (run, number) SELECT run, number FROM flow WHERE ended IS NULL;
             DELETE FROM finding; DELETE FROM flow; DELETE FROM hit; DELETE FROM total; DELETE FROM party; DELETE FROM hourly;
             DELETE FROM gap; DELETE FROM interruption; DELETE FROM app; DELETE FROM mute;",
        )?;
        connection.execute_batch(&follows)
    })?;
    scrub(connection)
}

/// Whether a flow was forgotten while it lived.
pub(crate) fn is_forgotten(connection: &Connection, run: i64, number: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM forgotten WHERE run = ?1 AND number = ?2)")?
        .query_row(params![run, number], |found| found.get(0))
}

fn whole(connection: &Connection, forget: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    // Deleted bytes are overwritten, also within pages that stay.
    connection.execute_batch("PRAGMA secure_delete = ON")?;
    let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    forget()?;
    transaction.commit()
}

/// What was deleted leaves the file and its log too, not only the tables.
fn scrub(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")
}

#[cfg(test)]
mod tests {
    use telltale_model::Flow;

    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Reader, Span, Store};

    const HOUR: i64 = 3_600 * 1_000_000;

    fn kept(store: &Store) -> i64 {
        count(store.connection(), "SELECT count(*) FROM flow")
    }

    #[test]
    fn the_last_hour_goes_and_a_flow_that_lives_does_not_bring_it_back() {
        let folder = Folder::new("forget");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let alive = Flow { ended: None, ending: None, ..flow(2, 5 * HOUR) };
        let now = Timestamp(5 * HOUR + 1);
        store.commit(now, &[flow(1, HOUR), alive.clone()]).unwrap();
        store.forget(Timestamp(5 * HOUR)).unwrap();
        assert_eq!(kept(&store), 1);
        store.commit(now, &[alive, flow(3, 5 * HOUR)]).unwrap();
        assert_eq!(kept(&store), 2, "the one from before and the one that began after");
        let span = Span { from: Timestamp(5 * HOUR), to: Timestamp(6 * HOUR) };
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        assert_eq!(reader.parts(span).unwrap().iter().map(|part| part.flows).sum::<u64>(), 1);
    }

    #[test]
    fn what_was_deleted_is_not_in_the_file_any_more() {
        let folder = Folder::new("scrub");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let named = |number| Flow { name: Some("forget-me.example".into()), ..flow(number, HOUR) };
        let flows: Vec<_> = (0..50).map(named).collect();
        store.commit(Timestamp(HOUR), &flows).unwrap();
        store.delete_everything().unwrap();
        drop(store);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(9).any(|window| window == b"forget-me"));
        }
    }
}
