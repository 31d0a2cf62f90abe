//! Findings as the database keeps them: one row each, with what is particular to a rule as JSON. They hold names
//! of details and never a value.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, params};
use telltale_model::{Finding, Flow, Interruption, Rule, Timestamp, Told, sort_told};

use crate::{limits, row};

/// What is not told any more: a rule, of one app or of all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mute {
    /// The program's path; `None` for all.
    pub program: Option<String>,
    /// The rule.
    pub rule: Rule,
}

impl Mute {
    /// Whether a finding is not to be told.
    pub fn covers(&self, finding: &Finding) -> bool {
        let same_app = self.program.is_none() || self.program == finding.program;
        same_app && self.rule == finding.what.rule()
    }
}

/// What the database knows of findings, and what it could not say of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each statement once, in the order in which they are told.
    pub told: Vec<Told>,
    /// Older ones that were too many to be looked at.
    pub older: u64,
    /// Rows that cannot be read: another Telltale wrote them, or they are damaged.
    pub unread: u64,
}

/// Keeps what is known of a flow now in place of what was known before.
pub(crate) fn keep(transaction: &Transaction<'_>, run: i64, flow: &Flow) -> rusqlite::Result<()> {
    let number = row::signed(flow.number.0);
    transaction
        .prepare_cached("DELETE FROM finding WHERE run = ?1 AND number = ?2")?
        .execute(params![run, number])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO finding (run, number, place, rule, severity, program, uid, at, times, finding, key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for (place, finding) in (0_i64..).zip(&flow.findings) {
        let text = serde_json::to_string(finding)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        insert.execute(params![
            run,
            number,
            place,
            finding.what.rule().name(),
            finding.severity.name(),
            finding.program,
            finding.uid,
            finding.at.0,
            row::signed(finding.times),
            text,
            finding.key(),
        ])?;
    }
    Ok(())
}

/// Of a span and of one program where they are given: the latest ones, up to a limit.
pub(crate) fn select(
    connection: &Connection,
    span: (Option<Timestamp>, Option<Timestamp>),
    program: Option<&str>,
) -> rusqlite::Result<Findings> {
    select_up_to(limits::FINDINGS_READ, connection, span, program)
}

/// How often each statement was seen, the latest first. Those that cannot be read have no key. The index has all of it.
const STATEMENTS: &str = "
SELECT key, min(at), max(at), sum(times), count(*) FROM finding INDEXED BY finding_key
WHERE at >= ?1 AND at < ?2 GROUP BY key ORDER BY max(at) DESC, key
";

const STATEMENTS_OF: &str = "
SELECT key, min(at), max(at), sum(times), count(*) FROM finding
WHERE at >= ?1 AND at < ?2 AND (program = ?3 OR substr(program, -length(?3) - 1) = '/' || ?3)
GROUP BY key ORDER BY max(at) DESC, key
";

const FIRST: &str = "SELECT finding FROM finding WHERE key = ?1 AND at = ?2 LIMIT 1";

fn select_up_to(
    most: u64,
    connection: &Connection,
    (since, until): (Option<Timestamp>, Option<Timestamp>),
    program: Option<&str>,
) -> rusqlite::Result<Findings> {
    let since = since.map_or(i64::MIN, |since| row::hour(since).saturating_mul(1_000_000));
    let until = until.map_or(i64::MAX, |until| until.0);
    let mut found = Findings::default();
    let mut statement = connection.prepare(if program.is_some() { STATEMENTS_OF } else { STATEMENTS })?;
    let mut rows = match program {
        Some(program) => statement.query(params![since, until, program])?,
        None => statement.query([since, until])?,
    };
    while let Some(row) = rows.next()? {
        let (key, first, last): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (times, count) = (row::unsigned(row.get(3)?), row::unsigned(row.get(4)?));
        if key.is_empty() {
            found.unread += count;
        } else if found.told.len() as u64 >= most {
            found.older += count;
        } else if let Some(finding) = read(connection, &key, first)? {
            found.told.push(Told { finding, times, last: Timestamp(last) });
        } else {
            found.unread += count;
        }
    }
    sort_told(&mut found.told);
    Ok(found)
}

/// The finding that was seen first of those with this key.
fn read(connection: &Connection, key: &str, at: i64) -> rusqlite::Result<Option<Finding>> {
    connection.prepare_cached(FIRST)?.query_row(params![key, at], |found| Ok(finding(found.get_ref(0)?)))
}

fn finding(kept: ValueRef<'_>) -> Option<Finding> {
    serde_json::from_slice(kept.as_bytes().ok()?).ok()
}

/// Gives the findings of before version 9 their keys, which only their text says.
pub(crate) fn name_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut all = transaction.prepare("SELECT run, number, place, finding FROM finding")?;
    let mut name =
        transaction.prepare("UPDATE finding SET key = ?4 WHERE run = ?1 AND number = ?2 AND place = ?3")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let Some(finding) = finding(row.get_ref(3)?) else { continue };
        let (run, number, place): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        name.execute(params![run, number, place, finding.key()])?;
    }
    Ok(())
}

