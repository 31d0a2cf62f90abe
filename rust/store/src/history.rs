//! What is remembered from before, for rules that compare.

use rusqlite::{Connection, params};
use telltale_model::{Day, History, Remembered, Timestamp, Zone};

use crate::{limits, row};

/// In seconds.
const DAY: i64 = 86_400;

/// By `now`: every app and company, and the days that make a usual one, as they are counted where the phone is.
pub(crate) fn select(connection: &Connection, now: Timestamp, zone: Zone) -> rusqlite::Result<History> {
    let (contacts, days) = (contacts(connection)?, days(connection, now, zone)?);
    Ok(History { contacts, days, watched: watched(connection, zone)? })
}

/// Days in at least twelve hours of which anything was counted: of one that was watched for some minutes, or that lies in
/// gaps for the most part, nobody can say what an app does on a day. A phone that is on says something in most hours.
fn watched(connection: &Connection, zone: Zone) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare(
        "SELECT (hour + ?1) / 86400 AS day FROM (SELECT DISTINCT hour FROM hourly)
         GROUP BY day HAVING count(*) >= 12 ORDER BY day DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![zone.0, limits::DAYS_READ], |found| found.get(0))?;
    let mut days = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
    days.reverse();
    Ok(days)
}

fn begins(day: i64, zone: Zone) -> Timestamp {
    Timestamp((day * DAY - i64::from(zone.0)).saturating_mul(1_000_000))
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

/// Whole hours: where clocks differ from UTC by half an hour, one belongs to the day in which it begins.
fn days(connection: &Connection, now: Timestamp, zone: Zone) -> rusqlite::Result<Vec<Day>> {
    let mut statement = connection.prepare(
        "SELECT program, uid, (hour + ?2) / 86400, sum(content_sent) FROM hourly WHERE hour >= ?1
         GROUP BY program, uid, (hour + ?2) / 86400 ORDER BY (hour + ?2) / 86400 LIMIT ?3",
    )?;
    let first = begins(now.day_in(zone) - History::DAYS, zone).seconds();
    let rows = statement.query_map(params![first, zone.0, limits::CONTACTS_READ], |found| {
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
