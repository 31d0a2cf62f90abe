//! Follows the client's records where they pass by, for whoever has to look at none of what cannot be read.

use telltale_model::Sealed;

use super::flight;
use super::record::{Header, Kind, Piece, Records};
use crate::reader::Reader;

/// The client's side of a TLS connection, from its first byte on, in pieces of any size.
#[derive(Debug, Default)]
pub struct Framing {
    records: Records,
    /// Whether the record that was read last is content, whatever comes after it.
    content: bool,
    lost: bool,
}

impl Framing {
    /// The next bytes. What they are, where they are content of records that go on or begin here, and their
    /// headers; `None` where somebody has to look at them, since they may be anything else.
    pub fn take(&mut self, bytes: &[u8]) -> Option<Sealed> {
        let mut sealed = Sealed::default();
        let mut is_content = !self.records.is_in_header() && (self.content || self.records.left() == 0);
        let mut bytes = Reader::new(bytes);
        while let Some(piece) = self.records.next(&mut bytes) {
            match piece {
                Piece::Header(header) => {
                    self.content = is_content_for_certain(header);
                    is_content &= self.content;
                    sealed.framing += HEADER;
                }
                Piece::Payload(payload) => {
                    sealed.content = sealed.content.saturating_add(payload.len().try_into().ok()?);
                }
                Piece::Stray(_) => self.lost = true,
            }
        }
        sealed.left = self.records.left().try_into().ok()?;
        (is_content && !self.lost && !self.records.is_in_header()).then_some(sealed)
    }

    /// Whether it was no TLS, or is no more.
    pub fn is_lost(&self) -> bool {
        self.lost
    }
}

const HEADER: u64 = 5;

/// A record as long as an alert may be one, see [`super::flight`].
fn is_content_for_certain(header: Header) -> bool {
    header.kind == Kind::ApplicationData && header.len != flight::ALERT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, len: u16) -> Vec<u8> {
        let [high, low] = len.to_be_bytes();
        [&[kind, 3, 3, high, low][..], &vec![0xab; len.into()]].concat()
    }

    fn sealed(framing: u64, content: u64, left: u16) -> Option<Sealed> {
        Some(Sealed { framing, content, left })
    }

    #[test]
    fn content_is_told_by_its_length_and_all_else_is_to_be_looked_at() {
        let mut framing = Framing::default();
        assert_eq!(framing.take(&record(22, 300)), None, "a hello");
        let two = [record(23, 1_000), record(23, 2_000)].concat();
        assert_eq!(framing.take(&two[..2_500]), sealed(10, 2_490, 510));
        assert_eq!(framing.take(&two[2_500..]), sealed(0, 510, 0));
        for kind in [20, 21, 22, 24] {
            assert_eq!(framing.take(&[record(23, 9), record(kind, 2), record(23, 9)].concat()), None);
            assert_eq!(framing.take(&record(23, 9)), sealed(5, 9, 0), "behind it");
        }
        assert_eq!(framing.take(&record(23, 19)), None, "perhaps the alert that closes");
        assert_eq!(framing.take(&record(23, 0)), sealed(5, 0, 0));
        assert!(!framing.is_lost());
    }

    #[test]
    fn what_ends_or_begins_within_a_header_is_to_be_looked_at() {
        let bytes = record(23, 100);
        for cut in 1..5 {
            let mut framing = Framing::default();
            let end = [&record(23, 50)[..], &bytes[..cut]].concat();
            assert_eq!((framing.take(&end), framing.take(&bytes[cut..])), (None, None));
            assert_eq!(framing.take(&bytes), sealed(5, 100, 0));
        }
    }

    #[test]
    fn what_goes_on_of_another_record_is_to_be_looked_at() {
        let mut framing = Framing::default();
        let hello = record(22, 300);
        assert_eq!((framing.take(&hello[..100]), framing.take(&hello[100..])), (None, None));
        assert_eq!(framing.take(&[]), sealed(0, 0, 0), "nothing goes on");
    }

    #[test]
    fn what_is_no_tls_is_told() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[23, 3, 3, 0xff, 0xff, 0], &[0]] {
            let mut framing = Framing::default();
            assert_eq!(framing.take(bytes), None);
            assert!(framing.is_lost(), "{bytes:?}");
        }
    }
}
