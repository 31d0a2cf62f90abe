//! The rows of the table: a load in a setting. Each is measured with every engine.

use std::time::Duration;

use crate::bed::{Family, Link};
use crate::cores::Placing;
use crate::engine::{Engine, Role, Tun};
use crate::load::{Lengths, Load, Toward};

/// The MTUs of the tun that are compared. The last one is what `telltale run` gives it.
pub(crate) const MTUS: [u32; 4] = [1_500, 9_000, 15_800, 65_535];
/// The MTU that `telltale run` gives its tun since Linux 6.6.
pub(crate) const SHIPPED: u32 = 65_535;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Case {
    pub(crate) load: Load,
    pub(crate) mtu: u32,
    pub(crate) family: Family,
    pub(crate) placing: Placing,
    pub(crate) link: Link,
}

impl Case {
    /// A load by IPv4 over the plain cable, pinned.
    pub(crate) fn new(load: Load, mtu: u32) -> Self {
        Self { load, mtu, family: Family::V4, placing: Placing::Pinned, link: Link::CABLE }
    }

    /// What `--only` looks at: load, MTU, family, placing and link, with slashes between.
    pub(crate) fn name(&self) -> String {
        let link = match self.link {
            Link::CABLE => String::new(),
            Link { round_trip, loss: 0 } => format!("/rtt{round_trip}"),
            Link { round_trip, loss } => format!("/rtt{round_trip}-loss{loss}"),
        };
        let (load, mtu) = (self.load.name(), self.mtu);
        format!("{load}/{mtu}/{}/{}{link}", self.family.name(), self.placing.name()).to_lowercase()
    }

    /// The heading of the row.
    pub(crate) fn title(&self) -> String {
        let link = match self.link {
            Link::CABLE => String::new(),
            Link { round_trip, loss: 0 } => format!(", RTT {round_trip} ms"),
            Link { round_trip, loss } => format!(", RTT {round_trip} ms, {loss} % lost"),
        };
        let (load, mtu) = (self.load.title(), self.mtu);
        format!("{load}; MTU {mtu}, {}, {}{link}", self.family.name(), self.placing.name())
    }

    /// Whether packets get lost on the way.
    pub(crate) fn is_lossy(&self) -> bool {
        self.link.loss > 0
    }

    /// Whether this engine can do it at all.
    pub(crate) fn suits(&self, engine: &Engine) -> bool {
        let carries = engine.carries;
        let by_load = match self.load {
            Load::Dns => carries.dns,
            Load::PingUdp | Load::Datagrams { .. } | Load::Paced { .. } | Load::IdleUdp { .. } => carries.udp,
            Load::Start => engine.role != Role::Direct,
            // To whoever does not look it is all the same.
            Load::Quiet | Load::Battery | Load::Tls { .. } => engine.role == Role::Ours,
            Load::Bulk { .. } | Load::Connect { .. } | Load::PingTcp { .. } | Load::IdleTcp { .. } => true,
        };
        let by_role = engine.role != Role::Yardstick || yardsticks().contains(self);
        // Only bulk data comes in other packets.
        let by_load = by_load
            && (engine.tun != Tun::Persistent || matches!(self.load, Load::Bulk { .. }) && self.is_plain());
        by_load && by_role && (carries.ipv6 || self.family == Family::V4)
    }

    /// Whether nothing but the load and the MTU is special.
    fn is_plain(&self) -> bool {
        *self == Self::new(self.load, self.mtu)
    }

    /// How long it is watched.
    pub(crate) fn length(&self, lengths: Lengths) -> Duration {
        if self.is_lossy() {
            return lengths.lossy;
        }
        if self.is_long() {
            return if self.load == Load::Quiet { lengths.quiet } else { lengths.battery };
        }
        lengths.usual
    }

    /// Whether one run is enough: it takes minutes, and its figures hardly differ.
    pub(crate) fn is_long(&self) -> bool {
        matches!(self.load, Load::Quiet | Load::Battery)
    }

    /// What makes one engine measure the same in two rows: without an engine the MTU of the tun is nothing.
    pub(crate) fn without_mtu(self) -> Self {
        Self { mtu: 0, ..self }
    }
}

const UP: Load = Load::Bulk { up: 1, down: 0 };
const DOWN: Load = Load::Bulk { up: 0, down: 1 };
const UP_8: Load = Load::Bulk { up: 8, down: 0 };
const DOWN_8: Load = Load::Bulk { up: 0, down: 8 };
const BOTH: Load = Load::Bulk { up: 1, down: 1 };
const TLS_UP: Load = Load::Tls { up: 1, down: 0 };
const TLS_DOWN: Load = Load::Tls { up: 0, down: 1 };

/// All rows, grouped as they are printed.
pub(crate) fn all() -> Vec<Case> {
    [bulk(), datagrams(), connections(), latency(), memory(), far()].concat()
}

