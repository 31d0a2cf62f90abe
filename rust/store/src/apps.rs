//! Apps of a phone as they were: a uid is given to another app when it is free again, and an app that was
//! removed keeps its name here.

use rusqlite::{OptionalExtension, Transaction, params};
use telltale_model::{App, Owner, Timestamp};

use crate::row;

/// Names of one uid that are kept. A system's own uid may have a hundred packages.
const NAMES: usize = 64;

/// The row of a flow's app, which is made or brought up to date; `None` where the owner is no app. What tells one
/// app from another is its uid, its first package and its signer; all else says how it was `now`.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    now: Timestamp,
    owner: &Owner,
) -> rusqlite::Result<Option<i64>> {
    let Some(app) = owner.app.as_deref() else { return Ok(None) };
    match known(transaction, owner, app)? {
        Some(id) => Ok(Some(id)),
        None => put(transaction, now, owner, app).map(Some),
    }
}

/// The row, if it says the same.
fn known(transaction: &Transaction<'_>, owner: &Owner, app: &App) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(
            "SELECT id FROM app WHERE program = ?1 AND uid = ?2 AND signer = ?3 AND packages = ?4 AND names = ?5
                 AND version IS ?6 AND since IS ?7 AND kind = ?8 AND shared = ?9",
        )?
        .query_row(
            params![
                row::program(owner),
                app.uid,
                app.signer.as_deref().unwrap_or(""),
                lines(&app.packages),
                lines(&app.names),
                app.version,
                app.since,
                app.group.name(),
                app.shared,
            ],
            |found| found.get(0),
        )
        .optional()
}

fn put(transaction: &Transaction<'_>, now: Timestamp, owner: &Owner, app: &App) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO app (program, uid, signer, packages, names, version, since, kind, shared, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (program, uid, signer) DO UPDATE SET
                 packages = excluded.packages, names = excluded.names, version = excluded.version,
                 since = excluded.since, kind = excluded.kind, shared = excluded.shared, seen = excluded.seen
             RETURNING id",
        )?
        .query_row(
            params![
                row::program(owner),
                app.uid,
                app.signer.as_deref().unwrap_or(""),
                lines(&app.packages),
                lines(&app.names),
                app.version,
                app.since,
                app.group.name(),
                app.shared,
                now.0,
            ],
            |found| found.get(0),
        )
}

/// One a line.
fn lines(names: &[String]) -> String {
    let clean = names.iter().take(NAMES).map(|name| name.replace('\n', " "));
    clean.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use telltale_model::{AppGroup, Flow};

    use crate::Store;
    use crate::testing::{Folder, count, flow, run};

    use super::*;

    fn app(version: &str, signer: &str) -> App {
        App {
            uid: 10_123,
            packages: vec!["org.example.talk".into()],
            names: vec!["Talk".into()],
            version: Some(version.into()),
            since: Some(1_795_000_000_000),
            signer: Some(signer.into()),
            group: AppGroup::Yours,
            shared: false,
            totals_only: false,
        }
    }

    fn of(number: u64, app: App) -> Flow {
        Flow { owner: Owner { app: Some(Arc::new(app.clone())), ..Owner::from(app) }, ..flow(number, 0) }
    }

    #[test]
    fn a_flow_keeps_the_app_and_its_version_as_they_were() {
        let folder = Folder::new("apps");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let other = App { packages: vec!["org.example.game".into()], ..app("1", "aa") };
        let flows = [of(1, app("1", "aa")), of(2, app("2", "aa")), of(3, app("2", "bb")), of(4, other)];
        for _ in 0..2 {
            store.commit(Timestamp(1), &flows).unwrap();
        }
        store.commit(Timestamp(2), &[flow(5, 0)]).unwrap();
        let connection = store.connection();
        assert_eq!(
            count(connection, "SELECT count(*) FROM app"),
            3,
            "the uid went to another app, a signer changed"
        );
        let said = connection
            .query_row(
                "SELECT group_concat(number || ' ' || program || ' ' || ifnull(app_version, '-') || ' ' || ifnull(app, '-'), ', ' ORDER BY number) FROM flow",
                [],
                |found| found.get::<_, String>(0),
            )
            .unwrap();
        assert_eq!(
            said,
            "1 org.example.talk 1 1, 2 org.example.talk 2 1, 3 org.example.talk 2 2, 4 org.example.game 1 3, \
             5 /usr/bin/curl - -"
        );
    }
}
