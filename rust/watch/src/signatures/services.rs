//! Services that are told by a name or an address, since they speak TLS or QUIC as all others do: resolvers
//! over HTTPS, and Google's push.

use std::net::IpAddr;

use super::{Datagram, Start, begins};
use crate::session::Likeness;

/// Public resolvers over HTTPS: names under which nothing but DNS is served, with all names below them, and
/// where the operator says so. In the order of the names.
const RESOLVERS: &[(&str, &str)] = &[
    ("adguard-dns.com", "adguard-dns.io, Public DNS"),
    ("anycast.uncensoreddns.org", "blog.uncensoreddns.org"),
    ("cloudflare-dns.com", "developers.cloudflare.com/1.1.1.1/encryption/dns-over-https"),
    ("cloudflare-gateway.com", "developers.cloudflare.com/cloudflare-one, DNS locations"),
    ("dns-family.adguard.com", "adguard-dns.io, former names"),
    ("dns-unfiltered.adguard.com", "adguard-dns.io, former names"),
    ("dns.adguard.com", "adguard-dns.io, former names"),
    ("dns.alidns.com", "alidns.com"),
    ("dns.controld.com", "docs.controld.com"),
    ("dns.digitale-gesellschaft.ch", "digitale-gesellschaft.ch/dns"),
    ("dns.google", "developers.google.com/speed/public-dns/docs/doh"),
    ("dns.mullvad.net", "mullvad.net/help/dns-over-https-and-dns-over-tls"),
    ("dns.nextdns.io", "nextdns.io"),
    ("dns.quad9.net", "quad9.net/service/service-addresses-and-features"),
    ("dns.switch.ch", "switch.ch, DNS firewall"),
    ("dns.twnic.tw", "101.101.101.101"),
    ("dns10.quad9.net", "quad9.net/service/service-addresses-and-features"),
    ("dns11.quad9.net", "quad9.net/service/service-addresses-and-features"),
    ("dns9.quad9.net", "quad9.net/service/service-addresses-and-features"),
    ("doh.applied-privacy.net", "applied-privacy.net/services/dns"),
    ("doh.cleanbrowsing.org", "cleanbrowsing.org/guides/dnsoverhttps"),
    ("doh.dns.sb", "dns.sb/doh"),
    ("doh.familyshield.opendns.com", "support.opendns.com, DNS over HTTPS"),
    ("doh.libredns.gr", "libredns.gr"),
    ("doh.mullvad.net", "mullvad.net, former name"),
    ("doh.opendns.com", "support.opendns.com, DNS over HTTPS"),
    ("doh.pub", "dnspod.cn/products/publicdns"),
    ("doh.umbrella.com", "support.umbrella.com, DNS over HTTPS"),
    ("doh.xfinity.com", "corporate.comcast.com, encrypted DNS"),
    ("freedns.controld.com", "controld.com/free-dns"),
    ("joindns4.eu", "joindns4.eu/for-public"),
    ("odvr.nic.cz", "nic.cz/odvr"),
    ("public.dns.iij.jp", "public.dns.iij.jp"),
    ("wikimedia-dns.org", "wikimedia-dns.org"),
];

/// Addresses of the same: who goes there by HTTPS without a name asks a resolver.
const ADDRESSES: &[&str] = &[
    // developers.cloudflare.com/1.1.1.1/ip-addresses
    "1.0.0.1",
    "1.0.0.2",
    "1.0.0.3",
    "1.1.1.1",
    "1.1.1.2",
    "1.1.1.3",
    "2606:4700:4700::1001",
    "2606:4700:4700::1111",
    // developers.google.com/speed/public-dns/docs/using
    "2001:4860:4860::8844",
    "2001:4860:4860::8888",
    "8.8.4.4",
    "8.8.8.8",
    // quad9.net/service/service-addresses-and-features
    "149.112.112.112",
    "2620:fe::9",
    "2620:fe::fe",
    "9.9.9.10",
    "9.9.9.11",
    "9.9.9.9",
    // adguard-dns.io, Public DNS
    "94.140.14.14",
    "94.140.15.15",
    // opendns.com/setupguide
    "208.67.220.220",
    "208.67.222.222",
    // alidns.com
    "223.5.5.5",
    "223.6.6.6",
    // mullvad.net/help/dns-over-https-and-dns-over-tls
    "194.242.2.2",
];

