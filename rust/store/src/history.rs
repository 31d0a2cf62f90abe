//! What is remembered from before, for rules that compare.

use rusqlite::{Connection, params};
use telltale_model::{Day, History, Remembered, Timestamp, Zone};

use crate::{limits, row};

/// In seconds.
const DAY: i64 = 86_400;

/// By `now`: every app and company, and the days that make a usual one, as they are counted where the phone is.
pub(crate) fn select(connection: &Connection, now: Timestamp, zone: Zone) -> rusqlite::Result<History> {
    let (contacts, more_contacts) = contacts(connection, limits::CONTACTS_READ)?;
    let (days, watched) = (days(connection, now, zone)?, watched(connection, zone)?);
    Ok(History { contacts, more_contacts, days, watched })
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

/// Without a company the address tells the network's country. At most so many; and whether there are more.
fn contacts(connection: &Connection, most: u32) -> rusqlite::Result<(Vec<Remembered>, bool)> {
    let mut statement = connection.prepare(
        "SELECT program, uid, company, min(address), min(hour) FROM hourly
         GROUP BY program, uid, company, CASE WHEN company IS NULL THEN address ELSE '' END
         ORDER BY company IS NULL, min(hour) LIMIT ?1",
    )?;
    let rows = statement.query_map([i64::from(most) + 1], |found| {
        let (program, address, hour): (String, String, i64) = (found.get(0)?, found.get(3)?, found.get(4)?);
        let (uid, company) = (u32::try_from(found.get::<_, i64>(1)?).ok(), found.get(2)?);
        let program = (!program.is_empty()).then_some(program);
        let first = Timestamp(hour.saturating_mul(1_000_000));
        Ok(address.parse().ok().map(|address| Remembered { program, uid, company, address, first }))
    })?;
    let mut contacts: Vec<Remembered> =
        rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    let more = contacts.len() > most as usize;
    contacts.truncate(most as usize);
    Ok((contacts, more))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{Folder, flow, run};

    #[test]
    fn what_is_left_out_of_the_history_is_said() {
        let folder = Folder::new("history-cut");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        for (number, company) in ["shop", "bank", "news"].into_iter().enumerate() {
            let mut flow = flow(number as u64, 0);
            flow.destination.company = Some(company.into());
            flow.name = Some(format!("{company}.example"));
            store.commit(Timestamp(0), &[flow]).unwrap();
        }
        let read = |most| contacts(store.connection(), most).map(|(contacts, more)| (contacts.len(), more));
        assert_eq!((read(2), read(3)), (Ok((2, true)), Ok((3, false))));
    }
}
