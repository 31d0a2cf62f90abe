//! Flows of a protocol that nobody here knows: whether they look encrypted.

use telltale_model::{Class, Direction, Facts};

use crate::randomness::Randomness;
use crate::session::Step;

/// A flow that is only counted. What was sent waits for its class until enough bytes are seen.
#[derive(Debug)]
pub(crate) struct Unknown {
    looked_at: Option<Box<[Randomness; 2]>>,
    waiting: usize,
    class: Class,
}

impl Unknown {
    pub(crate) fn new() -> Self {
        let looked_at = Some(Box::new([Randomness::new(), Randomness::new()]));
        Self { looked_at, waiting: 0, class: Class::Unknown }
    }

    /// The next bytes.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], facts: &mut Facts) -> Step {
        if direction == Direction::Sent {
            self.waiting += bytes.len();
        }
        if self.look(direction, bytes) {
            self.decide(facts);
        }
        Step::On
    }

    pub(crate) fn miss(&mut self, _direction: Direction, _bytes: u64, _facts: &mut Facts) {}

    /// No more come: decides by what there was.
    pub(crate) fn end(&mut self, facts: &mut Facts) {
        self.decide(facts);
    }

    pub(crate) fn held(&self) -> usize {
        self.looked_at.as_ref().map_or(0, |both| size_of_val(&**both))
    }

    /// Whether all is seen that can change the decision.
    fn look(&mut self, direction: Direction, bytes: &[u8]) -> bool {
        let Some([sent, received]) = self.looked_at.as_deref_mut() else { return true };
        let randomness = if direction == Direction::Sent { sent } else { received };
        randomness.add(bytes);
        randomness.is_enough()
    }

    /// Encrypted is what looks random in each direction that says enough.
    fn decide(&mut self, facts: &mut Facts) {
        if let Some(both) = self.looked_at.take() {
            let verdicts: Vec<bool> = both.iter().filter_map(Randomness::is_uniform).collect();
            let encrypted = !verdicts.is_empty() && verdicts.iter().all(|uniform| *uniform);
            self.class = if encrypted { Class::Encrypted } else { Class::Unknown };
        }
        facts.count_content(self.class, std::mem::take(&mut self.waiting));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(pieces: &[(Direction, &[u8])]) -> (u64, u64, u64) {
        let (mut session, mut facts) = (Unknown::new(), Facts::default());
        for (direction, piece) in pieces {
            session.take(*direction, piece, &mut facts);
        }
        session.end(&mut facts);
        assert_eq!(facts.content_sent, facts.coverage.total());
        (facts.coverage.encrypted, facts.coverage.unknown, facts.coverage.total())
    }

    fn random(len: usize) -> Vec<u8> {
        let mut state: u32 = 5;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn random_bytes_of_both_sides_look_encrypted_in_any_pieces() {
        let (sent, received) = (random(3_000), random(20_000));
        for len in [1, 77, 1_448, 20_000] {
            let mut pieces: Vec<_> = sent.chunks(len).map(|piece| (Direction::Sent, piece)).collect();
            pieces.extend(received.chunks(len).map(|piece| (Direction::Received, piece)));
            pieces.push((Direction::Sent, b"later"));
            assert_eq!(class_of(&pieces), (3_005, 0, 3_005));
        }
    }

    #[test]
    fn little_is_not_said_to_be_encrypted_nor_what_one_side_says_in_clear() {
        let text = b"all work and no play makes jack a dull boy
"
        .repeat(100);
        assert_eq!(class_of(&[(Direction::Sent, &random(1_000))]), (0, 1_000, 1_000));
        let pieces = [(Direction::Sent, &random(9_000)[..4_000]), (Direction::Received, &text)];
        assert_eq!(class_of(&pieces), (0, 4_000, 4_000));
        let received = random(9_000);
        assert_eq!(class_of(&[(Direction::Sent, b"few"), (Direction::Received, &received)]), (3, 0, 3));
    }
}
