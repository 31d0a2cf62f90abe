//! Questions to the database, asked beside a writer or without one.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use telltale_model::{
    Content, Gap, History, Interruption, NameKnown, Protocol, Role, Timestamp, Traffic, Zone,
};

use crate::error::Cause;
use crate::hosts;
use crate::row::Amount;
use crate::schema::{self, Unusable};
use crate::view::{self, Seen};
use crate::{
    Error, Failing, Findings, KnownApp, Mute, Part, Slice, Span, failing, file, findings, gaps, history,
    limits, row, spans,
};

/// Reads, and never writes: neither into the database nor beside it.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    unread_log: Option<PathBuf>,
}

/// Which totals are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// From the hour on that holds this moment.
    pub since: Option<Timestamp>,
    /// Only of the program with this path or this file name.
    pub program: Option<String>,
}

/// What one program sent to one destination, over all hours that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// The program's path, where known.
    pub program: Option<String>,
    /// Its user, where known.
    pub uid: Option<u32>,
    /// What was spoken.
    pub protocol: Protocol,
    /// The name of the host, where known. Then `remote` is one of the addresses it had.
    pub name: Option<String>,
    /// Other hosts that its flows named on the way, of those flows that are still kept one by one.
    pub other_names: BTreeSet<String>,
    /// How the name is known.
    pub known: Option<NameKnown>,
    /// Address and port; both 0 of hosts that were forgotten ([`limits::HOST_DAYS`]).
    pub remote: SocketAddr,
    /// The id of the company that runs the host, where known.
    pub company: Option<String>,
    /// Whether the company must be called probable.
    pub probable: bool,
    /// What the host is for, where known.
    pub role: Option<Role>,
    /// All that went each way.
    pub traffic: Traffic,
    /// Of what was sent, what is content, and how far it could be looked into. What a Telltale before
    /// version 2 of the database has counted is in no class.
    pub content: Content,
    /// How many flows began.
    pub flows: u64,
    /// Whether there were details to look for, wherever bytes could be searched; `None` where nothing says so.
    pub given: Option<bool>,
}

impl Reader {
    /// Looks whether the database can be read; `None` where there is none, or an empty one.
    ///
    /// # Errors
    /// A sentence: no permission, not a database, one of another program or of a newer Telltale.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path, "read", &error)),
            Ok(about) => file::refuse_other_kinds(path, &about)?,
        }
        let seen = ask(path, |connection| Ok(schema::version(connection)?))?;
        match seen {
            Seen { answer: 0, unread_log: Some(log) } => {
                Err(Error::new(Cause::Denied, format!("{} may not be read by you", log.display())))
            }
            Seen { answer: 0, unread_log: None } => Ok(None),
            Seen { unread_log, .. } => Ok(Some(Self { path: path.to_owned(), unread_log })),
        }
    }

    /// SQLite's log of the database, where it cannot be read: what was written last may stand there
    /// alone.
    pub fn unread_log(&self) -> Option<&Path> {
        self.unread_log.as_deref()
    }

    /// Totals for each program and destination, most sent first. A destination is a name, or an
    /// address without one, with port and protocol.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn totals(&self, filter: &Filter) -> Result<Vec<Total>, Error> {
        ask(&self.path, |connection| Ok(select(connection, filter)?)).map(|seen| seen.answer)
    }

    /// Findings, each statement once, in the order in which they are told; and how many there are besides.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn findings(&self, filter: &Filter) -> Result<Findings, Error> {
        let program = filter.program.as_deref();
        self.ask(|connection| findings::select(connection, (filter.since, None), program))
    }

    /// The same of a span, from the beginning of its first hour on.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn findings_in(&self, span: Span) -> Result<Findings, Error> {
        self.ask(|connection| findings::select(connection, (Some(span.from), Some(span.to)), None))
    }

    /// What is not told any more.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn muted(&self) -> Result<Vec<Mute>, Error> {
        self.ask(findings::muted)
    }

    /// What a person was interrupted for in the last two days, the latest first.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn interruptions(&self) -> Result<Vec<Interruption>, Error> {
        self.ask(findings::interruptions)
    }

    /// What is remembered from before, for rules that compare; days as they are counted in `zone`.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn history(&self, now: Timestamp, zone: Zone) -> Result<History, Error> {
        self.ask(|connection| history::select(connection, now, zone))
    }

    /// Times of a span in which nothing was watched, or not all.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Gap>, Error> {
        self.ask(|connection| gaps::select(connection, from, to))
    }

    /// What each app sent to each host in a span, most sent first.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn parts(&self, span: Span) -> Result<Vec<Part>, Error> {
        self.ask(|connection| spans::parts(connection, span, None))
    }

    /// What one app (its program and user) sent to each host in a span, most sent first.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn parts_of(&self, span: Span, app: (&str, u32)) -> Result<Vec<Part>, Error> {
        self.ask(|connection| spans::parts(connection, span, Some(app)))
    }

    /// The same of the flows alone that began in the span, to the moment. It is asked of minutes.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn begun(&self, span: Span) -> Result<Vec<Part>, Error> {
        self.ask(|connection| spans::begun(connection, span))
    }

    /// Apps that tried in vain to get somewhere in a span, while others got answers; most tries first. It is asked of
    /// an hour.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn failing(&self, span: Span) -> Result<Vec<Failing>, Error> {
        self.ask(|connection| failing::select(connection, span))
    }

    /// Hours of a span in which one app (its program and user) sent something.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn slices(&self, span: Span, app: (&str, u32)) -> Result<Vec<Slice>, Error> {
        self.ask(|connection| spans::slices(connection, span, app))
    }

    /// Every app that was ever seen, as it was seen last.
    ///
    /// # Errors
    /// A sentence, such as for a damaged file.
    pub fn apps(&self) -> Result<Vec<KnownApp>, Error> {
        self.ask(spans::apps)
    }

    fn ask<T>(&self, question: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        ask(&self.path, |connection| Ok(question(connection)?)).map(|seen| seen.answer)
    }
}

