//! What the relay is to reach, and whether it does.

use serde::Serialize;

use crate::bed::Link;
use crate::case::{Case, MTUS, SHIPPED};
use crate::cores::Placing;
use crate::engine::{AS_ON_ANDROID, Role};
use crate::figures::Quantity;
use crate::load::{Load, Toward};
use crate::reference::{DIRECT, MARKS, Mark, OTHERS, TOLERANCE};
use crate::results::Results;

const OURS: &str = "telltale";
const WATCHING: &str = "telltale+watcher";
/// How much more the watcher may cost.
const WATCHER: f64 = 1.1;

/// A figure and the bound it is held against.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) bound: Bound,
    /// Nothing where the row was not measured.
    pub(crate) found: Option<f64>,
}

/// What a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
    Within(f64, f64),
}

impl Verdict {
    /// Whether it holds; nothing where it was not measured.
    pub(crate) fn holds(&self) -> Option<bool> {
        let found = self.found?;
        Some(match self.bound {
            Bound::AtMost(most) => found <= most,
            Bound::AtLeast(least) => found >= least,
            Bound::Within(least, most) => (least..=most).contains(&found),
        })
    }

    /// How far it is from the bound, in percent of it; as it is where the bound is 0.
    pub(crate) fn distance(&self) -> Option<f64> {
        let found = self.found?;
        let nearest = match self.bound {
            Bound::AtMost(bound) | Bound::AtLeast(bound) => bound,
            Bound::Within(least, most) => {
                if found < least {
                    least
                } else {
                    most
                }
            }
        };
        Some(if nearest == 0.0 { found } else { (found / nearest - 1.0) * 100.0 })
    }
}

/// Whether the machine is like the one of the table that the targets come from: all measured figures are.
pub(crate) fn is_valid(yardsticks: &[Verdict]) -> bool {
    yardsticks.iter().all(|verdict| verdict.holds() == Some(true))
}

/// CPU for each GB of the engines that were measured before.
pub(crate) fn yardsticks(results: &Results) -> Vec<Verdict> {
    let verdict = |mark: &Mark| {
        let cpu = mark.cpu?;
        let case = Case::new(mark.load(), mark.mtu);
        Some(Verdict {
            what: format!("{} {}, CPU s/GB", mark.engine, case.name()),
            bound: Bound::Within(cpu * (1.0 - TOLERANCE), cpu * (1.0 + TOLERANCE)),
            found: results.median(&case, mark.engine, Quantity::CpuPerGb),
        })
    };
    MARKS.iter().filter_map(verdict).collect()
}

/// All targets.
pub(crate) fn judge(results: &Results) -> Vec<Verdict> {
    let judge = Judge { results, verdicts: Vec::new() };
    judge
        .integrity()
        .cost()
        .goodput()
        .marks()
        .connections()
        .latency()
        .datagrams()
        .fairness()
        .far()
        .rest()
        .watcher()
        .verdicts
}

struct Judge<'a> {
    results: &'a Results,
    verdicts: Vec<Verdict>,
}

const UP: Load = Load::Bulk { up: 1, down: 0 };
const DOWN: Load = Load::Bulk { up: 0, down: 1 };
const UP_8: Load = Load::Bulk { up: 8, down: 0 };
const DOWN_8: Load = Load::Bulk { up: 0, down: 8 };
const TLS_UP: Load = Load::Tls { up: 1, down: 0 };
const TLS_DOWN: Load = Load::Tls { up: 0, down: 1 };
const PING: Load = Load::PingTcp { up: 0, down: 0 };

