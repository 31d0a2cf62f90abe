//! JA4, the fingerprint of a client's hello, as FoxIO's public description of it says
//! (github.com/FoxIO-LLC/ja4, technical_details/JA4.md).

use sha2::{Digest, Sha256};

use super::hello::{Offer, Transport, extension};

/// The fingerprint of a hello; empty where it has more numbers than are kept.
pub(super) fn fingerprint(transport: Transport, offer: &Offer) -> String {
    let lists = [&offer.ciphers, &offer.extensions, &offer.signatures];
    if lists.iter().any(|list| list.overfull) {
        return String::new();
    }
    let start = start(transport, offer);
    format!("{start}_{}_{}", cut_hash(&ciphers(offer)), cut_hash(&extensions(offer)))
}

/// RFC 8701 2: values that mean nothing and keep servers from relying on the others.
pub(super) fn is_grease(code: u16) -> bool {
    let [high, low] = code.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

fn start(transport: Transport, offer: &Offer) -> String {
    let transport = match transport {
        Transport::Tls => 't',
        Transport::Dtls => 'd',
        Transport::Quic => 'q',
    };
    let named = if offer.has(extension::SERVER_NAME) { 'd' } else { 'i' };
    let ciphers = offer.ciphers.codes.len().min(99);
    let extensions = offer.extensions.codes.len().min(99);
    let (version, alpn) = (version(offer.version), alpn(offer));
    format!("{transport}{version}{named}{ciphers:02}{extensions:02}{alpn}")
}

fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last letter of the first protocol; of its hexadecimal form where one of them is neither
/// letter nor digit.
fn alpn(offer: &Offer) -> String {
    let first = offer.alpn.first().map(Vec::as_slice).unwrap_or_default();
    let (Some(begin), Some(end)) = (first.first(), first.last()) else { return "00".into() };
    if begin.is_ascii_alphanumeric() && end.is_ascii_alphanumeric() {
        [char::from(*begin), char::from(*end)].iter().collect()
    } else {
        format!("{:x}{:x}", begin >> 4, end & 0x0f)
    }
}

fn ciphers(offer: &Offer) -> String {
    let mut ciphers = offer.ciphers.codes.clone();
    ciphers.sort_unstable();
    hex_list(&ciphers)
}

/// Extensions are sorted, name and protocols left out; signatures stay in their order.
fn extensions(offer: &Offer) -> String {
    let mut extensions = offer.extensions.codes.clone();
    extensions.retain(|kind| ![extension::SERVER_NAME, extension::ALPN].contains(kind));
    extensions.sort_unstable();
    let extensions = hex_list(&extensions);
    match &offer.signatures.codes[..] {
        [] => extensions,
        signatures => format!("{extensions}_{}", hex_list(signatures)),
    }
}

fn hex_list(codes: &[u16]) -> String {
    let codes: Vec<String> = codes.iter().map(|code| format!("{code:04x}")).collect();
    codes.join(",")
}

/// The first 12 digits of SHA-256; zeros for an empty list.
fn cut_hash(list: &str) -> String {
    if list.is_empty() {
        return "0".repeat(12);
    }
    Sha256::digest(list).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