/// The rows of `--quick`.
pub(crate) fn few() -> Vec<Case> {
    let bulk = MTUS.into_iter().flat_map(|mtu| [UP, DOWN].map(|load| Case::new(load, mtu)));
    let others = [
        Load::Connect { at_once: 64 },
        Load::PingTcp { up: 0, down: 0 },
        Load::Datagrams { bytes: 1_200, way: Toward::Server },
        Load::Start,
    ];
    bulk.chain(others.map(|load| Case::new(load, 1_500))).collect()
}

/// The rows that say whether the machine is a like one.
pub(crate) fn yardsticks() -> Vec<Case> {
    [1_500, 9_000, 65_535].into_iter().flat_map(|mtu| [UP, DOWN].map(|load| Case::new(load, mtu))).collect()
}

fn bulk() -> Vec<Case> {
    let mut cases = Vec::new();
    for mtu in MTUS {
        cases.extend([UP, UP_8, DOWN, DOWN_8, BOTH].map(|load| Case::new(load, mtu)));
    }
    for mtu in MTUS {
        cases.extend([UP, DOWN].map(|load| Case { family: Family::V6, ..Case::new(load, mtu) }));
    }
    for mtu in MTUS {
        cases.extend([TLS_UP, TLS_DOWN].map(|load| Case::new(load, mtu)));
    }
    for (mtu, loads) in [
        (1_500, &[UP, UP_8, DOWN, DOWN_8, BOTH][..]),
        (9_000, &[UP, DOWN]),
        (SHIPPED, &[UP, UP_8, DOWN, DOWN_8, BOTH]),
    ] {
        cases.extend(loads.iter().map(|load| free(Case::new(*load, mtu))));
    }
    cases
}

fn datagrams() -> Vec<Case> {
    let mut loads = Vec::new();
    for way in [Toward::Server, Toward::App] {
        loads.extend([1_200, 64].map(|bytes| Load::Datagrams { bytes, way }));
    }
    loads.push(Load::Paced { each_second: 40_000 });
    let mut cases: Vec<_> = loads.iter().map(|load| Case::new(*load, 1_500)).collect();
    cases.extend(loads.iter().map(|load| free(Case::new(*load, 1_500))));
    cases.extend(loads.iter().take(1).map(|load| Case { family: Family::V6, ..Case::new(*load, 1_500) }));
    cases
}

fn connections() -> Vec<Case> {
    let loads = [1, 64, 256].map(|at_once| Load::Connect { at_once });
    let mut cases: Vec<_> = loads.iter().map(|load| Case::new(*load, 1_500)).collect();
    cases.extend(loads.iter().map(|load| free(Case::new(*load, 1_500))));
    cases.push(Case { family: Family::V6, ..Case::new(Load::Connect { at_once: 64 }, 1_500) });
    cases.extend([Case::new(Load::Dns, 1_500), free(Case::new(Load::Dns, 1_500))]);
    cases
}

fn latency() -> Vec<Case> {
    let mut cases = Vec::new();
    for load in [Load::PingTcp { up: 0, down: 0 }, Load::PingUdp] {
        cases.extend([Case::new(load, 1_500), free(Case::new(load, 1_500))]);
        cases.push(Case { placing: Placing::Together, ..Case::new(load, 1_500) });
        cases.push(Case { family: Family::V6, ..Case::new(load, 1_500) });
    }
    for load in [Load::PingTcp { up: 1, down: 0 }, Load::PingTcp { up: 0, down: 1 }] {
        cases.extend([Case::new(load, 1_500), free(Case::new(load, 1_500))]);
    }
    cases
}

fn memory() -> Vec<Case> {
    let loads = [
        Load::Start,
        Load::IdleTcp { flows: 1_000 },
        Load::IdleTcp { flows: 10_000 },
        Load::IdleUdp { flows: 10_000 },
        Load::Quiet,
        Load::Battery,
    ];
    loads.map(|load| free(Case::new(load, SHIPPED))).to_vec()
}

/// Windows that are tuned at 50 us prove nothing.
fn far() -> Vec<Case> {
    let mut cases = Vec::new();
    for (round_trip, loss) in [(20, 0), (80, 0), (20, 1), (80, 1)] {
        let link = Link { round_trip, loss };
        let loads = if loss == 0 { [UP, DOWN] } else { [UP_8, DOWN_8] };
        cases.extend(loads.map(|load| Case { link, ..free(Case::new(load, SHIPPED)) }));
    }
    cases
}

fn free(case: Case) -> Case {
    Case { placing: Placing::Free, ..case }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_rows_have_one_name() {
        let names: HashSet<_> = all().iter().map(Case::name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn the_whole_table_has_the_rows_that_judge_it() {
        let all = all();
        assert!(yardsticks().iter().all(|case| all.contains(case)));
        assert!(few().iter().filter(|case| case.load != Load::Start).all(|case| all.contains(case)));
    }
}
