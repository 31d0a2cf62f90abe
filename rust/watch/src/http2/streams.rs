//! The streams that are open (RFC 9113 5.1), as far as their frames have to be told apart.

use std::collections::VecDeque;

use telltale_model::Class;

/// Open streams by number, which only grow.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: VecDeque<(u32, Stream)>,
    /// The highest number of a request: they only grow (RFC 9113 5.1.1).
    highest: u32,
}

/// A request and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    /// Its place in [`telltale_model::Facts::requests`], if it is there.
    pub(super) place: Option<u8>,
    /// What its content is counted as.
    pub(super) class: Class,
    asked: bool,
    answered: bool,
}

impl Streams {
    /// Whether a field block on it begins a request, and is not its trailers.
    pub(super) fn is_new(&self, number: u32) -> bool {
        number > self.highest
    }

    /// Where too many are open, the oldest is forgotten, and given.
    pub(super) fn open(&mut self, number: u32, place: Option<u8>, class: Class) -> Option<u32> {
        let forgotten = if self.open.len() >= OPEN { self.open.pop_front() } else { None };
        self.highest = self.highest.max(number);
        self.open.push_back((number, Stream { place, class, asked: false, answered: false }));
        forgotten.map(|(number, _)| number)
    }

    pub(super) fn get(&self, number: u32) -> Option<Stream> {
        self.open.get(self.place(number)?).map(|(_, stream)| *stream)
    }

    /// One side has said all.
    pub(super) fn end(&mut self, number: u32, from_client: bool) {
        let Some(place) = self.place(number) else { return };
        let Some((_, stream)) = self.open.get_mut(place) else { return };
        if from_client {
            stream.asked = true;
        } else {
            stream.answered = true;
        }
        if stream.asked && stream.answered {
            self.open.remove(place);
        }
    }

    /// RST_STREAM.
    pub(super) fn reset(&mut self, number: u32) {
        self.place(number).and_then(|place| self.open.remove(place));
    }

    fn place(&self, number: u32) -> Option<usize> {
        self.open.binary_search_by_key(&number, |(number, _)| *number).ok()
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.open.capacity() * size_of::<(u32, Stream)>()
    }
}

/// Servers allow some 100 to 250 at once; apps use a few.
const OPEN: usize = 64;
