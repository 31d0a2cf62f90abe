//! What others look for, re-stated from what their sources were read to do: bytes as they are sent, nothing decoded.
#![expect(clippy::wildcard_enum_match_arm, reason = "axes of a table: the rest is alike")]

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use telltale_model::DetailKind;

use super::encode;

/// AntMonitor (2020): literals of IMEI, `ANDROID_ID`, number, e-mail, advertising id, serial, ICCID and own words.
pub(crate) fn ant_monitor(kind: DetailKind, value: &str, sent: &[u8]) -> bool {
    let known = matches!(
        kind,
        DetailKind::Imei
            | DetailKind::AndroidId
            | DetailKind::Phone
            | DetailKind::Email
            | DetailKind::AdvertisingId
            | DetailKind::Serial
            | DetailKind::Iccid
            | DetailKind::Word
    );
    known && holds(sent, &literal(kind, value))
}

/// PrivacyGuard (2018): literals of IMEI, IMSI, number, SIM's serial, `ANDROID_ID`, advertising id, contacts'
/// numbers, and of each of them MD5, SHA-1 and SHA-256 as the hexadecimal digits of the first eight bytes.
pub(crate) fn privacy_guard(kind: DetailKind, value: &str, sent: &[u8]) -> bool {
    let known = matches!(
        kind,
        DetailKind::Imei
            | DetailKind::Imsi
            | DetailKind::Phone
            | DetailKind::Iccid
            | DetailKind::AndroidId
            | DetailKind::AdvertisingId
            | DetailKind::Contact
            | DetailKind::Word
    );
    let literal = literal(kind, value);
    let digests =
        [Md5::digest(&literal).to_vec(), Sha1::digest(&literal).to_vec(), Sha256::digest(&literal).to_vec()];
    let digests = digests.map(|digest| encode::hex(digest.get(..8).unwrap_or_default()));
    known && (holds(sent, &literal) || digests.iter().any(|digest| holds(sent, digest.as_bytes())))
}

/// As Android gives it.
fn literal(kind: DetailKind, value: &str) -> Vec<u8> {
    match kind {
        DetailKind::Phone | DetailKind::Contact => value.replace(' ', "").into_bytes(),
        _ => value.as_bytes().to_vec(),
    }
}

fn holds(sent: &[u8], literal: &[u8]) -> bool {
    sent.windows(literal.len()).any(|bytes| bytes == literal)
}
