//! HTTP/1.x (RFC 9110, RFC 9112) as servers accept it: bare LF, HTTP/0.9, folded fields, odd targets.
//!
//! Coverage of what is sent:
//! - heads and trailers are content, and searched;
//! - a body is searched where it is text without any coding (forms, JSON, XML, `text/*`), else opaque;
//! - chunk sizes and the line ends around chunks and messages are framing: handshake;
//! - what is no HTTP, such as the rest of a message whose beginning is missing, is opaque.
//!
//! Either direction may be missing. After a gap, reading goes on at the next line that begins a message;
//! answers are then matched with requests anew, which is right unless the client pipelines.
//!
//! After CONNECT or `Upgrade` the client has to wait for the answer. What it sends before is held back, and
//! belongs to whatever the answer says. Where no answer comes the bytes decide: another request, or not.

mod alone;
mod asked;
mod fields;
mod line;
mod message;
mod start;
mod text;

pub use alone::{HttpEvent, read_http, read_http2};
use asked::{Asked, Kind, Question};
pub(crate) use fields::Fields;
use message::{Ends, Expected, Head, Messages, Part, Read};
use start::Start;
pub(crate) use start::{LONGEST_PATH, Target, looks_like, looks_like_reply};
use telltale_model::{Application, Class, Direction, Facts};
pub(crate) use text::{host, text};

use crate::http2;
use crate::session::{Likeness, Next, Step};

/// A connection.
#[derive(Debug)]
pub(crate) struct Http {
    sent: Messages,
    received: Messages,
    /// Which direction the requests go: known from the first message. A capture that starts in the
    /// middle may take the server for the client.
    client: Option<Direction>,
    asked: Asked,
    /// The place in [`Facts::requests`] of the request whose body is being read.
    place: Option<usize>,
    /// What the message that is being sent is to be counted as.
    class: Class,
    /// What the request in progress asks to go on with.
    asks: Option<Asks>,
    /// Whether that is on hold, and what the client has sent since.
    held: Option<Held>,
}

/// What a request asks the connection to go on with.
#[derive(Clone, Copy, Debug)]
struct Asks {
    to: Next,
    /// By CONNECT, not by `Upgrade`.
    tunnel: bool,
}

