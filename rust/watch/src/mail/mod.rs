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
            self.learn(Some(Dialect::Xmpp), page);
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
        count(class_of(&self.client), self.client.bytes(), page);
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
            if self.client.take(&mut bytes, Dialect::line_end(self.dialect)) {
                self.command(page);
                count(class_of(&self.client), self.client.bytes(), page);
                self.client.next();
            }
        }
        Step::On
    }

    /// Only TLS has such a byte where a line begins. Then the consent was given, whether it was seen or not.
    fn begins_tls(&self, bytes: Reader<'_>) -> Likeness {
        const HANDSHAKE: u8 = 22;
        if self.client.is_empty() && bytes.rest().starts_with(&[HANDSHAKE]) {
            tls::looks_like(bytes.rest())
        } else {
            Likeness::No
        }
    }

    fn command(&mut self, page: &mut Page) {
        let Some(line) = self.client.line() else { return };
        if self.dialect.is_none() {
            let dialect = Dialect::of_command(line);
            self.learn(dialect, page);
        }
        self.asked = self.client.line().zip(self.dialect).and_then(|(line, dialect)| dialect.request(line));
    }

    fn received(&mut self, bytes: &[u8], page: &mut Page) -> Step {
        page.end(MESSAGE);
        page.close(MESSAGE);
        let mut bytes = Reader::new(bytes);
        while self.server.take(&mut bytes, Dialect::line_end(self.dialect)) {
            let consents = self.reply(page);
            self.server.next();
            if consents {
                return self.switch(bytes.rest(), page);
            }
        }
        Step::On
    }

    /// One line of the server; tells whether TLS follows.
    fn reply(&mut self, page: &mut Page) -> bool {
        let Some(line) = self.server.line() else { return false };
        let asked = self.asked.as_ref().filter(|_| self.greeted);
        let consents = asked.is_some_and(|request| request.is_granted_by(line));
        let greeting = Dialect::of_greeting(line).filter(|_| !self.greeted);
        self.greeted |= !dialect::goes_on(line);
        if self.dialect.is_none() {
            self.learn(greeting, page);
        }
        consents
    }

    fn switch(&mut self, received: &[u8], page: &mut Page) -> Step {
        let sent = std::mem::take(&mut self.hello);
        self.end(page);
        tls(sent, received.to_vec())
    }

    fn learn(&mut self, dialect: Option<Dialect>, page: &mut Page) {
        if let Some(dialect) = dialect {
            self.dialect = Some(dialect);
            page.facts.application = Some(dialect.application());
        }
    }
}

fn tls(sent: Vec<u8>, received: Vec<u8>) -> Step {
    Step::Switch { to: Next::Tls, sent, received }
}

/// The sheet of what the client says before the server speaks again.
const MESSAGE: u32 = 0;

fn class_of(lines: &Lines) -> Class {
    if lines.is_text() { Class::Searched } else { Class::Opaque }
}

fn count(class: Class, bytes: &[u8], page: &mut Page) {
    if !bytes.is_empty() && page.is_searching() {
        page.go_on(MESSAGE, Kind::Message);
    }
    page.write(MESSAGE, class, bytes);
}

#[cfg(test)]
mod tests;
