//! How an application's QUIC packets are protected (RFC 9001 5, 6), one direction of them.

use super::cipher::{Cipher, Kind, Mask};
use super::schedule::Hash;
use super::secret::Secret;

/// The labels of a version: key, vector, header protection, next secret.
pub(super) type Labels = [&'static [u8]; 4];

/// The keys of packets of one direction.
#[derive(Debug)]
pub(super) struct Protection {
    kind: Kind,
    hash: Hash,
    labels: Labels,
    mask: Mask,
    now: Phase,
    /// For packets that come late after a change of keys.
    before: Option<Phase>,
    /// The highest packet number so far.
    largest: Option<u64>,
}

/// The keys between two changes.
#[derive(Debug)]
struct Phase {
    secret: Secret,
    cipher: Cipher,
    /// The bit that packets carry (RFC 9001 6).
    bit: bool,
}

impl Protection {
    /// With the first secret of a direction. Its length tells the hash; where two ciphers go with that, the
    /// first packet tells which.
    pub(super) fn candidates(secret: &Secret, labels: Labels) -> Vec<Self> {
        let kinds: &[(Kind, Hash)] = match secret.bytes().len() {
            32 => &[(Kind::Aes128, Hash::Sha256), (Kind::ChaCha20, Hash::Sha256)],
            48 => &[(Kind::Aes256, Hash::Sha384)],
            _ => &[],
        };
        kinds.iter().filter_map(|(kind, hash)| Self::new(*kind, *hash, secret, labels)).collect()
    }

    fn new(kind: Kind, hash: Hash, secret: &Secret, labels: Labels) -> Option<Self> {
        let [_, _, label, _] = labels;
        let mask = Mask::of_secret(kind, hash, secret, label)?;
        let now = Phase::new(kind, hash, *secret, labels, false)?;
        Some(Self { kind, hash, labels, mask, now, before: None, largest: None })
    }

    /// What is inside a packet whose number stands at `number_at`. Of wrong keys the tag tells.
    pub(super) fn open(&mut self, packet: &[u8], number_at: usize) -> Option<Vec<u8>> {
        let (first, number, len) = self.unmask(packet, number_at)?;
        let body_at = number_at + len;
        let truncated = number;
        let number = self.number(truncated, len);
        let mut header = packet.get(..body_at)?.to_vec();
        *header.first_mut()? = first;
        let end = truncated.to_be_bytes();
        header.get_mut(number_at..)?.copy_from_slice(end.get(end.len() - len..)?);
        let body = packet.get(body_at..)?;
        let is_short = first & 0x80 == 0;
        let text = self.decrypt(is_short.then_some(first & 0x04 != 0), number, &header, body)?;
        self.largest = self.largest.max(Some(number));
        Some(text)
    }

    /// The first byte, the packet number as far as it is written, and how long it is: RFC 9001 5.4.1. Bits that
    /// are reserved must be zero (RFC 9000 17.2, 17.3.1): most wrong keys fail already here.
    fn unmask(&self, packet: &[u8], number_at: usize) -> Option<(u8, u64, usize)> {
        let sample = packet.get(number_at + 4..)?.first_chunk::<16>()?;
        let [mask, rest @ ..] = self.mask.of(*sample)?;
        let first = *packet.first()?;
        let (protected, reserved) = if first & 0x80 == 0 { (0x1f, 0x18) } else { (0x0f, 0x0c) };
        let first = first ^ (mask & protected);
        let len = usize::from(first & 3) + 1;
        let number = packet.get(number_at..)?.iter().zip(rest).take(len);
        let number = number.fold(0, |number, (byte, mask)| number << 8 | u64::from(byte ^ mask));
        (first & reserved == 0).then_some((first, number, len))
    }

    /// The whole packet number: RFC 9000 A.3.
    fn number(&self, truncated: u64, len: usize) -> u64 {
        let Some(largest) = self.largest else { return truncated };
        let (expected, window) = (largest + 1, 1 << (8 * len));
        let candidate = (expected & !(window - 1)) | truncated;
        if candidate + window / 2 <= expected {
            candidate + window
        } else if candidate > expected + window / 2 && candidate >= window {
            candidate - window
        } else {
            candidate
        }
    }

    /// A long header has no phase.
    fn decrypt(&mut self, bit: Option<bool>, number: u64, header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        if bit.is_none_or(|bit| bit == self.now.bit) {
            return self.now.open(number, header, body);
        }
        // RFC 9001 6.5: late ones are told from those of the next phase by their numbers; trying is simpler.
        let late = self.before.as_ref().and_then(|before| before.open(number, header, body));
        if late.is_some() {
            return late;
        }
        let [.., label] = self.labels;
        let secret = self.hash.next(&self.now.secret, label)?;
        let next = Phase::new(self.kind, self.hash, secret, self.labels, !self.now.bit)?;
        let text = next.open(number, header, body)?;
        self.before = Some(std::mem::replace(&mut self.now, next));
        Some(text)
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        let before = self.before.as_ref().map_or(0, |before| before.cipher.held());
        self.mask.held() + self.now.cipher.held() + before
    }
}

impl Phase {
    /// RFC 9001 5.1. The key that hides headers never changes (6.1).
    fn new(kind: Kind, hash: Hash, secret: Secret, labels: Labels, bit: bool) -> Option<Self> {
        let [key, iv, ..] = labels;
        Some(Self { cipher: Cipher::of_secret(kind, hash, &secret, [key, iv])?, secret, bit })
    }

    fn open(&self, number: u64, header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = body.to_vec();
        let len = self.cipher.open_numbered(number, header, &mut sealed)?.len();
        sealed.truncate(len);
        Some(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: Labels = [b"quic key", b"quic iv", b"quic hp", b"quic ku"];

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_short_packet_of_the_standard_opens() {
        // RFC 9001 A.5: ChaCha20-Poly1305, packet number 654,360,564, a PING.
        let secret = hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
        let packet = hex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb");
        let mut candidates = Protection::candidates(&Secret::new(&secret).unwrap(), LABELS);
        candidates.iter_mut().for_each(|protection| protection.largest = Some(654_360_000));
        let opened: Vec<_> = candidates.iter_mut().map(|protection| protection.open(&packet, 1)).collect();
        assert_eq!(opened, [None, Some(vec![1])]);
        let mut damaged = packet;
        damaged[20] ^= 1;
        assert_eq!(candidates[1].open(&damaged, 1), None);
    }

    #[test]
    fn packet_numbers_are_made_whole() {
        // RFC 9000 A.3.
        let secret = Secret::new(&[7; 48]).unwrap();
        let mut protection = Protection::candidates(&secret, LABELS).remove(0);
        for (largest, truncated, len, whole) in [
            (None, 5, 1, 5),
            (Some(0xa82f_30ea), 0x9b32, 2, 0xa82f_9b32),
            (Some(0xff), 0x00, 1, 0x100),
            (Some(0x1_0000), 0xfffe, 2, 0xfffe),
        ] {
            protection.largest = largest;
            assert_eq!(protection.number(truncated, len), whole);
        }
    }

    #[test]
    fn what_is_too_short_is_no_packet() {
        let secret = Secret::new(&[7; 32]).unwrap();
        for mut protection in Protection::candidates(&secret, LABELS) {
            for len in 0..40 {
                assert_eq!(protection.open(&vec![0x40; len], 1), None);
                assert_eq!(protection.open(&vec![0x40; len], 21), None);
            }
        }
        assert!(Protection::candidates(&Secret::new(&[7; 40]).unwrap(), LABELS).is_empty());
    }
}
