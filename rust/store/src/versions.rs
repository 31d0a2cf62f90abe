//! Databases of every version there was: each becomes the newest one, and nothing is lost. A new version
//! brings its own `tests/versions/N.sql`, which holds the same flows.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use telltale_model::{Content, Coverage, NameKnown, Protection, Role, Rule, Timestamp};

use crate::testing::{Folder, flow, run};
use crate::{Filter, Mute, Reader, Store, Total};

/// 08:33 UTC on the day of the flows in `tests/versions`.
const NOW: Timestamp = Timestamp(1_795_509_200_000_000);

type Known = (String, String, u64, u64, u64);

/// Program, destination, bytes sent and received, flows: what the prose in `tests/versions` says.
fn expected() -> Vec<Known> {
    [
        ("/usr/bin/curl", "shop.example tcp", 1_500_000, 5_000, 1),
        ("/usr/bin/ping", "2001:db8::9 icmp", 56, 56, 1),
        ("/usr/bin/curl", "system resolver udp", 30, 62, 1),
        ("", "192.0.2.9 tcp", 0, 0, 1),
    ]
    .map(|(program, host, sent, received, flows)| (program.into(), host.into(), sent, received, flows))
    .to_vec()
}

#[test]
fn every_version_becomes_the_newest_and_keeps_what_it_knew() {
    let folder = Folder::new("versions");
    for number in 1..=newest(&folder) {
        let database = made_from(number, &folder);
        let mut opened = Store::open(&database, run()).unwrap();
        assert_eq!(opened.set_aside, None, "version {number}");
        assert_eq!(known(&database), expected(), "version {number}");

        opened.store.commit(NOW, &[flow(1, NOW.0)]).unwrap();
        assert_eq!(known(&database).len(), expected().len() + 1, "version {number} goes on");
        assert_eq!(shape(&database), shape(&new(&folder)), "version {number} is as a new one");
    }
}

#[test]
fn what_version_2_knows_of_content_and_company_stays_and_version_1_claims_nothing() {
    let folder = Folder::new("content");
    let [old, new] = [1, 2].map(|number| {
        let database = made_from(number, &folder);
        drop(Store::open(&database, run()).unwrap());
        Reader::open(&database).unwrap().unwrap().totals(&Filter::default()).unwrap()
    });
    assert!(old.iter().all(|total| total.content == Content::default() && total.company.is_none()));
    let shop = &new[0];
    assert_eq!(
        (shop.company.as_deref(), shop.role, shop.known),
        (Some("shop"), Some(Role::Payment), Some(NameKnown::Tls))
    );
    let coverage = Coverage { handshake: 700, encrypted: 1_499_300, ..Coverage::default() };
    assert_eq!(shop.content, Content { sent: 1_499_000, coverage, ..Content::default() });
    let protection: Vec<_> = new.iter().map(|total| total.content.protection()).collect();
    use Protection::{None, Protected, Unknown};
    assert_eq!(protection, [Protected, Unknown, None, Unknown]);
}

#[test]
fn the_findings_of_version_4_stay() {
    let folder = Folder::new("found");
    let database = made_from(4, &folder);
    drop(Store::open(&database, run()).unwrap());
    let reader = Reader::open(&database).unwrap().unwrap();
    let findings = reader.findings(&Filter::default()).unwrap().told;
    let rules: Vec<_> = findings.iter().map(|told| (told.finding.what.rule(), told.times)).collect();
    assert_eq!(rules, [(Rule::ContentInClear, 1)]);
    let muted = Mute { program: Some("/usr/bin/curl".into()), rule: Rule::FirstContact };
    assert_eq!(reader.muted().unwrap(), [muted]);
}

#[test]
fn what_version_5_has_read_with_keys_stays_and_version_4_claims_nothing() {
    let folder = Folder::new("keys");
    let with_keys = |number| {
        let database = made_from(number, &folder);
        drop(Store::open(&database, run()).unwrap());
        let reader = Reader::open(&database).unwrap().unwrap();
        let totals = reader.totals(&Filter::default()).unwrap();
        (totals[0].content, reader.interruptions().unwrap())
    };
    let ((before, none), (after, interruptions)) = (with_keys(4), with_keys(5));
    assert_eq!((before.read_with_keys, before.protection(), none.len()), (0, Protection::Protected, 0));
    assert_eq!((after.read_with_keys, after.protection()), (1_200, Protection::Protected));
    assert_eq!(after.coverage, Coverage { searched: 1_200, encrypted: 1_498_100, ..before.coverage });
    assert_eq!(interruptions[0].subject, "/usr/bin/curl <imei 1>");
}

