//! The one blob in which details are kept: AES-256-GCM (NIST SP 800-38D) under a key that stands elsewhere.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY: usize = 32;

/// Bytes of a nonce.
pub const NONCE: usize = 12;

/// What a blob begins with. The last byte is the version; all of it is sealed too.
const HEADER: &[u8; 16] = b"telltale sealed\x01";

const TAG: usize = 16;

/// Seals a text. The nonce must be random: two texts under the same key and nonce betray each other.
///
/// # Errors
/// For a text of more than 64 GiB.
pub fn seal(key: &[u8; KEY], nonce: [u8; NONCE], text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut blob = Vec::with_capacity(HEADER.len() + NONCE + text.len() + TAG);
    blob.extend_from_slice(HEADER);
    blob.extend_from_slice(&nonce);
    let begins = blob.len();
    blob.extend_from_slice(text);
    let sealed = blob.get_mut(begins..).unwrap_or_default();
    let tag = Aes256Gcm::new(&(*key).into())
        .encrypt_inout_detached(&nonce.into(), HEADER, sealed.into())
        .map_err(|_too_long| "they are too many to be sealed")?;
    blob.extend_from_slice(&tag);
    Ok(blob)
}

/// What is in a blob.
///
/// # Errors
/// Part of a sentence: why it cannot be opened.
pub fn open(key: &[u8; KEY], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const DAMAGED: &str = "it was damaged, or its key is another one";
    let (header, rest) = blob.split_first_chunk::<{ HEADER.len() }>().ok_or("it is cut short")?;
    match header.split_last() {
        Some((version, name)) if HEADER.starts_with(name) => {
            if Some(version) != HEADER.last() {
                return Err("a newer Telltale has written it");
            }
        }
        _ => return Err("it is something else"),
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or("it is cut short")?;
    let (sealed, tag) = rest.split_last_chunk::<TAG>().ok_or("it is cut short")?;
    let mut text = Zeroizing::new(sealed.to_vec());
    Aes256Gcm::new(&(*key).into())
        .decrypt_inout_detached(&(*nonce).into(), HEADER, text.as_mut_slice().into(), &(*tag).into())
        .map_err(|_not_its_tag| DAMAGED)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_OF_TEST: [u8; KEY] = [7; KEY];

    #[test]
    fn what_was_sealed_is_opened_with_its_key_alone() {
        let blob = seal(&KEY_OF_TEST, [1; NONCE], b"imei 1").unwrap();
        assert_eq!(open(&KEY_OF_TEST, &blob).unwrap().as_slice(), b"imei 1");
        assert!(open(&[8; KEY], &blob).unwrap_err().contains("another one"));
        assert!(!blob.windows(4).any(|bytes| bytes == b"imei"));
        assert!(open(&KEY_OF_TEST, &seal(&KEY_OF_TEST, [2; NONCE], b"").unwrap()).unwrap().is_empty());
    }

    #[test]
    fn every_byte_counts() {
        let blob = seal(&KEY_OF_TEST, [1; NONCE], b"imei 1").unwrap();
        for place in 0..blob.len() {
            let mut other = blob.clone();
            other[place] ^= 1;
            assert!(open(&KEY_OF_TEST, &other).is_err(), "{place}");
            assert!(open(&KEY_OF_TEST, &blob[..place]).is_err(), "{place}");
        }
        let mut newer = blob;
        newer[15] += 1;
        assert_eq!(open(&KEY_OF_TEST, &newer).unwrap_err(), "a newer Telltale has written it");
    }
}
