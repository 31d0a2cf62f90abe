//! The tables, and how an older file becomes a newer one.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::{says_damaged, says_no_database};
use crate::findings;

/// Marks the file as ours ("Tell" in ASCII), so that a database of another program, named by
/// mistake, is not written to.
pub(crate) const APPLICATION: i32 = 0x5465_6c6c;

/// Step n brings a file of version n to version n + 1. Steps are never changed after a release,
/// only added.
pub(crate) const STEPS: [&str; 9] = [STEP_1, STEP_2, STEP_3, STEP_4, STEP_5, STEP_6, STEP_7, STEP_8, STEP_9];

/// Times are microseconds since 1970, hours are seconds since 1970. `hour` is the hour in which a
/// flow was last counted, `earlier_*` what was counted of it in hours before that one: so the share
/// of the last hour can move when the owner or the name becomes known late.
/// In `hourly`, an unknown program or name is '' and an unknown uid is -1, since NULLs never equal
/// one another in a primary key. A name that begins with a blank stands for hosts that were forgotten
/// ([`crate::hosts`]).
const STEP_1: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    command TEXT NOT NULL,
    version TEXT NOT NULL
) STRICT;

CREATE TABLE flow (
    run INTEGER NOT NULL REFERENCES run (id),
    number INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    app_address TEXT NOT NULL,
    app_port INTEGER NOT NULL,
    remote_address TEXT NOT NULL,
    remote_port INTEGER NOT NULL,
    uid INTEGER,
    pid INTEGER,
    program TEXT,
    name TEXT,
    started INTEGER NOT NULL,
    ended INTEGER,
    ending TEXT,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    earlier_bytes_sent INTEGER NOT NULL,
    earlier_bytes_received INTEGER NOT NULL,
    earlier_packets_sent INTEGER NOT NULL,
    earlier_packets_received INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_started ON flow (started);

CREATE TABLE hourly (
    hour INTEGER NOT NULL,
    program TEXT NOT NULL,
    uid INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    address TEXT NOT NULL,
    port INTEGER NOT NULL,
    name TEXT NOT NULL,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    PRIMARY KEY (hour, program, uid, protocol, address, port, name)
) STRICT, WITHOUT ROWID;
";

/// What the ledger needs. Of older rows nothing of it is known: they keep NULL and 0. `names` are those
/// that the flow itself carried, each on a line after its source. `name_known` is the rank of how the
/// name is known, from 1 for the surest way. `company` is an id of the tables of destinations, as they
/// were when the flow was kept; in `hourly` these say what was known of the flow that was kept last.
const STEP_2: &str = "
ALTER TABLE flow ADD COLUMN application TEXT;
ALTER TABLE flow ADD COLUMN names TEXT;
ALTER TABLE flow ADD COLUMN name_known INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN company TEXT;
ALTER TABLE flow ADD COLUMN probable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN role TEXT;
ALTER TABLE flow ADD COLUMN content_sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN handshake INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN searched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN found INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN opaque INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN unknown INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN not_watched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN asked_openly INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_content_sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_handshake INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_searched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_found INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_opaque INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_encrypted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_unknown INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_not_watched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_asked_openly INTEGER NOT NULL DEFAULT 0;

ALTER TABLE hourly ADD COLUMN name_known INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN company TEXT;
ALTER TABLE hourly ADD COLUMN probable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN role TEXT;
ALTER TABLE hourly ADD COLUMN content_sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN handshake INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN searched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN found INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN opaque INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN unknown INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN not_watched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN asked_openly INTEGER NOT NULL DEFAULT 0;
";

/// What was looked for in a flow, 0 where nothing was, and what of it was there. A detail is its kind, its number
/// for people and its random id, never its value; `form` are the steps from the value to the bytes, with blanks
/// between. Hits go with their flow.
const STEP_3: &str = "
ALTER TABLE flow ADD COLUMN details INTEGER NOT NULL DEFAULT 0;

CREATE TABLE hit (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail_number INTEGER,
    detail_id INTEGER,
    grade TEXT NOT NULL,
    form TEXT NOT NULL,
    field TEXT NOT NULL,
    request INTEGER,
    sent_before INTEGER NOT NULL,
    excerpt TEXT NOT NULL,
    PRIMARY KEY (run, number, place)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER hit_goes AFTER DELETE ON flow BEGIN
    DELETE FROM hit WHERE run = OLD.run AND number = OLD.number;
END;
";

/// What findings need: the findings of each flow, in their order, and what is not told any more ('' for all
/// programs). `given` says whether there were details to look for, wherever bytes could be searched; NULL
/// where there were none, and no bytes either.
const STEP_4: &str = "
ALTER TABLE hourly ADD COLUMN given INTEGER;
UPDATE hourly SET given = 0 WHERE searched > 0;

CREATE TABLE finding (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    program TEXT,
    uid INTEGER,
    at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    finding TEXT NOT NULL,
    PRIMARY KEY (run, number, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX finding_at ON finding (at);

CREATE TABLE mute (
    program TEXT NOT NULL,
    rule TEXT NOT NULL,
    PRIMARY KEY (program, rule)
) STRICT, WITHOUT ROWID;
";

/// What was read with keys stands in the classes as if it had been in clear; `read_with_keys` says how much that was.
/// Versions before had counted it as encrypted. `interruption` is what a person was interrupted for. The index holds
/// the few flows that named several hosts, which `telltale report` asks for: without it each look reads all flows.
const STEP_5: &str = "
ALTER TABLE flow ADD COLUMN read_with_keys INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow ADD COLUMN earlier_read_with_keys INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hourly ADD COLUMN read_with_keys INTEGER NOT NULL DEFAULT 0;

CREATE TABLE interruption (
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (at, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_names ON flow (hour) WHERE instr(names, char(10)) > 0;
";

/// What a phone needs. What its apps were: `program` of the flow is the name of the first of their packages, '' where there is
/// none. `packages` and `names` are one a line, `kind` is whose the app is, `seen` when it was last found to have
/// changed. A flow of a phone says which app sent it, and in which version. Gaps are times in which nothing was watched.
const STEP_6: &str = "
CREATE TABLE app (
    id INTEGER PRIMARY KEY,
    program TEXT NOT NULL,
    uid INTEGER NOT NULL,
    signer TEXT NOT NULL,
    packages TEXT NOT NULL,
    names TEXT NOT NULL,
    version TEXT,
    since INTEGER,
    kind TEXT NOT NULL,
    shared INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    UNIQUE (program, uid, signer)
) STRICT;

CREATE TABLE gap (
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (began, why)
) STRICT, WITHOUT ROWID;

ALTER TABLE flow ADD COLUMN app INTEGER REFERENCES app (id);
ALTER TABLE flow ADD COLUMN app_version TEXT;
";

/// Flows that the person had forgotten while they lived: what they go on to send is not kept.
const STEP_7: &str = "
CREATE TABLE forgotten (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
";

/// What screens ask for: who sent to whom, each with a number, and what was sent in each hour and in each whole day of
/// UTC, which follow `hourly`. `lone` is the address where there is no name to tell receivers apart, `address` one of
/// those that a name had; the party without either is all of an app. `rows` and `hours` say how many rows of `hourly`
/// it stands for: with the last it goes. `key` is [`Finding::key`](telltale_model::Finding::key), '' where the finding
/// cannot be read: its index holds all that is needed to say how often each was seen.
const STEP_8: &str = "
CREATE TABLE party (
    id INTEGER PRIMARY KEY,
    program TEXT NOT NULL,
    uid INTEGER NOT NULL,
    name TEXT NOT NULL,
    lone TEXT NOT NULL,
    address TEXT NOT NULL,
    company TEXT,
    probable INTEGER NOT NULL,
    role TEXT,
    rows INTEGER NOT NULL,
    UNIQUE (program, uid, name, lone)
) STRICT;

CREATE TABLE total (
    step INTEGER NOT NULL,
    began INTEGER NOT NULL,
    party INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    given INTEGER,
    content_sent INTEGER NOT NULL,
    handshake INTEGER NOT NULL,
    searched INTEGER NOT NULL,
    found INTEGER NOT NULL,
    opaque INTEGER NOT NULL,
    encrypted INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    not_watched INTEGER NOT NULL,
    asked_openly INTEGER NOT NULL,
    read_with_keys INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    PRIMARY KEY (step, began, party)
) STRICT, WITHOUT ROWID;

INSERT INTO party (program, uid, name, lone, address, company, probable, role, rows)
SELECT program, uid, name, iif(name = '', address, '') AS lone, min(address), max(company), max(probable), max(role),
    count(*)
FROM hourly GROUP BY program, uid, name, lone
UNION ALL
SELECT program, uid, '', '', '', NULL, 0, NULL, count(*) FROM hourly GROUP BY program, uid;

INSERT INTO total (
    step, began, party, hours, given, content_sent, handshake, searched, found, opaque, encrypted,
    unknown, not_watched, asked_openly, read_with_keys, flows
)
SELECT
    step, hour / step * step AS start, party.id, count(*), min(given), sum(content_sent), sum(handshake),
    sum(searched), sum(found), sum(opaque), sum(encrypted), sum(unknown), sum(not_watched),
    sum(asked_openly), sum(read_with_keys), sum(flows)
FROM (SELECT 3600 AS step UNION ALL SELECT 86400) CROSS JOIN hourly CROSS JOIN party ON party.id IN (
    SELECT id FROM party AS receiver
    WHERE receiver.program = hourly.program AND receiver.uid = hourly.uid AND receiver.name = hourly.name
        AND receiver.lone = iif(hourly.name = '', hourly.address, '')
    UNION ALL
    SELECT id FROM party AS app
    WHERE app.program = hourly.program AND app.uid = hourly.uid AND app.name = '' AND app.lone = ''
)
GROUP BY step, start, party.id;

CREATE TRIGGER hour_begins AFTER INSERT ON hourly BEGIN
    INSERT INTO party (program, uid, name, lone, address, company, probable, role, rows)
    VALUES
        (NEW.program, NEW.uid, NEW.name, iif(NEW.name = '', NEW.address, ''), NEW.address, NEW.company,
            NEW.probable, NEW.role, 1),
        (NEW.program, NEW.uid, '', '', '', NULL, 0, NULL, 1)
    ON CONFLICT DO UPDATE SET
        rows = rows + 1, company = excluded.company, probable = excluded.probable, role = excluded.role;
    INSERT INTO total (
        step, began, party, hours, given, content_sent, handshake, searched, found, opaque, encrypted,
        unknown, not_watched, asked_openly, read_with_keys, flows
    )
    SELECT
        step, began, id, 1, NEW.given, NEW.content_sent, NEW.handshake, NEW.searched, NEW.found,
        NEW.opaque, NEW.encrypted, NEW.unknown, NEW.not_watched, NEW.asked_openly, NEW.read_with_keys,
        NEW.flows
    FROM (SELECT 3600 AS step, NEW.hour AS began UNION ALL SELECT 86400, NEW.hour / 86400 * 86400)
    JOIN (
        SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        UNION ALL SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = '' AND lone = ''
    ) WHERE true
    ON CONFLICT DO UPDATE SET
        hours = hours + 1, given = coalesce(min(given, excluded.given), given, excluded.given),
        content_sent = content_sent + excluded.content_sent, handshake = handshake + excluded.handshake,
        searched = searched + excluded.searched, found = found + excluded.found,
        opaque = opaque + excluded.opaque, encrypted = encrypted + excluded.encrypted,
        unknown = unknown + excluded.unknown, not_watched = not_watched + excluded.not_watched,
        asked_openly = asked_openly + excluded.asked_openly,
        read_with_keys = read_with_keys + excluded.read_with_keys, flows = flows + excluded.flows;
END;

CREATE TRIGGER hour_goes_on AFTER UPDATE ON hourly BEGIN
    UPDATE total SET
        given = coalesce(min(given, NEW.given), given, NEW.given),
        content_sent = content_sent + NEW.content_sent - OLD.content_sent,
        handshake = handshake + NEW.handshake - OLD.handshake,
        searched = searched + NEW.searched - OLD.searched, found = found + NEW.found - OLD.found,
        opaque = opaque + NEW.opaque - OLD.opaque, encrypted = encrypted + NEW.encrypted - OLD.encrypted,
        unknown = unknown + NEW.unknown - OLD.unknown,
        not_watched = not_watched + NEW.not_watched - OLD.not_watched,
        asked_openly = asked_openly + NEW.asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys + NEW.read_with_keys - OLD.read_with_keys,
        flows = flows + NEW.flows - OLD.flows
    WHERE step = 3600 AND began = NEW.hour AND party IN (
        SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        UNION ALL SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = '' AND lone = ''
    );
    UPDATE total SET
        given = coalesce(min(given, NEW.given), given, NEW.given),
        content_sent = content_sent + NEW.content_sent - OLD.content_sent,
        handshake = handshake + NEW.handshake - OLD.handshake,
        searched = searched + NEW.searched - OLD.searched, found = found + NEW.found - OLD.found,
        opaque = opaque + NEW.opaque - OLD.opaque, encrypted = encrypted + NEW.encrypted - OLD.encrypted,
        unknown = unknown + NEW.unknown - OLD.unknown,
        not_watched = not_watched + NEW.not_watched - OLD.not_watched,
        asked_openly = asked_openly + NEW.asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys + NEW.read_with_keys - OLD.read_with_keys,
        flows = flows + NEW.flows - OLD.flows
    WHERE step = 86400 AND began = NEW.hour / 86400 * 86400 AND party IN (
        SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        UNION ALL SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = '' AND lone = ''
    );
    UPDATE party SET company = NEW.company, probable = NEW.probable, role = NEW.role
    WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        AND (company IS NOT NEW.company OR probable <> NEW.probable OR role IS NOT NEW.role);
END;

CREATE TRIGGER hour_goes AFTER DELETE ON hourly BEGIN
    UPDATE total SET
        hours = hours - 1, content_sent = content_sent - OLD.content_sent,
        handshake = handshake - OLD.handshake, searched = searched - OLD.searched,
        found = found - OLD.found, opaque = opaque - OLD.opaque, encrypted = encrypted - OLD.encrypted,
        unknown = unknown - OLD.unknown, not_watched = not_watched - OLD.not_watched,
        asked_openly = asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys - OLD.read_with_keys, flows = flows - OLD.flows
    WHERE step = 3600 AND began = OLD.hour AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    UPDATE total SET
        hours = hours - 1, content_sent = content_sent - OLD.content_sent,
        handshake = handshake - OLD.handshake, searched = searched - OLD.searched,
        found = found - OLD.found, opaque = opaque - OLD.opaque, encrypted = encrypted - OLD.encrypted,
        unknown = unknown - OLD.unknown, not_watched = not_watched - OLD.not_watched,
        asked_openly = asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys - OLD.read_with_keys, flows = flows - OLD.flows
    WHERE step = 86400 AND began = OLD.hour / 86400 * 86400 AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    DELETE FROM total WHERE hours < 1 AND step = 3600 AND began = OLD.hour AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    DELETE FROM total WHERE hours < 1 AND step = 86400 AND began = OLD.hour / 86400 * 86400 AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    UPDATE party SET rows = rows - 1 WHERE id IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    DELETE FROM party WHERE rows < 1 AND id IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
END;

ALTER TABLE finding ADD COLUMN key TEXT NOT NULL DEFAULT '';
CREATE INDEX finding_key ON finding (key, at, times);
";

/// A detail is told from others by its id and no more by its number, which another value may take: the keys of findings
/// say so ([`findings::name_all`]). What was asked for in the DNS is not kept any more ([`crate::row`]).
const STEP_9: &str = "UPDATE flow SET names = NULL WHERE names LIKE 'dns %';";

/// The version that the file says it has; 0 for an empty one.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Why a file cannot be used as it is.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// Its content is damaged.
    Damaged,
    /// It was never a database, or its first page is lost.
    NoDatabase,
    /// It is another program's.
    Foreign,
    /// It is of a version that this Telltale does not know yet.
    Newer { version: i64, newest: usize },
    /// The system does not let us.
    Failed(rusqlite::Error),
    /// Others change it all the time.
    Changing,
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        if says_no_database(&error) {
            Self::NoDatabase
        } else if says_damaged(&error) {
            Self::Damaged
        } else {
            Self::Failed(error)
        }
    }
}

/// Refuses a database of another program, and one of a newer Telltale: it may hold what this one
/// would break.
pub(crate) fn refuse_foreign(connection: &Connection, newest: usize) -> Result<(), Unusable> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 && application != APPLICATION {
        return Err(Unusable::Foreign);
    }
    let version = version(connection)?;
    if usize::try_from(version).is_ok_and(|version| version <= newest) {
        return Ok(());
    }
    Err(Unusable::Newer { version, newest })
}

/// Applies the steps that the file lacks, each in a transaction of its own: after a power cut the
/// file has some version, never a half of one.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    while apply_next(connection, steps)? {}
    Ok(())
}

/// Two Telltales may start at once on one file: the version is read under the write lock.
fn apply_next(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<bool> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let version = version(&transaction)?;
    let Some(step) = usize::try_from(version).ok().and_then(|version| steps.get(version)) else {
        return Ok(false);
    };
    transaction.execute_batch(step)?;
    if *step == STEP_9 {
        findings::name_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", version + 1)?;
    transaction.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, count, flow, run};
    use crate::{Store, file};
    use telltale_model::Timestamp;

    const NEWEST: i64 = STEPS.len() as i64;

    /// A step as a later release would add it.
    const NEXT: &str = "ALTER TABLE flow ADD COLUMN country TEXT; UPDATE flow SET country = 'XX';";

    #[test]
    fn an_older_file_becomes_a_newer_one_and_keeps_its_flows() {
        let folder = Folder::new("older");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(Timestamp(0), &[flow(1, 0), flow(2, 0)]).unwrap();
        drop(store);

        let (connection, _) = file::open(&folder.database(), &[&STEPS[..], &[NEXT]].concat()).unwrap();
        assert_eq!(version(&connection).unwrap(), NEWEST + 1);
        assert_eq!(count(&connection, "SELECT count(*) FROM flow WHERE country = 'XX'"), 2);
    }

    #[test]
    fn a_step_that_fails_in_its_middle_leaves_the_older_version() {
        let folder = Folder::new("half");
        drop(Store::open(&folder.database(), run()).unwrap());
        let broken = format!("{NEXT} SELECT * FROM no_such_table;");
        assert!(file::open(&folder.database(), &[&STEPS[..], &[&broken]].concat()).is_err());

        let (connection, aside) = file::open(&folder.database(), &STEPS).unwrap();
        assert_eq!((version(&connection).unwrap(), aside), (NEWEST, None));
        assert_eq!(
            count(&connection, "SELECT count(*) FROM pragma_table_info('flow') WHERE name = 'country'"),
            0
        );
    }
}
