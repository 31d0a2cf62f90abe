//! `telltale report`: what the database knows.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use telltale_driver::launch::Caller;
use telltale_store::{Cause, Error, Filter, Reader};
use telltale_watch::destinations::Destinations;

use crate::arguments::{Database, ReportOptions};
use crate::json::{self, Frame};
use crate::output;
use crate::problem::{self, Problem, reason};
use crate::rows::Rows;
use crate::table::{self, View};
use crate::{session, since, tables, words};

/// Prints what is known on stdout.
pub(crate) fn report(options: &ReportOptions) -> ExitCode {
    match known(options) {
        Ok(text) => output::print(&text),
        Err(problem) => problem.tell(),
    }
}

fn known(options: &ReportOptions) -> Result<String, Problem> {
    let path = options.database.path(variable(&options.database)?);
    let path = path.map_err(|no_home| no_home.advise("Say where with --db FILE."))?.unwrap_or_default();
    let filter =
        Filter { since: options.since.map(|since| since.moment(since::now())), program: options.app.clone() };
    let known =
        Known::read(&path, &filter, options.details).map_err(|error| advise(&error, &options.database))?;
    Ok(if options.json { known.json(&path) } else { known.text(&path) })
}

/// The environment in which the usual database is looked for. Under sudo that is the caller's, to whom
/// `telltale run` gives what it keeps, and it is read as the caller. (A file that is named is read with
/// the rights that were asked for by sudo.)
pub(crate) fn variable(database: &Database) -> Result<impl Fn(&str) -> Option<OsString>, Problem> {
    let caller = if *database == Database::Usual { Caller::of_sudo() } else { None };
    if let Some(caller) = &caller {
        caller.take_over().map_err(|error| {
            Problem::new(format!("the rights of sudo's caller cannot be taken on: {}", reason(&error)))
                .advise("Leave sudo out.")
        })?;
    }
    Ok(move |name: &str| match &caller {
        Some(caller) => caller.variable(name),
        None => env::var_os(name),
    })
}

/// What the database said.
struct Known {
    rows: Rows,
    /// Whether there is no database, or one in which nothing is.
    nothing: bool,
    problems: Vec<String>,
    tables: Option<Destinations>,
    details: bool,
}

impl Known {
    fn read(path: &Path, filter: &Filter, details: bool) -> Result<Self, Error> {
        let reader = Reader::open(path)?;
        let totals = reader.as_ref().map(|reader| reader.totals(filter)).transpose()?;
        let tables = tables::open(|name| env::var_os(name));
        let untold = tables.as_ref().err().map(session::no_tables);
        let tables = tables.ok();
        let found = reader.as_ref().map(|reader| reader.findings(filter)).transpose()?.unwrap_or_default();
        let mutes = reader.as_ref().map(Reader::muted).transpose()?.unwrap_or_default();
        let rows = totals.map(|totals| Rows::kept(totals, tables.as_ref())).unwrap_or_default();
        let (findings, incomplete) = (found.told, found.unread > 0);
        let mut rows = Rows { findings, untold: found.older, incomplete, ..rows };
        rows.mute(&mutes);
        let nothing = rows.is_empty() && (reader.is_none() || *filter == Filter::default());
        let unread = reader.as_ref().and_then(Reader::unread_log);
        let problems = unread.into_iter().map(not_shown).chain(untold).chain(unread_findings(found.unread));
        let problems = problems.collect();
        Ok(Self { rows, nothing, problems, tables, details })
    }

    fn json(self, path: &Path) -> String {
        let nothing =
            self.nothing.then(|| format!("nothing is known yet: {} is empty or not there", path.display()));
        let problems = self.problems.into_iter().chain(nothing).collect();
        json::render(&self.rows, self.tables.as_ref(), &Frame { problems, ..Frame::default() })
    }

    /// Problems are no part of a table, and go to stderr.
    fn text(self, path: &Path) -> String {
        self.problems.iter().for_each(|problem| problem::say(problem));
        let place = path.display();
        if self.nothing {
            format!(
                "Nothing is known yet: {place} is empty or not there.\n\
                 Telltale learns by: telltale run -- COMMAND...\n"
            )
        } else if self.rows.is_empty() {
            format!("Nothing that was asked for is in {place}.\n")
        } else {
            table::render(
                &self.rows,
                &View { details: self.details, ..View::new(width(), self.tables.as_ref()) },
            )
        }
    }
}

fn unread_findings(count: u64) -> Option<String> {
    let what = match count {
        0 => return None,
        1 => "1 finding".to_owned(),
        _ => format!("{} findings", words::number(count)),
    };
    Some(format!(
        "{what} in the database cannot be read: another version of Telltale kept it, or it is damaged"
    ))
}

fn not_shown(log: &Path) -> String {
    let log = log.display();
    format!("{log} cannot be read; what was kept last may stand there alone, and is missing here")
}

pub(crate) fn advise(error: &Error, database: &Database) -> Problem {
    let problem = Problem::new(error.to_string());
    match (error.cause(), database) {
        (Cause::Damage, Database::File(path)) => problem.advise(format!(
            "To move it out of the way and begin a new one: telltale run --db {} -- COMMAND...",
            path.display()
        )),
        (Cause::Damage, _) => {
            problem.advise("To move it out of the way and begin a new one: telltale run -- COMMAND...")
        }
        (Cause::Unfit, Database::File(_)) => problem.advise("Name another file after --db."),
        (Cause::Unfit, _) => problem.advise("Move it out of the way: telltale run then begins a new one."),
        (Cause::Denied, Database::File(_)) => problem.advise("Put sudo before telltale, to read it as root."),
        (Cause::Denied, _) => problem.advise("It should be yours: take it back with sudo chown."),
        (Cause::Disk | Cause::Other, _) => problem,
    }
}

/// A report is scrolled through: its height has no limit.
fn width() -> table::Room {
    table::Room { height: None, ..table::room(io::stdout()) }
}
