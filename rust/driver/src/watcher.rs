//! The watcher's thread: takes observations from one bounded queue, keeps the ledger, commits flows
//! to the database. The relay never waits for it. What it could not look at is counted and told.

mod backlog;
mod keeping;
mod limits;
mod seals;
mod sender;
mod turn;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use telltale_engine::Instant;
use telltale_model::{Details, FlowNumber, History, Observation, Owner};
use telltale_store::Store;
use telltale_watch::destinations::{Around, Destinations};
use telltale_watch::{Config, Ledger, Watcher, observe_guarded};

use crate::clock::{Clock, wall, zone};
use keeping::Keeping;
use sender::Message;

pub use sender::WatchSender;

/// What the watcher works with.
#[derive(Debug, Default)]
pub struct WatchConfig {
    /// Where flows are kept; without one they are only in the report at the end.
    pub store: Option<Store>,
    /// Addresses that go by a fixed name, such as our own resolver's.
    pub names: Vec<(IpAddr, String)>,
    /// The owner of ICMP echo, which no system call tells: COMMAND.
    pub echo_owner: Owner,
    /// Whose hosts are; without them nothing is said of companies.
    pub tables: Option<Destinations>,
    /// The companies around this phone, as far as known. They are numbered by `tables`.
    pub around: Around,
    /// Who hears that something was seen or kept that can be shown.
    pub news: News,
    /// What is looked for in what is sent.
    pub details: Details,
    /// What is remembered from before.
    pub history: History,
    /// Keys that programs write down, with which what they open is read.
    #[cfg(feature = "keys")]
    pub keys: Option<telltale_watch::Keys>,
}

/// A call from the watcher's thread, after each batch that it has looked at or kept: it must not take long.
#[derive(Default)]
pub struct News(pub Option<Box<dyn FnMut() + Send>>);

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(if self.0.is_some() { "News" } else { "no News" })
    }
}

/// The running watcher.
#[derive(Debug)]
pub struct Watch {
    sender: WatchSender,
    report: Receiver<Report>,
}

/// What was seen, and what stood in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The table.
    pub ledger: Ledger,
    /// What the person should know, one sentence each: a full disk, what was not looked at.
    pub problems: Vec<String>,
    /// Observations that came faster than they could be looked at. The table lacks them.
    pub dropped: u64,
}

/// How long the watcher leaves the relay alone at most.
const PAUSE: Duration = Duration::from_millis(10);

/// So many messages in that time are few, a request and its answer: to be woken for each costs less than to
/// wake up from a pause as well.
const FEW: usize = 2;

const THREAD: &str = "telltale-watch";

impl Watch {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(config: WatchConfig) -> io::Result<Self> {
        Self::start_with(config, Watcher::observe)
    }

    /// The same with something else in the place of [`Watcher::observe`]: for tests of what happens beside
    /// a watcher that fails.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start_with(config: WatchConfig, observe: fn(&mut Watcher, Observation)) -> io::Result<Self> {
        quiet_panics();
        let (sender, queue) = WatchSender::new();
        let (tell, report) = sync_channel(2);
        let room = Room::new(config, observe);
        let thread = thread::Builder::new().name(THREAD.into()).spawn(move || room.work(&queue, &tell))?;
        sender.wakes(thread.thread());
        Ok(Self { sender, report })
    }

    /// A handle for the relay.
    pub fn sender(&self) -> WatchSender {
        self.sender.clone()
    }

    /// Ends the thread after all that was told so far, and waits for the last flows to be kept; not
    /// longer than `patience`, then they are told as not kept.
    pub fn stop(self, patience: Duration) -> Report {
        let clock = Clock::start();
        let end = clock.now() + patience;
        self.sender.stop(patience);
        let mut report = self.report.recv_timeout(end - clock.now()).unwrap_or_else(silent);
        match self.report.recv_timeout(end - clock.now()) {
            Ok(kept) => report = kept,
            // Between the two reports it was keeping the flows.
            Err(RecvTimeoutError::Disconnected) if !report.problems.contains(&MISTAKE.to_owned()) => {
                report.problems.push(MISTAKE.to_owned());
            }
            Err(_) => {}
        }
        report.dropped = self.sender.dropped();
        if report.dropped > 0 {
            let events = many(report.dropped, "event");
            report
                .problems
                .push(format!("the table is not complete: {events} came too fast to be looked at"));
        }
        report
    }
}

