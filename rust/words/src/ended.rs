//! Why watching has ended.

use crate::Words;

/// What ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Android closed the tunnel.
    TunClosed,
    /// The system had no memory left.
    NoMemory,
    /// A mistake of ours.
    Panic,
    /// It was asked to end.
    Asked,
}

impl Ended {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::TunClosed, Self::NoMemory, Self::Panic, Self::Asked];

    /// The name used in JSON and in the catalogues.
    pub fn name(self) -> &'static str {
        match self {
            Self::TunClosed => "tun-closed",
            Self::NoMemory => "no-memory",
            Self::Panic => "panic",
            Self::Asked => "asked",
        }
    }
}

impl Words {
    /// Says it.
    pub fn ended(&self, why: Ended) -> String {
        self.say(&format!("ended.{}", why.name()), &[])
    }
}
