//! The versions of QUIC that are known: how their Initial packets are protected, and how they name packets.

/// What a version's Initial keys are derived with (RFC 9001 5.2), together with the client's first
/// destination connection id.
pub(super) type Salt = [u8; 20];

/// A version of QUIC whose headers have the form of RFC 8999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// As in the header.
    pub(super) number: u32,
    /// The salts to try: one, but for versions that exist only to be refused.
    pub(super) salts: &'static [Salt],
    /// What else is different.
    pub(super) dialect: Dialect,
}

/// Where a version departs from RFC 9000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nowhere: version 1 and the drafts that led to it, those of Facebook among them.
    One,
    /// Version 2 (RFC 9369): other packet types and labels.
    Two,
    /// Google's frames of before the standard, with TLS in them: T050 and T051.
    GoogleTls,
    /// Google's frames with Google's own handshake in them: Q050.
    GoogleCrypto,
}

/// The type of a packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

/// RFC 9001 5.2; also drafts 33 and 34.
const ONE: Salt = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// RFC 9369 3.3.1.
const TWO: Salt = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// draft-ietf-quic-tls-29 5.2, to draft 32.
const DRAFT_29: Salt = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];
/// draft-ietf-quic-tls-23 5.2, to draft 28.
const DRAFT_23: Salt = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];
/// draft-ietf-quic-tls-22 5.2.
const DRAFT_22: Salt = [
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a,
    0x02, 0x64, 0x4a,
];
/// As Google's QUICHE has it.
const Q050: Salt = [
    0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3,
    0xb5, 0x6b, 0x45,
];
/// As Google's QUICHE has it.
const T050: Salt = [
    0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60,
    0x48, 0x83, 0x10,
];
/// As Google's QUICHE has it.
const T051: Salt = [
    0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda,
    0x6e, 0x03, 0x3d,
];

impl Version {
    /// The version of this number, if it is a known one.
    pub(super) fn of(number: u32) -> Option<Self> {
        let (salts, dialect): (&[Salt], _) = match number {
            1 | 0xff00_0021..=0xff00_0022 => (&[ONE], Dialect::One),
            0x6b33_43cf => (&[TWO], Dialect::Two),
            0xff00_001d..=0xff00_0020 => (&[DRAFT_29], Dialect::One),
            0xff00_0017..=0xff00_001c => (&[DRAFT_23], Dialect::One),
            // Facebook's mvfst numbers versions of its own, and has kept the salt of draft 23 since.
            0xff00_0016 | 0xface_b001 => (&[DRAFT_22], Dialect::One),
            0xface_b000..=0xface_b0ff => (&[DRAFT_23], Dialect::One),
            0x5130_3530 => (&[Q050], Dialect::GoogleCrypto),
            0x5430_3530 => (&[T050], Dialect::GoogleTls),
            0x5430_3531 => (&[T051], Dialect::GoogleTls),
            // To force a negotiation (RFC 9000 15). No salt is laid down: clients take that of the
            // version that they would rather speak.
            _ if number & 0x0f0f_0f0f == 0x0a0a_0a0a => (&[ONE, DRAFT_29], Dialect::One),
            _ => return None,
        };
        Some(Self { number, salts, dialect })
    }

    /// The type of a packet with a long header, by its first byte: RFC 9000 17.2, RFC 9369 3.2.
    pub(super) fn kind(self, first: u8) -> Kind {
        let ahead = u8::from(self.dialect == Dialect::Two);
        match (first >> 4).wrapping_sub(ahead) & 3 {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }

    /// The labels of key, initialisation vector and header protection key: RFC 9001 5.1, RFC 9369 3.3.2.
    pub(super) fn labels(self) -> [&'static [u8]; 3] {
        match self.dialect {
            Dialect::Two => [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"],
            Dialect::One | Dialect::GoogleTls | Dialect::GoogleCrypto => {
                [b"quic key", b"quic iv", b"quic hp"]
            }
        }
    }
}
