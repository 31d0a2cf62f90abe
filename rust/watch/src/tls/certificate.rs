//! For which names a server shows a certificate: up to TLS 1.2 its Certificate message is in clear (RFC 5246
//! 7.4.2); in TLS 1.3 it is encrypted, and nothing is read.

use telltale_model::Certificate;

use crate::name_text::push_name;
use crate::reader::Reader;

/// Bytes of a certificate that are held: usual ones have one to three thousand. Larger ones are passed over.
const LONGEST: usize = 8 << 10;

/// Names that are kept.
const NAMES: usize = 32;

/// A server's handshake messages up to its first certificate.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// What is held of the present message: its head, then of a Certificate as much as is needed.
    held: Vec<u8>,
    /// What of the message is passed over.
    left: usize,
    over: bool,
}

impl Shown {
    /// Whether more bytes may tell something.
    pub(super) fn is_open(&self) -> bool {
        !self.over
    }

    /// No more is read.
    pub(super) fn close(&mut self) {
        *self = Self { over: true, ..Self::default() };
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.held.capacity()
    }

    /// The next bytes of handshake records, in pieces of any size.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<Certificate> {
        let mut bytes = Reader::new(bytes);
        while !bytes.is_empty() && !self.over {
            let passed = bytes.take(self.left.min(bytes.len())).map_or(0, <[u8]>::len);
            self.left -= passed;
            if passed > 0 {
                continue;
            }
            let wanted = self.wanted().saturating_sub(self.held.len()).min(bytes.len());
            self.held.extend_from_slice(bytes.take(wanted).unwrap_or_default());
            if self.held.len() == self.wanted() {
                let read = self.message();
                if self.over {
                    return read;
                }
            }
        }
        None
    }

    /// How much must be held to go on: the head, then the lengths of list and first certificate, then it.
    fn wanted(&self) -> usize {
        match self.held.as_slice() {
            [CERTIFICATE, _, _, _, _, _, _, high, middle, low, ..] => {
                let len = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
                LENGTHS + len
            }
            [CERTIFICATE, _, _, _, ..] => LENGTHS,
            _ => HEAD,
        }
    }

    fn message(&mut self) -> Option<Certificate> {
        match self.held.as_slice() {
            [CERTIFICATE, ..] if self.held.len() == HEAD => None,
            [CERTIFICATE, ..] if self.wanted() > LONGEST + LENGTHS => {
                self.close();
                None
            }
            [CERTIFICATE, ..] if self.held.len() == LENGTHS && self.wanted() > LENGTHS => None,
            [CERTIFICATE, ..] => {
                let read = self.held.get(LENGTHS..).and_then(read);
                self.close();
                read
            }
            [_, high, middle, low] => {
                self.left = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
                self.held.clear();
                None
            }
            _ => None,
        }
    }
}

const CERTIFICATE: u8 = 11;

/// Type and length of a message.
const HEAD: usize = 4;

/// The head, the length of the list, and that of its first certificate: the server's own.
const LENGTHS: usize = HEAD + 3 + 3;

/// The names of an X.509 certificate in DER (RFC 5280 4.1): those of its subjectAltName; a common name alone
/// has not counted since RFC 9525. `None` for what is no certificate.
fn read(der: &[u8]) -> Option<Certificate> {
    const CONTEXT_3: u8 = 0xa3;
    let mut certificate = inside(&mut Reader::new(der), SEQUENCE)?;
    let mut fields = inside(&mut certificate, SEQUENCE)?;
    while !fields.is_empty() {
        let (tag, mut field) = value(&mut fields)?;
        if tag == CONTEXT_3 {
            return alternative_names(inside(&mut field, SEQUENCE)?);
        }
    }
    Some(Certificate { names: Vec::new(), whole: true })
}

/// RFC 5280 4.2.1.6.
fn alternative_names(mut extensions: Reader<'_>) -> Option<Certificate> {
    const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
    const DNS_NAME: u8 = 0x82;
    let mut certificate = Certificate { names: Vec::new(), whole: true };
    while !extensions.is_empty() {
        let mut extension = inside(&mut extensions, SEQUENCE)?;
        if inside(&mut extension, OBJECT_IDENTIFIER)?.rest() != SUBJECT_ALT_NAME {
            continue;
        }
        // "critical" may stand before it.
        let (mut tag, mut body) = value(&mut extension)?;
        if tag == BOOLEAN {
            (tag, body) = value(&mut extension)?;
        }
        let mut names = if tag == OCTET_STRING { inside(&mut body, SEQUENCE)? } else { return None };
        while !names.is_empty() {
            let (tag, name) = value(&mut names)?;
            if tag == DNS_NAME && certificate.names.len() < NAMES {
                let mut text = String::new();
                push_name(&mut text, name.rest());
                certificate.names.push(text);
            } else if tag == DNS_NAME {
                certificate.whole = false;
            }
        }
    }
    Some(certificate)
}

