//! `telltale-tables`: what scripts/tables calls.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use lexopt::{Arg, Parser, ValueExt};
use telltale_tables::{Bulk, Rows, committed, disagreements, folder, packed, pins};
use telltale_watch::destinations::Destinations;

const HELP: &str = "\
Builds the packed tables of destinations. scripts/tables calls this.

  telltale-tables --out FOLDER                      new rows, the data sets as committed
  telltale-tables --out FOLDER --packages FOLDER    all anew, from unpacked packages

Writes rows.bin and bulk.bin into the folder: one after the other they are the file.
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("telltale-tables: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Vec<String>> {
    let (mut out, mut packages) = (None, None);
    let mut parser = Parser::from_env();
    let unclear = |error: lexopt::Error| vec![error.to_string()];
    while let Some(argument) = parser.next().map_err(unclear)? {
        let place = match argument {
            Arg::Long("out") => &mut out,
            Arg::Long("packages") => &mut packages,
            Arg::Short('h') | Arg::Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(unclear(argument.unexpected())),
        };
        *place =
            Some(PathBuf::from(parser.value().and_then(|value| value.parse::<String>()).map_err(unclear)?));
    }
    let out = out.ok_or_else(|| vec!["--out is needed; see --help".to_owned()])?;
    build(&out, packages.as_deref())
}

fn build(out: &Path, packages: Option<&Path>) -> Result<(), Vec<String>> {
    let one = |problem: String| vec![problem];
    let data = folder().join("data");
    let rows = Rows::read(&data)?;
    let bulk = match packages {
        Some(packages) => Bulk::read(packages, &pins(&data).map_err(one)?).map_err(one)?,
        None => Bulk::of(&committed().map_err(one)?),
    };
    let (file, bulk) = packed(&rows, &bulk)?;
    let tables = Destinations::open(Bytes::from(file.clone())).map_err(|error| one(error.to_string()))?;
    let unanswered = disagreements(&data, &rows, &tables).map_err(one)?;
    if !unanswered.is_empty() {
        return Err(unanswered);
    }
    let (rows, bulk) = file.split_at_checked(bulk).unwrap_or_default();
    for (name, part) in [("rows.bin", rows), ("bulk.bin", bulk)] {
        fs::write(out.join(name), part).map_err(|error| one(format!("{name}: {error}")))?;
    }
    println!("{:?}", tables.size());
    Ok(())
}
