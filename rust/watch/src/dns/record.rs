//! What a DNS record says, in the words of zone files.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::svcb::Service;
use super::{name, svcb};
use crate::name_text::quoted;
use crate::reader::Reader;

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME or DNAME: the other name.
    Alias(String),
    /// HTTPS or SVCB.
    Service(Service),
    /// Other names, and what stands beside them, in words.
    Names(String),
    /// Anything else, in words as far as it is shown: [`values`] has all of it.
    Values(String),
}

impl Data {
    /// The words, where it has any.
    pub(super) fn text_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Address(_) => None,
            Self::Alias(text)
            | Self::Service(Service { text, .. })
            | Self::Names(text)
            | Self::Values(text) => Some(text),
        }
    }

    /// The same, where they are all that it says.
    pub(super) fn names(&self) -> Option<&str> {
        match self {
            Self::Address(_) | Self::Values(_) => None,
            Self::Alias(text) | Self::Service(Service { text, .. }) | Self::Names(text) => Some(text),
        }
    }

    /// Whether it says something that has no words.
    pub(super) fn has_values(&self) -> bool {
        matches!(self, Self::Values(_) | Self::Service(_))
    }
}

/// Bytes of a string or of unknown data that are shown.
const SHOWN: usize = 255;

/// IANA's registry "Resource Record (RR) TYPEs".
const KINDS: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (10, "NULL"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (TXT, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (24, "SIG"),
    (25, "KEY"),
    (28, "AAAA"),
    (29, "LOC"),
    (NB, "NB"),
    (33, "SRV"),
    (35, "NAPTR"),
    (37, "CERT"),
    (39, "DNAME"),
    (OPT, "OPT"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (SVCB, "SVCB"),
    (HTTPS, "HTTPS"),
    (SPF, "SPF"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
];

const TXT: u16 = 16;
const SPF: u16 = 99;
const OPT: u16 = 41;

/// NetBIOS general name service, RFC 1002 4.2.1.2; in DNS the number was given to NIMLOC and never used.
pub(super) const NB: u16 = 32;
const SVCB: u16 = 64;
pub(super) const HTTPS: u16 = 65;

/// `A`, `AAAA`...; `TYPE65280` for a kind without a name here (RFC 3597 5).
pub(super) fn kind_name(kind: u16) -> Cow<'static, str> {
    // Nearly all questions are of the first one.
    let first = KINDS.first().filter(|(number, _)| *number == kind);
    let place = || KINDS.binary_search_by_key(&kind, |(number, _)| *number).ok();
    match first.or_else(|| KINDS.get(place()?)) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("TYPE{kind}")),
    }
}

/// Whether this kind of record or question has a name.
pub(super) fn is_known(kind: u16) -> bool {
    KINDS.binary_search_by_key(&kind, |(number, _)| *number).is_ok()
}

/// Reads the data of a record of this kind. What does not have the form of its kind
/// is shown as bytes.
pub(super) fn data<'a>(message: &'a [u8], kind: u16, data: Reader<'a>) -> Data {
    parse(message, kind, data).unwrap_or_else(|| Data::Values(bytes(data.rest())))
}

/// What the data of a record of this kind says besides names, as it was sent: strings (RFC 1035 3.3.14), options
/// (RFC 6891 6.1.2), or all of it.
pub(super) fn values(kind: u16, data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut data = Reader::new(data);
    std::iter::from_fn(move || {
        let mut ahead = data;
        let value = match kind {
            TXT | SPF => ahead.vector8(),
            OPT => ahead.u16().and_then(|_code| ahead.vector16()),
            _ => None,
        };
        match value {
            Some(value) => {
                data = ahead;
                Some(value.rest())
            }
            None => data.take(data.len()).filter(|rest| !rest.is_empty()),
        }
    })
}

fn parse<'a>(message: &'a [u8], kind: u16, mut data: Reader<'a>) -> Option<Data> {
    let name = |data: &mut Reader<'a>| name::read(message, data);
    Some(match kind {
        1 => Data::Address(Ipv4Addr::from(whole::<4>(data)?).into()),
        28 => Data::Address(Ipv6Addr::from(whole::<16>(data)?).into()),
        5 | 39 => Data::Alias(name(&mut data)?),
        2 | 12 => Data::Names(name(&mut data)?),
        6 => Data::Names(start_of_authority(message, data)?),
        15 | 18 => Data::Names(format!("{} {}", data.u16()?, name(&mut data)?)),
        TXT | SPF => Data::Values(strings(data)?),
        33 => {
            let (priority, weight, port) = (data.u16()?, data.u16()?, data.u16()?);
            Data::Names(format!("{priority} {weight} {port} {}", name(&mut data)?))
        }
        SVCB | HTTPS => Data::Service(svcb::read(message, data)?),
        _ => return None,
    })
}

