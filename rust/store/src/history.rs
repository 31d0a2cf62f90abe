//! What is remembered from before, for rules that compare.

use rusqlite::{Connection, params};
use telltale_model::{Day, History, Remembered, Timestamp};

use crate::{limits, row};

/// By `now`: every app and company, and the days that make a usual one.
pub(crate) fn select(connection: &Connection, now: Timestamp) -> rusqlite::Result<History> {
    Ok(History { contacts: contacts(connection)?, days: days(connection, now)? })
}

/// Without a company the address tells the network's country.
fn contacts(connection: &Connection) -> rusqlite::Result<Vec<Remembered>> {
    let mut statement = connection.prepare(
        "SELECT program, uid, company, min(address), min(hour) FROM hourly
         GROUP BY program, uid, company, CASE WHEN company IS NULL THEN address ELSE '' END
         ORDER BY company IS NULL, min(hour) LIMIT ?1",
    )?;
    let rows = statement.query_map([limits::CONTACTS_READ], |found| {
        let (program, address, hour): (String, String, i64) = (found.get(0)?, found.get(3)?, found.get(4)?);
        let (uid, company) = (u32::try_from(found.get::<_, i64>(1)?).ok(), found.get(2)?);
        let program = (!program.is_empty()).then_some(program);
        let first = Timestamp(hour.saturating_mul(1_000_000));
        Ok(address.parse().ok().map(|address| Remembered { program, uid, company, address, first }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

fn days(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Day>> {
    const DAY: i64 = 86_400;
    let mut statement = connection.prepare(
        "SELECT program, uid, hour / 86400, sum(content_sent) FROM hourly WHERE hour >= ?1
         GROUP BY program, uid, hour / 86400 ORDER BY hour / 86400 LIMIT ?2",
    )?;
    let first = (now.day() - History::DAYS).saturating_mul(DAY);
    let rows = statement.query_map(params![first, limits::CONTACTS_READ], |found| {
        let program: String = found.get(0)?;
        Ok(Day {
            program: (!program.is_empty()).then_some(program),
            uid: u32::try_from(found.get::<_, i64>(1)?).ok(),
            day: found.get(2)?,
            content_sent: row::unsigned(found.get(3)?),
        })
    })?;
    rows.collect()
}
