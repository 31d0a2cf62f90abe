//! Puts the streams of a QUIC connection together (RFC 9000 2.2), one direction of each.

use std::collections::BTreeMap;

/// The streams of one direction.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<u64, Stream>,
    /// Of each kind of stream (RFC 9000 2.1) the highest number that was forgotten: streams up to it that are
    /// not open are over.
    over: [Option<u64>; 4],
    /// Bytes that wait for others before them.
    ahead: usize,
}

/// One direction of a stream.
#[derive(Debug, Default)]
struct Stream {
    /// How much of it was given.
    next: u64,
    /// Where it ends, once that is known.
    end: Option<u64>,
    /// What lies beyond a gap, by its place.
    ahead: BTreeMap<u64, Vec<u8>>,
    /// Whether it is over: what still comes was there before.
    over: bool,
}

/// What a piece of a stream came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// What comes next of the stream.
    pub(super) bytes: Vec<u8>,
    /// Whether something is missing before it, and will not come.
    pub(super) gap: bool,
    /// Whether that is its end.
    pub(super) last: bool,
    /// Of the piece itself: bytes that were known already.
    pub(super) known: usize,
    /// Bytes of a stream that was forgotten: they may have been there before, or not.
    pub(super) stray: usize,
}

/// Streams that are remembered: apps have a few at once, and packets that come late belong to the latest.
const OPEN: usize = 256;

/// Bytes that wait, of all streams of a direction: what is on its way at once. Past it a gap is taken for one.
const AHEAD: usize = 128 * 1_024;

/// Pieces that wait, of one stream.
const PIECES: usize = 256;

impl Streams {
    /// A piece of a stream, from a place on.
    pub(super) fn add(&mut self, id: u64, offset: u64, piece: &[u8], last: bool) -> Given {
        let stray = Given { stray: piece.len(), ..Given::default() };
        let (Some(stream), Some(end)) = (self.stream(id), offset.checked_add(piece.len() as u64)) else {
            return stray;
        };
        if stream.over {
            return Given { known: piece.len(), ..Given::default() };
        }
        if last {
            stream.end = Some(end);
        }
        let skip = usize::try_from(stream.next.saturating_sub(offset)).unwrap_or(usize::MAX).min(piece.len());
        let fresh = piece.get(skip..).unwrap_or_default();
        let mut given = Given { known: skip, ..Given::default() };
        if offset <= stream.next {
            given.bytes = fresh.to_vec();
            stream.next = stream.next.max(end);
        } else {
            given.known += self.hold(id, offset, piece);
        }
        self.follow(id, &mut given);
        given
    }

    /// RESET_STREAM. What waits is given up: so many bytes.
    pub(super) fn reset(&mut self, id: u64) -> usize {
        let Some(stream) = self.open.get_mut(&id) else { return 0 };
        stream.over = true;
        let left = std::mem::take(&mut stream.ahead).values().map(Vec::len).sum();
        self.ahead -= left;
        left
    }

    /// What waits of all streams is given up: so many bytes.
    pub(super) fn give_up(&mut self) -> usize {
        std::mem::take(self).ahead
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        // A tree is at least half full; a piece costs its entry too.
        2 * self.open.len() * size_of::<(u64, Stream)>() + 2 * self.ahead
    }

    /// `None` where it was forgotten.
    fn stream(&mut self, id: u64) -> Option<&mut Stream> {
        let kind = usize::try_from(id & 3).ok()?;
        let over = self.over.get(kind).copied().flatten();
        if !self.open.contains_key(&id) && over.is_some_and(|over| id <= over) {
            return None;
        }
        Some(self.open.entry(id).or_default())
    }

    /// Makes room for a stream, where too many are open: the first one that is over is forgotten, else the first
    /// of which nothing waits. Gives how many bytes of it are given up.
    pub(super) fn make_room(&mut self, id: u64) -> usize {
        if self.open.len() < OPEN || self.open.contains_key(&id) { 0 } else { self.forget() }
    }

