//! A bad link as a pure value: packets go in with the time, and come out late, lost, doubled or
//! out of order, always the same way for the same seed.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a link does to the packets of one direction. Chances are in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// How long every packet is under way.
    pub delay: Duration,
    /// The chance that a packet is lost.
    pub loss: u32,
    /// The chance that a packet is held back, so that later ones overtake it.
    pub reorder: u32,
    /// The chance that a packet arrives twice.
    pub duplicate: u32,
    /// Bits a second; no limit where it is `None`.
    pub rate: Option<u64>,
    /// How many packets may be under way at once; more are lost, as in a full router.
    pub queue: usize,
}

impl Conditions {
    /// A link that changes nothing.
    pub const PERFECT: Self =
        Self { delay: Duration::ZERO, loss: 0, reorder: 0, duplicate: 0, rate: None, queue: 1_000 };

    /// A bad mobile network: 40 ms each way, 1 % lost, 1 % out of order.
    pub const BAD: Self = Self {
        delay: Duration::from_millis(40),
        loss: 10_000,
        reorder: 10_000,
        duplicate: 1_000,
        rate: None,
        queue: 20_000,
    };
}

/// What happened to the packets of a link so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Handed in.
    pub entered: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost because too many were under way.
    pub overflowed: u64,
    /// Held back.
    pub reordered: u64,
    /// Doubled.
    pub duplicated: u64,
}

/// One direction of a bad link.
#[derive(Debug)]
pub struct Link {
    conditions: Conditions,
    dice: Dice,
    /// By the time of arrival, then in the order of entering.
    under_way: BTreeMap<(Duration, u64), Vec<u8>>,
    /// When the last bit of what entered before has left, where there is a rate.
    busy_until: Duration,
    entries: u64,
    passage: Passage,
}

/// A packet that is held back arrives this much later: longer than a burst at any rate worth testing.
const HELD_BACK: Duration = Duration::from_millis(5);

