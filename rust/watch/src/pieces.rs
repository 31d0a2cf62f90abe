//! What tests of all sessions ask: the same bytes give the same facts, however they are cut.

use telltale_model::{Direction, Facts};

/// What each side says, in turns.
pub(crate) type Turns = Vec<(Direction, Vec<u8>)>;

/// The same by reference.
pub(crate) type Pieces<'a> = [(Direction, &'a [u8])];

/// Runs a session over these turns whole, byte by byte and cut at random, over beginnings of them, and
/// with one byte damaged: everywhere if they are short, in fewer places the longer they are. Gives the facts
/// of the whole.
pub(crate) fn facts_in_any_pieces(turns: &Turns, run: impl Fn(&Pieces<'_>) -> Facts) -> Facts {
    let facts = facts_of_all_cuts(turns, &run);
    let mut random = Random(1);
    let len: usize = turns.iter().map(|(_, bytes)| bytes.len()).sum();
    for place in (0..len).step_by(1 + len * len / 300_000) {
        facts_of_two_cuts(&beginning(turns, place), &run);
        facts_of_two_cuts(&damaged(turns, place, random.below(256)), &run);
    }
    facts
}

fn facts_of_all_cuts(turns: &Turns, run: &impl Fn(&Pieces<'_>) -> Facts) -> Facts {
    let facts = facts_of_two_cuts(turns, run);
    let mut random = Random(2);
    for longest in [2, 3, 7, 50, 600].repeat(8) {
        assert_eq!(facts, run(&cut(turns, || 1 + random.below(longest))), "in random pieces");
    }
    facts
}

fn facts_of_two_cuts(turns: &Turns, run: &impl Fn(&Pieces<'_>) -> Facts) -> Facts {
    let facts = run(&cut(turns, || usize::MAX));
    let sent = turns.iter().filter(|(direction, _)| *direction == Direction::Sent);
    assert_eq!(
        facts.coverage.total(),
        sent.map(|(_, bytes)| bytes.len() as u64).sum::<u64>(),
        "not all bytes"
    );
    assert_eq!(facts, run(&cut(turns, || 1)), "byte by byte");
    facts
}

fn cut(turns: &Turns, mut len: impl FnMut() -> usize) -> Vec<(Direction, &[u8])> {
    let mut pieces = Vec::new();
    for (direction, bytes) in turns {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(len().min(rest.len()));
            pieces.push((*direction, piece));
            rest = after;
        }
    }
    pieces
}

fn beginning(turns: &Turns, mut len: usize) -> Turns {
    let mut turns = turns.clone();
    for (_, bytes) in &mut turns {
        bytes.truncate(len);
        len -= bytes.len();
    }
    turns
}

fn damaged(turns: &Turns, mut at: usize, value: usize) -> Turns {
    let mut turns = turns.clone();
    for (_, bytes) in &mut turns {
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u8::try_from(value).unwrap();
            break;
        }
        at -= bytes.len();
    }
    turns
}

/// The same numbers in every run.
pub(crate) struct Random(pub(crate) u32);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(self.0 >> 8).unwrap() % end
    }
}
