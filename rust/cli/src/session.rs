//! What surrounds a relay in `run` and in `attach`: the database, the watcher, the report at the end.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use telltale_driver::watcher::{Report, Watch, WatchConfig, WatchSender};
use telltale_driver::zone;
use telltale_model::{History, Owner};
use telltale_store::{Cause, Error, Mute, Reader, Run, Store, holds_something_else};
use telltale_watch::Keys;
use telltale_watch::destinations::Destinations;

use crate::arguments::{Database, Sink, Wanted};
use crate::events::LiveEvents;
use crate::identifiers::{LookedFor, Sought};
use crate::json::{self, Frame};
use crate::live::Live;
use crate::output::Output;
use crate::problem::{self, Problem, reason};
use crate::rows::Rows;
use crate::table::{self, View};
use crate::{since, tables};

/// What a session is to do.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// COMMAND with its arguments; empty where there is none.
    pub(crate) command: &'a [OsString],
    /// Where flows are kept.
    pub(crate) database: &'a Database,
    /// Where the report goes.
    pub(crate) report: &'a Sink,
    /// Whether it is JSON.
    pub(crate) json: bool,
    /// Whether the table shows each destination too.
    pub(crate) details: bool,
    /// Whether the table is shown meanwhile; [`crate::live::permit`] was asked before.
    pub(crate) live: bool,
    /// Whether anybody watches at all.
    pub(crate) watch: bool,
    /// Which details are looked for.
    pub(crate) wanted: &'a Wanted,
    /// The owner of ICMP echo: COMMAND.
    pub(crate) echo_owner: Owner,
    /// Our own resolver's addresses inside the tunnel.
    pub(crate) resolvers: &'a [IpAddr],
    /// Keys that COMMAND writes down, with which what they open is read.
    pub(crate) keys: Option<Keys>,
    /// Where is written what happens meanwhile.
    pub(crate) events: Option<&'a Path>,
    /// Who made the phone.
    pub(crate) maker: Option<&'a str>,
}

/// A watcher at work, or none, and where its report goes.
#[derive(Debug)]
pub(crate) struct Session {
    watch: Option<Watch>,
    live: Option<Live>,
    events: Option<LiveEvents>,
    output: Output,
    json: bool,
    details: bool,
    tables: Option<Destinations>,
    frame: Frame,
    /// Why the database could not be opened at the beginning; the watcher tries again.
    unopened: Option<Error>,
    /// What the database remembered at the beginning.
    history: History,
    /// What nobody wants to be told of any more, as it was then.
    mutes: Vec<Mute>,
}

impl Session {
    /// Opens the report's place and the database, and starts the watcher. Starts threads: a process
    /// that still has to fork does so before.
    ///
    /// A database in the usual place that cannot be used costs no more than itself, and is told at
    /// the end; one that was asked for by name is worth stopping for. A full disk never stops anything.
    ///
    /// # Errors
    /// A sentence for a file that was named and cannot be used.
    pub(crate) fn begin(plan: Plan<'_>) -> Result<Self, Problem> {
        let command: Vec<String> =
            plan.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut session = Self {
            watch: None,
            live: None,
            events: None,
            output: Output::Nothing,
            json: plan.json,
            details: plan.details,
            tables: None,
            frame: Frame::default(),
            unopened: None,
            history: History::default(),
            mutes: Vec::new(),
        };
        if !plan.watch {
            return Ok(session);
        }
        let sought = Sought::read(plan.wanted, |name| std::env::var_os(name))?;
        let command = sought.without_details(command);
        session.frame.looked_for = sought.counts();
        session.frame.problems.extend(sought.problems);
        session.output = Output::open(plan.report)?;
        let store = session.open(plan.database, &command)?;
        let names = plan.resolvers.iter().map(|address| (*address, RESOLVER.to_owned())).collect();
        session.tables = tables::open(|name| std::env::var_os(name))
            .inspect_err(|problem| session.frame.problems.push(no_tables(problem)))
            .ok();
        let tables = session.tables.clone();
        let around = tables::around(plan.maker, tables.as_ref())?;
        let events = plan.events.map(LiveEvents::open).transpose()?;
        let history = std::mem::take(&mut session.history);
        let Plan { echo_owner, keys, live, .. } = plan;
        let details = sought.details;
        let config = WatchConfig {
            store,
            names,
            echo_owner,
            tables,
            around,
            details,
            history,
            keys,
            ..WatchConfig::default()
        };
        session.start(config, live, events)?;
        session.frame.command = (!command.is_empty()).then_some(command);
        Ok(session)
    }

