//! `telltale report`: what the database knows.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use telltale_store::{Filter, Reader};

use crate::arguments::ReportOptions;
use crate::json::{self, Frame};
use crate::problem::Problem;
use crate::rows::Rows;
use crate::since;
use crate::table;

/// Prints what is known on stdout.
pub(crate) fn report(options: &ReportOptions) -> ExitCode {
    match known(options).and_then(|text| print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => problem.tell(),
    }
}

fn known(options: &ReportOptions) -> Result<String, Problem> {
    let path = options.database.path(|name| std::env::var_os(name))?.unwrap_or_default();
    let filter =
        Filter { since: options.since.map(|since| since.moment(since::now())), program: options.app.clone() };
    let rows = read(&path, &filter)?;
    Ok(match (&rows, options.json) {
        (_, true) => json::render(&rows.unwrap_or_default(), &Frame::default()),
        (Some(rows), false) if !rows.is_empty() => table::render(rows, width()),
        (Some(_), false) if filter != Filter::default() => {
            format!("Nothing that was asked for is in {}.\n", path.display())
        }
        _ => format!(
            "Nothing is known yet: {} is empty or not there.\nTelltale learns by: telltale run -- COMMAND...\n",
            path.display()
        ),
    })
}

fn read(path: &Path, filter: &Filter) -> Result<Option<Rows>, Problem> {
    let because = |error: telltale_store::Error| Problem::new(error.to_string());
    let Some(reader) = Reader::open(path).map_err(because)? else { return Ok(None) };
    reader.totals(filter).map(|totals| Some(Rows::from(totals))).map_err(because)
}

/// A report is scrolled through: its height has no limit.
fn width() -> table::Room {
    table::Room { height: None, ..table::room(io::stdout()) }
}

/// A reader that closes early, such as `head`, has seen enough.
fn print(text: &str) -> Result<(), Problem> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::new(format!("the report cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
