//! Cuts bytes into lines.

use crate::reader::Reader;

/// The line that one side is sending.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Its beginning, until the rest comes.
    begun: Vec<u8>,
    /// The last one that came in pieces.
    joined: Vec<u8>,
    /// Whether the next byte is not the beginning of a line.
    goes_on: bool,
}

/// A line with its end; of one that is too long, or was cut, a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    bytes: &'a [u8],
    /// Whether its first byte is the beginning of a line.
    begins: bool,
    /// Whether its last byte is the end of one.
    ends: bool,
}

/// Whole lines, one after another, that are all text or all not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    /// All of them, with their ends.
    pub(super) bytes: &'a [u8],
    /// The last of them.
    pub(super) last: &'a [u8],
    pub(super) is_text: bool,
}

/// SMTP's longest lines of text are of 1,000 bytes (RFC 5321 4.5.3.1.6), all commands are shorter.
const LONGEST: usize = 1_024;

impl Lines {
    /// Takes bytes up to the end of the line, or of a piece. `None` where that was not reached.
    pub(super) fn take<'a, 'b: 'a>(&'a mut self, bytes: &mut Reader<'b>, end: u8) -> Option<Line<'a>> {
        let room = LONGEST - self.begun.len();
        let within = bytes.rest().get(..room).unwrap_or(bytes.rest());
        let at = within.iter().position(|byte| *byte == end);
        let taken = bytes.take(at.map_or(within.len(), |at| at + 1)).unwrap_or_default();
        if at.is_none() && taken.len() < room {
            self.hold(taken);
            return None;
        }
        let begins = !std::mem::replace(&mut self.goes_on, at.is_none());
        Some(Line { bytes: self.join(taken), begins, ends: at.is_some() })
    }

    /// Takes the lines that are whole and alike from the front of `bytes`: what [`Self::take`] gives one by one, many
    /// times as fast where they are short. Where something else `begins`, it stops, but for the first line.
    pub(super) fn take_run<'b>(
        &self,
        bytes: &mut Reader<'b>,
        end: u8,
        begins: impl Fn(&[u8]) -> bool,
    ) -> Option<Run<'b>> {
        if self.goes_on || !self.begun.is_empty() {
            return None;
        }
        let run = Run::read(bytes.rest(), end, begins)?;
        bytes.take(run.bytes.len())?;
        Some(run)
    }

    fn join<'a>(&'a mut self, taken: &'a [u8]) -> &'a [u8] {
        if self.begun.is_empty() {
            return taken;
        }
        self.hold(taken);
        std::mem::swap(&mut self.begun, &mut self.joined);
        self.begun.clear();
        &self.joined
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.begun.capacity() - self.begun.len() < bytes.len() {
            self.begun.reserve_exact(LONGEST - self.begun.len());
        }
        self.begun.extend_from_slice(bytes);
    }

    /// Gives up the line as far as it has come.
    pub(super) fn clear(&mut self) {
        self.begun.clear();
    }

    /// Bytes are missing here: what comes next is no beginning of a line.
    pub(super) fn cut(&mut self) {
        self.goes_on = true;
        self.begun.clear();
    }

    /// Whether nothing of the next line has come.
    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// The line that has not ended.
    pub(super) fn begun(&self) -> Line<'_> {
        Line { bytes: &self.begun, begins: !self.goes_on, ends: false }
    }

    /// Bytes of memory that it takes.
    pub(super) fn held(&self) -> usize {
        self.begun.capacity() + self.joined.capacity()
    }
}

impl<'a> Run<'a> {
    fn read(bytes: &'a [u8], end: u8, begins: impl Fn(&[u8]) -> bool) -> Option<Self> {
        let mut run = None;
        let (mut start, mut seen) = (0, 0);
        for (at, byte) in bytes.iter().enumerate() {
            seen |= kind_of(*byte);
            if *byte != end {
                continue;
            }
            let Some(last) = bytes.get(start..=at).filter(|line| line.len() <= LONGEST) else { break };
            let is_text = match seen {
                0 => true,
                HIGH => Line { bytes: last, begins: true, ends: true }.is_other_text(),
                _ => false,
            };
            if run.is_some_and(|run: Self| run.is_text != is_text) {
                break;
            }
            (start, seen) = (at + 1, 0);
            run = Some(Self { bytes: bytes.get(..start).unwrap_or_default(), last, is_text });
            if bytes.get(start..).is_some_and(&begins) {
                break;
            }
        }
        run
    }
}

impl<'a> Line<'a> {
    /// All of it.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The line, if it is whole, without blanks around it.
    pub(super) fn whole(self) -> Option<&'a [u8]> {
        (self.begins && self.ends).then(|| self.bytes.trim_ascii())
    }

    /// Whether it is text: UTF-8, which may be cut at either end, and no control characters but those of
    /// text, ESC of ISO 2022 (RFC 1468) among them.
    pub(super) fn is_text(self) -> bool {
        // Without an early end this goes many bytes at a time.
        let ascii = self.bytes.iter().fold(true, |ascii, byte| ascii & is_ascii_text(*byte));
        ascii || self.is_other_text()
    }

    fn is_other_text(self) -> bool {
        let rest = self.bytes.iter().take(3).take_while(|byte| !self.begins && matches!(byte, 0x80..=0xbf));
        let bytes = self.bytes.get(rest.count()..).unwrap_or_default();
        let is_utf8 = std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none());
        is_utf8 && bytes.iter().fold(true, |text, byte| text & (is_ascii_text(*byte) | (*byte >= 0x80)))
    }
}

/// Not ASCII: text if it is UTF-8.
const HIGH: u8 = 1;
/// A control character that no text has.
const CONTROL: u8 = 2;

/// What is known of a text with this byte, as a bit; none of one that has ASCII text alone.
fn kind_of(byte: u8) -> u8 {
    const KINDS: [u8; 256] = {
        let (mut kinds, mut byte) = ([0; 256], 0_u8);
        loop {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
            if !is_ascii_text(byte) {
                kinds[byte as usize] = if byte >= 0x80 { HIGH } else { CONTROL };
            }
            if byte == u8::MAX {
                break kinds;
            }
            byte += 1;
        }
    };
    KINDS.get(usize::from(byte)).copied().unwrap_or(CONTROL)
}

const fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | 0x1b | 0x20..=0x7e)
}