/// What is told where the thread is no more, though nobody ended it.
const MISTAKE: &str = "the watcher met a mistake in Telltale and ended; please report this";

fn silent(why: RecvTimeoutError) -> Report {
    let problem = match why {
        RecvTimeoutError::Timeout => "the table could not be made in time",
        RecvTimeoutError::Disconnected => MISTAKE,
    };
    Report { problems: vec![problem.to_owned()], ..Report::default() }
}

/// What the thread holds.
struct Room {
    watcher: Watcher,
    observe: fn(&mut Watcher, Observation),
    keeping: Keeping,
    news: News,
    clock: Clock,
    /// When the first of the latest messages came, and how many came within [`PAUSE`] from then on.
    latest: (Instant, usize),
    panics: u64,
    /// Whether the database is left alone, since keeping flows met a mistake.
    unkept: bool,
}

impl Room {
    fn new(config: WatchConfig, observe: fn(&mut Watcher, Observation)) -> Self {
        let clock = Clock::start();
        let watcher = Watcher::new(Config {
            names: config.names,
            echo_owner: config.echo_owner,
            tables: config.tables,
            around: config.around,
            details: config.details,
            history: config.history,
            hosts: false,
            zone: zone(wall()),
            #[cfg(feature = "keys")]
            keys: config.keys,
        });
        Self {
            watcher,
            observe,
            keeping: Keeping::new(config.store, clock),
            news: config.news,
            clock,
            latest: (clock.now(), 0),
            panics: 0,
            unkept: false,
        }
    }

    fn work(mut self, queue: &Receiver<Message>, report: &SyncSender<Report>) {
        loop {
            let mut news = false;
            match self.next(queue) {
                Ok(Message::Seen(mut batch)) => {
                    news = true;
                    let sealed: Vec<_> =
                        batch.drain().filter_map(|observation| self.see(observation)).collect();
                    sealed.into_iter().for_each(|flow| batch.seal(flow));
                }
                Ok(Message::Show(reply)) => {
                    self.outlive(|room| drop(reply.try_send(room.watcher.ledger())));
                }
                Ok(Message::LookFor(details)) => {
                    self.outlive(|room| room.watcher.set_details(&details));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.keep_if_due() {
                // A phone travels, and clocks are put forward.
                self.outlive(|room| room.watcher.turn_to(zone(wall())));
                news = true;
            }
            if news && self.outlive(|room| room.news.0.as_mut().map_or((), |tell| tell())).is_none() {
                self.news.0 = None;
            }
        }
        self.finish(report);
    }

    /// Does something in which there may be a mistake: that is counted, and the thread goes on.
    fn outlive<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(|| work(self))).ok();
        self.panics += u64::from(done.is_none());
        done
    }

    fn keep_if_due(&mut self) -> bool {
        let kept = self.outlive(|room| room.keeping.keep_if_due(&mut room.watcher));
        if kept.is_none() {
            self.unkept = true;
            self.keeping = Keeping::new(None, self.clock);
        }
        kept.unwrap_or(false)
    }

    /// While much comes it pauses, and leaves what comes meanwhile for later, unless that is very much: to be
    /// woken for each turn of the relay would cost more than to look. Otherwise it waits without an end, while
    /// nothing is to be kept: nothing happens, nobody wakes up.
    fn next(&mut self, queue: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        if let Ok(message) = queue.try_recv() {
            self.count(self.clock.now());
            return Ok(message);
        }
        if self.latest.1 > FEW {
            self.latest.1 = 0;
            thread::park_timeout(PAUSE);
            return Err(RecvTimeoutError::Timeout);
        }
        let message = match self.keeping.due() {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => queue.recv_timeout(at - self.clock.now()),
        }?;
        self.count(self.clock.now());
        Ok(message)
    }

    fn count(&mut self, now: Instant) {
        let (first, count) = self.latest;
        self.latest = if now - first < PAUSE { (first, count + 1) } else { (now, 1) };
    }

