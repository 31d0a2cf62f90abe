//! Where the client's encrypted handshake ends and its content begins, in TLS 1.3.

/// What the client's next record of application data is.
///
/// In TLS 1.3 the end of the client's handshake travels as application data too (RFC 8446 5.2), so from
/// outside it is told by order and length. Certain: without early data, the first record is handshake.
/// Estimated: early data ends at records of the lengths of EndOfEarlyData and Finished. What stays in
/// doubt counts as content, which is an upper bound: the further records of a client that shows a
/// certificate, and KeyUpdate. Only a last record of the length of an alert is taken for the one that closes
/// (6.1), though it may be two bytes of content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flight {
    /// Content: it is an older version, or the beginning was not seen.
    #[default]
    None,
    /// Content, from here to the end.
    Over,
    /// The client's first record after its hello.
    First,
    /// Its Finished, after messages that end before it.
    Finished,
    /// Early data until its end (RFC 8446 2.3).
    Early,
}

impl Flight {
    pub(super) fn after_hello(early_data: bool) -> Self {
        if early_data { Self::Early } else { Self::First }
    }

    /// Whether a record of so many bytes, which comes now, is handshake.
    pub(super) fn takes(&mut self, len: usize, server_spoke: bool) -> bool {
        let (takes, next) = match self {
            Self::None => (false, Self::None),
            Self::Over => (false, Self::Over),
            Self::First if len == NO_CERTIFICATE => (true, Self::Finished),
            Self::First => (true, Self::Over),
            Self::Finished => (is_finished(len), Self::Over),
            Self::Early if len == END_OF_EARLY_DATA => (true, Self::Finished),
            // The server refused it, and no EndOfEarlyData comes (4.2.10).
            Self::Early if server_spoke && is_finished(len) => (true, Self::Over),
            Self::Early => (false, Self::Early),
        };
        *self = next;
        takes
    }

    /// Whether what comes is content, but for such a record.
    pub(super) fn is_settled(self) -> bool {
        matches!(self, Self::None | Self::Over)
    }

    /// Whether a record of so many bytes closes the connection, if it is the last.
    pub(super) fn may_close_with(self, len: usize) -> bool {
        self == Self::Over && len == ALERT
    }
}

/// Header of the message, type of the content, tag of the usual ciphers.
const OVERHEAD: usize = 4 + 1 + 16;

/// A Certificate with an empty context and an empty list (4.4.2).
const NO_CERTIFICATE: usize = 4 + OVERHEAD;

const END_OF_EARLY_DATA: usize = OVERHEAD;

/// An alert in TLS 1.3.
pub(super) const ALERT: usize = 2 + 1 + 16;

/// Finished is as long as a hash (4.4.4): SHA-256 or SM3, SHA-384, SHA-256 with a tag of 8 bytes (CCM_8).
fn is_finished(len: usize) -> bool {
    [32 + OVERHEAD, 48 + OVERHEAD, 32 + OVERHEAD - 8].contains(&len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each of these records is handshake.
    fn classes(mut flight: Flight, records: &[usize]) -> Vec<bool> {
        records.iter().map(|len| flight.takes(*len, true)).collect()
    }

    #[test]
    fn the_first_record_is_handshake_and_what_follows_is_content() {
        for finished in [53, 69, 45] {
            assert_eq!(classes(Flight::First, &[finished, 53, 100]), [true, false, false]);
        }
        assert_eq!(classes(Flight::First, &[1_200, 281, 53]), [true, false, false], "a certificate");
    }

    #[test]
    fn an_empty_certificate_has_a_finished_after_it() {
        assert_eq!(classes(Flight::First, &[25, 53, 53]), [true, true, false]);
        assert_eq!(classes(Flight::First, &[25, 54, 53]), [true, false, false]);
    }

    #[test]
    fn early_data_is_content_up_to_its_end() {
        assert_eq!(classes(Flight::Early, &[400, 16_401, 21, 69, 69]), [false, false, true, true, false]);
        assert_eq!(classes(Flight::Early, &[400, 53, 53]), [false, true, false], "refused");
        assert!(!Flight::Early.takes(53, false), "the server has said nothing that could be answered");
    }
}
