use serde::{Deserialize, Serialize};

/// How far a sent byte could be looked into. Every sent byte of payload is in exactly one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Parsed, and not a person's data: a ClientHello, a QUIC Initial, framing, DNS.
    Handshake,
    /// Readable: every decoder ended in text, numbers or a known structure, and none of the details
    /// in force was there. Where no details were given it only says "readable, nothing to look for".
    Searched,
    /// As searched, and a detail was there.
    Found,
    /// The transport is readable, the content was not understood.
    Opaque,
    /// Encrypted after the handshake.
    Encrypted,
    /// Neither a known protocol nor recognisably encrypted.
    Unknown,
    /// Nobody looked: the monitor was off, the queue full, the capture incomplete.
    NotWatched,
}

/// Sent bytes of payload by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// [`Class::Handshake`].
    pub handshake: u64,
    /// [`Class::Searched`].
    pub searched: u64,
    /// [`Class::Found`].
    pub found: u64,
    /// [`Class::Opaque`].
    pub opaque: u64,
    /// [`Class::Encrypted`].
    pub encrypted: u64,
    /// [`Class::Unknown`].
    pub unknown: u64,
    /// [`Class::NotWatched`].
    pub not_watched: u64,
}

impl Coverage {
    /// Counts `bytes` more in a class.
    pub fn add(&mut self, class: Class, bytes: u64) {
        let sum = self.of_mut(class);
        *sum = sum.saturating_add(bytes);
    }

    /// Counts `bytes` of a class no longer, as far as there are so many.
    pub fn take(&mut self, class: Class, bytes: u64) {
        let sum = self.of_mut(class);
        *sum = sum.saturating_sub(bytes);
    }

    /// Counts all of another coverage.
    pub fn add_all(&mut self, other: &Self) {
        for class in Class::ALL {
            self.add(class, other.of(class));
        }
    }

    /// What was added since `before`; a count that went back adds nothing.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut coverage = Self::default();
        for class in Class::ALL {
            coverage.add(class, self.of(class).saturating_sub(before.of(class)));
        }
        coverage
    }

    /// The bytes of a class.
    pub fn of(&self, class: Class) -> u64 {
        match class {
            Class::Handshake => self.handshake,
            Class::Searched => self.searched,
            Class::Found => self.found,
            Class::Opaque => self.opaque,
            Class::Encrypted => self.encrypted,
            Class::Unknown => self.unknown,
            Class::NotWatched => self.not_watched,
        }
    }

    /// All bytes.
    pub fn total(&self) -> u64 {
        Class::ALL.iter().fold(0, |sum, class| sum.saturating_add(self.of(*class)))
    }

    fn of_mut(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::Handshake => &mut self.handshake,
            Class::Searched => &mut self.searched,
            Class::Found => &mut self.found,
            Class::Opaque => &mut self.opaque,
            Class::Encrypted => &mut self.encrypted,
            Class::Unknown => &mut self.unknown,
            Class::NotWatched => &mut self.not_watched,
        }
    }
}

impl Class {
    /// Every class, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::Handshake,
        Self::Searched,
        Self::Found,
        Self::Opaque,
        Self::Encrypted,
        Self::Unknown,
        Self::NotWatched,
    ];
}