    /// A handle for the relay; `None` where nobody watches.
    pub(crate) fn sender(&self) -> Option<WatchSender> {
        self.watch.as_ref().map(Watch::sender)
    }

    /// Ends the watcher, then writes the report and what the person should know besides. The last
    /// flows have `patience` to reach the database. The relay must have been stopped before.
    pub(crate) fn finish(mut self, problems: Vec<String>, patience: Duration) {
        drop(self.live.take());
        let passed_over = self.events.take().and_then(LiveEvents::finish);
        let Some(watch) = self.watch.take() else { return tell(&problems) };
        let Report { ledger, problems: seen, dropped } = watch.stop(patience);
        self.frame.problems.extend(problems.into_iter().chain(seen).chain(passed_over));
        self.frame.dropped = dropped;
        let mut rows = Rows { incomplete: dropped > 0, ..Rows::from(ledger) };
        rows.mute(&self.mutes);
        // With flows to keep, the watcher says how many it could not.
        let unopened = self.unopened.take().filter(|_| rows.is_empty());
        self.frame.problems.extend(unopened.map(|error| format!("nothing could be kept: {error}")));
        self.write(&rows);
    }

    fn open(&mut self, database: &Database, command: &[String]) -> Result<Option<Store>, Problem> {
        let path = match database.path(|name| std::env::var_os(name)) {
            Ok(Some(path)) => path,
            Ok(None) => return Ok(None),
            Err(no_home) => {
                self.frame.problems.push(format!("nothing was kept: {}", no_home.happened()));
                return Ok(None);
            }
        };
        if *database != Database::Usual && holds_something_else(&path) {
            return Err(unusable(format!("{} is not a database", path.display())));
        }
        let (started, version) = (since::now(), env!("CARGO_PKG_VERSION").to_owned());
        let run = Run { started, command: command.join(" "), version };
        match Store::open(&path, run.clone()) {
            Ok(opened) => {
                // Without a memory no comparison is made, and all else goes on.
                if let Some(reader) = Reader::open(&path).ok().flatten() {
                    self.history = reader.history(started, zone(started)).unwrap_or_default();
                    self.mutes = reader.muted().unwrap_or_default();
                }
                self.frame.problems.extend(opened.set_aside.map(|aside| {
                    let (path, aside) = (path.display(), aside.display());
                    format!("the database {path} was damaged; it was moved to {aside}, and a new one begun")
                }));
                Ok(Some(opened.store))
            }
            Err(error) if error.cause() == Cause::Disk => {
                self.unopened = Some(error);
                Ok(Some(Store::later(&path, run)))
            }
            Err(error) if *database == Database::Usual => {
                self.frame.problems.push(format!("nothing was kept: {error}"));
                Ok(None)
            }
            Err(error) => Err(unusable(error.to_string())),
        }
    }

    fn start(&mut self, config: WatchConfig, live: bool, events: Option<File>) -> Result<(), Problem> {
        let no_thread = |error: io::Error| {
            Problem::new(format!("the system gives no thread to watch with: {}", reason(&error)))
        };
        let watch = Watch::start(config).map_err(no_thread)?;
        if live {
            self.live = Some(Live::start(watch.sender(), self.tables.clone()).map_err(no_thread)?);
        }
        let events = events.map(|file| LiveEvents::start(file, watch.sender())).transpose();
        self.events = events.map_err(no_thread)?;
        self.watch = Some(watch);
        Ok(())
    }

    fn write(&mut self, rows: &Rows) {
        let tables = self.tables.as_ref();
        let text = if self.json {
            json::render(rows, tables, &self.frame)
        } else {
            let view = View { details: self.details, ..View::new(self.output.room(), tables) };
            let sentence = self.frame.looked_for.map(LookedFor::sentence).unwrap_or_default();
            table::render(rows, &view) + &sentence
        };
        if let Err(problem) = self.output.write(&text) {
            self.frame.problems.push(problem.to_string());
        }
        // JSON on stderr holds them already, and a reader of JSON wants nothing beside it.
        if !(self.json && matches!(self.output, Output::Stderr)) {
            tell(&self.frame.problems);
        }
    }
}

/// What flows to our own resolver are called.
const RESOLVER: &str = "system resolver";

/// What the person is told where it cannot be said whose hosts are.
pub(crate) fn no_tables(problem: &Problem) -> String {
    format!("companies are not named: {}", problem.happened())
}

fn unusable(happened: String) -> Problem {
    Problem::new(happened).advise("Name another file after --db, or keep nothing with --db none.")
}

fn tell(problems: &[String]) {
    for problem in problems {
        problem::say(problem);
    }
}
