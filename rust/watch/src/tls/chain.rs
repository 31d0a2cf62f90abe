//! TLS whose beginning was not seen: records that follow each other among bytes of which nothing is known.

use super::record::{Kind, Piece, Records};
use crate::reader::Reader;

/// Looks for two records of application data, one right behind the other, in one direction. Random bytes look so once in
/// 10^15; a file that somebody sends may hold such records, so it is only for flows whose beginning was not seen.
#[derive(Debug)]
pub(crate) struct Chain {
    records: Records,
    /// Whether a header was found, and nothing came since but its payload.
    behind: bool,
    /// Bytes that are still looked at.
    left: usize,
}

/// Four records: where the first begins in the middle, the second and third are whole.
const LOOKED_AT: usize = 64 << 10;

impl Chain {
    pub(crate) fn new() -> Self {
        let mut records = Records::default();
        records.miss(0);
        Self { records, behind: false, left: LOOKED_AT }
    }

    /// Once there are two: where in these bytes the payload of the second begins, and how long it is.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        let bytes = bytes.get(..self.left).unwrap_or(bytes);
        self.left -= bytes.len();
        let mut rest = Reader::new(bytes);
        while let Some(piece) = self.records.next(&mut rest) {
            self.behind = match piece {
                Piece::Payload(_) => self.behind,
                Piece::Header(header) if header.kind == Kind::ApplicationData => {
                    if self.behind {
                        return Some((bytes.len() - rest.len(), header.len));
                    }
                    true
                }
                Piece::Header(_) | Piece::Stray(_) => false,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, len: u16) -> Vec<u8> {
        [&[kind, 3, 3][..], &len.to_be_bytes(), &vec![0xa5; len.into()]].concat()
    }

    #[test]
    fn two_records_of_data_are_found_behind_the_rest_of_another_in_any_pieces() {
        let bytes = [&[0x5a; 700][..], &record(23, 900), &record(23, 300)].concat();
        for len in [1, 2, 7, 1_448, 4_096] {
            let (mut chain, mut place) = (Chain::new(), 0);
            let found = bytes.chunks(len).find_map(|piece| {
                let found = chain.take(piece).map(|(at, len)| (place + at, len));
                place += piece.len();
                found
            });
            assert_eq!(found, Some((700 + 905 + 5, 300)), "in pieces of {len}");
        }
    }

    #[test]
    fn one_record_other_records_and_what_begins_late_are_none() {
        let (data, other) = (record(23, 40), record(22, 40));
        for bytes in [
            [&data[..], b"text", &data, b"text"].concat(),
            [&data[..], &other, &data].concat(),
            [&vec![0x5a; LOOKED_AT][..], &data, &data].concat(),
        ] {
            assert_eq!(Chain::new().take(&bytes), None);
        }
    }
}
