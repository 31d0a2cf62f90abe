//! Flows of a protocol that nobody here knows: whether they look encrypted, and whether they go over to TLS.

use std::borrow::Cow;

use telltale_model::{Application, Class, Direction, Protocol};

use crate::page::{Kind, Page};
use crate::randomness::Randomness;
use crate::session::{Likeness, Next, Step};
use crate::tls::{self, Chain};

/// A flow that is only counted. What was sent waits for its class until enough bytes are seen.
///
/// Many protocols go over to TLS in their own words (LDAP, RDP, SOCKS to somewhere): a hello where the client takes its
/// turn says so. One further on may be part of a file. Of a flow that is torn, the beginning of TLS may be what lacks.
#[derive(Debug)]
pub(crate) struct Unknown {
    looked_at: Option<Box<[Randomness; 2]>>,
    waiting: usize,
    class: Class,
    /// Whether each piece stands for itself.
    datagrams: bool,
    begun: bool,
    /// Bytes that were sent.
    seen: usize,
    /// The first bytes since the other side spoke, as long as they may be a hello.
    turn: Option<Vec<u8>>,
    /// What looks for TLS without its beginning, in what is sent and in what is received.
    chains: Option<Box<[Chain; 2]>>,
}

/// Two records of TLS find place in as many bytes, and the end of another before them.
const PATIENCE: usize = 3 * (16 << 10) + 1_024;

impl Unknown {
    pub(crate) fn new(transport: Protocol, torn: bool) -> Self {
        let chains = || Box::new([Chain::new(), Chain::new()]);
        let chains = (torn && transport == Protocol::Tcp).then(chains);
        let looked_at = Some(Box::new([Randomness::new(), Randomness::new()]));
        let datagrams = transport != Protocol::Tcp;
        Self {
            looked_at,
            waiting: 0,
            class: Class::Unknown,
            datagrams,
            begun: false,
            seen: 0,
            turn: None,
            chains,
        }
    }

    /// The next bytes.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        if direction == Direction::Received {
            return self.received(bytes, page);
        }
        match self.turn.take() {
            None => self.sent(bytes, page),
            Some(before) if before.is_empty() => self.take_turn(Cow::Borrowed(bytes), page),
            Some(before) => self.take_turn(Cow::Owned([&before, bytes].concat()), page),
        }
    }

    pub(crate) fn miss(&mut self, direction: Direction, _bytes: u64, page: &mut Page) {
        if direction == Direction::Sent {
            self.let_go(page);
            page.tear(ALL);
        }
    }

    /// No more come: decides by what there was.
    pub(crate) fn end(&mut self, page: &mut Page) {
        self.let_go(page);
        page.end(ALL);
        self.decide(page);
    }

    pub(crate) fn held(&self) -> usize {
        let turn = self.turn.as_ref().map_or(0, Vec::capacity);
        let chains = self.chains.as_ref().map_or(0, |both| size_of_val(&**both));
        self.looked_at.as_ref().map_or(0, |both| size_of_val(&**both)) + turn + chains
    }

    fn received(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        self.let_go(page);
        page.pause(ALL);
        self.turn = (!self.datagrams).then(Vec::new);
        let found = self.chains.as_deref_mut().and_then(|[_, received]| received.take(bytes));
        let before = found.and_then(|(place, _)| bytes.get(..place)).unwrap_or(bytes);
        self.see(Direction::Received, before, page);
        if found.is_some() { self.go_on_in_tls(None, &[], page) } else { Step::On }
    }

    fn take_turn(&mut self, bytes: Cow<'_, [u8]>, page: &mut Page) -> Step {
        match begins_hello(&bytes) {
            Likeness::No => self.sent(&bytes, page),
            Likeness::Maybe => {
                self.turn = Some(bytes.into_owned());
                Step::On
            }
            Likeness::Yes => {
                self.end(page);
                doubt(page);
                Step::Switch { to: Next::Tls, sent: bytes.into_owned(), received: Vec::new() }
            }
        }
    }

    /// What may have been a hello is none.
    fn let_go(&mut self, page: &mut Page) {
        if let Some(bytes) = self.turn.take().filter(|bytes| !bytes.is_empty()) {
            self.count(&bytes, page);
        }
    }

    fn sent(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        let found = self.chains.as_deref_mut().and_then(|[sent, _]| sent.take(bytes));
        let Some((place, record)) = found else {
            self.count(bytes, page);
            return Step::On;
        };
        let (before, rest) = bytes.split_at_checked(place).unwrap_or((bytes, &[]));
        self.count(before, page);
        self.go_on_in_tls(Some(record), rest, page)
    }

    /// Where the client spoke it, all that waits was TLS already; where only the server did, what the client sent is what
    /// it looks like.
    fn go_on_in_tls(&mut self, record: Option<usize>, rest: &[u8], page: &mut Page) -> Step {
        if record.is_some() {
            doubt(page);
            (self.looked_at, self.class) = (None, Class::Encrypted);
            page.decide(ALL, Some(self.class));
            self.end(page);
        } else {
            self.end(page);
            doubt(page);
        }
        page.facts.application = Some(Application::Tls);
        Step::Switch { to: Next::WithinTls(record), sent: rest.to_vec(), received: Vec::new() }
    }

    fn count(&mut self, bytes: &[u8], page: &mut Page) {
        // What looks encrypted has nothing in it to look for.
        if page.is_searching() && self.class != Class::Encrypted {
            self.write(bytes, page);
        } else {
            self.waiting += bytes.len();
        }
        self.see(Direction::Sent, bytes, page);
    }

    fn see(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        if self.look(direction, bytes) {
            self.decide(page);
        }
    }

    /// Has bytes searched. Until it is known whether the flow looks encrypted, they wait to be counted.
    fn write(&mut self, bytes: &[u8], page: &mut Page) {
        if self.datagrams || !std::mem::replace(&mut self.begun, true) {
            page.begin(ALL, if self.datagrams { Kind::Message } else { Kind::Raw });
        }
        let known = self.looked_at.is_none().then_some(self.class);
        page.decide(ALL, known);
        page.write(ALL, Class::Unknown, bytes);
        if self.datagrams {
            page.end(ALL);
            page.decide(ALL, known);
        }
    }

    /// Whether all is seen that can change the decision.
    fn look(&mut self, direction: Direction, bytes: &[u8]) -> bool {
        let Some([sent, received]) = self.looked_at.as_deref_mut() else { return true };
        if direction == Direction::Sent {
            sent.add(bytes);
            self.seen = self.seen.saturating_add(bytes.len());
            // Where the beginning of TLS may lack, its second header may still come.
            let waits = self.chains.is_some() && self.seen < PATIENCE;
            return sent.is_enough() && !waits || sent.begins_with_text();
        }
        let before = received.is_enough();
        received.add(bytes);
        !before && received.is_enough() && received.is_uniform() == Some(false)
    }

    /// Encrypted is what looks random, where the other side does not answer it in clear. What the other side sends
    /// proves nothing of what is sent to it: a file may be downloaded by a question in clear. Nor is it said of what
    /// stands behind text, or inside of a protocol that has a name, which would tell it as that one's encryption.
    fn decide(&mut self, page: &mut Page) {
        if let Some(both) = self.looked_at.take() {
            let [sent, received] = &*both;
            let random = sent.is_uniform() == Some(true) && received.is_uniform() != Some(false);
            let bare = !sent.begins_with_text() && page.facts.application.is_none();
            self.class = if random && bare { Class::Encrypted } else { Class::Unknown };
            page.decide(ALL, Some(self.class));
        }
        page.facts.count_content(self.class, std::mem::take(&mut self.waiting));
    }
}

