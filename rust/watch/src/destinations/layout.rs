//! The packed file, as the build tool writes it and [`Destinations`](super::Destinations) reads it.
//!
//! All numbers are little-endian. A header of [`HEADER`] bytes: [`MAGIC`], [`FORMAT`] (u32), the
//! length of the whole file (u32), the [`checksum`] of all that follows it (u64); then offset and
//! length (u32 each) of every [`Section`]. The sections follow. The first ones come from the rows
//! written by hand, those from [`Section::FIRST_BULK`] on from public data sets.

use siphasher::sip::SipHasher13;

/// What the file begins with.
pub const MAGIC: [u8; 8] = *b"telltale";
/// Grows when a reader of the old format would read the new one wrongly.
pub const FORMAT: u32 = 1;
/// Bytes before the offsets of the sections.
pub const PREAMBLE: usize = 24;
/// Bytes before the first section.
pub const HEADER: usize = PREAMBLE + 8 * Section::ALL.len();
/// More than the file may ever have, so that a damaged one asks for no more memory.
pub const MAX_LENGTH: usize = 16 << 20;

/// The parts of the file, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Texts that the records of the rows point to.
    Texts,
    /// [`COMPANY`] bytes each, sorted by id: id and name (u32, texts), parent (u16, [`NONE`] is
    /// none), country (two letters, or zeros).
    Companies,
    /// [`BRAND`] bytes each: company (u16), [`Maker`] (u16), brand in lower case (u32, text).
    Brands,
    /// [`ENTRY`] bytes each: company (u16), role (u8, [`NO_ROLE`] is none), how (u8), reference and
    /// date of the last check (u32, texts).
    Entries,
    /// A table of host names; a value is the number of an entry.
    Hosts,
    /// [`SWITCH`] bytes each: company (u16), role (u16), then six texts (u32): system and its
    /// versions, path, default, how known, reference, date of the last check.
    Switches,
    /// A table of the suffixes under which anybody may register a name; values mean nothing.
    Suffixes,
    /// For each owner of a listed host its company (u16), or [`NONE`].
    OwnerCompanies,
    /// Two texts for each owner of listed hosts: id and name.
    Owners,
    /// A table of host names from a public list; a value is the number of an owner.
    ListedHosts,
    /// [`SYSTEM`] bytes each: number of an autonomous system (u32), country (two letters, or zeros).
    Systems,
    /// The name of each autonomous system.
    SystemNames,
    /// IPv4 addresses in the upper half of a u64; a value is the place of an autonomous system.
    Ranges4,
    /// The first 64 bits of IPv6 addresses, and their systems.
    Ranges6,
    /// Six texts for each data set: name, version, licence, its URL, to whom it is owed, digest.
    Sources,
}

impl Section {
    /// Every section, in its order in the file.
    pub const ALL: [Self; 15] = [
        Self::Texts,
        Self::Companies,
        Self::Brands,
        Self::Entries,
        Self::Hosts,
        Self::Switches,
        Self::Suffixes,
        Self::OwnerCompanies,
        Self::Owners,
        Self::ListedHosts,
        Self::Systems,
        Self::SystemNames,
        Self::Ranges4,
        Self::Ranges6,
        Self::Sources,
    ];
    /// From here on the sections do not depend on the rows.
    pub const FIRST_BULK: Self = Self::Owners;
}

/// Bytes of a company.
pub const COMPANY: usize = 12;
/// Bytes of a brand.
pub const BRAND: usize = 8;
/// Bytes of an entry.
pub const ENTRY: usize = 12;
/// Bytes of a switch.
pub const SWITCH: usize = 28;
/// Bytes of an autonomous system.
pub const SYSTEM: usize = 6;
/// Texts of a data set.
pub const SOURCE_TEXTS: usize = 6;
/// The number of no company.
pub const NONE: u16 = u16::MAX;
/// The number of no role.
pub const NO_ROLE: u8 = u8::MAX;
/// The place of no autonomous system.
pub const NO_SYSTEM: u32 = 0x00ff_ffff;

/// A table of texts is their count (u32), then for every [`TEXT_BLOCK`] of them an offset (u32) into
/// the bytes at the end, then the length of each (u16), then the bytes, UTF-8.
pub const TEXT_BLOCK: usize = 8;

/// A table of hosts is their count (u32), the bits that choose a bucket (u16) and the labels of the
/// longest name (u16), then the first entry of each bucket and the end of the last (u32), then
/// entries of so many bytes: 5 of the [`Fingerprint`]'s remainder, sorted in each bucket, and 2 of the
/// value. 5, and not 4 as would do against chance: it makes a name that is taken for another one 256
/// times harder to find for somebody who looks for it, and the table stays under 8 bytes a name.
pub const HOST_ENTRY: usize = 7;
/// No name in a table has more labels.
pub const MOST_LABELS: usize = 8;

/// A table of ranges is the count of its starts (u32) and of its blocks (u32), then the first start
/// of each block (u64), then where each block's bytes begin and the last one's end (u32), then those
/// bytes: the further starts as steps from the one before, then 3 bytes of value for each start. A
/// range ends where the next starts. A step is one byte for a power of two, as most are: its
/// exponent; with [`RANGE_FACTOR`] added an odd factor follows, in 7 bits a byte, low ones first, the
/// top bit on all but the last.
pub const RANGE_BLOCK: usize = 16;
/// See [`RANGE_BLOCK`].
pub const RANGE_FACTOR: u8 = 0x80;
/// Bytes of a range's value.
pub const RANGE_VALUE: usize = 3;

/// Where a host's name is in a table: its bucket by the upper bits, then a remainder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of a name in lower case, without a dot at its end.
    pub fn of(name: &[u8]) -> Self {
        // Any key does; a new format could take another one, where two names collided.
        Self(SipHasher13::new_with_keys(0x7465_6c6c, 0x7461_6c65).hash(name))
    }

    /// Its bucket among two to the power of `bits`.
    pub fn bucket(self, bits: u16) -> usize {
        let bucket = self.0.checked_shr(64 - u32::from(bits)).unwrap_or(0);
        usize::try_from(bucket).unwrap_or(usize::MAX)
    }

    /// What tells it from others in its bucket.
    pub fn remainder(self, bits: u16) -> [u8; 5] {
        let [a, b, c, d, e, ..] = self.0.checked_shl(u32::from(bits)).unwrap_or(0).to_be_bytes();
        [a, b, c, d, e]
    }
}

/// What guards the file against damage: SipHash-1-3 with no key. It is no signature.
pub fn checksum(bytes: &[u8]) -> u64 {
    SipHasher13::new().hash(bytes)
}

/// What a brand says about a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Maker {
    /// Who made the phone.
    Phone,
    /// Who made its chip.
    Chip,
}

impl Maker {
    /// As it is packed.
    pub fn number(self) -> u16 {
        match self {
            Self::Phone => 0,
            Self::Chip => 1,
        }
    }
}
