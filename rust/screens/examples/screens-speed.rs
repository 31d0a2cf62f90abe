//! How long each question of the app takes with a million flows in the database, and how long it takes to keep them:
//! `cargo run --release -p telltale-screens --example screens-speed [DATABASE]`. A database that is named is kept, and
//! used again.
//!
//! The million are of the last 7 days, for which single flows are kept. Of the 23 days before there are the sums, the
//! findings and their flows; and in the last hour apps try in vain to reach more receivers than one question looks at.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark for the command line")]
#![expect(
    clippy::cast_possible_truncation,
    reason = "numbers of a benchmark are small, or parts of them are meant"
)]
#![expect(clippy::indexing_slicing, reason = "of JSON, where what is missing is null")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use telltale_model::{
    App, AppGroup, Application, Confidence, Coverage, Destination, DetailKind, DetailName, Ending, Envelope,
    Evidence, Facts, Finding, Flow, FlowKey, FlowNumber, Form, Gap, GapReason, Grade, Owner, Protocol, Role,
    Severity, Timestamp, Traffic, What,
};
use telltale_screens::{LookedFor, Screens, Sought};
use telltale_store::{Run, Store, limits};
use telltale_watch::destinations::{Around, Destinations};

const FLOWS: u64 = 1_000_000;
/// Flows of the days before, which are forgotten as they get old.
const EARLIER: u64 = 300_000;
const DAYS: i64 = 30;
/// Connections of the last hour that nobody answered, beside the others: as many as one question looks at.
const VAIN: u64 = limits::TRIED_READ as u64;
/// So many to each receiver.
const TRIES: u64 = 5;
const APPS: u64 = 40;
const COMPANIES: u64 = 300;
/// Flows that one commit keeps, as the watcher hands them over.
const BATCH: usize = 256;
/// One flow of so many has a finding: 26,000, more than one question looks at.
const FINDING_EVERY: u64 = 50;
/// Apps that have any.
const TELLTALES: u64 = 12;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 25 November 2026, 18:00 UTC; the phone is in India.
const NOW: Timestamp = Timestamp(1_795_629_600 * SECOND);
const ZONE: i64 = 19_800;

/// More than the issue of each screen allows is a failure.
const MOST: Duration = Duration::from_millis(50);
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let tables = telltale_tables::committed()?;
    println!("tables unpacked and opened {:5.1} ms", milliseconds(started.elapsed()));
    let named = std::env::args_os().nth(1).map(PathBuf::from);
    let database = named.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("telltale-screens-speed-{}.db", std::process::id()))
    });
    if !database.exists() {
        fill(&database, &Phone::new(&tables))?;
    }
    let size = std::fs::metadata(&database)?.len();
    println!("{} MB in the file\n", size / 1_000_000);
    let slow = measure(&database, &tables)?;
    an_hour_later(&database)?;
    if named.is_none() {
        for suffix in ["", "-wal", "-shm"] {
            let _absent = std::fs::remove_file(format!("{}{suffix}", database.display()));
        }
    }
    if slow.is_empty() { Ok(()) } else { Err(format!("too slow: {}", slow.join(", ")).into()) }
}

/// Asks each question a few times, and prints the middle and the slowest. Says which were too slow.
fn measure(database: &Path, tables: &Destinations) -> Result<Vec<&'static str>, Box<dyn Error>> {
    let started = Instant::now();
    let screens =
        Screens::new(database, Some(tables), Around::default(), telltale_model::Country::new(*b"IN"));
    let today = ask(&screens, span("today", 1))?;
    println!("open to the first Today  {:7.1} ms", milliseconds(started.elapsed()));
    let open = |card: &&Value| card["level"] == "open";
    let key = today["findings"]
        .as_array()
        .and_then(|cards| cards.iter().find(open))
        .map(|card| card["key"].clone());
    let key = key.unwrap_or_default();
    let app = today["apps"][0]["app"]["id"].clone();
    let mut slow = Vec::new();
    for (name, question) in questions(&key, &app) {
        let mut times = Vec::new();
        let mut length = 0;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            length = ask(&screens, question.clone())?.to_string().len();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let (middle, most) = (times.get(ROUNDS / 2).copied(), times.last().copied());
        let (middle, most) = (middle.unwrap_or_default(), most.unwrap_or_default());
        println!(
            "{name:24} {:7.1} ms, at most {:7.1}; {length} bytes",
            milliseconds(middle),
            milliseconds(most)
        );
        if middle > MOST {
            slow.push(name);
        }
    }
    Ok(slow)
}

