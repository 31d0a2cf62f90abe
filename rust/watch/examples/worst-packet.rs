//! How long the watcher takes at most for one packet, parser by parser, on input made to be slow:
//! `cargo run --release -p telltale-watch --example worst-packet [all|PARSER|TITLE]`.
//!
//! Of each parser the slowest input is shown, with `all` or a name every one: microseconds for a packet of 1,500
//! bytes, of 15,800 (the longest that the phone's tunnel gives) and of 65,535 (what Linux joins to one).
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark for the command line")]

#[path = "worst-packet/inputs.rs"]
mod inputs;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use inputs::{Input, inputs};
use telltale_model::{FlowKey, FlowNumber, Observation, Timestamp};
use telltale_watch::{Config, Watcher};

const SIZES: [usize; 3] = [1_500, 15_800, 65_535];

/// The least of so many is told: what takes longer is the work of others on the machine.
const ROUNDS: usize = 41;

fn main() {
    let argument = std::env::args().nth(1);
    let one = argument.as_deref().filter(|argument| *argument != "all");
    let mut slowest: BTreeMap<&str, ([Duration; 3], &str)> = BTreeMap::new();
    let is_meant = |input: &Input| one.is_none_or(|name| input.parser == name || input.title == name);
    for input in inputs().into_iter().filter(is_meant) {
        let taken = SIZES.map(|size| least(&input, size));
        if argument.is_some() {
            show(input.parser, taken, input.title);
        }
        let worst = slowest.entry(input.parser).or_insert((taken, input.title));
        if taken.iter().max() > worst.0.iter().max() {
            *worst = (taken, input.title);
        }
    }
    if argument.is_none() {
        slowest.iter().for_each(|(parser, (taken, title))| show(parser, *taken, title));
    }
}

fn show(parser: &str, taken: [Duration; 3], title: &str) {
    let [small, long, joined] = taken.map(|taken| taken.as_secs_f64() * 1e6);
    println!("{parser:10} {small:7.1} {long:7.1} {joined:8.1}  {title}");
}

fn least(input: &Input, size: usize) -> Duration {
    let packet = (input.packet)(size);
    (0..ROUNDS).map(|_| round(input, &packet)).min().unwrap_or_default()
}

/// A flow from its beginning, of which the last packet is measured.
fn round(input: &Input, packet: &[u8]) -> Duration {
    let mut watcher = Watcher::new(Config::default());
    let (flow, at) = (FlowNumber(1), Timestamp(1));
    let app = SocketAddr::from(([198, 19, 84, 1], 40_000));
    let remote = SocketAddr::from(([192, 0, 2, 7], input.port));
    let key = FlowKey { protocol: input.protocol, app, remote };
    watcher.observe(Observation::Opened { flow, key, at });
    let bytes = |direction, bytes: &[u8]| {
        let payload = bytes.to_vec().into();
        Observation::Bytes { flow, direction, payload, at }
    };
    for (direction, before) in &input.before {
        watcher.observe(bytes(*direction, before));
    }
    let last = bytes(input.direction, packet);
    let start = Instant::now();
    watcher.observe(last);
    start.elapsed()
}
