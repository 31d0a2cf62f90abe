//! One direction of a link that loses, repeats, delays and reorders packets.

use std::collections::BTreeMap;
use std::time::Duration;

use telltale_engine::Instant;

use crate::random::Random;

/// How bad a link is: chances in a hundred.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) loss: usize,
    pub(crate) reorder: usize,
    pub(crate) duplicate: usize,
    pub(crate) delay: Duration,
}

pub(crate) struct Link {
    weather: Weather,
    random: Random,
    under_way: BTreeMap<(Instant, u64), Vec<u8>>,
    sent: u64,
}

impl Link {
    pub(crate) fn new(weather: Weather, seed: u64) -> Self {
        Self { weather, random: Random::new(seed), under_way: BTreeMap::new(), sent: 0 }
    }

    pub(crate) fn send(&mut self, now: Instant, packet: Vec<u8>) {
        if self.random.percent(self.weather.loss) {
            return;
        }
        if self.random.percent(self.weather.duplicate) {
            self.put(now, packet.clone());
        }
        self.put(now, packet);
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Vec<u8>> {
        (self.next()? <= now).then(|| self.under_way.pop_first()).flatten().map(|(_, packet)| packet)
    }

    fn put(&mut self, now: Instant, packet: Vec<u8>) {
        let late = if self.random.percent(self.weather.reorder) { 1 + self.random.below(5_000) } else { 0 };
        self.sent += 1;
        let at = now + self.weather.delay + Duration::from_micros(late as u64);
        self.under_way.insert((at, self.sent), packet);
    }
}
