//! Times in which nothing was watched, or not all: a report that does not name them would claim too much.

use rusqlite::{Connection, params};
use telltale_model::{Gap, Timestamp};

use crate::limits;

/// Keeps one. The same beginning told again with a later end is one gap that went on.
pub(crate) fn keep(connection: &Connection, gap: &Gap) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO gap (began, ended, why) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET ended = max(ended, excluded.ended)",
        params![gap.from.0, gap.to.0, gap.why.name()],
    )?;
    Ok(())
}

/// Those that lie in a span, at least in part, in the order in which they began; the latest of too many. A row that
/// this Telltale cannot have written is passed over.
pub(crate) fn select(connection: &Connection, from: Timestamp, to: Timestamp) -> rusqlite::Result<Vec<Gap>> {
    let mut statement = connection.prepare(
        "SELECT began, ended, why FROM gap WHERE ended > ?1 AND began < ?2 ORDER BY began DESC, why LIMIT ?3",
    )?;
    let mut rows = statement.query(params![from.0, to.0, limits::GAPS_READ])?;
    let mut gaps = Vec::new();
    while let Some(found) = rows.next()? {
        let why: String = found.get(2)?;
        let Ok(why) = why.parse() else { continue };
        gaps.push(Gap { from: Timestamp(found.get(0)?), to: Timestamp(found.get(1)?), why });
    }
    gaps.reverse();
    Ok(gaps)
}

#[cfg(test)]
mod tests {
    use telltale_model::GapReason;

    use super::*;
    use crate::testing::{Folder, run};
    use crate::{Reader, Store};

    fn gap(from: i64, to: i64, why: GapReason) -> Gap {
        Gap { from: Timestamp(from), to: Timestamp(to), why }
    }

    #[test]
    fn gaps_of_a_span_are_found_and_one_that_went_on_is_one() {
        let folder = Folder::new("gaps");
        let store = Store::open(&folder.database(), run()).unwrap().store;
        for noted in [
            gap(100, 200, GapReason::Off),
            gap(300, 310, GapReason::Locked),
            gap(300, 400, GapReason::Locked),
            gap(500, 600, GapReason::Ended),
        ] {
            store.note_gap(&noted).unwrap();
        }
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        let found = reader.gaps(Timestamp(150), Timestamp(500)).unwrap();
        assert_eq!(found, [gap(100, 200, GapReason::Off), gap(300, 400, GapReason::Locked)]);
        assert_eq!(reader.gaps(Timestamp(400), Timestamp(500)).unwrap(), []);
    }
}