fn questions(key: &Value, app: &Value) -> Vec<(&'static str, Value)> {
    let of_app = |days| {
        let mut question = span("app", days);
        question["app"] = app.clone();
        question
    };
    let mut outside = span("today", 30);
    outside["outside"] = true.into();
    let mut search = span("today", 30);
    search["search"] = "app 1".into();
    vec![
        ("today, an hour", hour()),
        ("today, a day", span("today", 1)),
        ("today, a week", span("today", 7)),
        ("today, a month", span("today", 30)),
        ("  searched", search),
        ("  outside the country", outside),
        ("  its last apps", page(span("today", 30), 30, Some(20))),
        ("  all its findings", page(span("today", 30), 0, None)),
        ("app, a day", of_app(1)),
        ("app, a week", of_app(7)),
        ("app, a month", of_app(30)),
        ("  its last receivers", page(of_app(30), 40, Some(20))),
        ("finding", json!({"ask": "finding", "key": key})),
        ("details, a month", span("details", 30)),
        ("notification, a day", span("notification", 1)),
        ("minute", json!({"ask": "minute", "since": NOW.0 / 1_000 - 60_000})),
        ("failing", json!({"ask": "failing"})),
        ("alerts", json!({"ask": "alerts"})),
        ("example", json!({"ask": "example", "of": span("today", 1)})),
        ("alerted", json!({"do": "alerted", "key": key, "at": NOW.0 / 1_000})),
        ("mute", json!({"do": "mute", "key": key, "on": false})),
    ]
}

/// The last days to the end of this one, as the clocks of the phone count.
fn span(ask: &str, days: i64) -> Value {
    let day = DAY / 1_000;
    let tomorrow = ((NOW.0 / 1_000 + ZONE * 1_000).div_euclid(day) + 1) * day - ZONE * 1_000;
    json!({"ask": ask, "from": tomorrow - days * day, "to": tomorrow, "findings": 20})
}

/// The rows behind so many, and so many findings; all where it says none.
fn page(mut question: Value, offset: u64, findings: Option<u64>) -> Value {
    question["offset"] = offset.into();
    question["findings"] = findings.into();
    question
}

fn hour() -> Value {
    let now = NOW.0 / 1_000;
    json!({"ask": "today", "from": now - 3_600_000, "to": now, "findings": 20})
}

