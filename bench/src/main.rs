//! Measures the relay of Telltale beside its peers, in one bed of network namespaces.
#![expect(clippy::print_stderr, reason = "a program for the command line")]

mod bed;
mod case;
mod clock;
mod cores;
mod engine;
mod figures;
mod hello;
mod load;
mod meter;
mod options;
mod page;
mod pattern;
mod plot;
mod reference;
mod results;
mod run;
mod table;
mod targets;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use telltale_scenario::raise_descriptor_limit;

use crate::engine::Engine;
use crate::options::{HELP, Options, Task};
use crate::results::{Machine, Results};
use crate::run::{Plan, Table};

fn main() -> ExitCode {
    let done = Options::parse(lexopt::Parser::from_env())
        .map_err(|error| io::Error::other(format!("{error}; see scripts/bench --help")))
        .and_then(carry_out);
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("telltale-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(task: Task) -> io::Result<ExitCode> {
    match task {
        Task::Help => say(HELP)?,
        Task::List => case::all().iter().try_for_each(|case| say(&format!("{}\n", case.name())))?,
        Task::Hold { kind, server, flows } => {
            raise_descriptor_limit()?;
            load::hold(kind, server, flows)?;
        }
        Task::Measure(options) => return show(&options, &measure(&options)?),
        Task::Show(options) => {
            let engines = Engine::all(Path::new(&options.telltale))?;
            return show(&options, &Results::read(&options.from, engines)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output. That nobody reads to the end, as `head` does, is no mistake.
fn say(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn measure(options: &Options) -> io::Result<Results> {
    let mut engines = Engine::all(&options.telltale)?;
    engines.retain(|engine| options.wants(engine));
    let machine = Machine::here()?;
    if machine.cores < 2 {
        return Err(io::Error::other("two cores are needed: one for app and server, one for the engine"));
    }
    raise_descriptor_limit()?;
    let plan = Plan {
        cases: options.cases(),
        engines,
        runs: options.runs,
        lengths: options.lengths,
        again: options.again,
    };
    eprintln!("{} rows; about {:.0} minutes, if nothing disturbs", plan.cases.len(), plan.seconds() / 60.0);
    let results = |table: Table| Results {
        cases: plan.cases.clone(),
        engines: plan.engines.clone(),
        table,
        machine: machine.clone(),
    };
    // A run of hours that is broken off has kept what it had.
    let keep = |table: &Table| match &options.json {
        Some(file) => results(table.clone()).write(file),
        None => Ok(()),
    };
    let table = run::run(&plan, &|line| eprintln!("{line}"), &keep)?;
    Ok(results(table))
}

fn show(options: &Options, results: &Results) -> io::Result<ExitCode> {
    say(&table::draw(results))?;
    if let Some(file) = &options.json {
        results.write(file)?;
    }
    if let Some(file) = &options.page {
        page::write(results, file)?;
    }
    if !options.check {
        return Ok(ExitCode::SUCCESS);
    }
    say(&page::verdicts(results))?;
    let valid = targets::is_valid(&targets::yardsticks(results));
    let met = targets::judge(results).iter().all(|verdict| verdict.holds() == Some(true));
    Ok(if valid && met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
