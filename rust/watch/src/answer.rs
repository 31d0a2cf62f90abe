//! Reads a DNS answer: which addresses the name that was asked for has.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::RData;
use simple_dns::{Name, Packet, RCODE, ResourceRecord};

/// The name that was asked for, in lower case without the last dot, and the addresses that the
/// answer gives it, directly or over aliases. `None` for a message that says no such thing.
pub(crate) fn addresses(message: &[u8]) -> Option<(String, Vec<IpAddr>)> {
    if !is_plausible(message) {
        return None;
    }
    let packet = Packet::parse(message).ok()?;
    let question = packet.questions.first()?;
    if packet.rcode() != RCODE::NoError {
        return None;
    }
    let aliases = aliases(&question.qname, &packet.answers);
    let addresses: Vec<IpAddr> = packet
        .answers
        .iter()
        .filter(|record| aliases.contains(&text(&record.name)))
        .filter_map(|record| address(&record.rdata))
        .collect();
    (!addresses.is_empty()).then(|| (text(&question.qname), addresses))
}

/// Links that are followed; resolvers themselves give up sooner than that.
const CHAIN: usize = 16;

/// A message of this many records cannot be shorter: an honest count is checked before memory is
/// set aside for it. A question takes 5 bytes at least, a record 11 (RFC 1035 4.1.2, 4.1.3).
fn is_plausible(message: &[u8]) -> bool {
    let count = |at: usize| {
        message
            .get(at..at + 2)
            .map_or(0, |pair| pair.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let records = count(6) + count(8) + count(10);
    message.len() >= 12 + 5 * count(4) + 11 * records
}

/// The name that was asked for and all that it is an alias of (RFC 1034 3.6.2), in whatever order
/// the records come.
fn aliases(asked: &Name<'_>, answers: &[ResourceRecord<'_>]) -> BTreeSet<String> {
    let links: Vec<(String, String)> = answers.iter().filter_map(link).collect();
    let mut known = BTreeSet::from([text(asked)]);
    for _ in 0..CHAIN {
        let before = known.len();
        let found: Vec<_> = links
            .iter()
            .filter(|(alias, _)| known.contains(alias))
            .map(|(_, target)| target.clone())
            .collect();
        known.extend(found);
        if known.len() == before {
            break;
        }
    }
    known
}

fn link(record: &ResourceRecord<'_>) -> Option<(String, String)> {
    let RData::CNAME(target) = &record.rdata else { return None };
    Some((text(&record.name), text(&target.0)))
}

fn address(data: &RData<'_>) -> Option<IpAddr> {
    if let RData::A(record) = data {
        return Some(Ipv4Addr::from(record.address).into());
    }
    let RData::AAAA(record) = data else { return None };
    Some(Ipv6Addr::from(record.address).into())
}

/// RFC 4343 2.1: bytes that are not printable, and dots inside a label, are written `\DDD` and `\.`;
/// letters in either case are the same.
fn text(name: &Name<'_>) -> String {
    let labels: Vec<String> = name.as_bytes().map(label).collect();
    labels.join(".")
}

fn label(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'.' | b'\\' => format!("\\{}", char::from(*byte)),
            0x21..=0x7e => char::from(byte.to_ascii_lowercase()).to_string(),
            _ => format!("\\{byte:03}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header of an answer with so many records; then a question for this name, type A.
    fn message(rcode: u8, answers: u8, question: &[u8], records: &[&[u8]]) -> Vec<u8> {
        let header = [0x12, 0x34, 0x81, 0x80 | rcode, 0, 1, 0, answers, 0, 0, 0, 0];
        [&header[..], question, b"\0\x01\0\x01", &records.concat()].concat()
    }

    const WWW: &[u8] = b"\x03wWw\x07Example\0";
    /// The name at offset 12 has the address 192.0.2.7.
    const A: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
    /// The name at offset 12 has the address 2001:db8::7.
    const AAAA: &[u8] = b"\xc0\x0c\0\x1c\0\x01\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07";

    fn addresses_of(message: &[u8]) -> Option<(String, Vec<String>)> {
        addresses(message).map(|(name, found)| (name, found.iter().map(IpAddr::to_string).collect()))
    }

    #[test]
    fn both_families_are_read_and_the_name_is_in_lower_case() {
        let found = addresses_of(&message(0, 2, WWW, &[A, AAAA])).unwrap();
        assert_eq!(found, ("www.example".into(), vec!["192.0.2.7".into(), "2001:db8::7".into()]));
    }

    #[test]
    fn aliases_are_followed_in_any_order_to_the_name_that_was_asked_for() {
        let first: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x05\x03cdn\0";
        let second: &[u8] = b"\x03CDN\0\0\x05\0\x01\0\0\0\x3c\0\x06\x04edge\0";
        let address: &[u8] = b"\x04edge\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc6\x33\x64\x09";
        for records in [[first, second, address], [address, second, first]] {
            let found = addresses_of(&message(0, 3, WWW, &records)).unwrap();
            assert_eq!(found, ("www.example".into(), vec!["198.51.100.9".into()]));
        }
        assert_eq!(addresses_of(&message(0, 2, WWW, &[second, address])), None, "not what was asked for");
    }

    #[test]
    fn aliases_in_a_circle_end() {
        let circle: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c";
        assert_eq!(addresses_of(&message(0, 1, WWW, &[circle])), None);
    }

    #[test]
    fn what_says_no_address_is_none() {
        assert_eq!(addresses_of(&message(0, 0, WWW, &[])), None);
        assert_eq!(addresses_of(&message(3, 1, WWW, &[A])), None, "NXDOMAIN");
        let all = message(0, 2, WWW, &[A, AAAA]);
        for end in 0..all.len() {
            assert_eq!(addresses_of(&all[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn pointers_that_lead_nowhere_or_in_a_circle_are_none() {
        for question in [&b"\xc0\x0c"[..], b"\x01a\xc0\x0c", b"\xff\xff", b"\xc0\x00", b"\x41"] {
            assert_eq!(addresses_of(&message(0, 1, question, &[A])), None, "{question:?}");
        }
    }

    #[test]
    fn a_count_that_cannot_be_true_sets_no_memory_aside() {
        let mut lie = message(0, 1, WWW, &[A]);
        lie[6..12].fill(0xff);
        assert!(!is_plausible(&lie));
        assert_eq!(addresses_of(&lie), None);
    }

    #[test]
    fn odd_bytes_in_a_name_cannot_reach_a_terminal() {
        let odd: &[u8] = b"\x05a.\x1b\\\xff\x01b\0";
        assert_eq!(addresses_of(&message(0, 1, odd, &[A])).unwrap().0, "a\\.\\027\\\\\\255.b");
    }

    #[test]
    fn no_damage_to_a_message_makes_the_reader_panic() {
        let alias: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x05\x03cdn\0";
        let whole = message(0, 3, WWW, &[alias, A, AAAA]);
        let mut random: u32 = 1;
        for _ in 0..50_000 {
            let mut damaged = whole.clone();
            for _ in 0..3 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [high, low, byte, _] = random.to_be_bytes();
                let at = usize::from(u16::from_be_bytes([high, low])) % damaged.len();
                damaged[at] = byte;
            }
            let _any = addresses(&damaged);
        }
    }
}