fn ask(screens: &Screens<'_>, mut question: Value) -> Result<Value, Box<dyn Error>> {
    if let Some(members) = question.as_object_mut() {
        let common =
            [("now", json!(NOW.0 / 1_000)), ("zone_offset", ZONE.into()), ("locale", "en-IN".into())];
        members.extend(common.map(|(name, value)| (name.to_owned(), value)));
    }
    let sought =
        |kind, number| Sought { kind, number, id: 5, masked: "4901 •••• •••7518".into() };
    let own = vec![sought(DetailKind::Imei, 1), sought(DetailKind::Phone, 1)];
    let answer = screens.answer(&question.to_string(), &LookedFor { own, contacts: 200 })?;
    Ok(serde_json::from_str(&answer)?)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Whose apps send what to whom.
struct Phone {
    apps: Vec<Arc<App>>,
    companies: Vec<String>,
}

impl Phone {
    fn new(tables: &Destinations) -> Self {
        let known = tables.all_companies().take(COMPANIES as usize);
        Self {
            apps: (0..APPS).map(|number| Arc::new(app(number))).collect(),
            companies: known.map(|company| company.id.to_owned()).collect(),
        }
    }

    /// The flow with this number, in order of time: some apps send most of it, each to companies of its own, and to
    /// some of them all the time.
    fn flow(&self, number: u64) -> Flow {
        let mut chance = Chance(number);
        let flagged = number.is_multiple_of(FINDING_EVERY);
        // What gives details away are some apps, each to its own maker.
        let sender = if flagged { chance.below(TELLTALES) } else { few(&mut chance, APPS) };
        let whom = if flagged { 0 } else { few(&mut chance, 4 + sender * 7 % 23) };
        let receiver = (sender * 7 + whom * 11) % self.companies.len() as u64;
        let host = if flagged { 0 } else { few(&mut chance, 3) };
        let front = few(&mut chance, 4);
        let started = began(number);
        let company = self.companies.get(receiver as usize).cloned();
        let name = format!("h{host}.{}.example", company.as_deref().unwrap_or_default());
        let role = Role::ALL.get((receiver as usize + host as usize) % Role::ALL.len()).copied();
        let in_clear = chance.below(20) == 0;
        let coverage = coverage(in_clear, 400 + chance.below(40_000));
        let sent = coverage.searched + coverage.encrypted;
        let application = (!in_clear).then_some(Application::Tls);
        let app = self.apps.get(sender as usize).cloned();
        let owner = app.as_deref().cloned().map(Owner::from).unwrap_or_default();
        let mut flow = Flow {
            number: FlowNumber(number),
            key: FlowKey {
                protocol: Protocol::Tcp,
                app: ([10, 215, 173, 1], 40_000).into(),
                remote: ([100, receiver as u8, (receiver >> 8) as u8 + host as u8, front as u8], 443).into(),
            },
            owner: Owner { app, ..owner },
            name: Some(name.clone()),
            other_names: Vec::new(),
            started,
            ended: Some(Timestamp(started.0 + SECOND)),
            ending: Some(Ending::Finished),
            traffic: Traffic {
                bytes_sent: sent,
                bytes_received: 9 * sent,
                packets_sent: 9,
                packets_received: 12,
            },
            facts: Facts { application, content_sent: sent, coverage, set: 7, ..Facts::default() },
            destination: Destination { company, name: Some(name), role, ..Destination::default() },
            findings: Vec::new(),
        };
        if flagged {
            flow.findings.push(finding(&flow, &mut chance));
        }
        flow
    }

    /// A connection of the last hour that nobody answered.
    fn in_vain(&self, number: u64) -> Flow {
        let receiver = number % (VAIN / TRIES);
        let mut flow = self.flow(EARLIER + FLOWS - 1);
        let started = Timestamp(NOW.0 - 3_500 * SECOND + number as i64 * (3_400 * SECOND / VAIN as i64));
        let app = self.apps.get((receiver % APPS) as usize).cloned();
        let owner = app.as_deref().cloned().map(Owner::from).unwrap_or_default();
        (flow.number, flow.owner) = (FlowNumber(EARLIER + FLOWS + number), Owner { app, ..owner });
        (flow.started, flow.ended) = (started, Some(Timestamp(started.0 + 30 * SECOND)));
        (flow.ending, flow.name) = (Some(Ending::TimedOut), Some(format!("r{receiver}.example")));
        (flow.traffic, flow.facts) = (Traffic::default(), Facts::default());
        (flow.destination, flow.findings) = (Destination::default(), Vec::new());
        flow
    }
}

/// When the flow of this number began: all of them evenly, those of the days that are kept more closely.
fn began(number: u64) -> Timestamp {
    let kept = NOW.0 - limits::FLOW_DAYS * DAY;
    let earlier = (DAYS - limits::FLOW_DAYS) * DAY / EARLIER as i64;
    let of_kept = limits::FLOW_DAYS * DAY / FLOWS as i64;
    Timestamp(match number.checked_sub(EARLIER) {
        None => kept - earlier * (EARLIER - number) as i64,
        Some(number) => kept + of_kept * number as i64,
    })
}

fn app(number: u64) -> App {
    App {
        uid: 10_000 + number as u32,
        packages: vec![format!("org.example.app{number}")],
        names: vec![format!("App {number}")],
        version: Some("2.14.3".into()),
        signer: Some(format!("{number:064x}")),
        group: AppGroup::ALL.get(number as usize % AppGroup::ALL.len()).copied().unwrap_or_default(),
        ..App::default()
    }
}

fn coverage(in_clear: bool, bytes: u64) -> Coverage {
    if in_clear {
        return Coverage { searched: bytes, ..Coverage::default() };
    }
    Coverage { handshake: 517, encrypted: bytes, ..Coverage::default() }
}

fn finding(flow: &Flow, chance: &mut Chance) -> Finding {
    let kind = if chance.below(2) == 0 { DetailKind::Imei } else { DetailKind::Phone };
    let form = if chance.below(3) == 0 { vec![Form::Sha1] } else { Vec::new() };
    let detail = Some(DetailName { kind, number: 1, id: 5 });
    Finding {
        what: What::IdentifierSent { kind, detail, grade: Grade::Yours, form },
        program: flow.owner.program.clone(),
        uid: flow.owner.uid,
        destination: flow.destination.clone(),
        envelope: Envelope::None,
        severity: Severity::High,
        confidence: Confidence::Certain,
        evidence: Evidence {
            flow: flow.number,
            offset: Some(0),
            field: Some("query.externalId".into()),
            excerpt: Some(format!("GET /pass/user@id?type=****&externalId=<{} 1>", kind.name())),
        },
        times: 1,
        at: flow.started,
    }
}

/// The smaller ones far more often.
fn few(chance: &mut Chance, most: u64) -> u64 {
    (0..3).map(|_| chance.below(most)).min().unwrap_or(0)
}

/// The same numbers each time: SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

/// As the app keeps them: a batch after the other, each at its time.
fn fill(database: &Path, phone: &Phone) -> Result<(), Box<dyn Error>> {
    let run = Run { started: NOW, command: "watch".into(), version: "0.1.0".into() };
    let mut store = Store::open(database, run)?.store.up_to(i64::MAX);
    let (mut commits, mut forgets) = (Vec::new(), Vec::new());
    let mut numbers = (0..EARLIER + FLOWS).map(|number| phone.flow(number)).peekable();
    while numbers.peek().is_some() {
        let batch: Vec<Flow> = numbers.by_ref().take(BATCH).collect();
        let now = batch.last().map_or(NOW, |flow| flow.started);
        commits.push(commit(&mut store, now, &batch)?);
        // The watcher does the same between two batches.
        while store.has_more_to_forget() {
            forgets.push(commit(&mut store, now, &[])?);
        }
    }
    let vain: Vec<Flow> = (0..VAIN).map(|number| phone.in_vain(number)).collect();
    for batch in vain.chunks(BATCH) {
        store.commit(NOW, batch)?;
    }
    for day in 0..DAYS {
        let from = NOW.0 - day * DAY;
        store.note_gap(&Gap {
            from: Timestamp(from),
            to: Timestamp(from + DAY / 24),
            why: GapReason::Ended,
        })?;
    }
    let all: Duration = commits.iter().sum();
    let flows = EARLIER + FLOWS;
    println!("{flows} flows kept, {:.1} µs each", milliseconds(all) * 1_000.0 / flows as f64);
    tell("a commit of 256", commits);
    tell("one that only forgets", forgets);
    Ok(())
}

/// What is too old then goes with commits that keep nothing.
fn an_hour_later(database: &Path) -> Result<(), Box<dyn Error>> {
    let run = Run { started: NOW, command: "watch".into(), version: "0.1.0".into() };
    let mut store = Store::open(database, run)?.store.up_to(i64::MAX);
    let later = Timestamp(NOW.0 + 3_600 * SECOND);
    let mut times = vec![commit(&mut store, later, &[])?];
    while store.has_more_to_forget() {
        times.push(commit(&mut store, later, &[])?);
    }
    tell("an hour later", times);
    Ok(())
}

fn commit(store: &mut Store, now: Timestamp, batch: &[Flow]) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    store.commit(now, batch)?;
    Ok(started.elapsed())
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| milliseconds(times.get(times.len() * part / 1_000).copied().unwrap_or_default());
    let most = milliseconds(times.last().copied().unwrap_or_default());
    println!(
        "{what:21} {:.1} ms in the middle, 99 of 100 in {:.1}, 999 of 1,000 in {:.1}, all {} in {most:.1}",
        at(500),
        at(990),
        at(999),
        times.len(),
    );
}
