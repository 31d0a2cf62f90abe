use serde::{Deserialize, Serialize};

/// A moment of the world's clock: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// How far the clocks of a place are ahead of UTC, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(pub i32);

impl Timestamp {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Days since 1970, in UTC.
    pub fn day(self) -> i64 {
        self.day_in(Zone::default())
    }

    /// The same as clocks of this zone count them.
    pub fn day_in(self, zone: Zone) -> i64 {
        self.hour_in(zone).div_euclid(24)
    }

    /// Hours since 1970, as clocks of this zone count them.
    pub fn hour_in(self, zone: Zone) -> i64 {
        self.seconds().saturating_add(zone.0.into()).div_euclid(3_600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_when_it_does_for_the_person() {
        let evening = Timestamp((20_000 * 86_400 + 20 * 3_600) * 1_000_000);
        assert_eq!(evening.day(), 20_000);
        assert_eq!(evening.day_in(Zone(8 * 3_600)), 20_001, "four in the morning in Beijing");
        assert_eq!(Timestamp(0).day_in(Zone(-3_600)), -1);
    }
}
