//! What is remembered from before, for rules that compare.

use rusqlite::{Connection, params};
use telltale_model::{Day, GapReason, History, Remembered, Timestamp, Zone};

use crate::{gaps, limits, row};

/// In seconds.
const DAY: i64 = 86_400;

/// By `now`: every app and company, and the days that make a usual one, as they are counted where the phone is.
pub(crate) fn select(connection: &Connection, now: Timestamp, zone: Zone) -> rusqlite::Result<History> {
    let watched = watched(connection, now, zone)?;
    Ok(History { contacts: contacts(connection)?, days: days(connection, now, zone)?, watched })
}

/// A day on which anything was counted, unless it lies in gaps for the most part. A phone that is on is never silent
/// for a day.
fn watched(connection: &Connection, now: Timestamp, zone: Zone) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare(
        "SELECT DISTINCT (hour + ?1) / 86400 FROM hourly ORDER BY (hour + ?1) / 86400 DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![zone.0, limits::DAYS_READ], |found| found.get(0))?;
    let mut days = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
    days.reverse();
    let Some(first) = days.first().map(|day| begins(*day, zone)) else { return Ok(days) };
    let gaps = gaps::select(connection, first, now)?;
    let mut dark: Vec<_> = gaps
        .iter()
        .filter(|gap| !matches!(gap.why, GapReason::Excluded | GapReason::TooMuch))
        .map(|gap| (gap.from, gap.to))
        .collect();
    dark.sort_unstable();
    days.retain(|day| covered(&dark, begins(*day, zone), begins(day + 1, zone)) <= DAY * 1_000_000 / 2);
    Ok(days)
}

fn begins(day: i64, zone: Zone) -> Timestamp {
    Timestamp((day * DAY - i64::from(zone.0)).saturating_mul(1_000_000))
}

/// Microseconds of a span that lie in any of these, which are in the order of their beginnings.
fn covered(spans: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> i64 {
    let (mut sum, mut until) = (0, from);
    for (begin, end) in spans {
        let (begin, end) = ((*begin).max(until), (*end).min(to));
        sum += end.0.saturating_sub(begin.0).max(0);
        until = until.max(end);
    }
    sum
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
