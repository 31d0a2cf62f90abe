//! MySQL and MariaDB, in which the server speaks first.

use telltale_model::{Application, Direction};

use super::{ALL, write};
use crate::page::Page;
use crate::session::{Likeness, Next, Step};

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct MySql {
    /// The beginning of the client's first packet, until it is known what that is.
    first: Vec<u8>,
    /// Whether it is known.
    decided: bool,
}

impl MySql {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// See [`crate::session`].
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application.get_or_insert(Application::MySql);
        match direction {
            Direction::Received => page.pause(ALL),
            Direction::Sent if self.decided => write(bytes, page),
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
        self.decided = true;
        write(&std::mem::take(&mut self.first), page);
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        self.first.capacity()
    }

    fn decide(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        self.first.extend_from_slice(bytes);
        let wish = self.first.split_at_checked(WISH);
        match asks_for_tls(&self.first) {
            Likeness::Maybe => {}
            Likeness::No => self.end(page),
            Likeness::Yes => {
                if let Some((_, hello)) = wish {
                    page.facts.count_handshake(WISH);
                    return Step::Switch { to: Next::Tls, sent: hello.to_vec(), received: Vec::new() };
                }
            }
        }
        Step::On
    }
}

/// The server's greeting: a packet of one to two hundred bytes, the first of the connection; version 10 of the
/// protocol, the server's version as text, a number, eight bytes to hash the password with, and a zero.
/// dev.mysql.com/doc/dev/mysql-server, "Protocol::HandshakeV10".
pub(crate) fn looks_like(received: &[u8]) -> Likeness {
    let head = [None, None, Some(0), Some(0), Some(10)];
    if received.iter().zip(head).any(|(byte, expected)| expected.is_some_and(|expected| expected != *byte)) {
        return Likeness::No;
    }
    let Some(rest) = received.get(head.len()..) else { return Likeness::Maybe };
    let version = rest.iter().take(LONGEST_VERSION).take_while(|byte| byte.is_ascii_graphic()).count();
    if !rest.first().is_none_or(u8::is_ascii_digit) {
        return Likeness::No;
    }
    match (rest.get(version), rest.get(version + BEFORE_ZERO)) {
        (None, _) if version < LONGEST_VERSION => Likeness::Maybe,
        (Some(0), None) => Likeness::Maybe,
        (Some(0), Some(0)) => Likeness::Yes,
        _ => Likeness::No,
    }
}

/// "Protocol::SSLRequest": 32 bytes in the second packet of the connection, with CLIENT_SSL among the
/// capabilities that are told first.
fn asks_for_tls(first: &[u8]) -> Likeness {
    const CLIENT_SSL: u8 = 0x08;
    let head = [32, 0, 0, 1];
    match first.iter().zip(head).all(|(byte, expected)| *byte == expected) {
        false => Likeness::No,
        true if first.get(head.len() + 1).is_some_and(|flags| flags & CLIENT_SSL == 0) => Likeness::No,
        true if first.len() < WISH => Likeness::Maybe,
        true => Likeness::Yes,
    }
}

/// A packet's header and [`asks_for_tls`].
const WISH: usize = 4 + 32;

const LONGEST_VERSION: usize = 128;

/// The end of the version, a number of four bytes, and eight bytes.
const BEFORE_ZERO: usize = 1 + 4 + 8;

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: &[u8] = b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff";

    #[test]
    fn a_server_is_told_by_its_greeting_as_soon_as_it_is_certain() {
        for len in 0..GREETING.len() {
            let expected = if len < 25 { Likeness::Maybe } else { Likeness::Yes };
            assert_eq!(looks_like(&GREETING[..len]), expected, "{len} bytes");
        }
        assert_eq!(
            looks_like(b"\x50\0\0\0\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\0\x08\0\0\0abcdefgh\0"),
            Likeness::Yes
        );
        for other in [&b"220 a"[..], b"\x4a\0\0\x01\x0a8", b"\x4a\0\0\0\x0ax", b"\x4a\0\0\0\x0a8.0\x01"] {
            assert_eq!(looks_like(other), Likeness::No, "{other:?}");
        }
        assert_eq!(looks_like(&[&GREETING[..5], &[b'8'; 200]].concat()), Likeness::No);
    }

    #[test]
    fn a_client_may_go_on_in_tls() {
        let wish = [&[32, 0, 0, 1, 0x85, 0xae][..], &[0; 30]].concat();
        let login = [&[32, 0, 0, 1, 0x85, 0xa6][..], &[0; 30]].concat();
        for piece in [1, 5, 36, 40] {
            let read = |first: &[u8]| {
                let (mut session, mut page) = (MySql::new(), Page::default());
                let bytes = [first, b"hell"].concat();
                let steps = bytes.chunks(piece).map(|piece| session.take(Direction::Sent, piece, &mut page));
                let switches =
                    steps.into_iter().any(|step| matches!(step, Step::Switch { to: Next::Tls, .. }));
                (switches, page.facts.coverage.handshake, page.facts.coverage.opaque)
            };
            assert_eq!(read(&wish), (true, 36, 0), "in pieces of {piece}");
            assert_eq!(read(&login), (false, 0, 40), "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_held_is_counted_at_the_end_and_at_a_gap() {
        for gap in [true, false] {
            let (mut session, mut page) = (MySql::new(), Page::default());
            session.take(Direction::Sent, &[32, 0, 0, 1, 0x85], &mut page);
            assert_eq!(page.facts.coverage.total(), 0);
            if gap {
                session.miss(Direction::Sent, 9, &mut page)
            } else {
                session.end(&mut page)
            }
            assert_eq!(page.facts.coverage.opaque, 5);
        }
    }
}
