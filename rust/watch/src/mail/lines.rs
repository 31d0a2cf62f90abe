//! Cuts bytes into lines.

use crate::reader::Reader;

/// The line that one side is sending. Of one that is too long, the pieces.
#[derive(Debug, Default)]
pub(super) struct Lines {
    piece: Vec<u8>,
    /// Whether this is not the beginning of a line.
    goes_on: bool,
    /// Whether it is the end of one.
    ends: bool,
}

/// SMTP's longest lines of text are of 1,000 bytes (RFC 5321 4.5.3.1.6), all commands are shorter.
const LONGEST: usize = 1_024;

impl Lines {
    /// Takes bytes up to the end of the line, or of a piece; tells whether that was reached. Then
    /// [`Self::next`] is due.
    pub(super) fn take(&mut self, bytes: &mut Reader<'_>, end: u8) -> bool {
        let within = bytes.rest().iter().take(LONGEST - self.piece.len());
        let room = within.len();
        let at = within.into_iter().position(|byte| *byte == end);
        self.ends = at.is_some();
        self.piece.extend_from_slice(bytes.take(at.map_or(room, |at| at + 1)).unwrap_or_default());
        self.ends || self.piece.len() == LONGEST
    }

    /// Goes on with the next piece.
    pub(super) fn next(&mut self) {
        self.goes_on = !self.ends;
        self.piece.clear();
    }

    /// Lets go what is held.
    pub(super) fn clear(&mut self) {
        self.piece.clear();
    }

    /// Bytes are missing here: what comes next is no beginning of a line.
    pub(super) fn cut(&mut self) {
        self.goes_on = true;
        self.piece.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.piece.is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.piece
    }

    /// Bytes of memory that it takes.
    pub(super) fn held(&self) -> usize {
        self.piece.capacity()
    }

    /// The line, if it is whole, without blanks around it.
    pub(super) fn line(&self) -> Option<&[u8]> {
        (self.ends && !self.goes_on).then(|| self.piece.trim_ascii())
    }

    /// Whether it is text: UTF-8, which may be cut at either end, and no control characters but those of
    /// text, ESC of ISO 2022 (RFC 1468) among them.
    pub(super) fn is_text(&self) -> bool {
        let rest =
            self.piece.iter().take(3).take_while(|byte| self.goes_on && matches!(byte, 0x80..=0xbf)).count();
        let bytes = self.piece.get(rest..).unwrap_or_default();
        let is_utf8 = std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none());
        let is_control = |byte: u8| !matches!(byte, b'\t'..=b'\r' | 0x1b | 0x20..=0x7e | 0x80..);
        // Without an early end this goes many bytes at a time.
        is_utf8 && !bytes.iter().fold(false, |control, byte| control | is_control(*byte))
    }
}