fn whole<const N: usize>(mut data: Reader<'_>) -> Option<[u8; N]> {
    data.array().filter(|_| data.is_empty())
}

/// RFC 1035 3.3.13.
fn start_of_authority<'a>(message: &'a [u8], mut data: Reader<'a>) -> Option<String> {
    let (primary, mailbox) = (name::read(message, &mut data)?, name::read(message, &mut data)?);
    let [serial, refresh, retry, expire, least] =
        [data.u32()?, data.u32()?, data.u32()?, data.u32()?, data.u32()?];
    Some(format!("{primary} {mailbox} {serial} {refresh} {retry} {expire} {least}"))
}

/// RFC 1035 3.3.14.
fn strings(mut data: Reader<'_>) -> Option<String> {
    let mut text = String::new();
    while !data.is_empty() {
        let string = data.vector8()?;
        if text.len() > SHOWN {
            return Some(text + " ...");
        }
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(&quoted(string.rest(), SHOWN));
    }
    Some(text)
}

/// RFC 3597 5: `\# LENGTH HEX`.
fn bytes(data: &[u8]) -> String {
    let mut text = format!("\\# {}", data.len());
    for (at, byte) in data.iter().take(SHOWN / 8).enumerate() {
        // Writing into a String never fails.
        let _written = write!(text, "{}{byte:02x}", if at == 0 { " " } else { "" });
    }
    text.push_str(if data.len() > SHOWN / 8 { "..." } else { "" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: u16, bytes: &[u8]) -> String {
        let message = [b"\x07example\0", bytes].concat();
        match data(&message, kind, Reader::new(&message[9..])) {
            Data::Address(address) => address.to_string(),
            Data::Alias(text) | Data::Names(text) | Data::Values(text) => text,
            Data::Service(service) => service.text,
        }
    }

    #[test]
    fn each_kind_is_told_in_the_words_of_zone_files() {
        assert_eq!(words(1, &[192, 0, 2, 7]), "192.0.2.7");
        assert_eq!(words(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]), "2001:db8::7");
        assert_eq!(words(5, b"\x03Cdn\xc0\0"), "cdn.example");
        assert_eq!(words(12, b"\x01h\xc0\0"), "h.example");
        assert_eq!(words(15, b"\0\x0a\x04mail\xc0\0"), "10 mail.example");
        assert_eq!(words(16, b"\x06v=spf1\x02-A"), "\"v=spf1\" \"-A\"");
        assert_eq!(words(33, b"\0\x01\0\x02\x14\x66\x01s\xc0\0"), "1 2 5222 s.example");
        let numbers = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5];
        let authority = [&b"\x02ns\xc0\0\x04mail\xc0\0"[..], &numbers].concat();
        assert_eq!(words(6, &authority), "ns.example mail.example 1 2 3 4 5");
        assert_eq!(words(2, b"\x02ns\xc0\0"), "ns.example");
    }

    #[test]
    fn what_has_another_form_is_shown_as_bytes() {
        assert_eq!(words(1, &[192, 0, 2]), "\\# 3 c00002");
        assert_eq!(words(12, b"\xc0\xff"), "\\# 2 c0ff");
        assert_eq!(words(16, b"\x09short"), "\\# 6 0973686f7274");
        assert_eq!(words(65_280, b""), "\\# 0");
        assert!(words(10, &[7; 4_000]).len() < 100);
        assert!(words(16, &[&[200][..], &[b'x'; 200]].concat().repeat(50)).len() < 1_000);
    }

    #[test]
    fn strings_and_options_are_told_apart_and_what_is_damaged_is_one() {
        let all = |kind, data| values(kind, data).collect::<Vec<_>>();
        assert_eq!(all(TXT, b"\x02ab\0\x01c"), [&b"ab"[..], b"", b"c"]);
        assert_eq!(all(OPT, b"\0\x0a\0\x02ab\xfd\xe9\0\x01c"), [&b"ab"[..], b"c"]);
        assert_eq!(all(TXT, b"\x02ab\x09cd"), [&b"ab"[..], b"\x09cd"]);
        assert_eq!(all(10, b"\x02ab"), [b"\x02ab"]);
        assert_eq!(all(10, b""), [b""; 0]);
    }

    #[test]
    fn kinds_without_a_name_go_by_their_number() {
        assert!(KINDS.is_sorted());
        assert_eq!(
            (kind_name(65), kind_name(28), kind_name(65_280)),
            ("HTTPS".into(), "AAAA".into(), "TYPE65280".into())
        );
    }
}
