//! `telltale replay`: what capture files hold, seen as live traffic is.

mod keeping;
mod record;

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use telltale_capture::{Capture, Damage, Event, OtherFlow, Secrets, Tracker};
use telltale_driver::zone;
use telltale_model::{Details, Flow, FlowNumber, Observation, Timestamp};
use telltale_watch::destinations::{Around, Destinations};
use telltale_watch::search::Needles;
use telltale_watch::{Config, Keys, Watcher, observe_guarded};
use telltale_words::Words;

use crate::arguments::ReplayOptions;
use crate::events::{self, Events};
use crate::identifiers::{LookedFor, Sought};
use crate::output;
use crate::problem::{self, reason};
use crate::rows::Rows;
use crate::table::{self, Room, View};
use crate::{findings, keys, session, since, tables, words};
use keeping::Keeping;

/// The exit code where a capture could not be read to its end.
const INCOMPLETE: u8 = 1;

/// Flows that have changed are taken from the watcher when there are so many.
const BATCH: usize = 1_024;

/// Shows one capture after the other on stdout.
pub(crate) fn replay(options: &ReplayOptions) -> ExitCode {
    let tables = tables::open(|name| env::var_os(name))
        .inspect_err(|problem| problem::say(&session::no_tables(problem)))
        .ok();
    let sought = match Sought::read(&options.wanted, |name| env::var_os(name)) {
        Ok(sought) => sought,
        Err(problem) => return problem.tell(),
    };
    let events = match options.events.as_deref().map_or_else(|| Ok(Events::new()), events::read) {
        Ok(events) => events,
        Err(problem) => return problem.tell(),
    };
    let keys = match options.keys.as_deref().map(keys::read).transpose() {
        Ok(keys) => keys,
        Err(problem) => return problem.tell(),
    };
    let around = match tables::around(options.maker.as_deref(), tables.as_ref()) {
        Ok(around) => around,
        Err(problem) => return problem.tell(),
    };
    sought.problems.iter().for_each(|problem| problem::say(problem));
    let needles = Needles::new(&sought.details);
    let with = With { details: &sought.details, needles: &needles, events, keys, around };
    let all = replay_all(options, tables.as_ref(), &with);
    if let Some(looked_for) = sought.counts().filter(|_| !options.jsonl && all.is_ok())
        && let Err(code) = output::put(&LookedFor::sentence(looked_for))
    {
        return code;
    }
    all.unwrap_or_else(|code| code)
}

/// What the captures are read with.
#[derive(Clone)]
struct With<'a> {
    /// What is looked for.
    details: &'a Details,
    /// The same, as it is searched for.
    needles: &'a Needles,
    /// What happened meanwhile.
    events: Events,
    /// Secrets of the connections.
    keys: Option<Keys>,
    /// Who made the phone.
    around: Around,
}

impl With<'_> {
    /// A file may be called after what is in it: what is shown or kept of its name has no detail in it.
    fn name(&self, path: &Path) -> String {
        let name = path.display().to_string();
        self.needles.redact(&name).unwrap_or(name)
    }
}

fn replay_all(
    options: &ReplayOptions,
    tables: Option<&Destinations>,
    with: &With<'_>,
) -> Result<ExitCode, ExitCode> {
    let mut complete = true;
    for path in &options.captures {
        complete &= Replay::of(path, options, tables, with.clone())?;
    }
    Ok(if complete { ExitCode::SUCCESS } else { INCOMPLETE.into() })
}

/// A flow that has ended.
enum End {
    Watched(FlowNumber),
    /// One of another protocol: its line.
    Other(String),
}

