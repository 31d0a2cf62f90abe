//! What was measured by hand before this bench existed, on one quiet machine with two cores: the yardstick
//! for the bed and the mark to pass.

use crate::load::Load;

/// The peer whose relay was built as its documentation has it, with small buffers.
const DOCUMENTED: &str = "netstack-documented";

/// A figure of that table, at an MTU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) engine: &'static str,
    pub(crate) mtu: u32,
    pub(crate) up: bool,
    /// CPU seconds for each GB, where it was measured.
    pub(crate) cpu: Option<f64>,
    /// Mbit/s.
    pub(crate) goodput: f64,
}

/// Mbit/s without an engine, up and down.
pub(crate) const DIRECT: [f64; 2] = [24_300.0, 23_700.0];

/// Rows are comparable within this part of it.
pub(crate) const TOLERANCE: f64 = 0.2;

/// The engines whose CPU for each GB must be met, or the run says nothing.
pub(crate) const MARKS: &[Mark] = &[
    mark("ipstack", 1_500, true, Some(11.3), 888.0),
    mark("ipstack", 1_500, false, Some(3.9), 1_750.0),
    mark(DOCUMENTED, 1_500, true, Some(2.0), 4_930.0),
    mark(DOCUMENTED, 1_500, false, Some(3.5), 2_496.0),
    mark(DOCUMENTED, 9_000, true, Some(1.5), 6_500.0),
    mark(DOCUMENTED, 9_000, false, Some(1.6), 6_200.0),
    mark(DOCUMENTED, 65_535, true, Some(1.2), 7_900.0),
    mark(DOCUMENTED, 65_535, false, Some(0.98), 9_100.0),
    mark("ceiling", 1_500, true, Some(0.98), 7_112.0),
    mark("ceiling", 1_500, false, Some(2.0), 3_888.0),
    mark("ceiling", 9_000, true, Some(0.32), 15_100.0),
    mark("ceiling", 9_000, false, Some(0.54), 13_000.0),
    mark("ceiling", 65_535, true, Some(0.39), 14_800.0),
    mark("ceiling", 65_535, false, Some(0.28), 17_700.0),
];

/// The peers that are not measured here, or not at every MTU: goodput to be passed, scaled by direct.
pub(crate) const OTHERS: &[Mark] = &[
    mark("ipstack", 9_000, true, None, 1_900.0),
    mark("ipstack", 9_000, false, None, 2_000.0),
    mark("ipstack", 65_535, false, None, 1_900.0),
    mark("zdtun", 1_500, true, Some(18.0), 89.0),
    mark("zdtun", 1_500, false, Some(5.7), 1_396.0),
    mark("zdtun", 9_000, true, Some(2.8), 2_500.0),
    mark("zdtun", 9_000, false, Some(1.6), 5_000.0),
    mark("zdtun", 65_535, true, Some(0.75), 4_600.0),
    mark("zdtun", 65_535, false, Some(0.53), 13_100.0),
    mark("NetGuard", 1_500, true, Some(21.0), 376.0),
    mark("NetGuard", 1_500, false, Some(5.2), 1_534.0),
    mark("NetGuard", 9_000, true, None, 1.0),
    mark("NetGuard", 9_000, false, None, 5_500.0),
    mark("NetGuard", 65_535, true, None, 20.0),
    mark("NetGuard", 65_535, false, None, 11_600.0),
    mark("hev-socks5-tunnel", 1_500, true, Some(2.7), 3_335.0),
    mark("hev-socks5-tunnel", 1_500, false, Some(2.8), 2_732.0),
    mark("hev-socks5-tunnel", 9_000, true, Some(1.6), 6_100.0),
    mark("hev-socks5-tunnel", 9_000, false, Some(1.4), 5_300.0),
    mark("hev-socks5-tunnel", 65_535, true, None, 5_800.0),
    mark("hev-socks5-tunnel", 65_535, false, None, 5_100.0),
    mark("tun2socks", 1_500, true, Some(4.5), 2_424.0),
    mark("tun2socks", 1_500, false, Some(9.5), 911.0),
    mark("tun2socks", 9_000, true, Some(2.4), 4_100.0),
    mark("tun2socks", 9_000, false, Some(2.3), 3_800.0),
    mark("tun2socks", 65_535, true, Some(0.97), 8_900.0),
    mark("tun2socks", 65_535, false, Some(1.35), 6_600.0),
];

impl Mark {
    /// The load it is about.
    pub(crate) fn load(&self) -> Load {
        if self.up { Load::Bulk { up: 1, down: 0 } } else { Load::Bulk { up: 0, down: 1 } }
    }
}

const fn mark(engine: &'static str, mtu: u32, up: bool, cpu: Option<f64>, goodput: f64) -> Mark {
    Mark { engine, mtu, up, cpu, goodput }
}
