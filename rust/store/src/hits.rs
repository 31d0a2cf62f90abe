//! Details that were seen in a flow, as rows beside it: never their values.

use rusqlite::{Transaction, params};
use telltale_model::{Flow, Form, Grade, Hit};

use crate::row;

/// Keeps the hits of a flow. Those that were kept before stand at the same places, and may be surer now; of a flow of
/// which only totals are kept since, there are fewer.
pub(crate) fn keep(transaction: &Transaction<'_>, run: i64, flow: &Flow) -> rusqlite::Result<()> {
    let more = i64::try_from(flow.facts.hits.len()).unwrap_or(i64::MAX);
    transaction
        .prepare_cached("DELETE FROM hit WHERE run = ?1 AND number = ?2 AND place >= ?3")?
        .execute(params![run, row::signed(flow.number.0), more])?;
    for (place, hit) in (0_i64..).zip(&flow.facts.hits) {
        keep_one(transaction, (run, row::signed(flow.number.0), place), hit)?;
    }
    Ok(())
}

fn keep_one(transaction: &Transaction<'_>, key: (i64, i64, i64), hit: &Hit) -> rusqlite::Result<()> {
    let (run, number, place) = key;
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO hit (run, number, place, kind, detail_number, detail_id, grade, form, field,
             request, sent_before, excerpt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    statement.execute(params![
        run,
        number,
        place,
        hit.kind.name(),
        hit.detail.map(|detail| detail.number),
        hit.detail.map(|detail| detail.id.cast_signed()),
        grade(hit.grade),
        form(&hit.form),
        hit.field,
        hit.request,
        row::signed(hit.offset),
        hit.excerpt,
    ])?;
    Ok(())
}

/// As in JSON.
fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::LooksLike => "looks_like",
        Grade::Yours => "yours",
    }
}

/// The steps, with blanks between.
fn form(steps: &[Form]) -> String {
    steps.iter().map(Form::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use telltale_model::{DetailKind, DetailName, Timestamp};

    use super::*;
    use crate::Store;
    use crate::testing::{Folder, count, flow, run};

    fn hit(grade: Grade) -> Hit {
        Hit {
            kind: DetailKind::Imei,
            detail: Some(DetailName { kind: DetailKind::Imei, number: 1, id: u64::MAX }),
            grade,
            form: vec![Form::Sha1, Form::Base64Url, Form::Cut(16)],
            field: "path[4]".into(),
            request: Some(0),
            offset: 12,
            at: Timestamp(5),
            excerpt: "/c/<imei 1>".into(),
            count: 1,
            hello: false,
        }
    }

    #[test]
    fn hits_stand_beside_their_flow_as_they_are_surest_and_go_with_it() {
        let folder = Folder::new("hits");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let mut seen = flow(7, 0);
        seen.facts.set = u64::MAX - 1;
        for grade in [Grade::LooksLike, Grade::Yours] {
            seen.facts.hits = vec![hit(grade)];
            store.commit(Timestamp(0), &[seen.clone(), flow(8, 0)]).unwrap();
        }
        let connection = store.connection();
        let query = "SELECT concat_ws('|', number, place, kind, detail_number, detail_id, grade, form, field, request,
            sent_before, excerpt, (SELECT group_concat(details) FROM flow)) FROM hit";
        let text: String = connection.query_row(query, [], |row| row.get(0)).unwrap();
        assert_eq!(text, "7|0|imei|1|-1|yours|sha1 base64url cut16|path[4]|0|12|/c/<imei 1>|-2,0");
        connection.execute("DELETE FROM flow WHERE number = 7", []).unwrap();
        assert_eq!(count(connection, "SELECT count(*) FROM hit"), 0);
    }
}
