//! How large the tables are for each name, and how fast a look-up is:
//! `cargo run --release -p telltale-tables --example lookup-speed`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark for the command line")]
#![expect(clippy::cast_possible_truncation, reason = "parts of random numbers are meant")]

use std::error::Error;
use std::fmt::Write;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use bytes::Bytes;
use telltale_tables::{Bulk, Rows, committed, packed};
use telltale_watch::destinations::Destinations;
use telltale_watch::destinations::layout::Section;

const DOMAINS: usize = 100_000;
const LOOKUPS: usize = 1_000_000;
const ROUND: usize = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let committed = committed()?;
    let size = committed.size();
    println!("{size:?}");
    let names = names();
    let large = large(&names, &committed)?;
    let bytes = large.section(Section::Hosts).len();
    println!("host table       {:7.2} bytes a domain at {DOMAINS} domains", ratio(bytes, DOMAINS));
    let own = committed.section(Section::Hosts).len();
    println!("                 {:7.2} bytes a domain at {} domains", ratio(own, size.hosts), size.hosts);

    // Half of them are there, as names below a row; half are not, and every label is tried.
    let asked: Vec<_> = shuffled(LOOKUPS).map(|number| question(number, &names)).collect();
    for (title, tables) in [("large", &large), ("committed", &committed)] {
        let found = measure(&format!("host, {title}"), &asked, |host| {
            tables.host(host).is_some_and(|row| black_box((row.company(), row.role())).0.0 < u16::MAX)
        });
        println!("                 {:7.1} % found", ratio(found * 100, LOOKUPS));
    }
    let v4: Vec<_> =
        shuffled(LOOKUPS).map(|number| IpAddr::from(Ipv4Addr::from_bits(number as u32))).collect();
    let found = measure("address, IPv4", &v4, |address| {
        committed.address(*address).is_some_and(|network| black_box((network.asn(), network.country())).0 > 0)
    });
    println!("                 {:7.1} % found", ratio(found * 100, LOOKUPS));
    let v6: Vec<_> = shuffled(LOOKUPS).map(v6).collect();
    let found = measure("address, IPv6", &v6, |address| {
        committed.address(*address).is_some_and(|network| black_box((network.asn(), network.country())).0 > 0)
    });
    println!("                 {:7.1} % found", ratio(found * 100, LOOKUPS));
    Ok(())
}

/// So many names of two or three labels.
fn names() -> Vec<String> {
    let name = |number: u64| match number % 3 {
        0 => format!("n{:x}.example", number >> 40),
        1 => format!("n{:x}.com", number >> 36),
        _ => format!("api.n{:x}.net", number >> 38),
    };
    let mut names: Vec<_> = shuffled(DOMAINS * 2).map(name).collect();
    names.sort();
    names.dedup();
    names.truncate(DOMAINS);
    names
}

/// Tables with so many rows.
fn large(names: &[String], committed: &Destinations) -> Result<Destinations, Box<dyn Error>> {
    let mut hosts = String::new();
    for (number, name) in names.iter().enumerate() {
        let day = 1 + number % 28;
        writeln!(
            hosts,
            "{name}\tacme\tpush\tcode\thttps://acme.example/{}\t2026-11-{day:02}",
            number % 1_000
        )?;
    }
    let rows = Rows::parse("[acme]\nname = \"Acme\"\n", &hosts, "", "").map_err(|wrong| wrong.join("\n"))?;
    let (file, _) = packed(&rows, &Bulk::of(committed)).map_err(|wrong| wrong.join("\n"))?;
    Ok(Destinations::open(Bytes::from(file))?)
}

fn question(number: u64, names: &[String]) -> String {
    let name = names.get((number >> 8) as usize % names.len()).map_or("", String::as_str);
    if number.is_multiple_of(2) { format!("cdn7.{name}") } else { format!("a.b{:x}.{name}x", number >> 50) }
}

/// Somewhere in 2000::/12 to 2a00::/12, where most of the networks are.
fn v6(number: u64) -> IpAddr {
    let start =
        [0x2001, 0x2400, 0x2600, 0x2a00].into_iter().cycle().nth(number as usize % 4).unwrap_or_default();
    let first = start + ((number >> 8) as u16 & 0xff);
    Ipv6Addr::new(first, (number >> 16) as u16, (number >> 32) as u16, 0, 0, 0, 0, 1).into()
}

/// Numbers without order, the same in each run.
fn shuffled(count: usize) -> impl Iterator<Item = u64> {
    let step = |number: &u64| {
        Some(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    let mixed = |number: u64| (number ^ number >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number >> 32;
    std::iter::successors(Some(1), step).map(mixed).take(count)
}

/// Prints the median of short rounds, so that what else the machine does counts little; answers how
/// many were found.
fn measure<T>(title: &str, asked: &[T], found: impl Fn(&T) -> bool) -> usize {
    let mut count = 0;
    let mut rounds: Vec<_> = asked
        .chunks(ROUND)
        .map(|round| {
            let start = Instant::now();
            count += round.iter().filter(|question| found(black_box(*question))).count();
            start.elapsed().as_secs_f64() * 1e9 / round.len() as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let at = |part: usize| rounds.get(rounds.len() * part / 100).copied().unwrap_or_default();
    println!("{title:<17}{:7.0} ns a look-up ({:.0} to {:.0} in nine of ten rounds)", at(50), at(5), at(95));
    count
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