/// Begins or ends a silence. '' stands for all programs.
pub(crate) fn mute(connection: &Connection, mute: &Mute, on: bool) -> rusqlite::Result<()> {
    let change = if on {
        "INSERT OR IGNORE INTO mute (program, rule) VALUES (?1, ?2)"
    } else {
        "DELETE FROM mute WHERE program = ?1 AND rule = ?2"
    };
    connection.execute(change, params![mute.program.as_deref().unwrap_or(""), mute.rule.name()])?;
    Ok(())
}

/// All silences.
pub(crate) fn muted(connection: &Connection) -> rusqlite::Result<Vec<Mute>> {
    let mut statement = connection.prepare("SELECT program, rule FROM mute ORDER BY program, rule")?;
    let rows = statement.query_map([], |found| Ok((found.get(0)?, found.get(1)?)))?;
    let mut muted = Vec::new();
    for row in rows {
        let (program, rule): (String, String) = row?;
        let rule = Rule::ALL.into_iter().find(|known| known.name() == rule);
        let program = (!program.is_empty()).then_some(program);
        muted.extend(rule.map(|rule| Mute { program, rule }));
    }
    Ok(muted)
}

/// Remembers that a person was interrupted, and forgets what was longer ago than anything asks for.
pub(crate) fn interrupted(connection: &Connection, interruption: &Interruption) -> rusqlite::Result<()> {
    const DAY: i64 = 86_400 * 1_000_000;
    let Interruption { at, subject } = interruption;
    connection.execute("DELETE FROM interruption WHERE at < ?1", [at.0.saturating_sub(2 * DAY)])?;
    connection.execute(
        "INSERT OR IGNORE INTO interruption (at, subject) VALUES (?1, ?2)",
        params![at.0, subject],
    )?;
    Ok(())
}

