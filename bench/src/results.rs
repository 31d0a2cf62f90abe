//! What was measured, and how one figure stands to others.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bed::congestion_controls;
use crate::case::{self, Case};
use crate::engine::{Engine, Role};
use crate::figures::{Better, Quantity};
use crate::run::{Cell, Table, key};
use crate::targets::{self, Verdict};

/// All that is known after a measurement.
pub(crate) struct Results {
    pub(crate) cases: Vec<Case>,
    pub(crate) engines: Vec<Engine>,
    pub(crate) table: Table,
    pub(crate) machine: Machine,
}

/// What it was measured on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// What TCP does about loss: it decides the rows with loss, and what pacing costs over a cable.
    pub(crate) congestion_control: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> io::Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let setting = |file: &str| Ok::<_, io::Error>(fs::read_to_string(file)?.trim().to_owned());
        let model = processors.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split_once(": ")).map(|(_, model)| model.trim());
        let (cable, links) = congestion_controls()?;
        Ok(Self {
            processor: model.unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: setting("/proc/sys/kernel/osrelease")?,
            congestion_control: format!("{cable} over the cable and {links} over links"),
        })
    }
}

impl Results {
    /// The cell of an engine in a row.
    pub(crate) fn cell(&self, case: &Case, engine: &Engine) -> Option<&Cell> {
        self.table.get(&(key(*case, engine), engine.name)).filter(|_| case.suits(engine))
    }

    /// The median of an engine in a row.
    pub(crate) fn median(&self, case: &Case, engine: &str, quantity: Quantity) -> Option<f64> {
        let engine = self.engines.iter().find(|known| known.name == engine)?;
        Some(self.cell(case, engine)?.spread(quantity)?.median)
    }

    /// The best median of the peers in this row. A peer that failed in part counts with what it did.
    pub(crate) fn best_peer(&self, case: &Case, quantity: Quantity) -> Option<f64> {
        let peers = self.engines.iter().filter(|engine| engine.role == Role::Peer);
        let medians = peers.filter_map(|engine| self.median(case, engine.name, quantity));
        match quantity.better()? {
            Better::Higher => medians.max_by(f64::total_cmp),
            Better::Lower => medians.min_by(f64::total_cmp),
        }
    }

    /// The median of a row without an engine.
    pub(crate) fn direct(&self, case: &Case, quantity: Quantity) -> Option<f64> {
        self.median(case, "direct", quantity)
    }
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
struct Document {
    machine: Machine,
    /// Whether every yardstick is within its range; only then do the figures say anything.
    #[serde(default)]
    valid: bool,
    rows: Vec<Row>,
    #[serde(default, skip_deserializing)]
    yardsticks: Vec<Verdict>,
    #[serde(default, skip_deserializing)]
    targets: Vec<Verdict>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    title: String,
    engines: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    cell: Cell,
    /// The middle of the values, and how it stands to that of others.
    #[serde(default, skip_deserializing)]
    figures: BTreeMap<Quantity, Figure>,
}

#[derive(Serialize)]
struct Figure {
    median: f64,
    least: f64,
    most: f64,
    to_direct: Option<f64>,
    to_best_peer: Option<f64>,
}

impl Results {
    /// As JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let yardsticks = targets::yardsticks(self);
        let document = Document {
            machine: self.machine.clone(),
            valid: targets::is_valid(&yardsticks),
            rows: self.cases.iter().map(|case| self.row(case)).collect(),
            yardsticks,
            targets: targets::judge(self),
        };
        fs::write(file, serde_json::to_vec_pretty(&document)?)
    }

    fn row(&self, case: &Case) -> Row {
        let entries = self.engines.iter().filter_map(|engine| {
            let cell = self.cell(case, engine)?;
            let figures = cell
                .values
                .keys()
                .filter_map(|quantity| Some((*quantity, self.figure(case, cell, *quantity)?)));
            Some((engine.name.to_owned(), Entry { cell: cell.clone(), figures: figures.collect() }))
        });
        Row { name: case.name(), title: case.title(), engines: entries.collect() }
    }

    fn figure(&self, case: &Case, cell: &Cell, quantity: Quantity) -> Option<Figure> {
        let spread = cell.spread(quantity)?;
        let ratio = |to: Option<f64>| to.map(|to| spread.median / to).filter(|ratio| ratio.is_finite());
        Some(Figure {
            median: spread.median,
            least: spread.least,
            most: spread.most,
            to_direct: ratio(self.direct(case, quantity).filter(|_| quantity.better().is_some())),
            to_best_peer: ratio(self.best_peer(case, quantity)),
        })
    }

