//! How keys follow from secrets: RFC 8446 7, RFC 5246 5 and 6.3.

use hkdf::Hkdf;
use sha2::{Sha256, Sha384};

use super::secret::Secret;

/// The hash of a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// HKDF-Expand-Label with an empty context: RFC 8446 7.1.
    pub(super) fn expand<const LEN: usize>(self, secret: &Secret, label: &[u8]) -> Option<[u8; LEN]> {
        const PREFIX: &[u8] = b"tls13 ";
        let len = u16::try_from(LEN).ok()?.to_be_bytes();
        let label_len = [u8::try_from(PREFIX.len() + label.len()).ok()?];
        let info = [&len[..], &label_len, PREFIX, label, &[0]];
        let mut out = [0; LEN];
        match self {
            Self::Sha256 => {
                Hkdf::<Sha256>::from_prk(secret.bytes()).ok()?.expand_multi_info(&info, &mut out).ok()?;
            }
            Self::Sha384 => {
                Hkdf::<Sha384>::from_prk(secret.bytes()).ok()?.expand_multi_info(&info, &mut out).ok()?;
            }
        }
        Some(out)
    }

    /// The secret that takes the place of this one: RFC 8446 7.2, and with its own label RFC 9001 6.1.
    pub(super) fn next(self, secret: &Secret, label: &[u8]) -> Option<Secret> {
        match self {
            Self::Sha256 => Secret::new(&self.expand::<32>(secret, label)?),
            Self::Sha384 => Secret::new(&self.expand::<48>(secret, label)?),
        }
    }

    /// The pseudorandom function of TLS 1.2: RFC 5246 5.
    pub(super) fn prf(self, secret: &Secret, label: &[u8], seed: &[u8], len: usize) -> Vec<u8> {
        let seed = [label, seed].concat();
        let (mut out, mut a) = (Vec::new(), seed.clone());
        while out.len() < len {
            a = self.hmac(secret, &a);
            out.extend(self.hmac(secret, &[a.as_slice(), &seed].concat()));
        }
        out.truncate(len);
        out
    }

    /// HKDF-Extract is HMAC, with the salt as its key: RFC 5869 2.2.
    fn hmac(self, key: &Secret, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Hkdf::<Sha256>::extract(Some(key.bytes()), text).0.to_vec(),
            Self::Sha384 => Hkdf::<Sha384>::extract(Some(key.bytes()), text).0.to_vec(),
        }
    }
}