/// One capture on its way through the watcher.
struct Replay<'a> {
    options: &'a ReplayOptions,
    /// What it is called in what is shown, without its folder and with it.
    name: String,
    whole_name: String,
    watcher: Watcher,
    tables: Option<&'a Destinations>,
    words: Words,
    /// Those that are still to come.
    events: Events,
    keeping: Keeping,
    /// What has ended since flows were taken from the watcher, in order.
    ends: Vec<End>,
    /// What was seen of protocols that are not watched: flows, and bytes both ways.
    others: (u64, u64),
    /// Events that met a mistake in what understands traffic.
    mistakes: u64,
    /// The latest stamp, and how many frames there were.
    last: Timestamp,
    frames: u64,
    /// Secrets of the file that were taken in.
    secrets: usize,
    /// A link type that packets of the file have and that is not read.
    unread_link: Option<u32>,
}

impl<'a> Replay<'a> {
    /// Shows a capture; answers whether all of it could be read.
    fn of(
        path: &Path,
        options: &'a ReplayOptions,
        tables: Option<&'a Destinations>,
        with: With<'_>,
    ) -> Result<bool, ExitCode> {
        let whole_name = with.name(path);
        let source = match open(path) {
            Ok(source) => source,
            Err(error) => {
                problem::say(&format!("{whole_name} cannot be read: {}", reason(&error)));
                return Ok(false);
            }
        };
        let name = with.name(Path::new(path.file_name().unwrap_or(path.as_os_str())));
        let keeping = Keeping::begin(&options.database, &whole_name).map_err(|problem| problem.tell())?;
        let mut replay = Self {
            options,
            name,
            whole_name,
            watcher: Watcher::new(Config {
                tables: tables.cloned(),
                details: with.details.clone(),
                around: with.around,
                keys: with.keys,
                hosts: true,
                zone: zone(since::now()),
                ..Config::default()
            }),
            events: with.events,
            secrets: 0,
            tables,
            words: findings::words(),
            keeping,
            ends: Vec::new(),
            others: (0, 0),
            mistakes: 0,
            last: Timestamp::default(),
            frames: 0,
            unread_link: None,
        };
        let whole = replay.read(source)?;
        replay.finish(whole)?;
        Ok(whole)
    }

    fn read(&mut self, source: Box<dyn Read>) -> Result<bool, ExitCode> {
        let mut tracker = Tracker::new();
        let mut events = Vec::new();
        let mut whole = true;
        let damage = match Capture::open(source) {
            Ok(mut capture) => {
                let damage = self.frames(&mut capture, &mut tracker, &mut events)?;
                if let Some((first, lost)) = capture.passed_over() {
                    whole = false;
                    let blocks = if lost == 1 { "block was" } else { "blocks were" };
                    self.tell(&format!("{lost} damaged {blocks} passed over, the first: {first}"));
                }
                if let Some(link) = self.unread_link {
                    whole = false;
                    self.tell(&format!("packets of the link type {link} are not read"));
                }
                damage
            }
            Err(damage) => Some(damage),
        };
        tracker.finish(&mut events);
        self.observe(&mut events)?;
        if let Some(damage) = &damage {
            self.tell(&damage.to_string());
        }
        Ok(whole && damage.is_none())
    }

    /// Every frame up to the end of the file, or to damage.
    fn frames(
        &mut self,
        capture: &mut Capture<Box<dyn Read>>,
        tracker: &mut Tracker,
        events: &mut Vec<Event>,
    ) -> Result<Option<Damage>, ExitCode> {
        loop {
            match capture.next_frame() {
                Ok(Some(frame)) => {
                    self.take_secrets(capture.secrets());
                    if !telltale_capture::is_read(frame.link) {
                        self.unread_link = Some(frame.link);
                        continue;
                    }
                    self.frames += 1;
                    self.last = self.last.max(frame.at);
                    self.happen();
                    tracker.take(&frame, events);
                    self.observe(events)?;
                }
                Ok(None) => return Ok(None),
                Err(damage) => return Ok(Some(damage)),
            }
        }
    }

    /// What a file brings along stands before the packets that it opens.
    fn take_secrets(&mut self, secrets: &[Secrets]) {
        let new = secrets.get(self.secrets..).unwrap_or_default();
        self.secrets = secrets.len();
        if keys::are_among(new) {
            keys::add(self.watcher.keys(), new);
        }
    }

