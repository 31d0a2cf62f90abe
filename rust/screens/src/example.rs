//! What a phone of 2014 sent: the first act as a capture, seen as live traffic is, and kept nowhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use telltale_capture::{Capture, Event, Tracker};
use telltale_model::{App, Flow, Observation, Owner, Timestamp};
use telltale_watch::destinations::{Around, Destinations};
use telltale_watch::details::{Given, masked};
use telltale_watch::{Config, Watcher, observe_guarded};

use crate::question::Unanswered;
use crate::{LookedFor, Sought};

/// See `rust/screens/example/README.md`.
const CAPTURE: &[u8] = include_bytes!("../example/act1.pcap");
const DETAILS: &str = include_str!("../example/details.txt");
const PROGRAMS: &str = include_str!("../example/programs.tsv");
const APPS: &str = include_str!("../example/apps.json");

/// The flows of the capture, with whoever sent them.
pub(crate) struct Example {
    pub(crate) flows: Vec<Flow>,
    pub(crate) looked_for: LookedFor,
}

impl Example {
    pub(crate) fn new(tables: Option<&Destinations>) -> Result<Self, Unanswered> {
        // The same ids each time: the person does not exist, and nothing of theirs is kept.
        let mut given = Given::new([0; 16]);
        let errors = given.read_all_lines(DETAILS.as_bytes(), 1);
        if !errors.is_empty() {
            return Err(Unanswered::Failed("the details of the example cannot be read".into()));
        }
        given.named_by_place();
        let maker = tables.and_then(|tables| tables.phone_maker("Xiaomi", "Redmi"));
        let watcher = Watcher::new(Config {
            tables: tables.cloned(),
            around: Around { phone: maker.map(|company| company.number), ..Around::default() },
            details: given.details(),
            ..Config::default()
        });
        Ok(Self { flows: replay(watcher)?, looked_for: looked_for(&given) })
    }

    /// The inner question with the capture's own day in place of the one that was asked for.
    pub(crate) fn question(&self, of: &Value) -> Value {
        let mut question = of.clone();
        let moments = || self.flows.iter().map(|flow| flow.started.0.div_euclid(1_000));
        let (first, last) = (moments().min().unwrap_or(0), moments().max().unwrap_or(0));
        if let Some(members) = question.as_object_mut() {
            members.insert("from".into(), first.div_euclid(HOUR).saturating_mul(HOUR).into());
            members.insert("to".into(), (last.div_euclid(HOUR) + 1).saturating_mul(HOUR).into());
            members.insert("now".into(), last.into());
        }
        question
    }
}

/// In milliseconds.
const HOUR: i64 = 3_600_000;

fn replay(mut watcher: Watcher) -> Result<Vec<Flow>, Unanswered> {
    let damaged = |damage| Unanswered::Failed(format!("the example cannot be read: {damage}"));
    let owners = owners()?;
    let mut tracker = Tracker::new();
    let mut capture = Capture::open(CAPTURE).map_err(damaged)?;
    let mut events = Vec::new();
    while let Some(frame) = capture.next_frame().map_err(damaged)? {
        tracker.take(&frame, &mut events);
        see(&mut watcher, &owners, &mut events);
    }
    tracker.finish(&mut events);
    see(&mut watcher, &owners, &mut events);
    Ok(watcher.take_changed())
}

fn see(watcher: &mut Watcher, owners: &BTreeMap<u16, Arc<App>>, events: &mut Vec<Event>) {
    for event in events.drain(..) {
        let Event::Observed(observation) = event else { continue };
        let owned = if let Observation::Opened { flow, key, .. } = &observation {
            owners.get(&key.app.port()).map(|app| Observation::Owned { flow: *flow, owner: owner(app) })
        } else {
            None
        };
        for observation in std::iter::once(observation).chain(owned) {
            // A mistake costs the rest of one flow, as it does live.
            let _whole = observe_guarded(watcher, observation, Watcher::observe);
        }
    }
}

fn owner(app: &Arc<App>) -> Owner {
    Owner { app: Some(Arc::clone(app)), ..Owner::from(App::clone(app)) }
}

/// Whose a port of the phone is: a capture does not say.
fn owners() -> Result<BTreeMap<u16, Arc<App>>, Unanswered> {
    let apps: BTreeMap<String, App> = serde_json::from_str(APPS)
        .map_err(|error| Unanswered::Failed(format!("the apps of the example cannot be read: {error}")))?;
    let apps: BTreeMap<String, Arc<App>> =
        apps.into_iter().map(|(name, app)| (name, Arc::new(app))).collect();
    let pairs = PROGRAMS.lines().filter_map(|line| line.split_once('\t'));
    Ok(pairs.filter_map(|(port, name)| Some((port.parse().ok()?, Arc::clone(apps.get(name)?)))).collect())
}

fn looked_for(given: &Given) -> LookedFor {
    use telltale_model::DetailKind::{Contact, Package};
    let own = given.iter().filter(|detail| !matches!(detail.name.kind, Contact | Package));
    let sought = |detail| {
        let detail: &telltale_model::Detail = detail;
        let telltale_model::DetailName { kind, number, id } = detail.name;
        Sought { kind, number, id, masked: masked(detail) }
    };
    let contacts = given.iter().filter(|detail| detail.name.kind == Contact).count();
    LookedFor { own: own.map(sought).collect(), contacts }
}

/// The hour that holds a moment.
pub(crate) fn hour(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(HOUR * 1_000) * HOUR * 1_000)
}
