//! Which of many was quiet for longest, to a grain of one second: a doubly linked list over indices.

use crate::Instant;
use crate::limits::RECENCY_GRAIN;

const NONE: u32 = u32::MAX;

/// Indices ordered by when they were last touched.
#[derive(Debug)]
pub(crate) struct Recency {
    links: Vec<Link>,
    oldest: u32,
    newest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
    touched: Instant,
    listed: bool,
}

impl Default for Recency {
    fn default() -> Self {
        Self { links: Vec::new(), oldest: NONE, newest: NONE }
    }
}

impl Recency {
    /// Lists an index as the newest.
    pub(crate) fn insert(&mut self, index: u32, now: Instant) {
        let unlisted = Link { older: NONE, newer: NONE, touched: now, listed: false };
        if self.links.len() <= index as usize {
            self.links.resize(index as usize + 1, unlisted);
        }
        self.unlink(index);
        self.append(index, now);
    }

    /// Says that an index is in use. Cheap: it moves at most once in each grain of time.
    pub(crate) fn touch(&mut self, index: u32, now: Instant) {
        if self.link(index).is_some_and(|link| link.listed && now - link.touched >= RECENCY_GRAIN) {
            self.unlink(index);
            self.append(index, now);
        }
    }

    pub(crate) fn remove(&mut self, index: u32) {
        self.unlink(index);
    }

    /// The index that was quiet for longest, and when it was last touched.
    pub(crate) fn oldest(&self) -> Option<(u32, Instant)> {
        self.link(self.oldest).map(|link| (self.oldest, link.touched))
    }

    fn link(&self, index: u32) -> Option<Link> {
        self.links.get(index as usize).copied()
    }

    fn append(&mut self, index: u32, now: Instant) {
        let older = self.newest;
        if let Some(link) = self.links.get_mut(index as usize) {
            *link = Link { older, newer: NONE, touched: now, listed: true };
        }
        match self.links.get_mut(older as usize) {
            Some(link) => link.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
    }

    fn unlink(&mut self, index: u32) {
        let Some(link) = self.link(index).filter(|link| link.listed) else { return };
        match self.links.get_mut(link.older as usize) {
            Some(older) => older.newer = link.newer,
            None => self.oldest = link.newer,
        }
        match self.links.get_mut(link.newer as usize) {
            Some(newer) => newer.older = link.older,
            None => self.newest = link.older,
        }
        if let Some(link) = self.links.get_mut(index as usize) {
            link.listed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: u64) -> Instant {
        Instant::from_micros(n * 1_000_000)
    }

    #[test]
    fn the_oldest_is_the_one_quiet_for_longest() {
        let mut recency = Recency::default();
        for index in 0..4 {
            recency.insert(index, second(u64::from(index)));
        }
        recency.touch(0, second(10));
        assert_eq!(recency.oldest(), Some((1, second(1))));
        recency.remove(1);
        recency.remove(2);
        assert_eq!(recency.oldest(), Some((3, second(3))));
        recency.remove(3);
        assert_eq!(recency.oldest(), Some((0, second(10))));
        recency.remove(0);
        assert_eq!(recency.oldest(), None);
    }

    #[test]
    fn a_touch_within_the_grain_moves_nothing() {
        let mut recency = Recency::default();
        recency.insert(0, second(0));
        recency.insert(1, second(0));
        recency.touch(0, Instant::from_micros(999_999));
        assert_eq!(recency.oldest(), Some((0, second(0))));
    }
}