const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The next value, which must have this tag.
fn inside<'a>(der: &mut Reader<'a>, tag: u8) -> Option<Reader<'a>> {
    value(der).filter(|(found, _)| *found == tag).map(|(_, inside)| inside)
}

/// Tag and content (X.690 8.1), with a length of at most two bytes.
fn value<'a>(der: &mut Reader<'a>) -> Option<(u8, Reader<'a>)> {
    let tag = der.u8()?;
    let len = match der.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(der.u8()?),
        0x82 => usize::from(der.u16()?),
        _ => return None,
    };
    Some((tag, Reader::new(der.take(len)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        let len = if content.len() < 0x80 { vec![len[1]] } else { vec![0x82, len[0], len[1]] };
        [&[tag][..], &len, content].concat()
    }

    /// As a CA writes them, but for the parts that are not read.
    fn der(names: &[&str]) -> Vec<u8> {
        let names: Vec<u8> = names.iter().flat_map(|name| tlv(0x82, name.as_bytes())).collect();
        let address = tlv(0x87, &[192, 0, 2, 7]);
        let names = tlv(OCTET_STRING, &tlv(SEQUENCE, &[names, address].concat()));
        let alt = [tlv(OBJECT_IDENTIFIER, &[0x55, 0x1d, 0x11]), tlv(BOOLEAN, &[0xff]), names].concat();
        let usage = [tlv(OBJECT_IDENTIFIER, &[0x55, 0x1d, 0x0f]), tlv(OCTET_STRING, &[1; 4])].concat();
        let extensions = [tlv(SEQUENCE, &usage), tlv(SEQUENCE, &alt)].concat();
        let extensions = tlv(0xa3, &tlv(SEQUENCE, &extensions));
        let fields =
            [tlv(0xa0, &[2, 1, 2]), tlv(0x02, &[7; 16]), tlv(SEQUENCE, &[1; 300]), extensions].concat();
        tlv(SEQUENCE, &[tlv(SEQUENCE, &fields), tlv(SEQUENCE, &[]), tlv(0x03, &[0; 64])].concat())
    }

    fn vector24(content: &[u8]) -> Vec<u8> {
        [&u32::try_from(content.len()).unwrap().to_be_bytes()[1..], content].concat()
    }

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        [vec![kind], vector24(content)].concat()
    }

    /// A ServerHello, then a chain of two.
    fn flight(der: &[u8]) -> Vec<u8> {
        let chain = [vector24(der), vector24(&self::der(&["ca.example"]))].concat();
        [message(2, &[3; 70]), message(CERTIFICATE, &vector24(&chain)), message(14, &[])].concat()
    }

    fn shown(bytes: &[u8], piece: usize) -> (Option<Certificate>, Shown) {
        let mut shown = Shown::default();
        let mut read = None;
        for piece in bytes.chunks(piece) {
            read = read.or(shown.take(piece));
        }
        (read, shown)
    }

    #[test]
    fn the_names_of_the_servers_own_certificate_are_read_in_any_pieces() {
        let flight = flight(&der(&["Shop.Example", "*.shop.example"]));
        for piece in [1, 2, 3, 7, 100, flight.len()] {
            let (read, shown) = shown(&flight, piece);
            let names = vec!["shop.example".to_owned(), "*.shop.example".to_owned()];
            assert_eq!(read, Some(Certificate { names, whole: true }), "{piece}");
            assert!(!shown.is_open() && shown.held() == 0);
        }
    }

    #[test]
    fn names_and_bytes_have_a_bound() {
        let many: Vec<String> = (0..NAMES + 1).map(|number| format!("{number}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (read, _) = shown(&flight(&der(&many)), 50);
        assert_eq!(read.map(|read| (read.names.len(), read.whole)), Some((NAMES, false)));
        let (read, shown) = shown(&flight(&vec![0x30; LONGEST + 1]), 500);
        assert!(read.is_none() && !shown.is_open());
    }

    #[test]
    fn what_is_no_certificate_and_what_is_cut_tells_nothing() {
        let whole = der(&["shop.example"]);
        for len in 0..whole.len() {
            assert_eq!(read(&whole[..len]), None, "{len}");
        }
        assert_eq!(shown(&flight(&[]), 9).0, None);
        assert_eq!(
            read(&tlv(SEQUENCE, &tlv(SEQUENCE, &[2, 1, 7]))),
            Some(Certificate { names: vec![], whole: true })
        );
        let mut state = 7_u64;
        for _ in 0..2_000 {
            let mut bytes = whole.clone();
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[place] = state.to_be_bytes()[0];
            let _no_panic = read(&bytes);
        }
    }
}
