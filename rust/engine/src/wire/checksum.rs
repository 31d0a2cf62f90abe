//! The Internet checksum, RFC 1071: a ones'-complement sum of 16-bit words.

use std::net::IpAddr;

use smoltcp::wire::IpProtocol;

/// A sum in progress over parts of any length, odd ones too.
///
/// It is kept in the machine's own byte order (RFC 1071 2(B)) and folded to 16 bits only at the end.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum {
    total: u64,
    odd: bool,
}

impl Sum {
    /// The sum over these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut sum = Self::default();
        sum.add(bytes);
        sum
    }

    /// The sum over the pseudo-header that TCP, UDP and ICMPv6 put before themselves: RFC 9293 3.1,
    /// RFC 768, RFC 8200 8.1. `length` counts the bytes from the transport header on.
    pub(crate) fn pseudo_header(
        source: IpAddr,
        destination: IpAddr,
        protocol: IpProtocol,
        length: usize,
    ) -> Self {
        let mut sum = Self::default();
        sum.add_address(source);
        sum.add_address(destination);
        sum.accumulate(u64::from(u16::from(u8::from(protocol)).to_be()));
        sum.accumulate(u64::from(u32::try_from(length).unwrap_or(u32::MAX).to_be()));
        sum
    }

    /// Goes on with these bytes, right after the ones before.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let part = words(bytes);
        // At an odd place each byte falls into the other half of its word: RFC 1071 2(B).
        self.accumulate(if self.odd { u64::from(fold(part).swap_bytes()) } else { part });
        self.odd ^= bytes.len() % 2 == 1;
    }

    /// The checksum to write, most significant byte first. Over bytes that contain their own right
    /// checksum it is zero.
    pub(crate) fn finish(self) -> u16 {
        u16::from_be(!fold(self.total))
    }

    fn add_address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.accumulate(u64::from(u32::from_ne_bytes(address.octets()))),
            IpAddr::V6(address) => self.add(&address.octets()),
        }
    }

    /// Adds with the carry going round, so that nothing is lost however many parts there are.
    fn accumulate(&mut self, part: u64) {
        let (total, carry) = self.total.overflowing_add(part);
        self.total = total + u64::from(carry);
    }
}

/// Lanes that are summed side by side: four registers of a 128-bit vector unit in each of two streams.
const LANES: usize = 16;

/// The sum of the bytes as 32-bit words, unfolded. 64-bit lanes cannot overflow before 16 GiB, so the
/// loop needs no carry and the compiler turns it into vector instructions.
fn words(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<{ LANES * 4 }>();
    let mut lanes = [0u64; LANES];
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<4>().0) {
            *lane = lane.wrapping_add(u64::from(u32::from_ne_bytes(*word)));
        }
    }
    lanes.iter().fold(tail(rest), |sum, lane| sum.wrapping_add(*lane))
}

/// The same for less than a block; a last odd byte is padded with zero.
fn tail(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum = words.iter().fold(0u64, |sum, word| sum.wrapping_add(u64::from(u32::from_ne_bytes(*word))));
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum.wrapping_add(u64::from(u32::from_ne_bytes(last)))
}

fn fold(sum: u64) -> u16 {
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    (sum & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::of(&bytes).finish(), !0xddf2);
    }

    #[test]
    fn nothing_sums_to_nothing() {
        assert_eq!(Sum::default().finish(), 0xffff);
        assert_eq!(Sum::of(&[]).finish(), 0xffff);
    }

    #[test]
    fn any_length_gives_what_the_definition_gives() {
        let bytes = noise(600);
        for length in 0..bytes.len() {
            assert_eq!(Sum::of(&bytes[..length]).finish(), by_definition(&bytes[..length]), "{length} bytes");
        }
    }

    #[test]
    fn parts_sum_to_the_whole_wherever_they_are_cut() {
        let bytes = noise(301);
        let whole = Sum::of(&bytes).finish();
        for first in 0..bytes.len() {
            for second in [first, first + 1, first + 64, first + 65].map(|at| at.min(bytes.len())) {
                let mut sum = Sum::of(&bytes[..first]);
                sum.add(&bytes[first..second]);
                sum.add(&bytes[second..]);
                assert_eq!(sum.finish(), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn carries_survive_the_largest_packet() {
        assert_eq!(Sum::of(&[0xff; 65_536]).finish(), 0);
        let mut sum = Sum::default();
        for _ in 0..1_000 {
            sum.add(&[0xff; 65_535]);
            sum.add(&[0xff]);
        }
        assert_eq!(sum.finish(), 0);
    }

    #[test]
    fn the_pseudo_header_is_that_of_each_family() {
        let v4 = Sum::pseudo_header([192, 0, 2, 1].into(), [10, 0, 0, 2].into(), IpProtocol::Tcp, 0x0123);
        assert_eq!(v4.finish(), by_definition(&[192, 0, 2, 1, 10, 0, 0, 2, 0, 6, 0x01, 0x23]));

        let (source, destination) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let v6 = Sum::pseudo_header(source, destination, IpProtocol::Icmpv6, 0x1_0203);
        let words = [0x2001, 0x0db8, 1, 0x2001, 0x0db8, 2, 0x0001, 0x0203, 0, 58u16];
        assert_eq!(v6.finish(), by_definition(&words.map(u16::to_be_bytes).concat()));
    }

    fn by_definition(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| byte()).collect()
    }
}