impl Judge<'_> {
    fn add(&mut self, what: String, bound: Bound, found: Option<f64>) {
        self.verdicts.push(Verdict { what, bound, found });
    }

    fn ours(&self, case: &Case, quantity: Quantity) -> Option<f64> {
        self.results.median(case, OURS, quantity)
    }

    fn to_direct(&self, case: &Case, quantity: Quantity) -> Option<f64> {
        Some(self.ours(case, quantity)? / self.results.direct(case, quantity)?)
    }

    /// Runs in which anything was wrong, missing or broken off.
    fn integrity(mut self) -> Self {
        let ours = self.results.engines.iter().filter(|engine| engine.role == Role::Ours);
        let cells = ours
            .flat_map(|engine| self.results.cases.iter().filter_map(|case| self.results.cell(case, engine)));
        let problems: Vec<usize> = cells.map(|cell| cell.problems.len()).collect();
        let found = (!problems.is_empty()).then(|| problems.iter().sum::<usize>() as f64);
        self.add("all rows, runs with wrong or missing bytes".into(), Bound::AtMost(0.0), found);
        self
    }

    fn cost(mut self) -> Self {
        for (load, bounds) in [(UP, [1.2, 0.45, 0.40]), (DOWN, [2.0, 0.55, 0.30])] {
            for (mtu, most) in [1_500, 9_000, 65_535].into_iter().zip(bounds) {
                let case = Case::new(load, mtu);
                let found = self.ours(&case, Quantity::CpuPerGb);
                self.add(format!("{}, CPU s/GB", case.name()), Bound::AtMost(most), found);
            }
        }
        self
    }

    fn goodput(mut self) -> Self {
        for load in [UP, UP_8, DOWN, DOWN_8] {
            for mtu in MTUS {
                let case = Case::new(load, mtu);
                let least = if mtu == 1_500 { 1.2 } else { 1.5 };
                let best = self.results.best_peer(&case, Quantity::Goodput);
                let found = self.ours(&case, Quantity::Goodput).zip(best).map(|(ours, best)| ours / best);
                self.add(format!("{}, goodput to the best peer", case.name()), Bound::AtLeast(least), found);
            }
            let case = free(load, SHIPPED);
            let found = self.to_direct(&case, Quantity::Goodput);
            self.add(format!("{}, goodput to direct", case.name()), Bound::AtLeast(0.5), found);
        }
        self
    }

    /// Of what peers reached when the table was made, the most in each row, scaled by direct then and now.
    fn marks(mut self) -> Self {
        for (load, direct) in [UP, DOWN].into_iter().zip(DIRECT) {
            for mtu in [1_500, 9_000, 65_535] {
                let marks = MARKS.iter().chain(OTHERS).filter(|mark| mark.load() == load && mark.mtu == mtu);
                let peers = marks.filter(|mark| mark.engine != "ceiling");
                let Some(best) = peers.max_by(|one, other| one.goodput.total_cmp(&other.goodput)) else {
                    continue;
                };
                let case = free(load, mtu);
                let found = self.to_direct(&case, Quantity::Goodput);
                let what = format!("{}, goodput to direct, as {} had", case.name(), best.engine);
                self.add(what, Bound::AtLeast(best.goodput / direct), found);
            }
        }
        self
    }

    fn connections(mut self) -> Self {
        for (at_once, least) in [(64, 0.42), (1, 0.38)] {
            let load = Load::Connect { at_once };
            let case = free(load, 1_500);
            let found = self.to_direct(&case, Quantity::Rate);
            self.add(format!("{}, rate to direct", case.name()), Bound::AtLeast(least), found);
            let case = Case::new(load, 1_500);
            let found = self.ours(&case, Quantity::CpuEach);
            self.add(format!("{}, CPU us each", case.name()), Bound::AtMost(70.0), found);
        }
        let case = free(Load::Dns, 1_500);
        let found = self.to_direct(&case, Quantity::Rate);
        self.add(format!("{}, rate to direct", case.name()), Bound::AtLeast(0.35), found);
        self
    }

    fn latency(mut self) -> Self {
        for (load, most) in [(PING, 15.0), (Load::PingUdp, 30.0)] {
            let case = Case { placing: Placing::Together, ..Case::new(load, 1_500) };
            let direct = self.results.direct(&case, Quantity::P50);
            let found = self.ours(&case, Quantity::P50).zip(direct).map(|(ours, direct)| ours - direct);
            self.add(format!("{}, p50 us over direct", case.name()), Bound::AtMost(most), found);
            let found = self.ours(&case, Quantity::P99);
            self.add(format!("{}, p99 us", case.name()), Bound::AtMost(100.0), found);
        }
        self
    }

    fn datagrams(mut self) -> Self {
        for way in [Toward::Server, Toward::App] {
            let case = Case::new(Load::Datagrams { bytes: 1_200, way }, 1_500);
            let found = self.ours(&case, Quantity::CpuPerPacket);
            self.add(format!("{}, CPU us a packet", case.name()), Bound::AtMost(4.5), found);
        }
        let case = free(Load::IdleUdp { flows: 10_000 }, SHIPPED);
        let found = self.ours(&case, Quantity::Served);
        self.add(format!("{}, served %", case.name()), Bound::AtLeast(100.0), found);
        self
    }

    fn fairness(mut self) -> Self {
        for (name, mtu) in [OURS, AS_ON_ANDROID].into_iter().flat_map(|name| MTUS.map(|mtu| (name, mtu))) {
            let case = Case::new(UP_8, mtu);
            // The worst run: one packet lost is one too many.
            let engine = self.results.engines.iter().find(|engine| engine.name == name);
            let cell = engine.and_then(|engine| self.results.cell(&case, engine));
            let found = cell.and_then(|cell| Some(cell.spread(Quantity::TunDrops)?.most));
            self.add(format!("{}, tun drops of {name}", case.name()), Bound::AtMost(0.0), found);
        }
        let alone = self.ours(&Case::new(PING, 1_500), Quantity::P99);
        for load in [Load::PingTcp { up: 1, down: 0 }, Load::PingTcp { up: 0, down: 1 }] {
            let case = Case::new(load, 1_500);
            let found = self.ours(&case, Quantity::P99).zip(alone).map(|(beside, alone)| beside / alone);
            // Without an engine the same is asked of the app's core alone.
            let direct = [case, Case::new(PING, 1_500)].map(|case| self.results.direct(&case, Quantity::P99));
            let direct = match direct {
                [Some(beside), Some(alone)] => format!(" (direct: {:.1})", beside / alone),
                _ => String::new(),
            };
            self.add(format!("{}, p99 to alone{direct}", case.name()), Bound::AtMost(3.0), found);
        }
        self
    }

    fn far(mut self) -> Self {
        for load in [UP_8, DOWN_8] {
            let case = Case { link: Link { round_trip: 80, loss: 1 }, ..free(load, SHIPPED) };
            let found = self.to_direct(&case, Quantity::Goodput);
            self.add(format!("{}, goodput to direct", case.name()), Bound::AtLeast(0.95), found);
        }
        self
    }

    fn rest(mut self) -> Self {
        let bounds = [
            (Load::Quiet, Quantity::WakeUps, 0.0, "wake-ups a second"),
            (Load::Battery, Quantity::WakeUpsEach, 3.0, "wake-ups an exchange"),
            (Load::Battery, Quantity::CpuEach, 200.0, "CPU us an exchange"),
            (Load::Start, Quantity::Resident, 6.0, "RSS MB"),
            (Load::IdleTcp { flows: 10_000 }, Quantity::Resident, 16.0, "RSS MB"),
            (Load::IdleUdp { flows: 10_000 }, Quantity::Resident, 16.0, "RSS MB"),
        ];
        for (load, quantity, most, what) in bounds {
            let case = free(load, SHIPPED);
            let found = self.ours(&case, quantity);
            self.add(format!("{}, {what}", case.name()), Bound::AtMost(most), found);
        }
        self
    }

    fn watcher(mut self) -> Self {
        for load in [TLS_UP, TLS_DOWN] {
            for mtu in MTUS {
                let case = Case::new(load, mtu);
                let watching = self.results.median(&case, WATCHING, Quantity::CpuPerGb);
                let found =
                    watching.zip(self.ours(&case, Quantity::CpuPerGb)).map(|(with, without)| with / without);
                self.add(
                    format!("{}, CPU with the watcher to without", case.name()),
                    Bound::AtMost(WATCHER),
                    found,
                );
            }
        }
        self
    }
}

