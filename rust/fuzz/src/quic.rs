//! What the fuzz target of QUIC does with a string of bytes. A test of the watcher replays the committed
//! corpus through the same function.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::aes::{Aes128, Block};
use aes_gcm::{Aes128Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use telltale_model::{Direction, Facts};
use telltale_watch::read_quic;

/// Datagrams of one flow, each with three bytes before it: what it is, and its length. Those that are said
/// to be frames are put into an Initial packet first, since no one finds its tag by trying.
pub fn quic_datagrams(mut data: &[u8]) {
    let mut datagrams: Vec<(Direction, Vec<u8>)> = Vec::new();
    while let [kind, high, low, rest @ ..] = data {
        let len = usize::from(u16::from_be_bytes([*high & 0x07, *low])).min(rest.len());
        let (bytes, after) = rest.split_at(len);
        let direction = if kind & 1 == 0 { Direction::Sent } else { Direction::Received };
        let bytes = if kind & 2 == 0 { bytes.to_vec() } else { initial(*kind, bytes) };
        match datagrams.last_mut() {
            Some((before, packets)) if kind & 4 != 0 && *before == direction => packets.extend(bytes),
            _ => datagrams.push((direction, bytes)),
        }
        data = after;
    }
    check(&datagrams);
}

fn check(datagrams: &[(Direction, Vec<u8>)]) {
    let facts = read(datagrams);
    let sent = |datagrams: &[(Direction, Vec<u8>)]| -> u64 {
        let sent = datagrams.iter().filter(|(direction, _)| *direction == Direction::Sent);
        sent.map(|(_, bytes)| bytes.len() as u64).sum()
    };
    assert_eq!(facts.coverage.total(), sent(datagrams));
    assert_eq!(facts.content_sent, facts.coverage.encrypted + facts.coverage.unknown);
    assert!(facts.names.len() <= Facts::KEPT);
    for name in &facts.names {
        assert!(name.name.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !byte.is_ascii_uppercase()));
    }
    // What was known before the last datagram is known after it.
    if let [before @ .., _] = datagrams {
        let before = read(before);
        assert!(facts.names.starts_with(&before.names));
        assert!(before.hello.is_none() || before.hello == facts.hello);
        assert!(before.content_sent <= facts.content_sent);
    }
}

fn read(datagrams: &[(Direction, Vec<u8>)]) -> Facts {
    read_quic(datagrams.iter().map(|(direction, bytes)| (*direction, &bytes[..])))
}

/// The versions that frames are put into packets of, with their salts and the prefix of their labels.
const VERSIONS: [(u32, &str, &str); 4] = [
    (1, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic"),
    (0x6b33_43cf, "0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2"),
    (0x5130_3530, "504574efd066fe2f9d945cfcdbd3a7f0d3b56b45", "quic"),
    (0x5430_3531, "7a4edef4e7ccee5fa4506c19124fc8ccda6e033d", "quic"),
];

/// A client's Initial packet with these frames: bits 4 and 5 of `kind` say the version, bits 6 and 7 the
/// connection.
fn initial(kind: u8, frames: &[u8]) -> Vec<u8> {
    let (number, salt, label) = VERSIONS[usize::from(kind >> 4 & 3)];
    let id = [kind >> 6; 8];
    let salt: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&salt[2 * at..2 * at + 2], 16).unwrap()).collect();
    let secret = Hkdf::<Sha256>::new(Some(&salt), &id);
    let client: [u8; 32] = expand(&secret, "client in");
    let client = Hkdf::<Sha256>::from_prk(&client).unwrap();
    let key: [u8; 16] = expand(&client, &format!("{label} key"));
    let vector: [u8; 12] = expand(&client, &format!("{label} iv"));
    let header: [u8; 16] = expand(&client, &format!("{label} hp"));
    let len = u16::try_from(1 + frames.len() + 16).unwrap() | 0x4000;
    let first = if label == "quicv2" { 0xd0 } else { 0xc0 };
    let mut packet =
        [&[first][..], &number.to_be_bytes(), &[8], &id, &[0, 0], &len.to_be_bytes(), &[0]].concat();
    let number_at = packet.len() - 1;
    let mut text = frames.to_vec();
    let tag = Aes128Gcm::new(&key.into())
        .encrypt_inout_detached(&vector.into(), &packet, text.as_mut_slice().into())
        .unwrap();
    packet.extend(text);
    packet.extend(tag);
    protect(&mut packet, number_at, &header);
    packet
}

fn expand<const LEN: usize>(secret: &Hkdf<Sha256>, label: &str) -> [u8; LEN] {
    let label = format!("tls13 {label}");
    let lengths = [LEN, label.len()].map(|len| u8::try_from(len).unwrap());
    let info = [&[0], &lengths[..], label.as_bytes(), &[0]].concat();
    let mut out = [0; LEN];
    secret.expand(&info, &mut out).unwrap();
    out
}

/// Too short for a sample, it stays as it is.
fn protect(packet: &mut [u8], number_at: usize, key: &[u8; 16]) {
    let Some(sample) = packet.get(number_at + 4..number_at + 20) else { return };
    let mut mask: Block = sample.try_into().unwrap();
    Aes128::new(&(*key).into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    packet[number_at] ^= mask[1];
}
