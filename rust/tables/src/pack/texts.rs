//! Tables of texts.

use std::collections::HashMap;

use telltale_watch::destinations::layout::TEXT_BLOCK;

use super::number;

/// Texts as they are met first, each once.
#[derive(Debug, Default)]
pub struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Texts {
    /// The number of a text, which is added where it is new.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let new = number(self.all.len());
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), new);
        new
    }

    /// Packs them.
    pub fn pack(&self) -> Vec<u8> {
        texts(&self.all)
    }
}

/// Packs texts in this order. What is past 65,535 bytes of a text is cut off; the rows are checked to
/// have no such text.
pub fn texts<T: AsRef<str>>(all: &[T]) -> Vec<u8> {
    let lengths: Vec<u16> =
        all.iter().map(|text| u16::try_from(text.as_ref().len()).unwrap_or(u16::MAX)).collect();
    let mut packed = number(all.len()).to_le_bytes().to_vec();
    let mut offset = 0;
    for block in lengths.chunks(TEXT_BLOCK) {
        packed.extend(number(offset).to_le_bytes());
        offset += block.iter().map(|length| usize::from(*length)).sum::<usize>();
    }
    packed.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    for (text, length) in all.iter().zip(lengths) {
        packed.extend(text.as_ref().bytes().take(usize::from(length)));
    }
    packed
}