/// Bytes of a client that has to wait for an answer.
#[derive(Debug)]
struct Held {
    asks: Asks,
    bytes: Vec<u8>,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self {
            sent: Messages::new(LONGEST_SENT_LINE),
            received: Messages::new(LONGEST_RECEIVED_LINE),
            client: None,
            asked: Asked::default(),
            place: None,
            class: Class::Opaque,
            asks: None,
            held: None,
        }
    }

    /// See [`crate::session`].
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], facts: &mut Facts) -> Step {
        facts.application.get_or_insert(Application::Http);
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(to) = self.advance(direction, &mut rest, facts) {
                return self.switch(to, direction, rest, facts);
            }
        }
        Step::On
    }

    /// See [`crate::session`].
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, facts: &mut Facts) {
        if self.is_client(direction)
            && let Some(held) = &mut self.held
        {
            let lost = std::mem::take(&mut held.bytes);
            return count(direction, Part::Stray, self.class, lost.len() as u64, facts);
        }
        let (read, knows) = self.side(direction).miss(bytes);
        if !knows {
            self.asked.clear();
            if self.is_client(direction) {
                self.asks = None;
            }
        }
        self.took(direction, read, facts);
        self.begin_hold(direction);
    }

    /// See [`crate::session`].
    pub(crate) fn end(&mut self, facts: &mut Facts) {
        while let Some(held) = self.held.take() {
            self.release(held, facts);
        }
        self.finish(facts);
    }

    /// Takes bytes from the front of `rest`. What it gives is spoken from there on.
    fn advance(&mut self, direction: Direction, rest: &mut &[u8], facts: &mut Facts) -> Option<Next> {
        if self.is_client(direction) && self.held.is_some() {
            return self.hold(rest, facts);
        }
        let expected = self.expected(direction);
        let read = self.side(direction).read(rest, expected);
        self.tell_client(direction);
        let to = self.took(direction, read, facts);
        self.begin_hold(direction);
        to
    }

    /// The first line that begins a message tells who is the client.
    fn tell_client(&mut self, direction: Direction) {
        let client = match self.side(direction).begun() {
            Some(Start::Request(_)) => direction,
            Some(Start::Status(_)) => direction.reversed(),
            None => return,
        };
        self.client.get_or_insert(client);
    }

    /// From the end of a request on that asks for another protocol, the client has to wait.
    fn begin_hold(&mut self, direction: Direction) {
        if self.is_client(direction)
            && self.side(direction).is_between()
            && let Some(asks) = self.asks.take()
        {
            self.held = Some(Held { asks, bytes: Vec::new() });
        }
    }

    /// Keeps what the client sends while it has to wait.
    fn hold(&mut self, rest: &mut &[u8], facts: &mut Facts) -> Option<Next> {
        let held = self.held.as_mut()?;
        let room = (WAITING - held.bytes.len()).min(rest.len());
        let (bytes, after) = rest.split_at_checked(room)?;
        held.bytes.extend(bytes);
        *rest = after;
        // In a tunnel HTTP may be spoken as well. But no upgraded protocol looks like it.
        let is_http = looks_like(&held.bytes) == Likeness::Yes;
        let full = held.bytes.len() >= WAITING;
        if is_http && (full || !held.asks.tunnel) {
            let held = self.held.take()?;
            return self.release(held, facts);
        }
        // RFC 7540 3.2: the preface comes after the answer, so that was not seen.
        let granted = held.asks.to == Next::Http2 && http2::looks_like(&held.bytes) == Likeness::Yes;
        (full || granted).then_some(held.asks.to)
    }

    /// What was held back is HTTP after all, or nothing that can be told.
    fn release(&mut self, held: Held, facts: &mut Facts) -> Option<Next> {
        let client = self.client.unwrap_or(Direction::Sent);
        if looks_like(&held.bytes) == Likeness::No {
            count(client, Part::Stray, self.class, held.bytes.len() as u64, facts);
            return None;
        }
        let mut rest = held.bytes.as_slice();
        let mut to = None;
        while !rest.is_empty() {
            // Requests alone never switch; another hold does, and then it has taken all.
            to = self.advance(client, &mut rest, facts);
        }
        to
    }

    /// Takes in what was read. What it gives is spoken from there on.
    fn took(&mut self, direction: Direction, read: Read, facts: &mut Facts) -> Option<Next> {
        count(direction, read.of, self.class, read.bytes, facts);
        if read.of == Part::Body && self.is_client(direction) {
            self.add_body(read.bytes, facts);
        }
        let Head { start, fields, whole } = read.head?;
        match start {
            Start::Request(target) => {
                // One without a head has not been told before.
                self.client.get_or_insert(direction);
                self.request(direction, target, fields, whole, facts);
                None
            }
            Start::Status(status) => self.reply(direction, status, &fields, whole, facts),
        }
    }

    fn request(
        &mut self,
        direction: Direction,
        target: Target,
        fields: Fields,
        whole: bool,
        facts: &mut Facts,
    ) {
        let kind = Kind::of(&target.method);
        let ends = if kind == Kind::Connect { Ends::After(0) } else { Ends::of(&fields, Ends::After(0)) };
        let asks = match kind {
            Kind::Connect => Some(Asks { to: Next::Anything, tunnel: true }),
            Kind::Head | Kind::Other => fields.upgrade.map(|to| Asks { to, tunnel: false }),
        };
        let simple = target.simple;
        self.set_class(direction, &fields);
        self.place = fields.into_request(target, facts);
        // HTTP/0.9 has no status, and nothing follows.
        if !simple {
            let place = self.place.and_then(|place| u8::try_from(place).ok());
            self.asked.push(Question { place, kind });
        }
        if whole {
            self.asks = asks;
            self.side(direction).begin_body(ends);
        }
    }

    fn reply(
        &mut self,
        direction: Direction,
        status: u16,
        fields: &Fields,
        whole: bool,
        facts: &mut Facts,
    ) -> Option<Next> {
        self.set_class(direction, fields);
        if (100..200).contains(&status) && status != SWITCHING {
            return None;
        }
        let unseen = Question { place: None, kind: self.kind_of_held() };
        let question = self.asked.pop().unwrap_or(unseen);
        set_status(question, status, facts);
        let tunnel = question.kind == Kind::Connect && (200..300).contains(&status);
        if whole && (tunnel || status == SWITCHING) {
            return self.switches(fields, tunnel);
        }
        let empty = status == 204 || status == 304 || question.kind == Kind::Head;
        if whole {
            let ends = if empty { Ends::After(0) } else { Ends::of(fields, Ends::Closing) };
            self.side(direction).begin_body(ends);
        }
        if whole
            && self.asked.is_empty()
            && let Some(held) = self.held.take()
        {
            return self.release(held, facts);
        }
        None
    }

    /// What follows an answer that ends HTTP here, unless the client is not there yet or went on with HTTP.
    fn switches(&self, fields: &Fields, tunnel: bool) -> Option<Next> {
        let held = self.held.as_ref().map(|held| held.asks.to);
        let unseen = self.client.is_none_or(|client| self.side_ref(client).is_fresh());
        if tunnel {
            return held;
        }
        match held {
            None if !unseen => None,
            _ => fields.upgrade.or(held).or(Some(Next::Anything)),
        }
    }

    fn switch(&mut self, to: Next, direction: Direction, rest: &[u8], facts: &mut Facts) -> Step {
        let mut client = self.held.take().map(|held| held.bytes).unwrap_or_default();
        let mut server = Vec::new();
        self.finish(facts);
        if self.is_client(direction) {
            client.extend(rest)
        } else {
            server.extend(rest)
        }
        match self.client {
            Some(Direction::Received) => Step::Switch { to, sent: server, received: client },
            Some(Direction::Sent) | None => Step::Switch { to, sent: client, received: server },
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        for direction in [Direction::Sent, Direction::Received] {
            let read = self.side(direction).finish();
            self.took(direction, read, facts);
        }
    }

    fn add_body(&self, bytes: u64, facts: &mut Facts) {
        if let Some(request) = self.place.and_then(|place| facts.requests.get_mut(place)) {
            request.body = request.body.saturating_add(bytes);
        }
    }

    fn set_class(&mut self, direction: Direction, fields: &Fields) {
        if direction == Direction::Sent {
            self.class = fields.class();
        }
    }

    fn kind_of_held(&self) -> Kind {
        let tunnel = self.held.as_ref().is_some_and(|held| held.asks.tunnel);
        if tunnel { Kind::Connect } else { Kind::Other }
    }

    /// Once it is known who is the client, a page about HTTP cannot pass for a request.
    fn expected(&self, direction: Direction) -> Expected {
        match self.client {
            None if self.side_ref(direction).is_fresh() => Expected::Either,
            _ if self.is_client(direction) => Expected::Requests,
            _ => Expected::Replies,
        }
    }

    fn is_client(&self, direction: Direction) -> bool {
        direction == self.client.unwrap_or(Direction::Sent)
    }

    fn side(&mut self, direction: Direction) -> &mut Messages {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    fn side_ref(&self, direction: Direction) -> &Messages {
        match direction {
            Direction::Sent => &self.sent,
            Direction::Received => &self.received,
        }
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.bytes.capacity());
        self.sent.held() + self.received.held() + self.asked.held() + held
    }
}

