//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::case::{self, Case};
use crate::engine::Engine;
use crate::load::{HoldKind, Lengths};

/// What `--help` says; scripts/bench says the same.
pub(crate) const HELP: &str = "\
Measures Telltale's relay beside its peers.

  scripts/bench [OPTIONS]

Builds everything, lays out three network namespaces (app, engine, server), runs
every row with every engine in shuffled order, and prints one table. It needs root
and two cores, and the machine for itself: whatever else runs disturbs it.

Options:
  --quick         a few rows, one run: minutes instead of hours
  --only ROWS     only rows whose name has one of these parts, with commas
                  between; a+b needs both: --only tcp-up-1/1500+ipv4,ping;
                  a row's whole name is that row alone
  --engines LIST  only these engines: direct, telltale, telltale+watcher,
                  telltale-no-offload, ipstack, netstack-smoltcp,
                  netstack-documented, ceiling
  --runs N        how many runs of each row [5]
  --seconds S     how long a row is watched [1.5]; links with loss get ten
                  times that
  --idle-seconds S
                  how long the row of 100 quiet connections is watched [60];
                  the row of the battery gets five times that
  --again N       how often a run that something disturbed is tried again [3];
                  what stays disturbed is marked
  --list          the names of all rows
  --json FILE     write everything as JSON too
  --page FILE     write the page for docs, and its plot beside it as .svg
  --from FILE     measure nothing: show what an earlier --json has kept; give it
                  again to put several together
  --check         say which targets are met, and by how much the others are
                  missed; the exit code tells whether all are, in a valid run
  --telltale FILE the program to measure [target/release/telltale]

A whole run takes more than an hour; --only, --json and --from allow it in parts.
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    List,
    Measure(Options),
    Show(Options),
    /// A child of the bench itself, see [`crate::load::hold`].
    Hold {
        kind: HoldKind,
        server: SocketAddr,
        flows: usize,
    },
}

/// How to do it.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) telltale: PathBuf,
    pub(crate) runs: usize,
    pub(crate) lengths: Lengths,
    pub(crate) again: usize,
    pub(crate) json: Option<PathBuf>,
    pub(crate) page: Option<PathBuf>,
    pub(crate) from: Vec<PathBuf>,
    pub(crate) check: bool,
    quick: bool,
    only: Option<String>,
    engines: Option<String>,
}

impl Options {
    /// What the command line says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(mut parser: Parser) -> Result<Task, lexopt::Error> {
        let mut options = Self::usual();
        let mut runs = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(Task::Help),
                Arg::Long("list") => return Ok(Task::List),
                Arg::Long("quick") => options.quick = true,
                Arg::Long("only") => options.only = Some(parser.value()?.string()?),
                Arg::Long("engines") => options.engines = Some(parser.value()?.string()?),
                Arg::Long("runs") => runs = Some(parser.value()?.parse()?),
                Arg::Long("seconds") => options.lengths = options.lengths.usual(seconds(&mut parser)?),
                Arg::Long("idle-seconds") => options.lengths = options.lengths.idle(seconds(&mut parser)?),
                Arg::Long("again") => options.again = parser.value()?.parse()?,
                Arg::Long("json") => options.json = Some(parser.value()?.into()),
                Arg::Long("page") => options.page = Some(parser.value()?.into()),
                Arg::Long("from") => options.from.push(parser.value()?.into()),
                Arg::Long("check") => options.check = true,
                Arg::Long("telltale") => options.telltale = parser.value()?.into(),
                Arg::Value(word) if word == "hold" => return hold(&mut parser),
                Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(argument.unexpected()),
            }
        }
        options.runs = runs.unwrap_or(if options.quick { 1 } else { 5 });
        if options.from.is_empty() && options.cases().is_empty() {
            return Err("no row has such a name; --list shows them".into());
        }
        Ok(if options.from.is_empty() { Task::Measure(options) } else { Task::Show(options) })
    }

    fn usual() -> Self {
        Self {
            telltale: "target/release/telltale".into(),
            runs: 5,
            lengths: Lengths {
                usual: Duration::from_millis(1_500),
                lossy: Duration::from_secs(15),
                quiet: Duration::from_secs(60),
                battery: Duration::from_secs(300),
            },
            again: 3,
            json: None,
            page: None,
            from: Vec::new(),
            check: false,
            quick: false,
            only: None,
            engines: None,
        }
    }

    /// The rows that are wanted.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = if self.quick { case::few() } else { case::all() };
        if let Some(only) = &self.only {
            let names: Vec<String> = cases.iter().map(Case::name).collect();
            cases.retain(|case| fits(&case.name(), only, &names));
        }
        cases
    }

    /// Whether this engine is wanted.
    pub(crate) fn wants(&self, engine: &Engine) -> bool {
        self.engines.as_ref().is_none_or(|list| list.split(',').any(|name| name == engine.name))
    }
}

/// Whether `--only` wants the row of this name; `names` are those of all rows.
fn fits(name: &str, only: &str, names: &[String]) -> bool {
    let is_whole = |part: &str| names.iter().any(|name| name == part);
    let wants = |part: &str| if is_whole(part) { name == part } else { name.contains(part) };
    only.split(',').any(|parts| parts.split('+').all(wants))
}

fn hold(parser: &mut Parser) -> Result<Task, lexopt::Error> {
    let kind = parser.value()?.string()?;
    let kind = HoldKind::parse(&kind).ok_or_else(|| format!("there are no {kind} flows"))?;
    Ok(Task::Hold { kind, server: parser.value()?.parse()?, flows: parser.value()?.parse()? })
}

fn seconds(parser: &mut Parser) -> Result<Duration, lexopt::Error> {
    let seconds = parser.value()?.parse()?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{seconds} seconds: {error}").into())
}

impl Lengths {
    fn usual(self, usual: Duration) -> Self {
        Self { usual, lossy: usual * 10, ..self }
    }

    fn idle(self, quiet: Duration) -> Self {
        Self { quiet, battery: quiet * 5, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_part_alternatives_and_plus_joins_conditions() {
        let name = "tcp-up-1/1500/ipv4/pinned";
        assert!(fits(name, "ping,tcp-up-1/1500", &[]));
        assert!(fits(name, "tcp+ipv4+/pinned", &[]));
        assert!(!fits(name, "tcp+ipv6", &[]));
    }

    #[test]
    fn the_whole_name_of_a_row_is_that_row_alone() {
        let names = ["tcp-up-1/65535/ipv4/unpinned", "tcp-up-1/65535/ipv4/unpinned/rtt20"].map(String::from);
        assert!(fits(&names[0], &names[0], &names));
        assert!(!fits(&names[1], &names[0], &names));
        assert!(fits(&names[1], "tcp-up-1/65535", &names));
    }

    #[test]
    fn a_name_that_no_row_has_is_told() {
        let parse = |arguments: &[&str]| Options::parse(Parser::from_iter([&["bench"], arguments].concat()));
        assert!(parse(&["--only", "tpc"]).unwrap_err().to_string().contains("--list"));
        assert!(matches!(parse(&["--only", "tcp-up-8/9000"]).unwrap(), Task::Measure(_)));
        assert!(matches!(parse(&["--from", "x.json", "--check"]).unwrap(), Task::Show(_)));
        assert!(parse(&["--frm"]).is_err());
    }

    #[test]
    fn help_fits_a_terminal() {
        assert!(HELP.lines().all(|line| line.len() <= 82));
    }
}