/// Whether a name, or without one an address, is that of a public resolver.
pub(crate) fn is_resolver(name: Option<&str>, address: IpAddr) -> bool {
    match name {
        Some(name) => RESOLVERS.iter().any(|(resolver, _)| is_below(name, resolver)),
        None => ADDRESSES.iter().any(|known| known.parse() == Ok(address)),
    }
}

/// The answer of a resolver over DNSCrypt, which begins with a text of its own; the question has nothing that
/// tells it. dnscrypt.info/protocol, 7: nonce and tag follow.
pub(super) fn dnscrypt(datagram: &Datagram<'_>) -> bool {
    datagram.bytes.starts_with(DNSCRYPT) && datagram.bytes.len() >= 8 + 24 + 16
}

const DNSCRYPT: &[u8] = b"r6fnvWj8";

/// The same over TCP, each with its length in two bytes before it. A question of 64 bytes, or a multiple, stands
/// behind 8 bytes that its resolver chose, a key, half a nonce and a tag: until the answer comes it may be one.
pub(crate) fn dnscrypt_stream(start: &Start<'_>) -> Likeness {
    match (may_ask(start.sent), start.received) {
        (Likeness::No, _) => Likeness::No,
        (may_be, [] | [_]) => may_be,
        (_, [_, _, answer @ ..]) => begins(answer, DNSCRYPT),
    }
}

fn may_ask(sent: &[u8]) -> Likeness {
    const BEFORE: usize = 8 + 32 + 12 + 16;
    let Some((len, question)) = sent.split_first_chunk() else { return Likeness::Maybe };
    let len = usize::from(u16::from_be_bytes(*len));
    let is_padded = len > BEFORE && (len - BEFORE).is_multiple_of(64);
    if is_padded && question.len() <= len { Likeness::Maybe } else { Likeness::No }
}

/// Firebase Cloud Messaging: "firebase.google.com/docs/cloud-messaging/concept-options", ports and firewall. Its ports
/// alone tell nothing: anybody may listen there.
pub(crate) fn is_push(name: &str) -> bool {
    ["mtalk.google.com", "mobile-gtalk.l.google.com"].iter().any(|push| is_below(name, push))
        || (name.starts_with("alt") && name.ends_with("-mtalk.google.com"))
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_told_by_its_name_and_without_one_by_its_address() {
        let google = "8.8.8.8".parse().unwrap();
        assert!(is_resolver(Some("dns.google"), google) && is_resolver(Some("dns64.dns.google"), google));
        assert!(is_resolver(Some("mozilla.cloudflare-dns.com"), "192.0.2.1".parse().unwrap()));
        assert!(!is_resolver(Some("www.google.com"), google), "a name says more than an address");
        assert!(!is_resolver(Some("notdns.google"), google));
        assert!(is_resolver(None, google) && !is_resolver(None, "192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn push_is_told_by_its_name_alone() {
        assert!(is_push("mtalk.google.com") && is_push("alt7-mtalk.google.com"));
        assert!(!is_push("a.example") && !is_push("notmtalk.google.com"));
    }

    #[test]
    fn the_lists_are_in_order_and_addresses_are_addresses() {
        assert!(
            RESOLVERS.is_sorted() && RESOLVERS.iter().all(|(name, how)| !name.is_empty() && !how.is_empty())
        );
        assert!(ADDRESSES.iter().all(|address| address.parse::<IpAddr>().is_ok()));
    }
}
