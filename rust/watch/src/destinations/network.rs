//! From an address to the network that announces it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use telltale_model::Country;

use super::Destinations;
use super::fields::{record, u32_at};
use super::layout::{NO_SYSTEM, SOURCE_TEXTS, SYSTEM};

/// An autonomous system: who answers for an address in the Internet's routing. It is a place in the
/// tables: what is not asked for is not read.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    tables: &'a Destinations,
    place: usize,
    system: &'a [u8; SYSTEM],
}

/// A public data set from which a part of the tables was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// The name of its package.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its licence, as SPDX has it.
    pub licence: &'a str,
    /// Where the licence is.
    pub licence_url: &'a str,
    /// To whom it is owed.
    pub attribution: &'a str,
    /// The SHA-256 of the package.
    pub digest: &'a str,
}

impl Destinations {
    /// The network that an address belongs to. IPv4 in IPv6 is looked up as IPv4.
    pub fn address(&self, address: IpAddr) -> Option<Network<'_>> {
        let system = match address {
            IpAddr::V4(v4) => self.system4(v4),
            IpAddr::V6(v6) => match embedded(v6) {
                Some(v4) => self.system4(v4),
                None => self.ranges6.find((v6.to_bits() >> 64) as u64),
            },
        };
        let place = usize::try_from(system.filter(|system| *system != NO_SYSTEM)?).ok()?;
        Some(Network { tables: self, place, system: record(&self.systems, place)? })
    }

    fn system4(&self, address: Ipv4Addr) -> Option<u32> {
        self.ranges4.find(u64::from(address.to_bits()) << 32)
    }

    /// The data sets from which the tables were made; the list of hosts is the first.
    pub fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        let text = |number| self.sources.get(number);
        (0..self.sources.count()).step_by(SOURCE_TEXTS).map(move |first| Source {
            name: text(first),
            version: text(first + 1),
            licence: text(first + 2),
            licence_url: text(first + 3),
            attribution: text(first + 4),
            digest: text(first + 5),
        })
    }
}

impl<'a> Network<'a> {
    /// Its number, RFC 6793.
    pub fn asn(&self) -> u32 {
        u32_at(self.system, 0).unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.tables.system_names.get(self.place)
    }

    /// Where it is registered, as far as known. This is not where the server stands.
    pub fn country(&self) -> Option<Country> {
        let [.., first, second] = *self.system;
        Country::new([first, second])
    }
}

impl fmt::Debug for Network<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{} {}", self.asn(), self.name())
    }
}

/// The IPv4 address in a mapped one (RFC 4291 2.5.5.2) or in one of NAT64's well-known prefix, which
/// networks without IPv4 give to apps (RFC 6052 2.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = address.octets().starts_with(&[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]);
    let [.., a, b, c, d] = address.octets();
    address.to_ipv4_mapped().or(nat64.then_some(Ipv4Addr::new(a, b, c, d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_in_ipv6_is_found() {
        let v4 = Some(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(embedded("::ffff:192.0.2.1".parse().unwrap()), v4);
        assert_eq!(embedded("64:ff9b::192.0.2.1".parse().unwrap()), v4);
        assert_eq!(embedded("64:ff9b:1::192.0.2.1".parse().unwrap()), None);
        assert_eq!(embedded("2001:db8::1".parse().unwrap()), None);
    }
}
