//! The hosts that the phone talks to, and where they are in the small internet of the tests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// New ones go to the end: a host's place in the list is its address.
pub const HOSTS: [&str; 17] = [
    "api.account.xiaomi.com",
    "contactapi.micloud.xiaomi.net",
    "connect.rom.miui.com",
    "update.miui.com",
    "2.android.pool.ntp.org",
    "feeds.news.example.net",
    "images.news.example.net",
    "api.weather.example.org",
    "chat.example.com",
    "photos.example.com",
    "shop.example.com",
    "policy.app.xiaomi.com",
    "data.mistat.intl.xiaomi.com",
    "api.sec.intl.miui.com",
    "tracking.intl.miui.com",
    "connectivitycheck.gstatic.com",
    "music.example.net",
];

/// Where servers are reached: an address for each host, and a port for each protocol.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The address of the first host; the others follow it.
    pub first: Ipv4Addr,
    /// The port of HTTP.
    pub http: u16,
    /// The port of HTTPS.
    pub https: u16,
    /// The port of the clock, NTP.
    pub ntp: u16,
}

impl Place {
    /// In the namespaces of the demo and the tests, and in captures: addresses kept for documentation (RFC 5737).
    pub const INTERNET: Self = Self { first: Ipv4Addr::new(203, 0, 113, 65), http: 80, https: 443, ntp: 123 };

    /// The address of a host, if it is one of ours.
    pub fn address(&self, host: &str) -> Option<Ipv4Addr> {
        let place = HOSTS.iter().position(|known| known.eq_ignore_ascii_case(host))?;
        Some(Ipv4Addr::from_bits(self.first.to_bits().wrapping_add(u32::try_from(place).ok()?)))
    }

    /// Address and port of a host.
    pub(crate) fn socket(&self, host: &str, port: u16) -> Option<SocketAddr> {
        Some(SocketAddr::new(IpAddr::V4(self.address(host)?), port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_an_address_of_its_own() {
        assert_eq!(Place::INTERNET.address("API.account.xiaomi.com"), Some(Ipv4Addr::new(203, 0, 113, 65)));
        assert_eq!(Place::INTERNET.address("music.example.net"), Some(Ipv4Addr::new(203, 0, 113, 81)));
        assert_eq!(Place::INTERNET.address("example.net"), None);
        let names: std::collections::BTreeSet<_> = HOSTS.into_iter().collect();
        assert_eq!(names.len(), HOSTS.len());
    }
}
