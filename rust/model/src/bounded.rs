use crate::{Class, Coverage};

/// That nothing was found, and how far was looked. Only such a value lets a sentence say that something was
/// not there, and there is no other way to one than [`Bounded::of`]: nobody can say "nothing was sent" of
/// bytes that were not searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded {
    searched: u64,
    unsearched: u64,
}

/// What a search of sent bytes came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// A detail was found: nothing can be said to be absent.
    Found,
    /// What could be searched was, and none of the details was there.
    Nothing(Bounded),
    /// Bytes could be read, and no details were given to look for.
    NothingToLookFor {
        /// So many bytes.
        readable: u64,
        /// Bytes that could not be read.
        unread: u64,
    },
    /// Nothing could be searched, so nothing is said.
    Unsearched {
        /// So many bytes.
        bytes: u64,
    },
}

impl Bounded {
    /// Bytes of content that were searched.
    pub fn searched(&self) -> u64 {
        self.searched
    }

    /// Bytes of content that could not be.
    pub fn unsearched(&self) -> u64 {
        self.unsearched
    }

    /// Of classed bytes of one flow or of many; `given` says whether details were looked for in all of them.
    pub fn of(coverage: &Coverage, given: bool) -> Looked {
        let searched = coverage.of(Class::Searched);
        let unsearched = [Class::Opaque, Class::Encrypted, Class::Unknown, Class::NotWatched]
            .iter()
            .fold(0_u64, |sum, class| sum.saturating_add(coverage.of(*class)));
        match (coverage.of(Class::Found), searched, given) {
            (1.., ..) => Looked::Found,
            (_, 0, _) => Looked::Unsearched { bytes: unsearched },
            (_, _, false) => Looked::NothingToLookFor { readable: searched, unread: unsearched },
            (_, _, true) => Looked::Nothing(Self { searched, unsearched }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_said_of_searched_bytes_alone() {
        let mixed = Coverage { handshake: 500, searched: 10, encrypted: 7, opaque: 2, ..Coverage::default() };
        assert_eq!(Bounded::of(&mixed, true), Looked::Nothing(Bounded { searched: 10, unsearched: 9 }));
        assert_eq!(Bounded::of(&mixed, false), Looked::NothingToLookFor { readable: 10, unread: 9 });
        let found = Coverage { found: 1, ..mixed };
        assert_eq!(Bounded::of(&found, true), Looked::Found);
        let dark = Coverage { handshake: 500, not_watched: 3, unknown: 1, ..Coverage::default() };
        assert_eq!(Bounded::of(&dark, true), Looked::Unsearched { bytes: 4 });
    }
}
