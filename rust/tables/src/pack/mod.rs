//! Writes the packed file. Its layout is described in [`telltale_watch::destinations::layout`].

mod hosts;
mod ranges;
mod texts;

pub use hosts::{Collision, hosts};
pub use ranges::ranges;
pub use texts::{Texts, texts};

use telltale_watch::destinations::layout::{FORMAT, HEADER, MAGIC, PREAMBLE, Section, checksum};

/// Puts the sections together, in the order of [`Section::ALL`].
pub fn file(sections: &[Vec<u8>; Section::ALL.len()]) -> Vec<u8> {
    let mut directory = Vec::with_capacity(HEADER - PREAMBLE);
    let mut offset = HEADER;
    for section in sections {
        directory.extend(number(offset).to_le_bytes());
        directory.extend(number(section.len()).to_le_bytes());
        offset += section.len();
    }
    let rest = [directory, sections.concat()].concat();
    let mut file = Vec::with_capacity(offset);
    file.extend(MAGIC);
    file.extend(FORMAT.to_le_bytes());
    file.extend(number(offset).to_le_bytes());
    file.extend(checksum(&rest).to_le_bytes());
    file.extend(rest);
    file
}

/// A length or an offset, as it is packed. None comes near the end of a u32: a file that long would be
/// refused by its reader.
pub(crate) fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