impl Kind {
    fn of(method: &str) -> Self {
        match method {
            "HEAD" => Self::Head,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

/// Bytes of a line that are kept. In a cookie's line more names may follow; they are not kept.
const LONGEST_SENT_LINE: usize = 4_096;
const LONGEST_RECEIVED_LINE: usize = 1_024;

/// What a client sends at most before its CONNECT or `Upgrade` is answered: an eager one sends a ClientHello,
/// which mostly is shorter. Past it the answer is taken for one that was not seen.
const WAITING: usize = 1_024;

/// RFC 9110 15.2.2.
const SWITCHING: u16 = 101;

fn count(direction: Direction, part: Part, body: Class, bytes: u64, facts: &mut Facts) {
    let Ok(bytes) = usize::try_from(bytes) else { return };
    match (direction, part) {
        (Direction::Received, _) => {}
        (Direction::Sent, Part::Head) => facts.count_content(Class::Searched, bytes),
        (Direction::Sent, Part::Body) => facts.count_content(body, bytes),
        (Direction::Sent, Part::Framing) => facts.count_handshake(bytes),
        (Direction::Sent, Part::Stray) => facts.count_content(Class::Opaque, bytes),
    }
}

fn set_status(question: Question, status: u16, facts: &mut Facts) {
    let place = question.place.map(usize::from);
    if let Some(request) = place.and_then(|place| facts.requests.get_mut(place)) {
        request.status = Some(status);
    }
}

#[cfg(test)]
pub(crate) mod tests;
