use super::bits::Classes;
use super::candidate::Evidence;
use super::decode::Inflater;
use super::sheet::{Place, Sheet};
use telltale_model::{DetailKind, Form};
use zeroize::Zeroize;

/// Contents in contents: sheets that lie upon each other.
pub(super) const DEPTHS: usize = 6;

/// Memory for the search, used again for each piece: at most some megabytes, and [`Room::held`] says how many.
#[derive(Debug, Default)]
pub struct Room {
    /// What was read out of the sheet before each.
    pub(super) sheets: [Sheet; DEPTHS],
    /// What is bytes, and was found: leaves without text.
    pub(super) bytes: Sheet,
    pub(super) classes: Classes,
    pub(super) found: Vec<Found>,
    /// How often each detail was found: in clear, and as a digest.
    pub(super) times: Vec<[u8; 2]>,
    pub(super) inflater: Inflater,
    /// Buffers that are not in use.
    pub(super) spare: Vec<Vec<u8>>,
}

/// What may be a detail.
#[derive(Debug)]
pub(super) struct Found {
    /// In a sheet, or a leaf of [`Room::bytes`].
    pub(super) place: Place,
    pub(super) in_bytes: bool,
    pub(super) kind: DetailKind,
    pub(super) detail: Option<u16>,
    /// The first steps from the value.
    pub(super) form: Vec<Form>,
    pub(super) evidence: Evidence,
}

/// What was sent may hold details.
impl Drop for Room {
    fn drop(&mut self) {
        let sheets = self.sheets.iter_mut().chain([&mut self.bytes]).map(|sheet| &mut sheet.text);
        sheets.chain(&mut self.spare).for_each(Zeroize::zeroize);
    }
}

impl Room {
    pub(super) fn clear(&mut self, details: usize) {
        self.sheets.iter_mut().for_each(Sheet::clear);
        self.bytes.clear();
        self.found.clear();
        if self.times.len() == details { self.times.fill([0; 2]) } else { self.times = vec![[0; 2]; details] }
    }

    /// Bytes of memory behind it.
    pub fn held(&self) -> usize {
        self.sheets.iter().chain([&self.bytes]).map(Sheet::held).sum::<usize>()
            + self.classes.held()
            + self.spare.iter().map(Vec::capacity).sum::<usize>()
            + self.times.capacity() * 2
            + self.found.capacity() * size_of::<Found>()
    }
}