    /// What was measured earlier; of two files with the same row the later one counts. Without an engine, rows that
    /// differ by the MTU of the tun alone are one: what each file has of it counts.
    ///
    /// # Errors
    /// When a file cannot be read, or was measured on another machine.
    pub(crate) fn read(files: &[impl AsRef<Path>], engines: Vec<Engine>) -> io::Result<Self> {
        let mut machine = None;
        let mut latest: BTreeMap<Case, BTreeMap<&'static str, Cell>> = BTreeMap::new();
        for file in files {
            let document: Document = serde_json::from_slice(&fs::read(file)?)?;
            if machine.as_ref().is_some_and(|machine| *machine != document.machine) {
                return Err(io::Error::other(
                    "these files come from different machines: they cannot be compared",
                ));
            }
            machine = Some(document.machine);
            for row in document.rows {
                let Some(case) = case::all().into_iter().find(|case| case.name() == row.name) else {
                    continue;
                };
                let cells = latest.entry(case).or_default();
                for engine in &engines {
                    if let Some(entry) = row.engines.get(engine.name) {
                        cells.insert(engine.name, entry.cell.clone());
                    }
                }
            }
        }
        let machine = machine.ok_or_else(|| io::Error::other("there is no file"))?;
        let cases = case::all().into_iter().filter(|case| latest.contains_key(case)).collect();
        Ok(Self { cases, table: put_together(latest, &engines), engines, machine })
    }
}

/// The cells of all rows, those of one key as one. A file that has several such rows has the same cell in each.
fn put_together(latest: BTreeMap<Case, BTreeMap<&'static str, Cell>>, engines: &[Engine]) -> Table {
    let mut cells: HashMap<_, Vec<Cell>> = HashMap::new();
    for (case, mut of_case) in latest {
        for engine in engines {
            let Some(cell) = of_case.remove(engine.name) else { continue };
            let others = cells.entry((key(case, engine), engine.name)).or_default();
            if !others.contains(&cell) {
                others.push(cell);
            }
        }
    }
    cells.into_iter().map(|(key, cells)| (key, cells.into_iter().fold(Cell::default(), Cell::and))).collect()
}

#[cfg(test)]
mod tests {
    use crate::load::Load;

    use super::*;

    #[test]
    fn parts_of_other_mtus_are_compared_with_all_runs_without_an_engine() {
        let direct = |goodput: f64| {
            let values = [(Quantity::Goodput, vec![goodput])].into();
            BTreeMap::from([("direct", Cell { values, ..Cell::default() })])
        };
        let load = Load::Bulk { up: 1, down: 0 };
        let rows = [(1_500, 1.0), (9_000, 1.0), (15_800, 3.0), (65_535, 8.0)];
        let latest = rows.map(|(mtu, goodput)| (Case::new(load, mtu), direct(goodput)));
        let table = put_together(latest.into(), &[Engine::none()]);
        let [cell] = table.values().collect::<Vec<_>>()[..] else { panic!("{table:?}") };
        assert_eq!(cell.values[&Quantity::Goodput], [1.0, 3.0, 8.0]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let case = Case::new(Load::Bulk { up: 1, down: 0 }, 1_500);
        let mut cell =
            Cell { problems: vec!["flow 0: it came to no end".into()], noisy: 1, ..Cell::default() };
        cell.values.insert(Quantity::Goodput, vec![3.0, 1.0, 2.0]);
        let engines = vec![Engine::none()];
        let table = HashMap::from([((key(case, &Engine::none()), "direct"), cell)]);
        let results =
            Results { cases: vec![case], engines: engines.clone(), table, machine: Machine::here().unwrap() };
        let file = std::env::temp_dir().join(format!("telltale-bench-{}.json", std::process::id()));
        results.write(&file).unwrap();
        let read = Results::read(std::slice::from_ref(&file), engines);
        fs::remove_file(&file).unwrap();
        let read = read.unwrap();
        assert_eq!((&read.cases, &read.machine), (&results.cases, &results.machine));
        let cell = read.cell(&case, &Engine::none()).unwrap();
        assert_eq!((cell.noisy, cell.problems.len()), (1, 1));
        assert_eq!(read.direct(&case, Quantity::Goodput), Some(2.0));
    }
}