    /// Looks at an observation. The flow of which no payload is needed any more, where it came with some.
    fn see(&mut self, observation: Observation) -> Option<FlowNumber> {
        let payload_of = if let Observation::Bytes { flow, .. } = &observation { Some(*flow) } else { None };
        if !observe_guarded(&mut self.watcher, observation, self.observe) {
            self.panics += 1;
        }
        payload_of.filter(|flow| self.watcher.is_sealed(*flow))
    }

    /// The table first: it does not depend on the disk. Then once more, with what the disk said.
    fn finish(mut self, report: &SyncSender<Report>) {
        let mut said = Report::default();
        match self.outlive(|room| room.watcher.ledger()) {
            Some(ledger) => said.ledger = ledger,
            None => said.problems.push(format!("the table could not be made: {TELLTALE}")),
        }
        self.panics += self.watcher.take_mistakes();
        if self.panics > 0 {
            let events = many(self.panics, "event");
            said.problems.push(format!("the table is not complete: {events} met {TELLTALE}"));
        }
        if said.ledger.unremembered > 0 {
            let flows = many(said.ledger.unremembered, "connection");
            said.problems.push(format!("whether {flows} went to a new company or country is not known"));
        }
        if said.ledger.uncounted > 0 {
            let flows = many(said.ledger.uncounted, "connection");
            said.problems.push(format!("whether {flows} came after an event is not known"));
        }
        if said.ledger.shortened > 0 {
            let flows = many(said.ledger.shortened, "connection");
            said.problems.push(format!("{flows} were too many to tell all names and requests of"));
        }
        let mut early = said.clone();
        early
            .problems
            .push("the database was still being written at the end; its last flows may be missing".into());
        let _nobody_waits = report.try_send(early);
        let Self { keeping, mut watcher, unkept, .. } = self;
        match catch_unwind(AssertUnwindSafe(|| keeping.finish(&mut watcher))) {
            Ok(problem) if !unkept => said.problems.extend(problem),
            Ok(_) | Err(_) => said.problems.push(format!("flows could not be kept: {TELLTALE}")),
        }
        let _nobody_waits = report.try_send(said);
    }
}

/// What is told of a panic.
const TELLTALE: &str = "a mistake in Telltale; please report this";

