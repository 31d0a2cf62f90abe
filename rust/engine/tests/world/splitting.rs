//! However an app's stream is cut, doubled, overlapped and shuffled, the server gets the same bytes.

use crate::packets::{ACK, FIN, Segment};
use crate::player::Player;
use crate::random::{Random, pattern};
use crate::server::{Finish, Server};

const LEN: usize = 12_000;

#[test]
fn any_cut_gives_the_same_stream() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let stream = pattern(1, 0, LEN);
        let mut player = Player::open(Server { finish: Finish::Never, ..Server::SINK });
        let mut pieces = cut(&player, &stream, &mut random);
        shuffle(&mut pieces, &mut random);
        for piece in &pieces {
            if random.percent(50) {
                player.shell.feed(&piece.to_packet());
            } else {
                player.send(piece);
            }
        }
        player.shell.settle();
        assert!(player.arrived() == stream, "seed {seed}: {} bytes", player.arrived().len());
        let end = u32::try_from(LEN).unwrap() + 2;
        assert_eq!(player.hear().last().map(|heard| heard.ack), Some(end), "seed {seed}");
        player.shell.stop();
    }
}

/// Pieces that cover the stream, and others that overlap them; the last one ends it.
fn cut(player: &Player, stream: &[u8], random: &mut Random) -> Vec<Segment> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < LEN {
        let len = (100 + random.below(1_360)).min(LEN - at);
        let from = at.saturating_sub(if random.percent(30) { random.below(2_000) } else { 0 });
        pieces.push((from, at + len));
        if random.percent(20) {
            pieces.push((random.below(at + 1), at + len));
        }
        at += len;
    }
    let segment = |(from, to): &(usize, usize)| {
        let flags = if *to == LEN { ACK | FIN } else { ACK };
        player.segment(flags, 1 + u32::try_from(*from).unwrap(), 1, &stream[*from..*to])
    };
    pieces.iter().map(segment).collect()
}

fn shuffle(pieces: &mut [Segment], random: &mut Random) {
    for at in (1..pieces.len()).rev() {
        pieces.swap(at, random.below(at + 1));
    }
}