impl Link {
    /// A link with nothing under way. The same seed gives the same fate to the same packets.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            dice: Dice(seed),
            under_way: BTreeMap::new(),
            busy_until: Duration::ZERO,
            entries: 0,
            passage: Passage::default(),
        }
    }

    /// A packet enters the link at `now`, a time since any fixed start.
    pub fn enter(&mut self, now: Duration, packet: &[u8]) {
        self.passage.entered += 1;
        // Every packet throws the same dice, so that the fate of one does not depend on that of others.
        let (lost, late, twice) = (
            self.chance(self.conditions.loss),
            self.chance(self.conditions.reorder),
            self.chance(self.conditions.duplicate),
        );
        if lost {
            self.passage.lost += 1;
            return;
        }
        let mut arrival = self.transmitted(now, packet.len()) + self.conditions.delay;
        if late {
            self.passage.reordered += 1;
            arrival += HELD_BACK;
        }
        self.put(arrival, packet);
        if twice {
            self.passage.duplicated += 1;
            self.put(arrival, packet);
        }
    }

    /// The next packet that has arrived by `now`.
    pub fn leave(&mut self, now: Duration) -> Option<Vec<u8>> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// When the next packet arrives, if one is under way.
    pub fn next_arrival(&self) -> Option<Duration> {
        self.under_way.first_key_value().map(|((arrival, _), _)| *arrival)
    }

    /// What happened so far.
    pub fn passage(&self) -> Passage {
        self.passage
    }

    fn put(&mut self, arrival: Duration, packet: &[u8]) {
        if self.under_way.len() >= self.conditions.queue {
            self.passage.overflowed += 1;
            return;
        }
        self.entries += 1;
        self.under_way.insert((arrival, self.entries), packet.to_vec());
    }

    /// When the last bit of a packet of `length` bytes has been put on the wire.
    fn transmitted(&mut self, now: Duration, length: usize) -> Duration {
        let Some(rate) = self.conditions.rate else { return now };
        let bits = length as u64 * 8;
        self.busy_until = self.busy_until.max(now) + Duration::from_nanos(bits * 1_000_000_000 / rate.max(1));
        self.busy_until
    }

    fn chance(&mut self, parts_per_million: u32) -> bool {
        self.dice.throw() % 1_000_000 < u64::from(parts_per_million)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): tiny, and any seed is a good one.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_secs(60);

    /// Ten thousand numbered packets, one a millisecond, and those that came out, in that order.
    fn carry(conditions: Conditions, seed: u64) -> (Vec<u32>, Passage) {
        let mut link = Link::new(conditions, seed);
        let mut arrived = Vec::new();
        for number in 0..10_000_u32 {
            let now = Duration::from_millis(number.into());
            link.enter(now, &number.to_be_bytes());
            while let Some(packet) = link.leave(now) {
                arrived.push(u32::from_be_bytes(packet.try_into().unwrap()));
            }
        }
        while let Some(packet) = link.leave(LATE) {
            arrived.push(u32::from_be_bytes(packet.try_into().unwrap()));
        }
        (arrived, link.passage())
    }

    #[test]
    fn a_perfect_link_changes_nothing() {
        let (arrived, passage) = carry(Conditions::PERFECT, 1);
        assert_eq!(arrived, (0..10_000).collect::<Vec<_>>());
        assert_eq!(passage, Passage { entered: 10_000, ..Passage::default() });
    }

    #[test]
    fn the_same_seed_gives_the_same_fate() {
        assert_eq!(carry(Conditions::BAD, 7), carry(Conditions::BAD, 7));
        assert_ne!(carry(Conditions::BAD, 7), carry(Conditions::BAD, 8));
    }

    #[test]
    fn loss_and_duplication_come_as_often_as_said() {
        let conditions = Conditions { loss: 200_000, duplicate: 100_000, ..Conditions::PERFECT };
        let (arrived, passage) = carry(conditions, 3);
        assert!((1_900..2_100).contains(&passage.lost), "{passage:?}");
        assert!((700..900).contains(&passage.duplicated), "{passage:?}");
        assert_eq!(arrived.len() as u64, 10_000 - passage.lost + passage.duplicated);
    }

    #[test]
    fn a_packet_held_back_is_overtaken_but_not_lost() {
        let (arrived, passage) = carry(Conditions { reorder: 100_000, ..Conditions::PERFECT }, 5);
        assert!(passage.reordered > 900, "{passage:?}");
        assert!(!arrived.is_sorted());
        let mut sorted = arrived;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_packet_is_under_way_for_the_delay() {
        let mut link = Link::new(Conditions { delay: Duration::from_millis(40), ..Conditions::PERFECT }, 1);
        link.enter(Duration::from_millis(10), b"packet");
        assert_eq!(link.next_arrival(), Some(Duration::from_millis(50)));
        assert_eq!(link.leave(Duration::from_millis(49)), None);
        assert_eq!(link.leave(Duration::from_millis(50)).as_deref(), Some(&b"packet"[..]));
    }

    #[test]
    fn a_rate_spreads_packets_out() {
        // 1,000 bytes at 8 Mbit/s take one millisecond.
        let mut link = Link::new(Conditions { rate: Some(8_000_000), ..Conditions::PERFECT }, 1);
        link.enter(Duration::ZERO, &[0; 1_000]);
        link.enter(Duration::ZERO, &[1; 1_000]);
        assert_eq!(link.next_arrival(), Some(Duration::from_millis(1)));
        assert!(link.leave(Duration::from_millis(1)).is_some());
        assert_eq!(link.next_arrival(), Some(Duration::from_millis(2)));
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let mut link = Link::new(Conditions { queue: 2, delay: LATE, ..Conditions::PERFECT }, 1);
        for _ in 0..5 {
            link.enter(Duration::ZERO, b"packet");
        }
        assert_eq!(link.passage().overflowed, 3);
    }
}
