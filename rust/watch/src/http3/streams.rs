//! The streams of an HTTP/3 connection (RFC 9114 6), as far as they have to be told apart.

use std::collections::BTreeMap;

use telltale_model::{Class, Direction};

use super::frame::{Frames, Number};

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its place in [`telltale_model::Facts::requests`], if it is there.
    pub(super) place: Option<u8>,
    /// What its content is counted as.
    pub(super) class: Class,
    /// Whether its request was read.
    pub(super) asked: bool,
    /// Its answer, where that was read first.
    pub(super) status: Option<u16>,
    pub(super) sent: Side,
    pub(super) received: Side,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) frames: Frames,
    /// The field section that is coming.
    pub(super) section: Vec<u8>,
    /// What the stream is for, if it has only this direction.
    pub(super) purpose: Option<Purpose>,
    pub(super) kind: Number,
    pub(super) ended: bool,
    /// Whether bytes of it are missing.
    pub(super) lost: bool,
}

/// What a stream of one direction is for: RFC 9114 6.2, RFC 9204 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Control,
    Encoder,
    Decoder,
    Other,
}

impl Purpose {
    pub(super) fn of(kind: u64) -> Self {
        match kind {
            0 => Self::Control,
            2 => Self::Encoder,
            3 => Self::Decoder,
            _ => Self::Other,
        }
    }
}

impl Stream {
    pub(super) fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }
}

impl Side {
    /// Gives up the field section that is coming, and says how many bytes of it are not counted yet.
    pub(super) fn give_up(&mut self) -> usize {
        let held = std::mem::take(&mut self.section).len();
        if self.purpose.is_none() { held } else { 0 }
    }
}

impl Stream {
    fn new(lost: bool) -> Self {
        let (sent, received) = (Side { lost, ..Side::default() }, Side { lost, ..Side::default() });
        Self { place: None, class: Class::Opaque, asked: false, status: None, sent, received }
    }
}

/// Open streams by number.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<u64, Stream>,
    /// The highest request that was forgotten: of those up to it, nobody knows where frames begin.
    gone: Option<u64>,
}

/// Servers allow some 100 at once; apps use a few.
const OPEN: usize = 128;

impl Streams {
    /// Makes room for a stream, where too many are open: the oldest request is forgotten. Gives its number, and
    /// how much was held of it and is not counted yet.
    pub(super) fn make_room(&mut self, number: u64) -> Option<(u64, usize)> {
        if self.open.len() < OPEN || self.open.contains_key(&number) {
            return None;
        }
        let oldest = self.open.keys().find(|number| *number & 3 == 0).or(self.open.keys().next()).copied()?;
        if oldest & 3 == 0 {
            self.gone = self.gone.max(Some(oldest));
        }
        let held = self.open.remove(&oldest).map_or(0, |mut oldest| oldest.sent.give_up());
        Some((oldest, held))
    }

    /// A stream, which begins here if it is not known.
    pub(super) fn get(&mut self, number: u64) -> &mut Stream {
        let gone = number & 3 == 0 && self.gone.is_some_and(|gone| number <= gone);
        self.open.entry(number).or_insert_with(|| Stream::new(gone))
    }

    pub(super) fn known(&mut self, number: u64) -> Option<&mut Stream> {
        self.open.get_mut(&number)
    }

    /// One side has said all.
    pub(super) fn end(&mut self, number: u64, direction: Direction) {
        let Some(stream) = self.open.get_mut(&number) else { return };
        stream.side(direction).ended = true;
        if stream.sent.ended && stream.received.ended {
            self.open.remove(&number);
        }
    }

    /// Gives up all that is held of what was sent, and says how many bytes that is.
    pub(super) fn give_up(&mut self) -> usize {
        self.open.values_mut().map(|stream| stream.sent.give_up()).sum()
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        let sections = |stream: &Stream| stream.sent.section.capacity() + stream.received.section.capacity();
        let sections: usize = self.open.values().map(sections).sum();
        // A tree is at least half full.
        2 * self.open.len() * size_of::<(u64, Stream)>() + sections
    }
}