/// What version 8 sums up of days and of findings is made of what there was before.
#[test]
fn version_7_gets_the_days_and_the_keys_of_version_8() {
    let folder = Folder::new("summed");
    let sums = |number| {
        let database = made_from(number, &folder);
        drop(Store::open(&database, run()).unwrap());
        let connection = Connection::open(&database).unwrap();
        let text = |query| connection.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
        let days = "SELECT group_concat(concat_ws(' ', step, began, program, uid, name, lone, address, company, hours,
            content_sent, searched, encrypted, flows, rows), ';' ORDER BY step, began, program, name, lone)
            FROM total JOIN party ON party.id = total.party";
        (text(days), text("SELECT group_concat(key, ';') FROM finding"))
    };
    let (days, keys) = sums(8);
    assert_eq!(sums(7), (days, keys.clone()));
    assert_eq!(keys, "content-in-clear|/usr/bin/curl|shop|form");
}

/// Numbers are given again when a value was removed, ids are not.
#[test]
fn findings_of_version_8_are_told_apart_by_the_ids_of_details() {
    let folder = Folder::new("ids");
    let database = made_from(8, &folder);
    let finding = |id: u64| {
        format!(
            r#"{{"what":{{"rule":"identifier-sent","kind":"imei","detail":{{"kind":"imei","number":1,"id":{id}}},"grade":"yours","form":[]}},"program":"/usr/bin/curl","uid":1000,"destination":{{"name":"shop.example","known":"http","company":"shop","probable":false,"role":"payment","relation":"another_company"}},"envelope":"none","severity":"high","confidence":"certain","evidence":{{"flow":1,"offset":null,"field":null,"excerpt":null}},"times":1,"at":1795500000000000}}"#
        )
    };
    let connection = Connection::open(&database).unwrap();
    for (place, id) in [(1_i64, 7), (2, 8), (3, 8)] {
        let insert = "INSERT INTO finding VALUES (1, 1, ?1, 'identifier-sent', 'high', '/usr/bin/curl', 1000,
            1795500000000000, 1, ?2, 'identifier-sent|/usr/bin/curl|shop|imei 1 open')";
        connection.execute(insert, (place, finding(id))).unwrap();
    }
    drop(connection);
    drop(Store::open(&database, run()).unwrap());
    let told = Reader::open(&database).unwrap().unwrap().findings(&Filter::default()).unwrap().told;
    let sent: Vec<_> = told.iter().map(|told| (told.finding.key(), told.times)).take(2).collect();
    let key = |id: &str| format!("identifier-sent|/usr/bin/curl|shop|imei #{id} open");
    assert_eq!(sent, [(key("7"), 1), (key("8"), 2)]);
}

#[test]
fn an_older_version_is_read_as_it_is_and_stays_so() {
    let folder = Folder::new("read-old");
    for number in 1..newest(&folder) {
        let database = made_from(number, &folder);
        let (before, unread) = (fs::read(&database).unwrap(), known(&database));
        assert!(!unread.is_empty());
        assert_eq!(fs::read(&database).unwrap(), before, "version {number}");
        drop(Store::open(&database, run()).unwrap());
        assert_eq!(known(&database), unread, "version {number}");
    }
}

fn newest(folder: &Folder) -> i64 {
    let (newest, ..) = shape(&new(folder));
    assert!(newest > 0);
    newest
}

fn new(folder: &Folder) -> PathBuf {
    let database = folder.path().join("new.db");
    drop(Store::open(&database, run()).unwrap());
    database
}

fn made_from(number: i64, folder: &Folder) -> PathBuf {
    let dump = format!("{}/tests/versions/{number}.sql", env!("CARGO_MANIFEST_DIR"));
    let dump = fs::read_to_string(&dump).unwrap_or_else(|error| panic!("{dump}: {error}"));
    let database = folder.path().join(format!("{number}.db"));
    Connection::open(&database).unwrap().execute_batch(&dump).unwrap();
    database
}

fn known(database: &Path) -> Vec<Known> {
    let totals = Reader::open(database).unwrap().unwrap().totals(&Filter::default()).unwrap();
    totals.into_iter().map(line).collect()
}

fn line(total: Total) -> Known {
    let host = total.name.unwrap_or_else(|| total.remote.ip().to_string());
    let destination = format!("{host} {}", total.protocol.name());
    let (sent, received) = (total.traffic.bytes_sent, total.traffic.bytes_received);
    (total.program.unwrap_or_default(), destination, sent, received, total.flows)
}

/// Version, what tells our files from others, and all tables.
fn shape(database: &Path) -> (i64, i64, i64, String) {
    let connection = Connection::open(database).unwrap();
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
    let tables = "SELECT group_concat(sql, ';' ORDER BY name) FROM sqlite_schema";
    let tables = connection.query_row(tables, [], |row| row.get(0)).unwrap();
    (number("user_version"), number("application_id"), number("auto_vacuum"), tables)
}
