use serde::{Deserialize, Serialize};

/// A moment of the world's clock: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Days since 1970, in UTC.
    pub fn day(self) -> i64 {
        self.seconds().div_euclid(86_400)
    }
}
