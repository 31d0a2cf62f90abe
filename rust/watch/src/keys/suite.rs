//! The cipher suites that can be read: IANA's TLS Cipher Suites registry.

use super::cipher::Kind;
use super::schedule::Hash;

/// What a cipher suite lays down, as far as what is encrypted can be read with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) kind: Kind,
    pub(super) hash: Hash,
    pub(super) version: Version,
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Suite {
    /// `None` for suites without an AEAD, and for those with CCM, ARIA or Camellia, which programs do not use.
    pub(super) fn of(number: u16) -> Option<Self> {
        use {Hash::*, Kind::*, Version::*};
        let (kind, hash, version) = match number {
            0x1301 => (Aes128, Sha256, Tls13),
            0x1302 => (Aes256, Sha384, Tls13),
            0x1303 => (ChaCha20, Sha256, Tls13),
            // RFC 5288: RSA, DHE, static DH, anonymous. RFC 5289: ECDHE, ECDH. RFC 5487, RFC 8442: PSK.
            0x009c | 0x009e | 0x00a0 | 0x00a2 | 0x00a4 | 0x00a6 => (Aes128, Sha256, Tls12),
            0x009d | 0x009f | 0x00a1 | 0x00a3 | 0x00a5 | 0x00a7 => (Aes256, Sha384, Tls12),
            0x00a8 | 0x00aa | 0x00ac | 0xd001 => (Aes128, Sha256, Tls12),
            0x00a9 | 0x00ab | 0x00ad | 0xd002 => (Aes256, Sha384, Tls12),
            0xc02b | 0xc02d | 0xc02f | 0xc031 => (Aes128, Sha256, Tls12),
            0xc02c | 0xc02e | 0xc030 | 0xc032 => (Aes256, Sha384, Tls12),
            // RFC 7905.
            0xcca8..=0xccae => (ChaCha20, Sha256, Tls12),
            _ => return None,
        };
        Some(Self { kind, hash, version })
    }
}
