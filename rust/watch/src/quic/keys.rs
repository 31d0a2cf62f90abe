//! The protection of a client's Initial packets. Their keys follow from what everyone on the way can read
//! (RFC 9001 5.2): they keep out accidents, not readers.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{Aes128Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;

use super::packet::Long;
use super::version::{Salt, Version};

/// What the Initial packets of one client are protected with.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    key: [u8; 16],
    vector: [u8; 12],
    header: [u8; 16],
}

/// The length of AES-128-GCM's tag.
pub(super) const TAG: usize = 16;

/// A longer packet is not opened, so that no datagram takes longer than 100 us. Initial packets are sent
/// before anything is known of the path: they are of 1,200 to 1,500 bytes.
const LONGEST: usize = 2_048;

impl Keys {
    /// The keys of a client that calls the server so at first: RFC 9001 5.1, 5.2.
    pub(super) fn of_client(version: Version, salt: &Salt, id: &[u8]) -> Option<Self> {
        let (secret, _) = Hkdf::<Sha256>::extract(Some(salt), id);
        let client: [u8; 32] = expand(&secret, b"client in")?;
        let [key, vector, header] = version.labels();
        Some(Self {
            key: expand(&client, key)?,
            vector: expand(&client, vector)?,
            header: expand(&client, header)?,
        })
    }

    /// What is inside, if these are its keys: the tag tells.
    pub(super) fn open(&self, packet: &Long<'_>) -> Option<Vec<u8>> {
        let (clear, protected) = packet.bytes.split_at_checked(packet.number_at)?;
        if packet.bytes.len() > LONGEST {
            return None;
        }
        let (first, number) = self.unmask(*clear.first()?, protected)?;
        let body = protected.get(number.len()..)?;
        let (text, tag) = body.split_last_chunk::<TAG>()?;
        let mut text = text.to_vec();
        let header = [&[first], clear.get(1..)?, number.as_slice()].concat();
        Aes128Gcm::new(&self.key.into())
            .decrypt_inout_detached(
                &self.nonce(&number).into(),
                &header,
                text.as_mut_slice().into(),
                &(*tag).into(),
            )
            .ok()?;
        Some(text)
    }

    /// The first byte and the packet number, without their protection: RFC 9001 5.4.1. Of wrong keys three
    /// in four fail already here, at the bits that must be zero (RFC 9000 17.2).
    fn unmask(&self, first: u8, protected: &[u8]) -> Option<(u8, Vec<u8>)> {
        let sample: &[u8; 16] = protected.get(4..)?.first_chunk()?;
        let mut mask = (*sample).into();
        Aes128::new(&self.header.into()).encrypt_block(&mut mask);
        let (mask_of_first, mask) = mask.split_first()?;
        let first = first ^ mask_of_first & 0x0f;
        let len = usize::from(first & 3) + 1;
        let number = protected.iter().zip(mask).take(len).map(|(byte, mask)| byte ^ mask).collect();
        (first & 0x0c == 0).then_some((first, number))
    }

    /// RFC 9001 5.3. Numbers of Initial packets begin at 0 (RFC 9000 12.3) and are few: never cut.
    fn nonce(&self, number: &[u8]) -> [u8; 12] {
        let mut nonce = self.vector;
        for (byte, number) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *byte ^= number;
        }
        nonce
    }
}

/// HKDF-Expand-Label with an empty context: RFC 8446 7.1.
fn expand<const LEN: usize>(secret: &[u8], label: &[u8]) -> Option<[u8; LEN]> {
    const PREFIX: &[u8] = b"tls13 ";
    let len = u16::try_from(LEN).ok()?.to_be_bytes();
    let label_len = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let mut out = [0; LEN];
    Hkdf::<Sha256>::from_prk(secret)
        .ok()?
        .expand_multi_info(&[&len, &label_len, PREFIX, label, &[0]], &mut out)
        .ok()?;
    Some(out)
}

#[cfg(test)]
impl Keys {
    pub(super) fn parts(&self) -> (&[u8; 16], &[u8; 12], &[u8; 16]) {
        (&self.key, &self.vector, &self.header)
    }
}
