//! The data of HTTPS and SVCB records, RFC 9460.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::name;
use crate::name_text::push_name;
use crate::reader::Reader;

/// Addresses that are taken from one record, and protocols; real records have up to eight.
const HINTS: usize = 8;

/// Keys that are read; real records have about six.
const KEYS: usize = 32;

/// RFC 9460 14.3.2, RFC 9461, RFC 9540, RFC 9848: names of keys by number.
const KEY_NAMES: [&str; 9] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];

/// Where a service is, and how to speak with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// Priority, target and keys in the words of zone files; of the ECH configuration only that it is there.
    pub(super) text: String,
    /// The addresses of its hints.
    pub(super) hints: Vec<IpAddr>,
    /// Whether there is an ECH configuration (RFC 9848): its name can be hidden in a hello.
    pub(super) ech: bool,
}

/// `None` for what has not this form.
pub(super) fn read<'a>(message: &'a [u8], mut data: Reader<'a>) -> Option<Service> {
    let mut text = format!("{} {}", data.u16()?, name::read(message, &mut data)?);
    let (mut hints, mut ech) = (Vec::new(), false);
    for _ in 0..KEYS {
        if data.is_empty() {
            break;
        }
        let (key, value) = (data.u16()?, data.vector16()?);
        push_key(&mut text, key);
        match key {
            1 => push_list(&mut text, alpn(value)?),
            3 => push_list(&mut text, [whole_u16(value)?.to_string()]),
            4 => push_hints(&mut text, &mut hints, value, |value| value.array().map(Ipv4Addr::from)),
            6 => push_hints(&mut text, &mut hints, value, |value| value.array().map(Ipv6Addr::from)),
            5 => ech = !value.is_empty(),
            7 => push_list(&mut text, [safe(value.rest())]),
            _ => {}
        }
    }
    Some(Service { text, hints, ech })
}

fn push_key(text: &mut String, key: u16) {
    text.push(' ');
    match KEY_NAMES.get(usize::from(key)) {
        Some(name) => text.push_str(name),
        // Writing into a String never fails.
        None => drop(write!(text, "key{key}")),
    }
}

fn push_list(text: &mut String, values: impl IntoIterator<Item = String>) {
    let mut before = '=';
    for value in values {
        text.push(before);
        text.push_str(&value);
        before = ',';
    }
}

fn push_hints<A: Into<IpAddr>>(
    text: &mut String,
    hints: &mut Vec<IpAddr>,
    mut value: Reader<'_>,
    next: impl Fn(&mut Reader<'_>) -> Option<A>,
) {
    let room = HINTS.saturating_sub(hints.len());
    let found: Vec<IpAddr> = std::iter::from_fn(|| next(&mut value).map(Into::into)).take(room).collect();
    push_list(text, found.iter().map(IpAddr::to_string));
    hints.extend(found);
}

fn alpn(mut value: Reader<'_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    while !value.is_empty() && names.len() < HINTS {
        names.push(safe(value.vector8()?.rest()));
    }
    Some(names)
}

fn whole_u16(mut value: Reader<'_>) -> Option<u16> {
    value.u16().filter(|_| value.is_empty())
}

fn safe(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_name(&mut text, bytes.get(..64).unwrap_or(bytes));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_hints_are_addresses_and_ech_is_told() {
        let mut record = b"\0\x01\0\0\x01\0\x06\x02h3\x02h2\0\x03\0\x02\x20\xfb".to_vec();
        record.extend(b"\0\x04\0\x08\xc0\0\x02\x01\xc0\0\x02\x02\0\x05\0\x03abc\0\x06\0\x10\x20\x01\x0d\xb8");
        record.extend(b"\0\0\0\0\0\0\0\0\0\0\0\x07\xff\x01\0\x01z");
        let Service { text, hints, ech } = read(&record, Reader::new(&record)).unwrap();
        assert!(ech);
        assert_eq!(
            text,
            "1 . alpn=h3,h2 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech ipv6hint=2001:db8::7 key65281"
        );
        let expected: [IpAddr; 3] =
            ["192.0.2.1", "192.0.2.2", "2001:db8::7"].map(|text| text.parse().unwrap());
        assert_eq!(hints, expected);
    }

    #[test]
    fn an_alias_has_no_keys() {
        let record = b"\0\0\x03cdn\x07example\0";
        let alias = Service { text: "0 cdn.example".into(), hints: Vec::new(), ech: false };
        assert_eq!(read(record, Reader::new(record)), Some(alias));
    }

    #[test]
    fn a_key_that_is_cut_is_no_record() {
        for odd in [&b"\0\x01\0\0\x01\0\x09\x02h3"[..], b"\0", b"\0\x01\0\0\x03\0\x01a"] {
            assert_eq!(read(odd, Reader::new(odd)), None);
        }
    }
}
