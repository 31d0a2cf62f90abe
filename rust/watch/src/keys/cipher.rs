//! The ciphers themselves, each with the keys of one direction.

use std::fmt;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::aes::{Aes128, Aes256};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use chacha20poly1305::ChaCha20Poly1305;

use super::schedule::Hash;
use super::secret::Secret;

/// An AEAD (RFC 5116) that TLS and QUIC use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Aes128,
    Aes256,
    ChaCha20,
}

/// Of all three: RFC 5116 5.1, RFC 8439 2.8.
pub(super) const TAG: usize = 16;

/// An AEAD with its key.
pub(super) struct Cipher {
    aead: Aead,
    /// What each nonce is made of.
    iv: [u8; 12],
}

enum Aead {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
    ChaCha20(Box<ChaCha20Poly1305>),
}

impl Cipher {
    pub(super) fn new(kind: Kind, key: &[u8], iv: [u8; 12]) -> Option<Self> {
        let aead = match kind {
            Kind::Aes128 => Aead::Aes128(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Kind::Aes256 => Aead::Aes256(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Kind::ChaCha20 => Aead::ChaCha20(Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?)),
        };
        Some(Self { aead, iv })
    }

    /// Key and vector from a traffic secret, by the labels of TLS 1.3 or QUIC: RFC 8446 7.3, RFC 9001 5.1.
    pub(super) fn of_secret(kind: Kind, hash: Hash, secret: &Secret, [key, iv]: [&[u8]; 2]) -> Option<Self> {
        let iv = hash.expand(secret, iv)?;
        match kind {
            Kind::Aes128 => Self::new(kind, &hash.expand::<16>(secret, key)?, iv),
            Kind::Aes256 | Kind::ChaCha20 => Self::new(kind, &hash.expand::<32>(secret, key)?, iv),
        }
    }

    /// Decrypts in place what has this number, with the vector as RFC 8446 5.3 has it. The tag tells whether it
    /// is what was sent.
    pub(super) fn open_numbered<'a>(
        &self,
        number: u64,
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let mut nonce = self.iv;
        for (byte, number) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= number;
        }
        self.open(&nonce, aad, sealed)
    }

    /// The same with the explicit part of a nonce: RFC 5288 3.
    pub(super) fn open_explicit<'a>(
        &self,
        explicit: [u8; 8],
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let mut nonce = self.iv;
        nonce.iter_mut().rev().zip(explicit.iter().rev()).for_each(|(byte, explicit)| *byte = *explicit);
        self.open(&nonce, aad, sealed)
    }

    fn open<'a>(&self, nonce: &[u8; 12], aad: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let (text, tag) = sealed.split_last_chunk_mut::<TAG>()?;
        let (nonce, tag) = ((*nonce).into(), (*tag).into());
        match &self.aead {
            Aead::Aes128(aead) => aead.decrypt_inout_detached(&nonce, aad, (&mut *text).into(), &tag),
            Aead::Aes256(aead) => aead.decrypt_inout_detached(&nonce, aad, (&mut *text).into(), &tag),
            Aead::ChaCha20(aead) => aead.decrypt_inout_detached(&nonce, aad, (&mut *text).into(), &tag),
        }
        .ok()?;
        Some(text)
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        match &self.aead {
            Aead::Aes128(aead) => size_of_val(&**aead),
            Aead::Aes256(aead) => size_of_val(&**aead),
            Aead::ChaCha20(aead) => size_of_val(&**aead),
        }
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match &self.aead {
            Aead::Aes128(_) => "AES-128-GCM",
            Aead::Aes256(_) => "AES-256-GCM",
            Aead::ChaCha20(_) => "ChaCha20-Poly1305",
        })
    }
}

/// What hides the header of a QUIC packet: RFC 9001 5.4.
pub(super) enum Mask {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
    ChaCha20([u8; 32]),
}

impl Mask {
    pub(super) fn of_secret(kind: Kind, hash: Hash, secret: &Secret, label: &[u8]) -> Option<Self> {
        Some(match kind {
            Kind::Aes128 => Self::Aes128(Box::new(Aes128::new(&hash.expand::<16>(secret, label)?.into()))),
            Kind::Aes256 => Self::Aes256(Box::new(Aes256::new(&hash.expand::<32>(secret, label)?.into()))),
            Kind::ChaCha20 => Self::ChaCha20(hash.expand(secret, label)?),
        })
    }

    /// The mask of the packet with this sample.
    pub(super) fn of(&self, sample: [u8; 16]) -> Option<[u8; 5]> {
        let mut block = sample;
        match self {
            Self::Aes128(aes) => {
                let mut masked = block.into();
                aes.encrypt_block(&mut masked);
                block = masked.into();
            }
            Self::Aes256(aes) => {
                let mut masked = block.into();
                aes.encrypt_block(&mut masked);
                block = masked.into();
            }
            // RFC 9001 5.4.4.
            Self::ChaCha20(key) => {
                let (counter, nonce) = sample.split_first_chunk::<4>()?;
                let nonce: [u8; 12] = nonce.try_into().ok()?;
                let mut stream = ChaCha20::new(&(*key).into(), &nonce.into());
                stream.try_seek(u64::from(u32::from_le_bytes(*counter)) * 64).ok()?;
                block = [0; 16];
                stream.try_apply_keystream(&mut block).ok()?;
            }
        }
        block.first_chunk().copied()
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Aes128(aes) => size_of_val(&**aes),
            Self::Aes256(aes) => size_of_val(&**aes),
            Self::ChaCha20(_) => 0,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("header protection")
    }
}
