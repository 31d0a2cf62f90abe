//! HTTP/1.x (RFC 9110, RFC 9112) as servers accept it: bare LF, HTTP/0.9, folded fields, odd targets.
//!
//! Coverage of what is sent, where no details are looked for; else the search says what it could understand:
//! - heads and trailers are content, and searched;
//! - a body is searched where it is text without any coding (forms, JSON, XML, `text/*`), else opaque;
//! - chunk sizes and the line ends around chunks and messages are framing: handshake; what is said beside a size
//!   (RFC 9112 7.1.1) is opaque;
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
mod head;
mod line;
mod margin;
mod message;
pub(crate) mod section;
mod start;
mod text;
mod told;

pub use alone::{HttpEvent, read_http, read_http2};
use asked::{Asked, Kind, Question};
pub(crate) use fields::Fields;
use margin::Margin;
use message::{Ends, Expected, Messages, Part, Read};
use start::Start;
pub(crate) use start::{LONGEST_PATH, Target, looks_like, looks_like_reply, method_of};
use telltale_model::{Application, Class, Direction, NameSource};
pub(crate) use text::{host, text};
use told::{keeps_requests, set_status, tell};

use crate::http2;
use crate::page::{Kind as Sheet, Page};
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
    /// The place in [`telltale_model::Facts::requests`] of the request whose body is being read.
    place: Option<usize>,
    /// What the message that is being sent is to be counted as.
    class: Class,
    /// Bytes that were sent and are not counted yet, where they are to be searched.
    margin: Margin,
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
            margin: Margin::default(),
            asks: None,
            held: None,
        }
    }

    /// See [`crate::session`].
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application.get_or_insert(Application::Http);
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(to) = self.advance(direction, &mut rest, page) {
                return self.switch(to, direction, rest, page);
            }
        }
        Step::On
    }

    /// See [`crate::session`].
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        if self.is_client(direction)
            && let Some(held) = &mut self.held
        {
            let lost = std::mem::take(&mut held.bytes);
            return self.stray(direction, &lost, page);
        }
        let (read, knows) = self.side(direction).miss(bytes);
        if !knows {
            self.asked.clear();
            if self.is_client(direction) {
                self.asks = None;
            }
        }
        if direction == Direction::Sent && knows {
            page.tear(MESSAGE);
        }
        self.took(direction, &[], read, page);
        if direction == Direction::Sent {
            page.tear(STRAY);
        }
        self.begin_hold(direction);
    }

    /// See [`crate::session`].
    pub(crate) fn end(&mut self, page: &mut Page) {
        while let Some(held) = self.held.take() {
            self.release(held, page);
        }
        self.finish(page);
    }

    /// Takes bytes from the front of `rest`. What it gives is spoken from there on.
    fn advance(&mut self, direction: Direction, rest: &mut &[u8], page: &mut Page) -> Option<Next> {
        if self.is_client(direction) && self.held.is_some() {
            return self.hold(rest, page);
        }
        let expected = self.expected(direction);
        let kept = keeps_requests(page);
        let before = *rest;
        let read = self.side(direction).read(rest, expected, kept);
        let came = before.get(..before.len() - rest.len()).unwrap_or_default();
        self.tell_client(direction);
        let to = self.took(direction, came, read, page);
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
    fn hold(&mut self, rest: &mut &[u8], page: &mut Page) -> Option<Next> {
        let held = self.held.as_mut()?;
        if !held.asks.tunnel && held.bytes.is_empty() && looks_like(rest) == Likeness::Yes {
            self.held = None;
            return None;
        }
        let room = (WAITING - held.bytes.len()).min(rest.len());
        let (bytes, after) = rest.split_at_checked(room)?;
        held.bytes.extend(bytes);
        *rest = after;
        // In a tunnel HTTP may be spoken as well. But no upgraded protocol looks like it.
        let is_http = looks_like(&held.bytes) == Likeness::Yes;
        let full = held.bytes.len() >= WAITING;
        if is_http && (full || !held.asks.tunnel) {
            let held = self.held.take()?;
            return self.release(held, page);
        }
        // RFC 7540 3.2: the preface comes after the answer, so that was not seen.
        let granted = held.asks.to == Next::Http2 && http2::looks_like(&held.bytes) == Likeness::Yes;
        (full || granted).then_some(held.asks.to)
    }

    /// What was held back is HTTP after all, or nothing that can be told.
    fn release(&mut self, held: Held, page: &mut Page) -> Option<Next> {
        let client = self.client.unwrap_or(Direction::Sent);
        if looks_like(&held.bytes) == Likeness::No {
            self.stray(client, &held.bytes, page);
            return None;
        }
        let mut rest = held.bytes.as_slice();
        let mut to = None;
        while !rest.is_empty() {
            // Requests alone never switch; another hold does, and then it has taken all.
            to = self.advance(client, &mut rest, page);
        }
        to
    }

    /// Takes in what was read, and the bytes that were read last. What it gives is spoken from there on.
    fn took(&mut self, direction: Direction, came: &[u8], read: Read, page: &mut Page) -> Option<Next> {
        if direction == Direction::Sent {
            self.write(came, &read, page);
        }
        if read.of == Part::Body && self.is_client(direction) {
            self.add_body(read.bytes, page);
        }
        let to = read.head.and_then(|whole| self.head(direction, whole, page));
        if direction == Direction::Sent && page.is_searching() && self.sent.is_outside() {
            if self.sent.is_between() {
                page.end(MESSAGE);
            }
            page.close(MESSAGE);
        }
        to
    }

    fn head(&mut self, direction: Direction, whole: bool, page: &mut Page) -> Option<Next> {
        match self.side(direction).begun()? {
            Start::Request(_) => self.request(direction, whole, page).and(None),
            Start::Status(status) => {
                let status = *status;
                self.reply(direction, status, whole, page)
            }
        }
    }

    /// Counts what was sent, and has it searched.
    fn write(&mut self, came: &[u8], read: &Read, page: &mut Page) {
        let (of, class) = (read.of, self.class);
        if !page.is_searching() {
            self.margin.clear();
            return count(of, class, usize::try_from(read.bytes).unwrap_or(usize::MAX), page);
        }
        if of == Part::Head && read.bytes > 0 && !page.is_in_head(MESSAGE) {
            // What begins a message is no trailer of the one before.
            let divide = if self.sent.begun().is_some() || read.head.is_some() {
                page.close(MESSAGE);
                head::divide
            } else {
                head::divide_trailers
            };
            page.begin(MESSAGE, Sheet::Head(divide));
        }
        self.margin.take(came, read.bytes, |bytes, lost| write(of, class, bytes, lost, page));
    }

    /// Bytes that are no part of a message.
    fn stray(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        if direction == Direction::Sent {
            page.write(STRAY, Class::Opaque, bytes);
        }
    }

    /// The head of what is sent has ended; so much of a body follows.
    fn end_head(&self, direction: Direction, whole: bool, body: Option<Sheet>, page: &mut Page) {
        if let Some(body) = body.filter(|_| direction == Direction::Sent) {
            page.end_head(MESSAGE, self.place, whole);
            if whole {
                page.begin(MESSAGE, body);
            }
        }
    }

    fn request(&mut self, direction: Direction, whole: bool, page: &mut Page) -> Option<()> {
        let messages = self.side(direction);
        let (target, fields) = messages.request()?;
        let kind = Kind::of(&target.method);
        let ends = if kind == Kind::Connect { Ends::After(0) } else { Ends::of(fields, Ends::After(0)) };
        let asks = match kind {
            Kind::Connect => Some(Asks { to: Next::Anything, tunnel: true }),
            Kind::Head | Kind::Other => fields.upgrade.map(|to| Asks { to, tunnel: false }),
        };
        let simple = target.simple;
        let class = fields.class();
        let body = page.is_searching().then(|| fields.body());
        if keeps_requests(page) {
            let (target, fields) = messages.take_request()?;
            self.place = tell(target, fields, direction, page);
        } else {
            let hosts = target.host.iter().chain(fields.hosts());
            hosts.for_each(|name| page.add_name(name, NameSource::Http));
            self.place = None;
            self.side(direction).pass_head();
        }
        self.set_class(direction, class);
        self.end_head(direction, whole, body, page);
        // HTTP/0.9 has no status, and nothing follows.
        if !simple {
            let place = self.place.and_then(|place| u8::try_from(place).ok());
            self.asked.push(Question { place, kind });
        }
        if whole {
            self.asks = asks;
            self.side(direction).begin_body(ends);
        }
        Some(())
    }

    fn reply(&mut self, direction: Direction, status: u16, whole: bool, page: &mut Page) -> Option<Next> {
        let messages = self.side(direction);
        let fields = messages.fields();
        let (class, upgrade, ends) = (fields.class(), fields.upgrade, Ends::of(fields, Ends::Closing));
        let body = page.is_searching().then(|| fields.body());
        messages.pass_head();
        self.set_class(direction, class);
        self.end_head(direction, whole, body, page);
        if (100..200).contains(&status) && status != SWITCHING {
            return None;
        }
        let unseen = Question { place: None, kind: self.kind_of_held() };
        let question = self.asked.pop().unwrap_or(unseen);
        set_status(question, status, page);
        let tunnel = question.kind == Kind::Connect && (200..300).contains(&status);
        if whole && (tunnel || status == SWITCHING) {
            return self.switches(upgrade, tunnel);
        }
        let empty = status == 204 || status == 304 || question.kind == Kind::Head;
        if whole {
            let ends = if empty { Ends::After(0) } else { ends };
            self.side(direction).begin_body(ends);
        }
        if whole
            && self.asked.is_empty()
            && let Some(held) = self.held.take()
        {
            return self.release(held, page);
        }
        None
    }

    /// What follows an answer that ends HTTP here, unless the client is not there yet or went on with HTTP.
    fn switches(&self, upgrade: Option<Next>, tunnel: bool) -> Option<Next> {
        let held = self.held.as_ref().map(|held| held.asks.to);
        let unseen = self.client.is_none_or(|client| self.side_ref(client).is_fresh());
        if tunnel {
            return held;
        }
        match held {
            None if !unseen => None,
            _ => upgrade.or(held).or(Some(Next::Anything)),
        }
    }

    fn switch(&mut self, to: Next, direction: Direction, rest: &[u8], page: &mut Page) -> Step {
        let mut client = self.held.take().map(|held| held.bytes).unwrap_or_default();
        let mut server = Vec::new();
        self.finish(page);
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

    fn finish(&mut self, page: &mut Page) {
        for direction in [Direction::Sent, Direction::Received] {
            if direction == Direction::Sent && self.sent.ends_with_connection() {
                page.end(MESSAGE);
            }
            let read = self.side(direction).finish();
            self.took(direction, &[], read, page);
        }
        page.close(STRAY);
    }

    fn add_body(&self, bytes: u64, page: &mut Page) {
        if let Some(request) = self.place.and_then(|place| page.facts.requests.get_mut(place)) {
            request.body = request.body.saturating_add(bytes);
        }
    }

    fn set_class(&mut self, direction: Direction, class: Class) {
        if direction == Direction::Sent {
            self.class = class;
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
        self.sent.held() + self.received.held() + self.asked.held() + self.margin.held() + held
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

/// The sheets of what is sent: the message in progress, and what belongs to none.
const MESSAGE: u32 = 0;
const STRAY: u32 = 1;

fn count(of: Part, body: Class, bytes: usize, page: &mut Page) {
    match of {
        Part::Head => page.facts.count_content(Class::Searched, bytes),
        Part::Body => page.facts.count_content(body, bytes),
        Part::Framing => page.facts.count_handshake(bytes),
        Part::Stray => page.facts.count_content(Class::Opaque, bytes),
    }
}

/// The same where it is searched. So many bytes more are told and not here.
fn write(of: Part, body: Class, bytes: &[u8], lost: u64, page: &mut Page) {
    let lost = usize::try_from(lost).unwrap_or(usize::MAX);
    let (number, class) = match of {
        Part::Head => (MESSAGE, Class::Searched),
        Part::Body => (MESSAGE, body),
        Part::Stray => (STRAY, Class::Opaque),
        Part::Framing => return page.facts.count_handshake(bytes.len() + lost),
    };
    page.write(number, class, bytes);
    if lost > 0 {
        page.tear(number);
        page.facts.count_content(Class::Opaque, lost);
    }
}

#[cfg(test)]
pub(crate) mod tests;