fn ask<T>(path: &Path, question: impl Fn(&Connection) -> Result<T, Unusable>) -> Result<Seen<T>, Error> {
    let seen = view::look(path, |connection| {
        schema::refuse_foreign(connection, schema::STEPS.len())?;
        match renewed(connection)? {
            Some(renewed) => question(&renewed),
            None => question(connection),
        }
    });
    seen.map_err(|unusable| file::explain(unusable, path))
}

fn select(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Total>> {
    let since = filter.since.map(row::hour);
    let mut statement = connection.prepare(TOTALS)?;
    let rows = statement.query_map(params![since, filter.program], total)?;
    let mut totals: Vec<Total> = rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    let mut others = other_names(connection, since, filter)?;
    for total in &mut totals {
        total.other_names = others.remove(&whole_name(total)).unwrap_or_default();
    }
    Ok(totals)
}

/// Program, user, protocol, name or else address, port: what tells one total from another.
type WholeName = (Option<String>, Option<u32>, &'static str, String, u16);

fn whole_name(total: &Total) -> WholeName {
    let host = total.name.clone().unwrap_or_else(|| total.remote.ip().to_string());
    (total.program.clone(), total.uid, total.protocol.name(), host, total.remote.port())
}

/// Flows that named more than one host. `hour` is the one in which a flow was last counted.
const SEVERAL_NAMES: &str = "
SELECT DISTINCT program, uid, protocol, coalesce(name, remote_address), remote_port, names
FROM flow
WHERE instr(names, char(10)) > 0 AND hour >= ifnull(?1, -9223372036854775808)
  AND (?2 IS NULL OR program = ?2 OR substr(program, -length(?2) - 1) = '/' || ?2)
";

fn other_names(
    connection: &Connection,
    since: Option<i64>,
    filter: &Filter,
) -> rusqlite::Result<HashMap<WholeName, BTreeSet<String>>> {
    let mut statement = connection.prepare(SEVERAL_NAMES)?;
    let mut rows = statement.query(params![since, filter.program])?;
    let mut others: HashMap<WholeName, BTreeSet<String>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (protocol, host, names) = (text(row, 2)?, text(row, 3)?, text(row, 5)?);
        let (Some(protocol), Ok(port)) = (protocol_named(&protocol), u16::try_from(row.get::<_, i64>(4)?))
        else {
            continue;
        };
        let uid = row.get::<_, Option<i64>>(1)?.and_then(|uid| u32::try_from(uid).ok());
        let whole = (maybe(row, 0)?, uid, protocol.name(), host.clone(), port);
        let found = others.entry(whole).or_default();
        for name in row::hosts(&names).filter(|name| **name != host) {
            if found.len() < limits::OTHER_NAMES {
                found.insert(name.to_owned());
            }
        }
    }
    Ok(others)
}

/// A moment that is not given is before all others: so an index leads to what came since.
/// Addresses that go by one name are one destination; `min` only makes the choice among them stable.
const TOTALS: &str = "
SELECT sum(bytes_sent) AS sent, sum(bytes_received) AS received,
       sum(packets_sent), sum(packets_received), sum(content_sent), sum(handshake), sum(searched),
       sum(found), sum(opaque), sum(encrypted), sum(unknown), sum(not_watched), sum(asked_openly),
       sum(read_with_keys), sum(flows), program, uid, protocol, name, min(address), port, max(name_known),
       max(company), max(probable), max(role), min(given)
FROM hourly
WHERE hour >= ifnull(?1, -9223372036854775808)
  AND (?2 IS NULL OR program = ?2 OR substr(program, -length(?2) - 1) = '/' || ?2)
GROUP BY program, uid, protocol, name, port, CASE name WHEN '' THEN address ELSE '' END
ORDER BY sent DESC, received DESC, program, uid, name, min(address), port, protocol
";

/// `None` for a row that this Telltale cannot have written.
fn total(found: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Total>> {
    let (protocol, address, port) = (text(found, 17)?, text(found, 19)?, found.get::<_, i64>(20)?);
    let (Some(protocol), Ok(address), Ok(port)) =
        (protocol_named(&protocol), address.parse::<IpAddr>(), u16::try_from(port))
    else {
        return Ok(None);
    };
    let Amount { traffic, content } = Amount::read(found, 0)?;
    let name = text(found, 18)?;
    let gone = hosts::is_forgotten(&name);
    let address = if gone { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { address };
    Ok(Some(Total {
        traffic,
        content,
        flows: row::unsigned(found.get(14)?),
        program: known(text(found, 15)?),
        uid: u32::try_from(found.get::<_, i64>(16)?).ok(),
        protocol,
        name: known(name).filter(|_| !gone),
        remote: SocketAddr::new(address, port),
        other_names: BTreeSet::new(),
        known: row::name_known(found.get(21)?),
        company: maybe(found, 22)?,
        probable: found.get(23)?,
        role: maybe(found, 24)?.and_then(|role| role_named(&role)),
        given: found.get(25)?,
    }))
}

/// A text that may be unknown.
pub(crate) fn maybe(found: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    if found.get_ref(column)? == ValueRef::Null { Ok(None) } else { text(found, column).map(Some) }
}

pub(crate) fn role_named(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

/// Bytes that are not UTF-8 would be a damage that no check of SQLite finds: they cost themselves alone.
pub(crate) fn text(found: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<String> {
    if let ValueRef::Text(bytes) = found.get_ref(column)? {
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    found.get(column)
}

pub(crate) fn known(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn protocol_named(name: &str) -> Option<Protocol> {
    [Protocol::Tcp, Protocol::Udp, Protocol::Icmp].into_iter().find(|protocol| protocol.name() == name)
}

/// A copy in memory with the steps that the file lacks, for a look that changes nothing; `None` where it lacks
/// none, or is empty. It is as large as the file, which has a bound ([`crate::limits`]).
fn renewed(connection: &Connection) -> rusqlite::Result<Option<Connection>> {
    let version = usize::try_from(schema::version(connection)?).unwrap_or_default();
    if version == 0 || version >= schema::STEPS.len() {
        return Ok(None);
    }
    let mut copy = Connection::open_in_memory()?;
    Backup::new(connection, &mut copy)?.step(ALL_PAGES)?;
    schema::migrate(&mut copy, &schema::STEPS)?;
    Ok(Some(copy))
}

/// What a backup takes for "in one step" (sqlite.org/c3ref/backup_finish.html).
const ALL_PAGES: i32 = -1;

#[cfg(test)]
mod tests {
    use telltale_model::{Flow, Name, NameSource, Owner};

    use super::*;
    use crate::Store;
    use crate::testing::{Folder, flow, run, traffic};

    fn reader(folder: &Folder, flows: &[Flow]) -> Reader {
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(Timestamp(0), flows).unwrap();
        Reader::open(&folder.database()).unwrap().unwrap()
    }

    fn owned(number: u64, program: &str, sent: u64) -> Flow {
        let owner = Owner { uid: Some(1000), program: Some(program.into()), ..Owner::default() };
        Flow { owner, traffic: traffic(sent, 0), ..flow(number, 0) }
    }

    #[test]
    fn nothing_known_is_no_error() {
        let folder = Folder::new("nothing");
        assert!(Reader::open(&folder.database()).unwrap().is_none());
        assert!(!folder.database().exists(), "reading makes no file");
        std::fs::write(folder.database(), "").unwrap();
        assert!(Reader::open(&folder.database()).unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_is_named_and_left() {
        let folder = Folder::new("unreadable");
        std::fs::write(folder.database(), "garbage".repeat(1_000)).unwrap();
        assert!(Reader::open(&folder.database()).unwrap_err().to_string().contains("damaged"));
        assert!(folder.database().exists());
    }

    #[test]
    fn what_is_no_file_is_named() {
        let folder = Folder::new("kinds");
        let said = |path: &Path| Reader::open(path).unwrap_err().to_string();
        assert!(said(folder.path()).contains("is a directory"), "{}", said(folder.path()));
        assert!(said(Path::new("/dev/null")).contains("/dev/null is a device"));
        let store = Store::open(folder.path(), run()).unwrap_err().to_string();
        assert!(store.contains("is a directory"), "{store}");
    }

    #[test]
    fn a_damage_that_is_met_while_reading_is_called_so() {
        let folder = Folder::new("page");
        let flows: Vec<_> =
            (0..400).map(|number| owned(number, &format!("/opt/{number}/{number:0200}"), 1)).collect();
        drop(reader(&folder, &flows));
        let mut bytes = std::fs::read(folder.database()).unwrap();
        let half = bytes.len() / 2 / 4_096 * 4_096;
        bytes[half..].fill(0x5a);
        std::fs::write(folder.database(), bytes).unwrap();
        let error =
            Reader::open(&folder.database()).unwrap().unwrap().totals(&Filter::default()).unwrap_err();
        assert_eq!(error.cause(), Cause::Damage);
        assert!(error.to_string().ends_with("is damaged"), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_cost_themselves_alone() {
        let folder = Folder::new("bytes");
        drop(reader(&folder, &[owned(1, "/usr/bin/curl", 100)]));
        let connection = Connection::open(folder.database()).unwrap();
        connection.execute("UPDATE hourly SET program = CAST(x'2f78ff' AS TEXT)", []).unwrap();
        drop(connection);
        let totals = Reader::open(&folder.database()).unwrap().unwrap().totals(&Filter::default()).unwrap();
        assert_eq!(totals[0].program.as_deref(), Some("/x\u{fffd}"));
    }

    #[test]
    fn most_sent_comes_first_and_addresses_of_one_name_are_one_line() {
        let folder = Folder::new("order");
        let mut elsewhere = owned(3, "/usr/bin/curl", 50);
        elsewhere.key.remote = "[2001:db8::9]:443".parse().unwrap();
        let mut nameless = owned(4, "/usr/bin/curl", 10);
        nameless.name = None;
        let flows = [owned(1, "/usr/bin/curl", 100), owned(2, "/usr/bin/wget", 120), elsewhere, nameless];
        let totals = reader(&folder, &flows).totals(&Filter::default()).unwrap();
        let lines: Vec<_> = totals
            .iter()
            .map(|total| {
                (
                    total.program.as_deref().unwrap(),
                    total.name.as_deref(),
                    total.traffic.bytes_sent,
                    total.flows,
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                ("/usr/bin/curl", Some("a.example"), 150, 2),
                ("/usr/bin/wget", Some("a.example"), 120, 1),
                ("/usr/bin/curl", None, 10, 1),
            ]
        );
    }

    #[test]
    fn other_hosts_of_a_connection_are_named_with_it() {
        let folder = Folder::new("others");
        let names = |flow: &mut Flow, names: &[(&str, NameSource)]| {
            let named =
                |(name, from): &(&str, NameSource)| Name { name: (*name).into(), from: *from, outer: false };
            flow.facts.names = names.iter().map(named).collect();
        };
        use NameSource::{Dns, Http, Tls};
        let mut flows = [1, 2, 3].map(|number| owned(number, "/usr/bin/curl", 10));
        names(&mut flows[0], &[("a.example", Http), ("c.example", Http), ("asked.example", Dns)]);
        names(&mut flows[1], &[("a.example", Tls), ("b.example", Http), ("c.example", Http)]);
        names(&mut flows[2], &[("a.example", Tls)]);
        let totals = reader(&folder, &flows).totals(&Filter::default()).unwrap();
        let others: Vec<&str> = totals[0].other_names.iter().map(String::as_str).collect();
        assert_eq!(others, ["b.example", "c.example"]);
        let elsewhere = Filter { since: None, program: Some("wget".into()) };
        assert!(Reader::open(&folder.database()).unwrap().unwrap().totals(&elsewhere).unwrap().is_empty());
    }

    #[test]
    fn what_came_since_a_moment_is_found_without_a_look_at_all_that_came_before() {
        let folder = Folder::new("index");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(Timestamp(0), &[flow(0, 0)]).unwrap();
        for (query, way) in [
            (TOTALS, "SEARCH hourly USING PRIMARY KEY (hour>?)"),
            (SEVERAL_NAMES, "SEARCH flow USING INDEX flow_names (hour>?)"),
        ] {
            let mut statement = store.connection().prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let steps =
                statement.query_map(params![None::<i64>, None::<&str>], |step| step.get::<_, String>(3));
            let steps: Vec<String> = steps.unwrap().collect::<rusqlite::Result<_>>().unwrap();
            assert!(steps[0].contains(way), "{steps:?}");
        }
    }

    #[test]
    fn what_was_read_with_keys_is_kept_apart() {
        let folder = Folder::new("keys");
        let mut read = owned(1, "/usr/bin/curl", 100);
        read.facts.count_content(telltale_model::Class::Searched, 70);
        read.facts.read_with_keys = 60;
        let mut grown = read.clone();
        grown.facts.read_with_keys = 65;
        drop(reader(&folder, &[read]));
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(Timestamp(0), &[grown.clone()]).unwrap();
        grown.owner.program = Some("/usr/bin/wget".into());
        store.commit(Timestamp(0), &[grown]).unwrap();
        let totals = Reader::open(&folder.database()).unwrap().unwrap().totals(&Filter::default()).unwrap();
        let kept: Vec<_> = totals
            .iter()
            .map(|total| (total.content.coverage.searched, total.content.read_with_keys))
            .collect();
        assert_eq!(kept, [(70, 60), (70, 65)]);
    }

    #[test]
    fn a_program_is_found_by_path_and_by_file_name_only() {
        let folder = Folder::new("program");
        let flows = [owned(1, "/usr/bin/curl", 100), owned(2, "/opt/mycurl", 120), owned(3, "curl", 7)];
        let reader = reader(&folder, &flows);
        let sent = |program: &str| {
            let filter = Filter { since: None, program: Some(program.into()) };
            reader.totals(&filter).unwrap().iter().map(|total| total.traffic.bytes_sent).collect::<Vec<_>>()
        };
        assert_eq!(sent("curl"), [100, 7]);
        assert_eq!(sent("/usr/bin/curl"), [100]);
        assert_eq!(sent("rl"), Vec::<u64>::new());
        assert_eq!(sent("%"), Vec::<u64>::new());
    }

    #[test]
    fn reading_goes_on_beside_a_writer() {
        let folder = Folder::new("beside");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(Timestamp(0), &[flow(0, 0)]).unwrap();
        let reader = Reader::open(&folder.database()).unwrap().unwrap();
        for number in 1..50 {
            store.commit(Timestamp(0), &[flow(number, 0)]).unwrap();
            let total = &reader.totals(&Filter::default()).unwrap()[0];
            assert_eq!((total.flows, total.traffic.bytes_sent), (number + 1, 100 * (number + 1)));
        }
    }
}