    fn forget(&mut self) -> usize {
        let over = self.open.iter().find(|(_, stream)| stream.over);
        let idle = || self.open.iter().find(|(_, stream)| stream.ahead.is_empty());
        let Some(id) = over.or_else(idle).or(self.open.iter().next()).map(|(id, _)| *id) else { return 0 };
        let forgotten = self.open.remove(&id);
        let left = forgotten.map_or(0, |stream| stream.ahead.values().map(Vec::len).sum());
        self.ahead -= left;
        if let Ok(kind) = usize::try_from(id & 3)
            && let Some(over) = self.over.get_mut(kind)
        {
            *over = (*over).max(Some(id));
        }
        left
    }

    /// Keeps a piece beyond a gap; says how many bytes of it were known already.
    fn hold(&mut self, id: u64, offset: u64, piece: &[u8]) -> usize {
        let Some(stream) = self.open.get_mut(&id) else { return piece.len() };
        let known = stream.ahead.get(&offset).map_or(0, Vec::len);
        if piece.is_empty() || known >= piece.len() {
            return piece.len();
        }
        self.ahead += piece.len() - known;
        stream.ahead.insert(offset, piece.to_vec());
        known
    }

    /// Gives what waited and comes next now, or where too much waits what comes after the gap.
    fn follow(&mut self, id: u64, given: &mut Given) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        let gap = self.ahead > AHEAD || stream.ahead.len() > PIECES;
        if gap
            && let Some((first, _)) = stream.ahead.first_key_value()
            && *first > stream.next
        {
            given.gap = true;
            stream.next = *first;
        }
        while let Some(first) = stream.ahead.first_entry().filter(|first| *first.key() <= stream.next) {
            let (offset, piece) = first.remove_entry();
            self.ahead -= piece.len();
            let skip = usize::try_from(stream.next - offset).unwrap_or(usize::MAX).min(piece.len());
            // Pieces that overlap: what is there twice counts once as content.
            given.known += skip;
            given.bytes.extend_from_slice(piece.get(skip..).unwrap_or_default());
            stream.next = stream.next.max(offset.saturating_add(piece.len() as u64));
        }
        given.last = stream.end.is_some_and(|end| stream.next >= end);
        stream.over |= given.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(bytes: &[u8], known: usize, last: bool) -> Given {
        Given { bytes: bytes.to_vec(), gap: false, last, known, stray: 0 }
    }

    #[test]
    fn pieces_in_any_order_give_the_stream_once() {
        let mut streams = Streams::default();
        assert_eq!(streams.add(0, 3, b"defg", false), given(b"", 0, false));
        assert_eq!(streams.add(0, 3, b"def", false), given(b"", 3, false), "known");
        assert_eq!(streams.add(0, 7, b"hi", true), given(b"", 0, false));
        assert_eq!(streams.add(0, 0, b"abcd", false), given(b"abcdefghi", 1, true));
        assert_eq!(streams.add(0, 0, b"abcd", false), given(b"", 4, false), "over");
        assert_eq!(streams.add(4, 0, b"x", false), given(b"x", 0, false));
        assert_eq!(streams.ahead, 0);
    }

    #[test]
    fn too_much_behind_a_gap_is_given_without_what_lacks() {
        let mut streams = Streams::default();
        let mut bytes = 0;
        let mut gaps = 0;
        for nth in 0..200_u64 {
            let given = streams.add(0, 1 + nth * 1_000, &[7; 1_000], false);
            bytes += given.bytes.len();
            gaps += usize::from(given.gap);
            assert!(streams.held() < 3 * AHEAD);
        }
        assert_eq!((bytes, gaps), (200_000, 1));
    }

    #[test]
    fn many_streams_are_bounded_and_old_ones_are_over() {
        let mut streams = Streams::default();
        for id in (0..40_000).step_by(4) {
            streams.make_room(id);
            streams.add(id, 1, b"never complete", false);
        }
        assert!(streams.open.len() <= OPEN && streams.ahead <= OPEN * 14);
        assert_eq!(streams.add(0, 0, b"x", false), Given { stray: 1, ..Given::default() }, "nobody knows");
    }
}
