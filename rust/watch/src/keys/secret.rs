//! A secret of a connection.

use std::fmt;

/// A secret as a key log has it: as long as a hash (RFC 8446 7.1), or the 48 bytes of a master secret
/// (RFC 5246 8.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret {
    len: u8,
    bytes: [u8; Self::LONGEST],
}

impl Secret {
    pub(super) const LONGEST: usize = 48;

    /// `None` for one that is too long.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::LONGEST];
        bytes.get_mut(..secret.len())?.copy_from_slice(secret);
        Some(Self { len: u8::try_from(secret.len()).ok()?, bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A secret is never written anywhere.
impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret of {} bytes", self.len)
    }
}