    fn observe(&mut self, events: &mut Vec<Event>) -> Result<(), ExitCode> {
        for event in events.drain(..) {
            match event {
                Event::Observed(observation) => self.see(observation),
                Event::Other(flow) => self.other(&flow),
            }
            if self.watcher.news() >= BATCH || self.ends.len() >= BATCH {
                self.take_changed()?;
            }
        }
        Ok(())
    }

    /// Events up to now.
    fn happen(&mut self) {
        while let Some((at, event)) = self.events.front().copied().filter(|(at, _)| *at <= self.last) {
            self.events.pop_front();
            self.see(Observation::Happened { event, at });
        }
    }

    /// A mistake in what understands traffic costs the rest of one flow.
    fn see(&mut self, observation: Observation) {
        if let Observation::Closed { flow, .. } = observation {
            self.ends.push(End::Watched(flow));
        }
        if !observe_guarded(&mut self.watcher, observation, Watcher::observe) {
            self.mistakes += 1;
        }
    }

    fn other(&mut self, flow: &OtherFlow) {
        let bytes = flow.traffic.bytes_sent.saturating_add(flow.traffic.bytes_received);
        self.others = (self.others.0 + 1, self.others.1.saturating_add(bytes));
        if self.options.jsonl {
            self.ends.push(End::Other(record::of_other(&self.name, flow)));
        }
    }

    /// Flows that have ended are complete: nothing more comes of them.
    fn take_changed(&mut self) -> Result<(), ExitCode> {
        let changed = self.watcher.take_changed();
        let ends = std::mem::take(&mut self.ends);
        if self.options.jsonl {
            output::put(&self.lines(&ends, &changed))?;
        }
        self.keeping.keep(self.last, &changed);
        Ok(())
    }

    /// What has ended, of which `changed` has the flows, sorted by their numbers.
    fn lines(&self, ends: &[End], changed: &[Flow]) -> String {
        let of_number = |number: &FlowNumber| {
            let place = changed.binary_search_by_key(number, |flow| flow.number).ok()?;
            changed.get(place).map(|flow| record::of_flow(&self.name, flow, &self.words, self.tables))
        };
        let line = |end: &End| match end {
            End::Watched(number) => of_number(number),
            End::Other(line) => Some(line.clone()),
        };
        ends.iter().filter_map(line).collect()
    }

    /// Of a file of which nothing could be read there is no table: it would say that nothing was sent.
    fn finish(mut self, whole: bool) -> Result<(), ExitCode> {
        self.take_changed()?;
        self.keeping.finish();
        self.mistakes += self.watcher.take_mistakes();
        if self.mistakes > 0 {
            let (name, mistakes) = (&self.name, self.mistakes);
            problem::say(&format!(
                "{name}: not complete: {mistakes} events met a mistake in Telltale; please report this"
            ));
        }
        let ledger = self.watcher.ledger();
        if ledger.shortened > 0 {
            let (name, flows) = (&self.name, counted(ledger.shortened, "flow"));
            problem::say(&format!("{name}: {flows} were too many to tell all names and requests of"));
        }
        if self.options.jsonl || (self.frames == 0 && !whole) {
            return Ok(());
        }
        if self.options.captures.len() > 1 {
            output::put(&format!("{}:\n", self.name))?;
        }
        let rows = Rows::from(ledger);
        let room = Room { height: None, ..table::room(io::stdout()) };
        output::put(&table::render(
            &rows,
            &View { details: self.options.details, ..View::new(room, self.tables) },
        ))?;
        let (flows, bytes) = self.others;
        if flows > 0 {
            output::put(&format!(
                "Besides: {} of other protocols than TCP, UDP and ICMP, {}.\n",
                counted(flows, "flow"),
                counted(bytes, "byte")
            ))?;
        }
        Ok(())
    }

    fn tell(&self, damage: &str) {
        let Self { whole_name, frames, .. } = self;
        problem::say(&format!("{whole_name}: {damage}; {} could be read", counted(*frames, "packet")));
    }
}

fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", words::number(number), if number == 1 { "" } else { "s" })
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}
