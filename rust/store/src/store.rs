//! The one writer of a run of the relay.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ToSql, Transaction, TransactionBehavior, params};
use telltale_model::{Flow, Gap, Interruption, Timestamp};

use crate::retention::Old;
use crate::row::{About, Amount};
use crate::totals::{self, Counted};
use crate::{
    Error, Mute, apps, file, findings, forgetting, gaps, hits, limits, retention, row, schema, totals_only,
};

/// Writes the flows of one run. Several stores, in one process or more, may write one file at the
/// same time; each waits for the other's transaction.
#[derive(Debug)]
pub struct Store {
    /// `None` until the file can be opened; see [`Store::later`].
    connection: Option<Connection>,
    path: PathBuf,
    run: Run,
    /// The run's row, once there is something to keep.
    run_id: Option<i64>,
    old: Old,
    /// Whether the last commit left something that is to be forgotten.
    more_to_forget: bool,
    /// How large the file may grow.
    limit: i64,
}

/// One run of the relay, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub started: Timestamp,
    /// COMMAND with its arguments, or what else the relay ran for.
    pub command: String,
    /// The version of Telltale.
    pub version: String,
}

/// A store, and what was found on the way.
#[derive(Debug)]
pub struct Opened {
    /// Ready to write.
    pub store: Store,
    /// Where a corrupt database was moved to; the store is then a new and empty one.
    pub set_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the database, or makes it together with its directory. It is checked first, which takes
    /// up to 200 ms for the largest file. Nothing is written for `run` before the first commit.
    ///
    /// # Errors
    /// A sentence for the person: no permission, full disk, a file of another program or of a newer
    /// Telltale. Such a file is left as it was.
    pub fn open(path: &Path, run: Run) -> Result<Opened, Error> {
        let (connection, set_aside) = file::open(path, &schema::STEPS)?;
        let store = Self { connection: Some(connection), ..Self::later(path, run) };
        Ok(Opened { store, set_aside })
    }

    /// A store for a file that cannot be opened now, such as on a full disk ([`crate::Cause::Disk`]):
    /// each commit tries again, until it succeeds.
    pub fn later(path: &Path, run: Run) -> Self {
        let limit = limits::FILE_BYTES;
        Self {
            connection: None,
            path: path.to_owned(),
            run,
            run_id: None,
            old: Old::default(),
            more_to_forget: false,
            limit,
        }
    }

    /// The same with another bound on the file than [`limits::FILE_BYTES`].
    pub fn up_to(self, bytes: i64) -> Self {
        Self { limit: bytes, ..self }
    }

    /// Keeps these flows as they are now, in one transaction: new ones are added, known ones brought
    /// up to date, the hourly totals with them. `now` says in which hour a living flow's new traffic
    /// counts; that of an ended flow counts in the hour of its end.
    ///
    /// Committing the same flow twice changes nothing, so a batch may be given again.
    ///
    /// # Errors
    /// A sentence, such as for a full disk. All of the batch is kept then or nothing: give it again.
    /// Later commits succeed once the reason is gone.
    pub fn commit(&mut self, now: Timestamp, batch: &[Flow]) -> Result<(), Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => file::open_in_place(&self.path, &schema::STEPS)?,
        };
        let written = self.write(&mut connection, now, batch);
        if written.is_ok() {
            // The batch is kept. What is too old or too much can go with a later commit as well.
            self.more_to_forget = self.trim(&connection, now).unwrap_or(false);
        }
        self.connection = Some(connection);
        written.map_err(|error| Error::sqlite(&self.path, &error))
    }

    /// Whether the next commit will go on forgetting what is too old: one commit forgets as much as it may in a few
    /// milliseconds, also an empty one.
    pub fn has_more_to_forget(&self) -> bool {
        self.more_to_forget
    }

    /// Begins or ends a silence.
    ///
    /// # Errors
    /// A sentence, such as for a full disk.
    pub fn mute(&self, mute: &Mute, on: bool) -> Result<(), Error> {
        self.note(|connection| findings::mute(connection, mute, on))
    }

    /// Remembers that a person was interrupted, so that it happens no more often than it may: also where the relay
    /// begins anew.
    ///
    /// # Errors
    /// A sentence, such as for a full disk.
    pub fn interrupted(&self, interruption: &Interruption) -> Result<(), Error> {
        self.note(|connection| findings::interrupted(connection, interruption))
    }

    /// Keeps a time in which nothing was watched.
    ///
    /// # Errors
    /// A sentence, such as for a full disk.
    pub fn note_gap(&self, gap: &Gap) -> Result<(), Error> {
        self.note(|connection| gaps::keep(connection, gap))
    }

    /// Forgets what was sent from the hour on that holds this moment.
    ///
    /// # Errors
    /// A sentence, such as for a full disk; then nothing is forgotten.
    pub fn forget(&self, from: Timestamp) -> Result<(), Error> {
        self.note(|connection| forgetting::since(connection, from))
    }

    /// Forgets all that was seen, and every silence.
    ///
    /// # Errors
    /// A sentence, such as for a full disk; then nothing is forgotten.
    pub fn delete_everything(&self) -> Result<(), Error> {
        self.note(forgetting::everything)
    }

    /// Writes what is about no flow.
    fn note(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), Error> {
        let opened;
        let connection = match &self.connection {
            Some(connection) => connection,
            None => {
                opened = file::open_unchecked(&self.path, &schema::STEPS)?;
                &opened
            }
        };
        write(connection).map_err(|error| Error::sqlite(&self.path, &error))
    }

    #[cfg(test)]
    pub(crate) fn connection(&self) -> &Connection {
        self.connection.as_ref().unwrap()
    }

    fn write(&mut self, connection: &mut Connection, now: Timestamp, batch: &[Flow]) -> rusqlite::Result<()> {
        // The lock comes first: a read that becomes a write fails at once when a neighbour wrote between.
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        let run = match self.run_id {
            Some(run) => run,
            None => insert_run(&transaction, &self.run)?,
        };
        for flow in batch {
            keep(&transaction, run, now, flow)?;
        }
        transaction.commit()?;
        self.run_id = Some(run);
        Ok(())
    }

    fn trim(&mut self, connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
        let more = self.old.forget_some(connection, self.run_id, now)?;
        retention::bound(connection, self.limit)?;
        Ok(more)
    }
}

