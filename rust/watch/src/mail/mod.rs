//! Protocols of text lines that begin in clear and may go over to TLS: mail, file transfer, chat.

mod dialect;
mod lines;

use telltale_model::{Class, Direction};

use crate::page::{Kind, Page};
use crate::reader::Reader;
use crate::session::{Likeness, Next, Step};
use crate::tls;
use dialect::{Dialect, Request};
use lines::Lines;

pub(crate) use dialect::looks_like;

/// SMTP, IMAP, POP3, FTP or XMPP in clear, until the server consents to TLS.
///
/// What the client says in clear, commands and messages alike, is content: searched where it is text, else
/// opaque.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    dialect: Option<Dialect>,
    client: Lines,
    server: Lines,
    /// What may become a TLS hello in place of a line.
    hello: Vec<u8>,
    /// Whether the server has replied before: a greeting is no consent.
    greeted: bool,
    /// The client's request for TLS, as long as it waits for the reply.
    asked: Option<Request>,
    /// Whether anything came.
    begun: bool,
}

impl Mail {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The next bytes of a direction.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        let begins = !bytes.is_empty() && !std::mem::replace(&mut self.begun, true);
        if begins && bytes.starts_with(b"<") {
            learn(&mut self.dialect, Some(Dialect::Xmpp), page);
        }
        match direction {
            Direction::Received => self.received(bytes, page),
            Direction::Sent if self.hello.is_empty() => self.sent(bytes, page),
            Direction::Sent => {
                let bytes = [std::mem::take(&mut self.hello), bytes.to_vec()].concat();
                self.sent(&bytes, page)
            }
        }
    }

    /// Bytes are missing: of the present line, and who knows how many more.
    pub(crate) fn miss(&mut self, direction: Direction, _bytes: u64, page: &mut Page) {
        (self.begun, self.greeted) = (true, true);
        match direction {
            Direction::Received => self.server.cut(),
            Direction::Sent => {
                self.asked = None;
                self.let_go(page);
                page.close(MESSAGE);
                self.client.cut();
            }
        }
    }

    /// No more bytes come.
    pub(crate) fn end(&mut self, page: &mut Page) {
        self.let_go(page);
        page.end(MESSAGE);
        page.close(MESSAGE);
    }

    /// Counts what is held back.
    fn let_go(&mut self, page: &mut Page) {
        let hello = std::mem::take(&mut self.hello);
        count(Class::Opaque, &hello, page);
        count(class_of(self.client.begun().is_text()), self.client.begun().bytes(), page);
        self.client.clear();
    }

    /// Bytes of memory that are held beyond the session itself.
    pub(crate) fn held(&self) -> usize {
        self.client.held() + self.server.held() + self.hello.capacity()
    }

    fn sent(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        let mut bytes = Reader::new(bytes);
        while !bytes.is_empty() {
            match self.begins_tls(bytes) {
                Likeness::Yes => return tls(bytes.rest().to_vec(), Vec::new()),
                Likeness::Maybe => {
                    self.hello = bytes.rest().to_vec();
                    return Step::On;
                }
                Likeness::No => {}
            }
            let end = Dialect::line_end(self.dialect);
            if let Some(run) = self.client.take_run(&mut bytes, end, may_be_tls) {
                count(class_of(run.is_text), run.bytes, page);
                self.asked = asks(&mut self.dialect, run.bytes, run.last, page);
            } else if let Some(line) = self.client.take(&mut bytes, end) {
                count(class_of(line.is_text()), line.bytes(), page);
                if let Some(line) = line.whole() {
                    self.asked = asks(&mut self.dialect, line, line, page);
                }
            }
        }
        Step::On
    }

    /// Only TLS has such a byte where a line begins. Then the consent was given, whether it was seen or not.
    fn begins_tls(&self, bytes: Reader<'_>) -> Likeness {
        if self.client.is_empty() && may_be_tls(bytes.rest()) {
            tls::looks_like(bytes.rest(), true)
        } else {
            Likeness::No
        }
    }

    fn received(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        page.end(MESSAGE);
        page.close(MESSAGE);
        let mut bytes = Reader::new(bytes);
        while let Some(line) = self.server.take(&mut bytes, Dialect::line_end(self.dialect)) {
            let Some(line) = line.whole() else { continue };
            let asked = self.asked.as_ref().filter(|_| self.greeted);
            let consents = asked.is_some_and(|request| request.is_granted_by(line));
            if !self.greeted {
                learn(&mut self.dialect, Dialect::of_greeting(line), page);
            }
            self.greeted |= !dialect::goes_on(line);
            if consents {
                return self.switch(bytes.rest(), page);
            }
        }
        Step::On
    }

    fn switch(&mut self, received: &[u8], page: &mut Page) -> Step {
        let sent = std::mem::take(&mut self.hello);
        self.end(page);
        tls(sent, received.to_vec())
    }
}

/// What the last of some lines asks for, commands or lines of a message.
fn asks(known: &mut Option<Dialect>, lines: &[u8], last: &[u8], page: &mut Page) -> Option<Request> {
    if known.is_none() {
        let mut lines = lines.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        learn(known, lines.find_map(Dialect::of_command), page);
    }
    known.and_then(|dialect| dialect.request(last.trim_ascii()))
}

/// The first that is told stays.
fn learn(known: &mut Option<Dialect>, dialect: Option<Dialect>, page: &mut Page) {
    if known.is_none()
        && let Some(dialect) = dialect
    {
        *known = Some(dialect);
        page.facts.application = Some(dialect.application());
    }
}

fn tls(sent: Vec<u8>, received: Vec<u8>) -> Step {
    Step::Switch { to: Next::Tls, sent, received }
}

/// The sheet of what the client says before the server speaks again.
const MESSAGE: u32 = 0;

/// A record of handshake messages, and the high byte of any version (RFC 8446 5.1).
fn may_be_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [22] | [22, 3, ..])
}

fn class_of(is_text: bool) -> Class {
    if is_text { Class::Searched } else { Class::Opaque }
}

fn count(class: Class, bytes: &[u8], page: &mut Page) {
    if !bytes.is_empty() && page.is_searching() {
        page.go_on(MESSAGE, Kind::Message);
    }
    page.write(MESSAGE, class, bytes);
}

#[cfg(test)]
mod tests;