/// What is compared with direct: without an engine app and server have both cores then, as on a phone.
fn free(load: Load, mtu: u32) -> Case {
    Case { placing: Placing::Free, ..Case::new(load, mtu) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Tun};
    use crate::run::Cell;

    fn verdict(bound: Bound, found: f64) -> Verdict {
        Verdict { what: String::new(), bound, found: Some(found) }
    }

    #[test]
    fn a_bound_holds_up_to_itself() {
        assert_eq!(verdict(Bound::AtMost(1.2), 1.2).holds(), Some(true));
        assert_eq!(verdict(Bound::AtMost(1.2), 1.21).holds(), Some(false));
        assert_eq!(verdict(Bound::AtLeast(0.5), 0.49).holds(), Some(false));
        assert_eq!(verdict(Bound::Within(0.8, 1.2), 0.79).holds(), Some(false));
        assert_eq!(Verdict { found: None, ..verdict(Bound::AtMost(1.0), 0.0) }.holds(), None);
    }

    #[test]
    fn what_was_not_measured_makes_no_run_valid() {
        let good = verdict(Bound::Within(0.8, 1.2), 1.0);
        let open = Verdict { found: None, ..good.clone() };
        assert!(is_valid(std::slice::from_ref(&good)));
        assert!(!is_valid(&[good, open]));
    }

    #[test]
    fn the_distance_is_a_part_of_the_bound() {
        let distance = verdict(Bound::AtMost(2.0), 2.5).distance().unwrap();
        assert!((distance - 25.0).abs() < 1e-9, "{distance}");
        assert_eq!(verdict(Bound::AtMost(0.0), 7.0).distance(), Some(7.0));
    }

    #[test]
    fn a_wrong_byte_of_any_engine_of_ours_counts() {
        let mut engine = Engine::none();
        (engine.name, engine.role, engine.tun) = (AS_ON_ANDROID, Role::Ours, Tun::Persistent);
        let case = Case::new(UP_8, 1_500);
        let cell = Cell { problems: vec!["flow 0: other bytes than were sent".into()], ..Cell::default() };
        let results = Results {
            cases: vec![case],
            table: [((case, engine.name), cell)].into(),
            engines: vec![engine],
            machine: crate::results::Machine::here().unwrap(),
        };
        assert_eq!(judge(&results).first().unwrap().found, Some(1.0));
    }

    #[test]
    fn every_target_is_about_a_row_of_the_whole_table() {
        let names: Vec<_> = crate::case::all().iter().map(Case::name).collect();
        let results = Results {
            cases: Vec::new(),
            engines: Vec::new(),
            table: Default::default(),
            machine: crate::results::Machine::here().unwrap(),
        };
        for verdict in judge(&results) {
            let row = verdict.what.split(", ").next().unwrap();
            assert!(row == "all rows" || names.iter().any(|name| name == row), "{row} is no row");
        }
    }
}