fn insert_run(transaction: &Transaction<'_>, run: &Run) -> rusqlite::Result<i64> {
    transaction.execute(
        "INSERT INTO run (started, command, version) VALUES (?1, ?2, ?3)",
        params![run.started.0, run.command, run.version],
    )?;
    Ok(transaction.last_insert_rowid())
}

fn keep(transaction: &Transaction<'_>, run: i64, now: Timestamp, flow: &Flow) -> rusqlite::Result<()> {
    if forgetting::is_forgotten(transaction, run, row::signed(flow.number.0))? {
        return Ok(());
    }
    let flow = &*totals_only::kept_of(flow);
    let counted = totals::count(transaction, run, now, flow)?;
    let phone_app = apps::keep(transaction, now, &flow.owner)?;
    upsert(transaction, run, flow, phone_app, &counted)?;
    hits::keep(transaction, run, flow)?;
    findings::keep(transaction, run, flow)
}

const UPSERT: &str = "
INSERT INTO flow (
    run, number, protocol, app_address, app_port, remote_address, remote_port, uid, pid, program, name,
    started, ended, ending, hour, application, names, name_known, company, probable, role, bytes_sent,
    bytes_received, packets_sent, packets_received, content_sent, handshake, searched, found, opaque,
    encrypted, unknown, not_watched, asked_openly, read_with_keys, earlier_bytes_sent, earlier_bytes_received,
    earlier_packets_sent, earlier_packets_received, earlier_content_sent, earlier_handshake,
    earlier_searched, earlier_found, earlier_opaque, earlier_encrypted, earlier_unknown,
    earlier_not_watched, earlier_asked_openly, earlier_read_with_keys, details, app, app_version
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
    ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40,
    ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52
)
ON CONFLICT (run, number) DO UPDATE SET
    remote_address = excluded.remote_address, remote_port = excluded.remote_port, uid = excluded.uid, pid = excluded.pid, program = excluded.program, name = excluded.name, ended =
    excluded.ended, ending = excluded.ending, hour = excluded.hour, application = excluded.application,
    names = excluded.names, name_known = excluded.name_known, company = excluded.company, probable =
    excluded.probable, role = excluded.role, bytes_sent = excluded.bytes_sent, bytes_received =
    excluded.bytes_received, packets_sent = excluded.packets_sent, packets_received =
    excluded.packets_received, content_sent = excluded.content_sent, handshake = excluded.handshake,
    searched = excluded.searched, found = excluded.found, opaque = excluded.opaque, encrypted =
    excluded.encrypted, unknown = excluded.unknown, not_watched = excluded.not_watched, asked_openly =
    excluded.asked_openly, read_with_keys = excluded.read_with_keys, earlier_bytes_sent = excluded.earlier_bytes_sent, earlier_bytes_received =
    excluded.earlier_bytes_received, earlier_packets_sent = excluded.earlier_packets_sent,
    earlier_packets_received = excluded.earlier_packets_received, earlier_content_sent =
    excluded.earlier_content_sent, earlier_handshake = excluded.earlier_handshake, earlier_searched =
    excluded.earlier_searched, earlier_found = excluded.earlier_found, earlier_opaque =
    excluded.earlier_opaque, earlier_encrypted = excluded.earlier_encrypted, earlier_unknown =
    excluded.earlier_unknown, earlier_not_watched = excluded.earlier_not_watched, earlier_asked_openly =
    excluded.earlier_asked_openly, earlier_read_with_keys = excluded.earlier_read_with_keys, details = excluded.details,
    app = excluded.app, app_version = excluded.app_version
