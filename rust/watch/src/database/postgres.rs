//! PostgreSQL, in which the client speaks first: www.postgresql.org/docs/current/protocol-message-formats.html.

use telltale_model::{Application, Class, Direction};

use super::{ALL, write};
use crate::page::Page;
use crate::session::{Likeness, Next, Step};
use crate::tls;

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct Postgres {
    /// What the client said last, as long as it may be a wish, or the beginning of what was wished for.
    held: Vec<u8>,
    /// The wishes so far.
    wishes: usize,
    /// The last of them, and its answer: one byte.
    wish: Option<(Wish, Option<u8>)>,
    /// Whether the client has begun to say what it came for.
    begun: bool,
}

/// What a client may wish to go on in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Tls,
    Gssapi,
}

/// One for each that there is; more are no wishes.
const WISHES: usize = 2;

impl Postgres {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// See [`crate::session`].
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application.get_or_insert(Application::PostgreSql);
        match direction {
            Direction::Received => {
                if let Some((_, answer)) = &mut self.wish {
                    *answer = answer.or(bytes.first().copied());
                }
                page.pause(ALL);
            }
            Direction::Sent if self.begun => self.count(bytes, page),
            Direction::Sent => return self.decide(bytes, page),
        }
        Step::On
    }

    /// See [`crate::session`].
    pub(crate) fn miss(&mut self, direction: Direction, _bytes: u64, page: &mut Page) {
        if direction == Direction::Sent {
            self.end(page);
            page.tear(ALL);
        }
    }

    /// See [`crate::session`].
    pub(crate) fn end(&mut self, page: &mut Page) {
        self.begun = true;
        let held = std::mem::take(&mut self.held);
        self.count(&held, page);
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        self.held.capacity()
    }

    fn decide(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        self.held.extend_from_slice(bytes);
        while let Some((wish, rest)) = self.next_wish() {
            self.wish = Some((wish, None));
            self.wishes += 1;
            self.held = rest;
            page.facts.count_handshake(WISH);
        }
        // Only TLS begins with such a byte. Then the consent was given, whether it was seen or not.
        match (self.held.first(), tls::looks_like(&self.held, false)) {
            (Some(22), Likeness::Yes) => {
                return Step::Switch {
                    to: Next::Tls,
                    sent: std::mem::take(&mut self.held),
                    received: Vec::new(),
                };
            }
            (None, _) | (Some(22), Likeness::Maybe) => {}
            (Some(0), _) if self.held.len() < WISH && self.wishes < WISHES => {}
            _ => self.end(page),
        }
        Step::On
    }

    /// A wish that is whole, and what follows it.
    fn next_wish(&self) -> Option<(Wish, Vec<u8>)> {
        let (wish, rest) = self.held.split_first_chunk().filter(|_| self.wishes < WISHES)?;
        wish_of(wish).map(|wish| (wish, rest.to_vec()))
    }

    /// Counts what is said in clear, or behind a consent to GSSAPI encrypted.
    fn count(&self, bytes: &[u8], page: &mut Page) {
        if self.wish == Some((Wish::Gssapi, Some(b'G'))) {
            page.facts.count_content(Class::Encrypted, bytes.len());
        } else if self.wish == Some((Wish::Gssapi, None)) {
            // The answer was not seen: a client says no more before it has one.
            page.facts.count_content(Class::Unknown, bytes.len());
        } else {
            write(bytes, page);
        }
    }
}

/// "SSLRequest" and "GSSENCRequest": their length, and a number that is no version.
const WISH: usize = 8;

fn wish_of(bytes: &[u8; WISH]) -> Option<Wish> {
    match bytes {
        [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f] => Some(Wish::Tls),
        [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30] => Some(Wish::Gssapi),
        _ => None,
    }
}

/// Whether these are a client's first bytes: a wish, or "StartupMessage" with its length, version 3, and the name of a
/// parameter.
pub(crate) fn looks_like(sent: &[u8]) -> Likeness {
    let Some((first, parameters)) = sent.split_first_chunk() else {
        let first = [Some(0), Some(0), None, None, Some(0), Some(3), Some(0)];
        let wish = [0, 0, 0, 8, 0x04, 0xd2, 0x16];
        let begins = sent.iter().zip(first).all(|(byte, known)| known.is_none_or(|known| known == *byte));
        return if begins || wish.starts_with(sent) { Likeness::Maybe } else { Likeness::No };
    };
    let name = parameters.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
    match (first, parameters.get(name)) {
        (first, _) if wish_of(first).is_some() => Likeness::Yes,
        ([0, 0, _, _, 0, 3, 0, 0..=2], Some(0)) if name > 0 => Likeness::Yes,
        ([0, 0, _, _, 0, 3, 0, 0..=2], None) if name < LONGEST_NAME => Likeness::Maybe,
        _ => Likeness::No,
    }
}

