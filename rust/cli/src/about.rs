//! `telltale about`: version and licences.

/// The data sets, to whom they are owed, and under which licence.
const NOTICE: &str = include_str!("../../../NOTICE");

/// Name and licence of each crate that is built in; scripts/licences keeps it.
const CRATES: &str = include_str!("../crates.txt");

/// All of it.
pub(crate) fn text() -> String {
    format!(
        "telltale {}\n\n{NOTICE}\nCrates of other authors that are built in, with their licences:\n\n{}",
        env!("CARGO_PKG_VERSION"),
        CRATES.lines().map(|line| format!("  {line}\n")).collect::<String>(),
    )
}
