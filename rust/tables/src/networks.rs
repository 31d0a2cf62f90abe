//! Which network an address belongs to, from the pinned data sets.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;

use maxminddb::Reader;
use serde::Deserialize;
use telltale_model::Country;
use telltale_watch::destinations::layout::NO_SYSTEM;

use crate::pack;

/// Autonomous systems and their ranges.
#[derive(Debug)]
pub(crate) struct Networks {
    /// Number, name and country, in the order in which a range of theirs comes first.
    systems: Vec<System>,
    ranges4: Vec<(u64, u32)>,
    ranges6: Vec<(u64, u32)>,
}

#[derive(Debug)]
struct System {
    asn: u32,
    name: String,
    country: Option<Country>,
}

/// The packed sections of the networks.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Number and country of each.
    pub(crate) systems: Vec<u8>,
    /// Their names.
    pub(crate) names: Vec<u8>,
    /// IPv4.
    pub(crate) ranges4: Vec<u8>,
    /// IPv6.
    pub(crate) ranges6: Vec<u8>,
}

/// One line of the data set: addresses from first to last.
#[derive(Debug, Deserialize)]
struct Line {
    first: IpAddr,
    last: IpAddr,
    asn: u32,
    name: String,
}

impl Networks {
    /// Reads them from the folders of the unpacked packages.
    ///
    /// # Errors
    /// A sentence where a file cannot be read or makes no sense.
    pub(crate) fn read(asn: &Path, country: &Path) -> Result<Self, String> {
        let lines4 = lines(&asn.join("asn-ipv4.csv"))?;
        let lines6 = lines(&asn.join("asn-ipv6.csv"))?;
        let countries = Reader::open_readfile(country.join("iptoasn-country.mmdb"))
            .map_err(|error| format!("iptoasn-country.mmdb: {error}"))?;
        let countries = countries_of_systems(lines4.iter().chain(&lines6), &countries);
        let mut networks = Self { systems: Vec::new(), ranges4: Vec::new(), ranges6: Vec::new() };
        let mut places = HashMap::new();
        for (lines, six) in [(&lines4, false), (&lines6, true)] {
            let ranges = lines.iter().map(|line| {
                let next = pack::number(places.len());
                let place = *places.entry(line.asn).or_insert(next);
                if place == next {
                    let country = countries.get(&line.asn).copied();
                    networks.systems.push(System { asn: line.asn, name: tidy(&line.name), country });
                }
                (key(line.first), key(line.last), place)
            });
            let starts = starts(ranges.collect(), if six { 1 } else { 1 << 32 });
            *(if six { &mut networks.ranges6 } else { &mut networks.ranges4 }) = starts;
        }
        Ok(networks)
    }

    /// Packs them.
    pub(crate) fn pack(&self) -> Packed {
        let record = |system: &System| {
            let country = system.country.as_ref().map_or(&[0, 0][..], |country| country.code().as_bytes());
            [&system.asn.to_le_bytes()[..], country].concat()
        };
        let names: Vec<_> = self.systems.iter().map(|system| &system.name).collect();
        Packed {
            systems: self.systems.iter().flat_map(record).collect(),
            names: pack::texts(&names),
            ranges4: pack::ranges(&self.ranges4),
            ranges6: pack::ranges(&self.ranges6),
        }
    }
}

fn lines(path: &Path) -> Result<Vec<Line>, String> {
    let wrong = |error: csv::Error| format!("{}: {error}", path.display());
    let reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).map_err(wrong)?;
    reader.into_deserialize().collect::<Result<_, _>>().map_err(wrong)
}

/// An address as a table of ranges has it.
fn key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(v4.to_bits()) << 32,
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    }
}

/// Ranges as starts, with [`NO_SYSTEM`] where none reaches. Where ranges overlap, the one that starts
/// first counts. `unit` is what lies between one address and the next.
fn starts(mut ranges: Vec<(u64, u64, u32)>, unit: u64) -> Vec<(u64, u32)> {
    ranges.sort_unstable();
    let mut starts: Vec<(u64, u32)> = Vec::new();
    let mut next = 0;
    for (first, last, place) in ranges {
        let first = first.max(next);
        if first > last {
            continue;
        }
        if first > next {
            push(&mut starts, next, NO_SYSTEM);
        }
        push(&mut starts, first, place);
        next = last.saturating_add(unit);
    }
    push(&mut starts, next, NO_SYSTEM);
    starts
}

fn push(starts: &mut Vec<(u64, u32)>, start: u64, value: u32) {
    if starts.last().is_none_or(|last| last.1 != value) {
        starts.push((start, value));
    }
}

/// Where each system is registered. The data set has that for ranges. Of 99.6 % of the systems all
/// ranges have one country; of the others the country of most ranges is taken, not of most addresses:
/// one large block that has changed hands would outweigh all the rest.
fn countries_of_systems<'a>(
    lines: impl Iterator<Item = &'a Line>,
    countries: &Reader<Vec<u8>>,
) -> HashMap<u32, Country> {
    let mut votes: HashMap<u32, BTreeMap<Country, u64>> = HashMap::new();
    for line in lines {
        if let Some(country) = country(countries, line.first) {
            *votes.entry(line.asn).or_default().entry(country).or_default() += 1;
        }
    }
    let most = |votes: BTreeMap<Country, u64>| votes.into_iter().max_by_key(|vote| vote.1).map(|vote| vote.0);
    votes.into_iter().filter_map(|(asn, votes)| Some((asn, most(votes)?))).collect()
}

fn country(countries: &Reader<Vec<u8>>, address: IpAddr) -> Option<Country> {
    #[derive(Deserialize)]
    struct Record<'a> {
        country_code: &'a str,
    }
    let record: Record<'_> = countries.lookup(address).ok()?.decode().ok()??;
    Country::new(*record.country_code.as_bytes().first_chunk()?)
}

/// One line, without the odd spaces and soft hyphens that some names have.
fn tidy(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c == '\u{ad}' { '-' } else { c }).filter(|c| !c.is_control()).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
