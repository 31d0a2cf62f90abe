//! Runs every row with every engine, several times, in an order that no drift of the machine can follow.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;

use serde::{Deserialize, Serialize};

use crate::bed::{Bed, Link};
use crate::case::Case;
use crate::engine::{Engine, Role};
use crate::figures::{Figures, Quantity, Spread};
use crate::load::Lengths;

/// Cores that something else may use.
const BACKGROUND: f64 = 0.1;

/// What is to be done.
pub(crate) struct Plan {
    pub(crate) cases: Vec<Case>,
    pub(crate) engines: Vec<Engine>,
    pub(crate) runs: usize,
    pub(crate) lengths: Lengths,
    /// How often a run that something disturbed is tried again.
    pub(crate) again: usize,
}

impl Plan {
    /// How long it takes if nothing has to be repeated.
    pub(crate) fn seconds(&self) -> f64 {
        // Namespaces, the start of the engine, and until windows have grown.
        const AROUND: f64 = 1.2;
        let each = |(case, _): &(Case, &Engine)| AROUND + case.length(self.lengths).as_secs_f64();
        (1..=self.runs).flat_map(|round| shuffled(self, round)).map(|one| each(&one)).sum()
    }
}

/// One engine in one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// Every run's value.
    pub(crate) values: BTreeMap<Quantity, Vec<f64>>,
    /// What went wrong, if anything.
    pub(crate) problems: Vec<String>,
    /// Runs that something else on the machine disturbed, and that no quiet one could replace.
    pub(crate) noisy: usize,
    /// Runs that were thrown away because of that.
    pub(crate) repeated: usize,
}

/// All cells, by row and by the name of the engine.
pub(crate) type Table = HashMap<(Case, &'static str), Cell>;

impl Cell {
    /// The middle and the ends of the runs.
    pub(crate) fn spread(&self, quantity: Quantity) -> Option<Spread> {
        Spread::of(self.values.get(&quantity)?)
    }

    /// The runs of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for (quantity, values) in other.values {
            self.values.entry(quantity).or_default().extend(values);
        }
        self.problems.extend(other.problems);
        self.noisy += other.noisy;
        self.repeated += other.repeated;
        self
    }

    fn add(&mut self, figures: &Figures) {
        for (quantity, value) in figures.values() {
            self.values.entry(quantity).or_default().push(value);
        }
        if let Some(problem) = &figures.problem {
            self.problems.push(problem.clone());
        }
    }
}

/// Measures everything. `tell` hears of each run, and `keep` gets all there is after it.
///
/// # Errors
/// When the bed cannot be made, and those of `keep`.
pub(crate) fn run(
    plan: &Plan,
    tell: &dyn Fn(&str),
    keep: &dyn Fn(&Table) -> io::Result<()>,
) -> io::Result<Table> {
    let mut table = Table::new();
    let mut beds: HashMap<Link, Bed> = HashMap::new();
    for round in 1..=plan.runs {
        let order = shuffled(plan, round);
        for (place, (case, engine)) in order.iter().enumerate() {
            let bed = match beds.entry(case.link) {
                Entry::Occupied(made) => made.into_mut(),
                Entry::Vacant(place) => place.insert(Bed::new(case.link)?),
            };
            let where_we_are = format!("run {round}/{}, {}/{}", plan.runs, place + 1, order.len());
            tell(&format!("{where_we_are}: {} {}", engine.name, case.name()));
            let cell = table.entry((key(*case, engine), engine.name)).or_default();
            measure(bed, case, engine, plan, cell, tell);
            keep(&table)?;
        }
    }
    Ok(table)
}

/// The row under which a cell is kept: one for all MTUs where there is no tun.
pub(crate) fn key(case: Case, engine: &Engine) -> Case {
    if engine.role == Role::Direct { case.without_mtu() } else { case }
}

fn shuffled(plan: &Plan, round: usize) -> Vec<(Case, &Engine)> {
    let mut order: Vec<(Case, &Engine)> = Vec::new();
    for case in plan.cases.iter().filter(|case| round == 1 || !case.is_long()) {
        for engine in plan.engines.iter().filter(|engine| case.suits(engine)) {
            let same = |(other, name): &(Case, &Engine)| {
                name.name == engine.name && key(*other, engine) == key(*case, engine)
            };
            if !order.iter().any(same) {
                order.push((*case, engine));
            }
        }
    }
    fastrand::shuffle(&mut order);
    order
}

fn measure(bed: &Bed, case: &Case, engine: &Engine, plan: &Plan, cell: &mut Cell, tell: &dyn Fn(&str)) {
    for again in 0..=plan.again {
        let figures = once(bed, case, engine, plan.lengths).unwrap_or_else(|error| {
            let mut figures = Figures::default();
            figures.note(|| error.to_string());
            figures
        });
        let disturbed = figures.background > BACKGROUND;
        if disturbed && again < plan.again {
            tell(&format!("  something else used {:.2} cores: once more", figures.background));
            cell.repeated += 1;
            continue;
        }
        cell.noisy += usize::from(disturbed);
        if let Some(problem) = &figures.problem {
            tell(&format!("  {problem}"));
        }
        return cell.add(&figures);
    }
}

fn once(bed: &Bed, case: &Case, engine: &Engine, lengths: Lengths) -> io::Result<Figures> {
    let way = bed.way(engine, case.mtu, case.placing)?;
    case.placing.beside_app(|| case.load.run(&way, case.family, case.length(lengths), case.is_lossy()))
}