/// "1 flow", "2 flows".
fn many(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// A panic in the watcher is caught, counted and told at the end. Until then nothing of ours may
/// appear on the person's terminal.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() != Some(THREAD) {
                usual(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    use bytes::Bytes;
    use telltale_engine::Shape;
    use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Protocol, Timestamp, Traffic};
    use telltale_store::{Filter, Reader, Run};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn opened(number: u64) -> Observation {
        let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), "192.0.2.7:443".parse().unwrap());
        let key = FlowKey { protocol: Protocol::Tcp, app, remote };
        Observation::Opened { flow: FlowNumber(number), key, at: Timestamp(1) }
    }

    fn closed(number: u64) -> Observation {
        let traffic = Traffic { bytes_sent: 10, ..Traffic::default() };
        Observation::Closed { flow: FlowNumber(number), traffic, ending: Ending::Finished, at: Timestamp(2) }
    }

    fn sum(ledger: &Ledger) -> (u64, u64) {
        ledger
            .lines
            .iter()
            .fold((0, 0), |(flows, sent), line| (flows + line.sum.flows, sent + line.sum.traffic.bytes_sent))
    }

    struct Database(PathBuf);

    impl Database {
        fn new(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("telltale-watcher-{test}-{}", std::process::id()));
            let _absent = std::fs::remove_dir_all(&folder);
            Self(folder.join("telltale.db"))
        }

        fn config(&self) -> WatchConfig {
            let run = Run { started: Timestamp(0), command: "test".into(), version: "0".into() };
            let store = Store::open(&self.0, run).unwrap().store;
            WatchConfig { store: Some(store), ..WatchConfig::default() }
        }

        fn flows(&self) -> u64 {
            let reader = Reader::open(&self.0).unwrap().unwrap();
            reader.totals(&Filter::default()).unwrap().iter().map(|total| total.flows).sum()
        }
    }

    impl Drop for Database {
        fn drop(&mut self) {
            let _kept = std::fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    /// A connection whose handshake is over.
    fn established(sender: &mut WatchSender, flow: FlowNumber) {
        // One cipher, and the extension that says TLS 1.3.
        let offers = [0, 0, 2, 0x13, 1, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4];
        let hello = [&[22, 3, 1, 0, 54, 1, 0, 0, 50, 3, 3][..], &[7; 32], &offers].concat();
        let finished = [&[20, 3, 3, 0, 1, 1][..], &[23, 3, 3, 0, 53], &[9; 53]].concat();
        let server = [&[20, 3, 3, 0, 1, 1][..], &[23, 3, 3, 0, 9], &[9; 9]].concat();
        let (sent, received) = (Direction::Sent, Direction::Received);
        sender.tell(opened(flow.0));
        for (direction, payload) in [(sent, hello), (received, server), (sent, finished), (sent, record(500))]
        {
            let (payload, len) = (Bytes::from(payload.clone()), payload.len());
            sender.tell_payload(flow, direction, Shape::Stream, payload, len);
        }
        sender.hand_over();
    }

    fn record(len: u16) -> Vec<u8> {
        let [high, low] = len.to_be_bytes();
        [&[23, 3, 3, high, low][..], &vec![9; len.into()]].concat()
    }

    #[test]
    fn of_bulk_that_nobody_can_read_nothing_is_kept_and_every_byte_is_counted() {
        let watch = Watch::start(WatchConfig::default()).unwrap();
        let (mut sender, flow) = (watch.sender(), FlowNumber(1));
        established(&mut sender, flow);
        let bulk = Bytes::from(record(9_000).repeat(7));
        let mut rounds = 0;
        loop {
            for direction in [Direction::Sent, Direction::Received] {
                sender.tell_payload(flow, direction, Shape::Stream, bulk.clone(), bulk.len());
            }
            rounds += 1;
            // What is handed over may be looked at and let go at once.
            let kept = !bulk.is_unique();
            sender.hand_over();
            if !kept {
                break;
            }
            assert!(rounds < 200, "the relay never hears of it");
            thread::sleep(Duration::from_millis(20));
        }
        drop(sender);
        let report = watch.stop(PATIENCE);
        let coverage = report.ledger.lines[0].sum.content.coverage;
        let sent = 500 + rounds * 7 * 9_000;
        assert_eq!((coverage.encrypted, coverage.unknown, coverage.not_watched), (sent, 0, 0));
        assert_eq!((report.problems, report.dropped), (Vec::new(), 0));
    }

    #[test]
    fn everything_that_was_told_is_in_the_report_and_in_the_database() {
        let database = Database::new("all");
        let watch = Watch::start(database.config()).unwrap();
        let mut sender = watch.sender();
        for number in 0..1_000 {
            sender.tell(opened(number));
            sender.tell(closed(number));
        }
        drop(sender);
        let report = watch.stop(PATIENCE);
        assert_eq!((sum(&report.ledger), report.problems, report.dropped), ((1_000, 10_000), Vec::new(), 0));
        assert_eq!(database.flows(), 1_000);
    }

    #[test]
    fn a_living_flow_is_shown_at_once_and_kept_within_two_seconds() {
        let database = Database::new("living");
        let watch = Watch::start(database.config()).unwrap();
        watch.sender().tell(opened(1));
        assert_eq!(sum(&watch.sender().snapshot().unwrap()), (1, 0));
        let kept = (0..20).any(|_| {
            thread::sleep(Duration::from_millis(100));
            database.flows() == 1
        });
        assert!(kept);
        assert_eq!(watch.stop(PATIENCE).problems, Vec::<String>::new());
    }

    #[test]
    fn a_request_and_its_answer_are_no_reason_to_pause() {
        let mut room = Room::new(WatchConfig::default(), Watcher::observe);
        let start = room.clock.now() + PAUSE;
        for exchange in 0..10 {
            let at = start + PAUSE * exchange;
            (0..FEW).for_each(|_| room.count(at));
            assert_eq!(room.latest, (at, FEW));
        }
        (0..=FEW).for_each(|_| room.count(start + PAUSE * 10));
        assert!(room.latest.1 > FEW);
    }

    #[test]
    fn without_a_database_there_is_still_a_report() {
        let watch = Watch::start(WatchConfig::default()).unwrap();
        watch.sender().tell(opened(1));
        assert_eq!(sum(&watch.stop(PATIENCE).ledger), (1, 0));
    }

    #[test]
    fn a_thread_that_is_no_more_is_not_called_late() {
        for early in [None, Some(Report { dropped: 0, ..Report::default() })] {
            let (sender, queue) = WatchSender::new();
            let (tell, report) = sync_channel(2);
            drop(queue);
            early.into_iter().for_each(|early| tell.send(early).unwrap());
            drop(tell);
            assert_eq!(Watch { sender, report }.stop(PATIENCE).problems, [MISTAKE]);
        }
    }

    #[test]
    fn a_watcher_that_is_stuck_does_not_hold_up_the_end() {
        fn stuck(_: &mut Watcher, _: Observation) {
            thread::sleep(Duration::from_secs(2));
        }
        let watch = Watch::start_with(WatchConfig::default(), stuck).unwrap();
        (0..10).for_each(|number| watch.sender().tell(opened(number)));
        let clock = Clock::start();
        let report = watch.stop(Duration::from_millis(100));
        assert!(clock.now().as_micros() < 400_000);
        assert!(report.problems[0].contains("could not be made in time"));
    }

    #[test]
    fn a_panic_costs_one_observation_and_is_told() {
        fn fragile(watcher: &mut Watcher, observation: Observation) {
            assert!(!matches!(observation, Observation::Opened { flow: FlowNumber(2), .. }), "a mistake");
            watcher.observe(observation);
        }
        let watch = Watch::start_with(WatchConfig::default(), fragile).unwrap();
        (1..=3).for_each(|number| watch.sender().tell(opened(number)));
        let report = watch.stop(PATIENCE);
        assert_eq!(sum(&report.ledger), (2, 0));
        assert!(report.problems[0].contains("1 event met") && report.problems[0].contains("report this"));
    }

    #[test]
    fn a_mistake_beside_an_observation_does_not_end_the_thread() {
        let news = News(Some(Box::new(|| panic!("a mistake"))));
        let watch = Watch::start(WatchConfig { news, ..WatchConfig::default() }).unwrap();
        watch.sender().tell(opened(1));
        assert_eq!(sum(&watch.sender().snapshot().unwrap()), (1, 0));
        watch.sender().tell(opened(2));
        let report = watch.stop(PATIENCE);
        assert_eq!(sum(&report.ledger), (2, 0), "nothing came too fast, and nothing is missing");
        assert!(report.problems[0].contains("1 event met a mistake in Telltale"), "{:?}", report.problems);
    }

    #[test]
    fn a_watcher_that_stands_still_does_not_hold_up_the_relay() {
        static GATE: Mutex<()> = Mutex::new(());
        fn gated(watcher: &mut Watcher, observation: Observation) {
            drop(GATE.lock().unwrap_or_else(PoisonError::into_inner));
            watcher.observe(observation);
        }
        let shut = GATE.lock().unwrap();
        let watch = Watch::start_with(WatchConfig::default(), gated).unwrap();
        let mut sender = watch.sender();
        // These return although nobody looks at them.
        (0..40_000).for_each(|number| sender.tell(opened(number)));
        drop(shut);
        // The backlog goes first as soon as there is room.
        (0..200).for_each(|_| {
            thread::sleep(Duration::from_millis(1));
            sender.tell(Observation::Carried {
                flow: FlowNumber(0),
                traffic: Traffic::default(),
                at: Timestamp(1),
            });
            sender.hand_over();
        });
        drop(sender);
        let report = watch.stop(PATIENCE);
        let (flows, _) = sum(&report.ledger);
        assert!((20_480..=21_504).contains(&flows), "queue and backlog hold {flows}");
        assert_eq!(flows + report.dropped, 40_000);
        assert!(report.problems[0].contains(&report.dropped.to_string()));
    }
}