/// The interruptions of the last two days, the latest first.
pub(crate) fn interruptions(connection: &Connection) -> rusqlite::Result<Vec<Interruption>> {
    let mut statement =
        connection.prepare("SELECT at, subject FROM interruption ORDER BY at DESC, subject")?;
    let rows = statement
        .query_map([], |found| Ok(Interruption { at: Timestamp(found.get(0)?), subject: found.get(1)? }))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use telltale_model::{
        Confidence, DetailKind, DetailName, Envelope, Evidence, FlowNumber, Form, Grade, Severity, What, Zone,
    };

    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Filter, Reader, Store};

    const DAY: i64 = 86_400 * 1_000_000;
    const NOW: Timestamp = Timestamp(20_783 * DAY + DAY / 2);

    fn flagged(number: u64, at: Timestamp, findings: &[&[Form]]) -> Flow {
        let flow = flow(number, at.0);
        let detail = Some(DetailName { kind: DetailKind::Imei, number: 1, id: 7 });
        let finding = |form: &&[Form]| Finding {
            what: What::IdentifierSent {
                kind: DetailKind::Imei,
                detail,
                grade: Grade::Yours,
                form: form.to_vec(),
            },
            program: flow.owner.program.clone(),
            uid: flow.owner.uid,
            destination: flow.destination.clone(),
            envelope: Envelope::None,
            severity: Severity::High,
            confidence: Confidence::Certain,
            evidence: Evidence {
                flow: FlowNumber(number),
                offset: Some(4),
                field: Some("path[4]".into()),
                excerpt: Some("/pass/<imei 1>".into()),
            },
            times: 2,
            at,
        };
        Flow { findings: findings.iter().map(finding).collect(), ..flow }
    }

    fn store(folder: &Folder, flows: &[Flow]) -> Store {
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(NOW, flows).unwrap();
        store
    }

    fn told(folder: &Folder, filter: &Filter) -> Vec<(Finding, u64, Timestamp)> {
        let found = Reader::open(&folder.database()).unwrap().unwrap().findings(filter).unwrap();
        assert_eq!((found.older, found.unread), (0, 0));
        found.told.into_iter().map(|told| (told.finding, told.times, told.last)).collect()
    }

    #[test]
    fn findings_come_back_as_they_were_and_the_same_one_once() {
        let folder = Folder::new("findings");
        let later = Timestamp(NOW.0 + 1);
        let (first, second) = (flagged(1, NOW, &[&[], &[Form::Sha1]]), flagged(2, later, &[&[]]));
        let mut store = store(&folder, &[second, first.clone()]);
        store.commit(NOW, std::slice::from_ref(&first)).unwrap();
        let expected = [(first.findings[0].clone(), 4, later), (first.findings[1].clone(), 2, NOW)];
        assert_eq!(told(&folder, &Filter::default()), expected);
        let other = Filter { program: Some("wget".into()), since: None };
        let tomorrow = Filter { program: None, since: Some(Timestamp(NOW.0 + DAY)) };
        assert!(told(&folder, &other).is_empty() && told(&folder, &tomorrow).is_empty());
    }

    #[test]
    fn what_is_not_told_is_counted() {
        let folder = Folder::new("not-told");
        let flows = [1, 2, 3, 4].map(|number| {
            let mut flow = flagged(number, Timestamp(NOW.0 + number.cast_signed()), &[&[]]);
            flow.findings[0].program = Some(format!("/opt/{number}"));
            flow
        });
        let store = store(&folder, &flows);
        let connection = store.connection();
        let up_to = |most, program| {
            let Findings { told, older, unread } =
                select_up_to(most, connection, (None, None), program).unwrap();
            (told.len(), older, unread)
        };
        assert_eq!((up_to(9, None), up_to(3, None), up_to(4, None)), ((4, 0, 0), (3, 1, 0), (4, 0, 0)));
        assert_eq!(up_to(1, Some("2")), (1, 0, 0));
        connection
            .execute("UPDATE finding SET finding = '{\"what\":{\"rule\":\"to-come\"}}' WHERE number = 4", [])
            .unwrap();
        connection.execute("UPDATE finding SET finding = CAST(x'ff' AS TEXT) WHERE number = 3", []).unwrap();
        assert_eq!(up_to(9, None), (2, 0, 2));
    }

    #[test]
    fn interruptions_are_remembered_for_two_days() {
        let folder = Folder::new("interruptions");
        let store = store(&folder, &[flagged(1, NOW, &[&[]])]);
        let at = |days: i64| Interruption { at: Timestamp(NOW.0 + days * DAY), subject: "a <imei 1>".into() };
        for days in [0, 0, 1, 2] {
            store.interrupted(&at(days)).unwrap();
        }
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        assert_eq!(reader.interruptions().unwrap(), [at(2), at(1), at(0)]);
        store.interrupted(&at(3)).unwrap();
        assert_eq!(reader.interruptions().unwrap(), [at(3), at(2), at(1)]);
    }

    #[test]
    fn a_finding_that_holds_no_more_goes() {
        let folder = Folder::new("no-more");
        let mut store = store(&folder, &[flagged(1, NOW, &[&[], &[Form::Md5]])]);
        store.commit(NOW, &[flagged(1, NOW, &[&[]])]).unwrap();
        assert_eq!(count(store.connection(), "SELECT count(*) FROM finding"), 1);
    }

    #[test]
    fn flagged_flows_stay_as_long_as_their_findings() {
        let folder = Folder::new("flagged");
        let ago = |days: i64| Timestamp(NOW.0 - days * DAY);
        let flows = [flow(1, ago(8).0), flagged(2, ago(31), &[&[]]), flagged(3, ago(91), &[&[]])];
        let store = store(&folder, &flows);
        let kept = "SELECT group_concat(number) = '2' FROM flow";
        assert_eq!(count(store.connection(), kept), 1);
        assert_eq!(count(store.connection(), "SELECT count(*) FROM finding"), 1);
    }

    #[test]
    fn a_silence_is_kept_and_ends() {
        let folder = Folder::new("mute");
        let store = store(&folder, &[flagged(1, NOW, &[&[]])]);
        let mutes = [None, Some("/usr/bin/curl".to_owned())]
            .map(|program| Mute { program, rule: Rule::IdentifierSent });
        for mute in &mutes {
            store.mute(mute, true).unwrap();
            store.mute(mute, true).unwrap();
        }
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        assert_eq!(reader.muted().unwrap(), mutes);
        let finding = &flagged(1, NOW, &[&[]]).findings[0];
        assert!(mutes.iter().all(|mute| mute.covers(finding)));
        let other = Mute { program: Some("/usr/bin/wget".into()), rule: Rule::IdentifierSent };
        assert!(!other.covers(finding) && !Mute { rule: Rule::AppsSent, ..mutes[0].clone() }.covers(finding));
        store.mute(&mutes[0], false).unwrap();
        assert_eq!(reader.muted().unwrap(), mutes[1..]);
    }

    #[test]
    fn the_history_is_who_was_contacted_first_when_and_how_much_on_each_day() {
        let folder = Folder::new("history");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        for (number, days) in [(1, 20), (2, 3), (3, 0)] {
            let at = Timestamp(NOW.0 - days * DAY);
            let mut flow = flow(number, at.0);
            flow.destination.company = Some("shop".into());
            flow.facts.content_sent = number;
            store.commit(at, &[flow]).unwrap();
        }
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        let history = reader.history(NOW, Zone::default()).unwrap();
        let [contact] = &history.contacts[..] else { panic!("{history:?}") };
        assert_eq!((contact.company.as_deref(), contact.first), (Some("shop"), Timestamp(NOW.0 - 20 * DAY)));
        let days: Vec<_> = history.days.iter().map(|day| (day.day - NOW.day(), day.content_sent)).collect();
        assert_eq!(days, [(-3, 2), (0, 3)]);
        assert_eq!(history.watched, [] as [i64; 0], "an hour is no day");
    }

    #[test]
    fn days_are_those_of_the_place_and_one_of_few_hours_was_not_watched() {
        let folder = Folder::new("watched");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let midnight = NOW.day() * DAY;
        let mut speak = |hours: std::ops::Range<i64>| {
            for hour in hours {
                let at = midnight + hour * 3_600_000_000;
                for flow in [flow((100 + hour).unsigned_abs(), at), flow((200 + hour).unsigned_abs(), at)] {
                    store.commit(Timestamp(at), &[flow]).unwrap();
                }
            }
        };
        let watched = |zone: i32| -> Vec<i64> {
            let reader = Reader::open(&folder.database()).unwrap().unwrap();
            let history = reader.history(NOW, Zone(zone)).unwrap();
            history.watched.iter().map(|day| day - NOW.day()).collect()
        };
        speak(-13..-2);
        assert!(watched(0).is_empty(), "eleven hours");
        speak(-2..-1);
        assert_eq!(watched(0), [-1]);
        assert_eq!((watched(-7_200), watched(7_200)), (vec![-1], vec![]), "one of them is tomorrow there");
    }
}
