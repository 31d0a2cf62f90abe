//! The dynamic table of QPACK (RFC 9204 3.2).

use std::collections::VecDeque;

/// The newest entries of a dynamic table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Newest first.
    entries: VecDeque<Entry>,
    /// Entries that were ever inserted: the next one's absolute index (RFC 9204 3.2.4).
    inserted: u64,
    /// The sizes of `entries`, as the standard counts them.
    size: u64,
    capacity: u64,
}

#[derive(Debug)]
struct Entry {
    name: Box<[u8]>,
    value: Box<[u8]>,
    /// RFC 9204 3.2.1, of all of it: name and value may be cut.
    size: u64,
}

/// The memory of the entries that are kept. Servers mostly take 4 KiB, Chromium offers 64; entries past it
/// are not known any more.
const KEPT: usize = 16 * 1_024;

/// Bytes of a name and of a value that are kept.
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 2_048;

impl Table {
    /// RFC 9204 4.3.1.
    pub(super) fn set_capacity(&mut self, capacity: u64) {
        self.capacity = capacity;
        self.evict(capacity);
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(super) fn inserted(&self) -> u64 {
        self.inserted
    }

    /// RFC 9204 3.2.2. `None` where it does not fit, which is an error.
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        let size = name.len() as u64 + value.len() as u64 + 32;
        self.evict(self.capacity.checked_sub(size)?);
        let cut = |text: &[u8], longest| text.get(..longest).unwrap_or(text).into();
        let entry = Entry { name: cut(name, LONGEST_NAME), value: cut(value, LONGEST_VALUE), size };
        self.size += size;
        self.inserted += 1;
        self.entries.push_front(entry);
        while self.cost() > KEPT && self.pop() {}
        Some(())
    }

    /// By absolute index; `None` where there is none, or none any more.
    pub(super) fn get(&self, index: u64) -> Option<(&[u8], &[u8])> {
        let age = self.inserted.checked_sub(index)?.checked_sub(1)?;
        let entry = self.entries.get(usize::try_from(age).ok()?)?;
        Some((&entry.name, &entry.value))
    }

    /// The entry that was inserted last, as far as it is kept.
    pub(super) fn newest(&self) -> Option<(&[u8], &[u8])> {
        self.get(self.inserted.checked_sub(1)?)
    }

    fn evict(&mut self, size: u64) {
        while self.size > size && self.pop() {}
    }

    fn pop(&mut self) -> bool {
        let Some(entry) = self.entries.pop_back() else { return false };
        self.size -= entry.size;
        true
    }

    /// Without a walk: the standard's size, which counts 32 bytes for each, is about the memory's.
    fn cost(&self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.cost() + self.entries.capacity() * size_of::<Entry>()
    }
}