";

fn upsert(
    transaction: &Transaction<'_>,
    run: i64,
    flow: &Flow,
    phone_app: Option<i64>,
    counted: &Counted,
) -> rusqlite::Result<()> {
    let Flow { key, owner, .. } = flow;
    let About { name_known, company, probable, role } = About::of(flow);
    let (app, remote) = (key.app.ip().to_string(), key.remote.ip().to_string());
    let head = params![
        run,
        row::signed(flow.number.0),
        key.protocol.name(),
        app,
        key.app.port(),
        remote,
        key.remote.port(),
        owner.uid,
        owner.pid,
        owner.program,
        flow.host(),
        flow.started.0,
        flow.ended.map(|ended| ended.0),
        flow.ending.map(telltale_model::Ending::name),
        counted.hour,
        flow.facts.application.map(telltale_model::Application::name),
        row::names(flow),
        name_known,
        company,
        probable,
        role,
    ];
    let amounts = [Amount::of(flow).columns(), counted.earlier.columns()];
    let amounts = amounts.as_flattened().iter().map(|column| column as &dyn ToSql);
    let details = flow.facts.set.cast_signed();
    let version = owner.app.as_deref().and_then(|app| app.version.as_deref());
    let tail = params![details, phone_app, version];
    let all: Vec<&dyn ToSql> = head.iter().copied().chain(amounts).chain(tail.iter().copied()).collect();
    transaction.prepare_cached(UPSERT)?.execute(all.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use telltale_model::{
        Application, Class, Content, FlowNumber, Name, NameKnown, NameSource, Owner, Protocol, Role, Traffic,
    };

    use super::*;
    use crate::testing::{Folder, count, flow, run, traffic};
    use crate::{Filter, Reader};

    const HOUR: i64 = 3_600 * 1_000_000;
    /// Half past some hour.
    const NOW: Timestamp = Timestamp(500_000 * HOUR + HOUR / 2);

    #[test]
    fn a_flow_is_kept_with_all_that_is_known_of_it() {
        let folder = Folder::new("kept");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        store.commit(NOW, &[flow(7, NOW.0)]).unwrap();
        let text = store
            .connection()
            .query_row(
                "SELECT concat_ws(' ', number, protocol, app_address, app_port, remote_address,
                     remote_port, uid, pid, program, name, flow.started, ended, ending, bytes_sent, bytes_received, packets_sent,
                     packets_received, command, version) FROM flow JOIN run ON run.id = flow.run",
                [],
                |row| row.get::<_, String>(0),
            )
            .unwrap();
        assert_eq!(
            text,
            "7 tcp 198.19.84.1 40000 192.0.2.7 443 1000 77 /usr/bin/curl a.example 1800001800000000 \
             1800001801000000 finished 100 1000 10 100 curl https://a.example 0.1.0"
        );
    }

    #[test]
    fn a_run_that_sends_nothing_leaves_no_row() {
        let folder = Folder::new("silent");
        let store = Store::open(&folder.database(), run()).unwrap().store;
        assert_eq!(count(store.connection(), "SELECT count(*) FROM run"), 0);
    }

    #[test]
    fn the_same_batch_again_changes_nothing() {
        let folder = Folder::new("again");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        for _ in 0..3 {
            store.commit(NOW, &[flow(1, NOW.0), flow(2, NOW.0)]).unwrap();
        }
        assert_eq!(count(store.connection(), "SELECT sum(flows) FROM hourly"), 2);
        assert_eq!(count(store.connection(), "SELECT sum(bytes_sent) FROM hourly"), 200);
    }

    #[test]
    fn a_batch_that_is_kept_is_no_failure_when_old_flows_cannot_go() {
        let folder = Folder::new("untrimmed");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let refuse = "CREATE TRIGGER refuse BEFORE DELETE ON flow BEGIN SELECT RAISE(ABORT, 'no'); END";
        store.connection().execute_batch(refuse).unwrap();
        for number in 1..3 {
            assert_eq!(store.commit(NOW, &[flow(number, 0)]), Ok(()));
        }
        assert_eq!(count(store.connection(), "SELECT count(*) FROM flow"), 2);
    }

    #[test]
    fn two_runs_do_not_mix_their_flow_numbers() {
        let folder = Folder::new("runs");
        for _ in 0..2 {
            let mut store = Store::open(&folder.database(), run()).unwrap().store;
            store.commit(NOW, &[flow(1, NOW.0)]).unwrap();
        }
        let totals = Reader::open(&folder.database()).unwrap().unwrap().totals(&Filter::default()).unwrap();
        assert_eq!((totals[0].flows, totals[0].traffic.bytes_sent), (2, 200));
    }

    #[test]
    fn an_owner_that_comes_late_takes_the_flow_along() {
        let folder = Folder::new("late");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let known = flow(1, NOW.0);
        let unknown = Flow { owner: Owner::default(), name: None, traffic: traffic(40, 0), ..known.clone() };
        store.commit(NOW, &[unknown]).unwrap();
        store.commit(NOW, &[known]).unwrap();
        assert_eq!(count(store.connection(), "SELECT count(*) FROM hourly"), 1, "nothing stays behind");
        assert_eq!(count(store.connection(), "SELECT bytes_sent FROM hourly WHERE name = 'a.example'"), 100);
    }

    #[test]
    fn traffic_counts_in_the_hour_in_which_it_flowed() {
        let folder = Folder::new("hours");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let mut living = flow(1, NOW.0);
        (living.ended, living.ending) = (None, None);
        let mut at = NOW;
        for sent in [10, 30, 70] {
            living.traffic = traffic(sent, 0);
            store.commit(at, std::slice::from_ref(&living)).unwrap();
            at.0 += HOUR;
        }
        // The clock goes back: the newest hour takes it.
        living.traffic = traffic(75, 0);
        store.commit(NOW, std::slice::from_ref(&living)).unwrap();
        let hours = "SELECT group_concat(bytes_sent || '/' || flows, ' ' ORDER BY hour) = '10/1 20/0 45/0' FROM hourly";
        assert_eq!(count(store.connection(), hours), 1);

        let since = |at| {
            let filter = Filter { since: Some(at), program: None };
            let reader = Reader::open(&folder.database()).unwrap().unwrap();
            reader.totals(&filter).unwrap().iter().map(|total| total.traffic.bytes_sent).sum::<u64>()
        };
        assert_eq!(
            (since(NOW), since(Timestamp(NOW.0 + HOUR)), since(Timestamp(NOW.0 + 3 * HOUR))),
            (75, 65, 0)
        );
    }

    #[test]
    fn what_is_known_of_a_destination_late_holds_for_all_of_its_flow() {
        let folder = Folder::new("whom");
        let mut store = Store::open(&folder.database(), run()).unwrap().store;
        let mut living = Flow { ended: None, ending: None, ..flow(1, NOW.0) };
        living.destination.known = Some(NameKnown::Dns);
        store.commit(NOW, std::slice::from_ref(&living)).unwrap();

        living.destination.known = Some(NameKnown::Tls);
        living.destination.company = Some("shop".into());
        living.destination.role = Some(Role::Payment);
        living.facts.application = Some(Application::Tls);
        let name = Name { name: "a.example".into(), from: NameSource::Tls, outer: false };
        living.facts.names = vec![name];
        living.facts.count_content(Class::Encrypted, 60);
        living.facts.count_handshake(40);
        for _ in 0..2 {
            store.commit(Timestamp(NOW.0 + HOUR), std::slice::from_ref(&living)).unwrap();
        }
        let totals = Reader::open(&folder.database()).unwrap().unwrap().totals(&Filter::default()).unwrap();
        let [total] = totals.as_slice() else { panic!("{totals:?}") };
        assert_eq!((total.known, total.role), (Some(NameKnown::Tls), Some(Role::Payment)));
        assert_eq!(total.company.as_deref(), Some("shop"));
        assert_eq!((total.content, total.content.sent), (Content::of(&living.facts), 60));
        let kept =
            "SELECT application = 'tls' AND names = 'tls a.example' AND company = 'shop' AND name_known = 1
                    AND encrypted = 60 AND earlier_encrypted = 0 FROM flow";
        assert_eq!(count(store.connection(), kept), 1);
    }

    /// Upserts in a seeded random order, flows growing, owners and names coming late, hours passing:
    /// the totals equal a plain sum over the flows as they are in the end.
    #[test]
    fn totals_equal_a_naive_sum_after_random_upserts() {
        for seed in 1..=8 {
            let folder = Folder::new(&format!("random-{seed}"));
            let mut store = Store::open(&folder.database(), run()).unwrap().store;
            let mut random = Random(seed);
            let mut flows = BTreeMap::new();
            let mut now = NOW;
            for _ in 0..60 {
                now.0 += i64::try_from(random.below(20)).unwrap() * 60_000_000;
                let batch: Vec<Flow> =
                    (0..random.below(12)).map(|_| step(&mut random, &mut flows, now)).collect();
                store.commit(now, &batch).unwrap();
            }
            let reader = Reader::open(&folder.database()).unwrap().unwrap();
            let kept: BTreeMap<_, _> = reader
                .totals(&Filter::default())
                .unwrap()
                .into_iter()
                .map(|total| {
                    let host = total.name.clone().unwrap_or_else(|| total.remote.ip().to_string());
                    let key = (total.program, total.uid, total.protocol, host, total.remote.port());
                    (key, (total.traffic, total.content.sent, total.flows))
                })
                .collect();
            assert_eq!(kept, naive(&flows), "seed {seed}");
        }
    }

    type Key = (Option<String>, Option<u32>, Protocol, String, u16);

    fn naive(flows: &BTreeMap<u64, Flow>) -> BTreeMap<Key, (Traffic, u64, u64)> {
        let mut sums: BTreeMap<Key, (Traffic, u64, u64)> = BTreeMap::new();
        for flow in flows.values() {
            let remote = flow.key.remote;
            let host = flow.name.clone().unwrap_or_else(|| remote.ip().to_string());
            let key = (flow.owner.program.clone(), flow.owner.uid, flow.key.protocol, host, remote.port());
            let (sum, content, count) = sums.entry(key).or_default();
            sum.bytes_sent += flow.traffic.bytes_sent;
            sum.bytes_received += flow.traffic.bytes_received;
            sum.packets_sent += flow.traffic.packets_sent;
            sum.packets_received += flow.traffic.packets_received;
            *content += flow.facts.content_sent;
            *count += 1;
        }
        sums
    }

    /// Opens a flow, or lets a known one grow or end. Owners and names are known at once or come
    /// with the next step within the hour, as the watcher has it.
    fn step(random: &mut Random, flows: &mut BTreeMap<u64, Flow>, now: Timestamp) -> Flow {
        let number = random.below(40);
        let flow = flows.entry(number).or_insert_with(|| opened(random, number, now));
        if flow.ended.is_none() {
            let sent = random.below(10_000);
            flow.traffic.bytes_sent += sent;
            flow.facts.content_sent += sent / 2;
            flow.traffic.bytes_received += random.below(100_000);
            flow.traffic.packets_sent += random.below(10);
            flow.traffic.packets_received += random.below(100);
            if row::hour(now) == row::hour(flow.started) && flow.owner.program.is_none() {
                flow.owner =
                    [Owner::default(), self::flow(0, 0).owner][usize::from(random.below(2) == 1)].clone();
            }
            if random.below(6) == 0 {
                (flow.ended, flow.ending) = (Some(now), Some(telltale_model::Ending::Finished));
            }
        }
        flow.clone()
    }

    fn opened(random: &mut Random, number: u64, now: Timestamp) -> Flow {
        let mut flow = flow(number, now.0);
        flow.number = FlowNumber(number);
        flow.key.protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp][random.index(3)];
        flow.key.remote =
            ["192.0.2.7:443", "192.0.2.8:443", "[2001:db8::7]:53"][random.index(3)].parse().unwrap();
        flow.name = [None, Some("a.example"), Some("b.example")][random.index(3)].map(String::from);
        (flow.owner, flow.ended, flow.ending) = (Owner::default(), None, None);
        flow.traffic = traffic(random.below(100) * 10, 0);
        flow
    }

    /// Marsaglia's xorshift64.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
        }

        fn index(&mut self, limit: u64) -> usize {
            usize::try_from(self.below(limit)).unwrap()
        }
    }
}