/// Of a parameter.
const LONGEST_NAME: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::{Pieces, Turns, facts_in_any_pieces};

    const SSL: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    const GSS: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
    const STARTUP: &[u8] = b"\0\0\0\x1d\0\x03\0\0user\0anna\0database\0a\0\0";
    const HELLO: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

    /// What is said of some turns; the record of a hello is handshake, as [`crate::tls`] has it.
    fn facts_of(turns: &[(Direction, &[u8])]) -> telltale_model::Facts {
        let turns: Turns = turns.iter().map(|(direction, bytes)| (*direction, bytes.to_vec())).collect();
        facts_in_any_pieces(&turns, |pieces: &Pieces<'_>| {
            let (mut session, mut page, mut tls) = (Postgres::new(), Page::default(), None);
            for (direction, bytes) in pieces {
                let step = match &mut tls {
                    None => session.take(*direction, bytes, &mut page),
                    Some(tls) => tls::Tls::take(tls, *direction, bytes, &mut page),
                };
                if let Step::Switch { sent, .. } = step {
                    tls.insert(tls::Tls::new()).take(Direction::Sent, &sent, &mut page);
                }
            }
            match &mut tls {
                None => session.end(&mut page),
                Some(tls) => tls.end(&mut page),
            }
            page.facts
        })
    }

    #[test]
    fn a_client_is_told_by_its_first_bytes_as_soon_as_they_are_certain() {
        for (whole, certain) in [(SSL, 8), (GSS, 8), (STARTUP, 13)] {
            for len in 0..=whole.len() {
                let expected = if len < certain { Likeness::Maybe } else { Likeness::Yes };
                assert_eq!(looks_like(&whole[..len]), expected, "{len} bytes");
            }
        }
        for other in [&b"\0\0\0\x08\x04\xd2\x16\x31"[..], b"\0\0\0\x08\0\x03\0\0\0", b"\0\x01", HELLO] {
            assert_eq!(looks_like(other), Likeness::No, "{other:?}");
        }
        assert_eq!(looks_like(&[&STARTUP[..8], &[b'a'; 64]].concat()), Likeness::No);
    }

    #[test]
    fn behind_a_wish_comes_tls_or_what_is_said_in_clear() {
        use Direction::{Received, Sent};
        let tls = facts_of(&[(Sent, SSL), (Received, b"S"), (Sent, HELLO)]);
        assert_eq!((tls.coverage.handshake, tls.content_sent), (8 + HELLO.len() as u64, 0));
        let clear = facts_of(&[(Sent, SSL), (Received, b"N"), (Sent, STARTUP)]);
        assert_eq!((clear.coverage.handshake, clear.coverage.opaque), (8, STARTUP.len() as u64));
        let both = facts_of(&[(Sent, GSS), (Received, b"N"), (Sent, SSL), (Received, b"S"), (Sent, HELLO)]);
        assert_eq!((both.coverage.handshake, both.content_sent), (16 + HELLO.len() as u64, 0));
        let at_once = facts_of(&[(Sent, STARTUP)]);
        assert_eq!(at_once.coverage.opaque, STARTUP.len() as u64);
        let again = facts_of(&[(Sent, SSL), (Sent, SSL), (Sent, SSL)]);
        assert_eq!((again.coverage.handshake, again.coverage.opaque), (16, 8), "no way to send in secret");
    }

    #[test]
    fn what_was_agreed_to_be_encrypted_with_gssapi_is() {
        use Direction::{Received, Sent};
        let agreed =
            facts_of(&[(Sent, GSS), (Received, b"G"), (Sent, b"\0\0\x02\0token"), (Received, b"\0")]);
        assert_eq!((agreed.coverage.handshake, agreed.coverage.encrypted), (8, 9));
        let refused = facts_of(&[(Sent, GSS), (Received, b"N"), (Sent, b"\0\0\x02\0token")]);
        assert_eq!((refused.coverage.encrypted, refused.coverage.opaque), (0, 9));
    }

    #[test]
    fn what_is_held_is_counted_at_a_gap() {
        let (mut session, mut page) = (Postgres::new(), Page::default());
        session.take(Direction::Sent, &SSL[..5], &mut page);
        assert_eq!((page.facts.coverage.total(), session.held() > 0), (0, true));
        session.miss(Direction::Sent, 3, &mut page);
        session.take(Direction::Sent, b"abc", &mut page);
        assert_eq!(page.facts.coverage.opaque, 8);
    }
}