/// What only looked encrypted is not proven to have been by what comes after it, and stays what was told of it.
fn doubt(page: &mut Page) {
    if page.facts.application.is_some() {
        return;
    }
    let coverage = &mut page.facts.coverage;
    let looked_so = std::mem::take(&mut coverage.encrypted);
    coverage.add(Class::Unknown, looked_so);
}

/// Whether these are the first bytes of a client's hello: a record of handshake (22), and its message (RFC 8446 5.1).
fn begins_hello(bytes: &[u8]) -> Likeness {
    const HEADER: usize = 5;
    match (bytes.first(), bytes.get(HEADER)) {
        (None, _) => Likeness::Maybe,
        (Some(22), None | Some(1)) => tls::looks_like(bytes, false),
        _ => Likeness::No,
    }
}

/// The sheet of all that is sent.
const ALL: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(pieces: &[(Direction, &[u8])]) -> (u64, u64, u64) {
        let (mut session, mut page) = (Unknown::new(Protocol::Tcp, false), Page::default());
        for (direction, piece) in pieces {
            session.take(*direction, piece, &mut page);
        }
        session.end(&mut page);
        assert_eq!(page.facts.content_sent, page.facts.coverage.total());
        (page.facts.coverage.encrypted, page.facts.coverage.unknown, page.facts.coverage.total())
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
    }

    #[test]
    fn what_comes_later_proves_nothing_of_what_only_looked_encrypted() {
        let (mut session, mut page) = (Unknown::new(Protocol::Tcp, false), Page::default());
        session.take(Direction::Sent, &random(9_000), &mut page);
        session.take(Direction::Received, b"go on", &mut page);
        let hello = [&[22, 3, 1, 0, 80, 1, 0, 0, 76, 3, 3][..], &[7; 74]].concat();
        assert!(matches!(session.take(Direction::Sent, &hello, &mut page), Step::Switch { .. }));
        let coverage = page.facts.coverage;
        assert_eq!((coverage.encrypted, coverage.unknown), (0, 9_000));
    }

    #[test]
    fn tls_whose_beginning_lacks_is_waited_for_until_two_records_may_have_come() {
        let (mut session, mut page) = (Unknown::new(Protocol::Tcp, true), Page::default());
        let record = [&[23, 3, 3, 0x40, 0][..], &random(16_384)].concat();
        let sent = [&random(12_000), &record[..], &record].concat();
        let steps: Vec<_> =
            sent.chunks(1_000).map(|piece| session.take(Direction::Sent, piece, &mut page)).collect();
        assert!(steps.iter().any(|step| matches!(step, Step::Switch { .. })));
        assert_eq!(page.facts.coverage.unknown, 0);
    }

    #[test]
    fn what_is_received_never_makes_what_is_sent_look_encrypted() {
        let (received, text) = (random(9_000), b"id=490154203237518\n".repeat(500));
        for sent in [&b"few"[..], &text[..1_000], &text] {
            let len = sent.len() as u64;
            for order in [[0, 1], [1, 0]] {
                let both = [(Direction::Sent, sent), (Direction::Received, &received[..])];
                assert_eq!(class_of(&order.map(|place| both[place])), (0, len, len));
            }
        }
        let sent = random(9_000);
        let named = [&b"upload picture-of-a-garden.jpg 9000\n"[..], &sent].concat();
        assert_eq!(class_of(&[(Direction::Sent, &named)]), (0, 9_036, 9_036), "what stands behind text");
        let later = [(Direction::Received, &received[..]), (Direction::Sent, &sent)];
        assert_eq!(class_of(&later), (9_000, 0, 9_000));
    }
}
