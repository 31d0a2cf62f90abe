//! Bytes of lines whose end has not come, so that it is not known yet what they are part of.

/// Collects what comes until it is told how much of it is part of what.
#[derive(Debug, Default)]
pub(super) struct Margin {
    text: Vec<u8>,
}

/// Bytes of a line that are kept. Servers take heads of 8 to 16 KiB.
const LONGEST: usize = 16 << 10;

impl Margin {
    /// Takes in what came, of which, and of all before it, so many bytes are told now: all, or none. Gives those
    /// of them that are here to `write`, and how many are not.
    pub(super) fn take(&mut self, came: &[u8], told: u64, write: impl FnOnce(&[u8], u64)) {
        if self.text.is_empty() && told == came.len() as u64 {
            return if told > 0 {
                write(came, 0)
            };
        }
        let room = LONGEST.saturating_sub(self.text.len());
        self.text.extend_from_slice(came.get(..room).unwrap_or(came));
        if told > 0 {
            let text = std::mem::take(&mut self.text);
            write(&text, told.saturating_sub(text.len() as u64));
        }
    }

    /// What came is counted otherwise.
    pub(super) fn clear(&mut self) {
        self.text = Vec::new();
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.text.capacity()
    }
}
