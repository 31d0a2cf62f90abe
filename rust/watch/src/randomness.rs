//! Whether bytes look encrypted: whether all values are equally frequent.

/// Pearson's chi-squared over the 256 values of a byte. Of a stream of random bytes, once in a thousand
/// [`Randomness::is_uniform`] says no. Text, program code, numbers, audio and images without compression
/// are told apart with certainty. What compression leaves is not: dense formats (xz) are uniform too, and
/// nobody can tell them from encryption but by what stands at their beginning, which is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Randomness {
    counts: [u16; 256],
    bytes: u32,
    /// The first bytes, where formats say their names.
    first: [u8; FIRST],
    /// How many of them, from the first one on, are letters, digits and what stands between.
    text: u32,
}

/// Below, the approximation is no good (less than 8 of each value), and too few bytes tell too little.
pub(crate) const LEAST: u32 = 2_048;

/// Above, more bytes are not needed: deflated program code fails three times in four.
pub(crate) const ENOUGH: u32 = 8_192;

/// Quantiles 0.0005 and 0.9995 of chi-squared with 255 degrees of freedom (Wilson and Hilferty 1931).
const USUAL: std::ops::Range<f64> = 187.0..336.0;

const FIRST: usize = 64;

/// So many bytes of text are none of a stream of random ones, once in 10^13 streams.
const TEXT: u32 = 32;

/// How files begin that are dense and not encrypted: gzip, zlib, zstd, bzip2, xz, zip, PNG, JPEG, WebM, Ogg.
const FORMATS: [&[u8]; 13] = [
    b"\x1f\x8b\x08",
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x28\xb5\x2f\xfd",
    b"BZh",
    b"\xfd7zXZ",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"\x1a\x45\xdf\xa3",
    b"OggS",
];

/// Markers inside of the first bytes: MP4, RIFF.
const MARKERS: [&[u8]; 2] = [b"ftyp", b"RIFF"];

impl Randomness {
    pub(crate) fn new() -> Self {
        Self { counts: [0; 256], bytes: 0, first: [0; FIRST], text: 0 }
    }

    /// Looks at further bytes, as far as [`ENOUGH`].
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.is_enough() {
                return;
            }
            if let Some(place) = usize::try_from(self.bytes).ok().and_then(|at| self.first.get_mut(at)) {
                *place = *byte;
            }
            let is_text = matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
            self.text += u32::from(is_text && self.text == self.bytes);
            if let Some(count) = self.counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
            self.bytes += 1;
        }
    }

    /// Whether more bytes change nothing.
    pub(crate) fn is_enough(&self) -> bool {
        self.bytes >= ENOUGH
    }

    /// Whether they begin with so much text that what follows is no matter: however dense, it goes by its name.
    pub(crate) fn begins_with_text(&self) -> bool {
        self.text >= TEXT
    }

    /// Whether the bytes so far look random; `None` while they are too few to say.
    pub(crate) fn is_uniform(&self) -> Option<bool> {
        (self.bytes >= LEAST).then(|| USUAL.contains(&self.chi_squared()) && !self.is_a_known_format())
    }

    fn chi_squared(&self) -> f64 {
        let expected = f64::from(self.bytes) / 256.0;
        self.counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    }

    fn is_a_known_format(&self) -> bool {
        let holds = |marker: &&[u8]| self.first.windows(marker.len()).any(|bytes| bytes == *marker);
        FORMATS.iter().any(|format| self.first.starts_with(format)) || MARKERS.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marsaglia's xorshift64*.
    struct Random(u64);

    impl Random {
        fn byte(&mut self) -> u8 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
        }
    }

    fn of(bytes: impl Iterator<Item = u8>) -> Option<bool> {
        let mut randomness = Randomness::new();
        bytes.for_each(|byte| randomness.add(&[byte]));
        randomness.is_uniform()
    }

    #[test]
    fn random_bytes_are_refused_once_in_a_thousand() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for len in [LEAST, ENOUGH] {
            let refused = (0..1_000).filter(|_| of((0..len).map(|_| random.byte())) == Some(false)).count();
            assert!(refused <= 5, "{refused} of 1000 with {len} bytes");
        }
    }

    #[test]
    fn text_numbers_and_sound_are_never_taken_for_encrypted() {
        let mut random = Random(7);
        let letters = b"etaoinshrdlucmfwypvbgkjqxz .,\n";
        assert_eq!(of((0..4_096).map(|at| letters[at * at % letters.len()])), Some(false));
        assert_eq!(of((0..4_096_u32).flat_map(u32::to_be_bytes)), Some(false), "counters");
        // Base64 of random bytes, and noise as audio has it: small values are more frequent.
        let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*b"+/").collect();
        for _ in 0..200 {
            assert_eq!(of((0..2_048).map(|_| alphabet[usize::from(random.byte() & 63)])), Some(false));
            assert_eq!(of((0..2_048).map(|_| random.byte() / 2 + random.byte() / 2)), Some(false));
        }
        assert_eq!(of((0..=255).cycle().take(8_192)), Some(false), "too even to be random");
    }

    #[test]
    fn few_bytes_and_known_formats_are_not_said_to_be_encrypted() {
        let mut random = Random(9);
        assert_eq!(of((0..2_047).map(|_| random.byte())), None);
        let gzip: Vec<u8> = [0x1f, 0x8b, 8].into_iter().chain((0..4_000).map(|_| random.byte())).collect();
        assert_eq!(of(gzip.into_iter()), Some(false));
    }
}
