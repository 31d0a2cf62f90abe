//! DNS over UDP and TCP (RFC 1035, RFC 7766), and its relatives of the local network: multicast DNS
//! (RFC 6762), LLMNR (RFC 4795), NetBIOS names (RFC 1002).

mod asked;
mod known;
mod message;
mod name;
mod record;
mod stream;
mod svcb;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

use telltale_model::{Application, Class, Direction, Facts, Lookup, NameSource};

use crate::page::Page;
use crate::session::{Likeness, Step};
use asked::Asked;
use known::Known;
use message::{Message, Question, Record};
use record::Data;
use stream::Stream;
use svcb::Service;

/// A flow that speaks DNS.
#[derive(Debug)]
pub(crate) struct Dns {
    dialect: Dialect,
    /// What is half here, of either direction: TCP alone.
    streams: Option<[Stream; 2]>,
    /// What was answered and not yet taken.
    answers: Vec<Answer>,
    known: Known,
    asked: Asked,
    /// Bytes of memory behind what it told of lookups.
    told: usize,
    /// Bytes that were sent of a message that has not ended, with its length: not counted yet.
    waiting: usize,
    /// The list of the last message's questions, to be used again.
    list: Vec<Question>,
}

/// Whose questions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// To a resolver, about the whole Internet.
    Internet,
    /// To whoever is near.
    Multicast,
    /// The same, by Microsoft.
    Llmnr,
    /// The same, older.
    NetBios,
}

/// The addresses that a name was said to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What was asked for, as [`telltale_model::Name::name`] is written.
    pub(crate) name: String,
    /// Directly, over aliases, or as the hints of an HTTPS record.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether its HTTPS record says how to hide it in a hello (RFC 9848). Where it does not, there are addresses.
    pub(crate) hides: bool,
}

/// Questions of one answer that are looked at: resolvers answer one at a time (RFC 9619).
const ANSWERED: usize = 4;

/// Bytes of memory behind what is told of the questions of one flow: 512 usual ones have 60 KB, long ones from somebody
/// who means it 13 MB.
const TOLD: usize = 128 << 10;

/// Answers that wait to be taken, which happens after each piece.
const WAITING: usize = 64;

impl Dns {
    /// Of datagrams; `on_port` of a flow whose port is that of a resolver.
    pub(crate) fn over_udp(dialect: Dialect, on_port: bool) -> Self {
        let (answers, known, list) = (Vec::new(), Known::default(), Vec::new());
        let asked = Asked::new(on_port);
        Self { dialect, streams: None, answers, known, asked, told: 0, waiting: 0, list }
    }

    /// Of messages with their lengths before them.
    pub(crate) fn over_tcp(on_port: bool) -> Self {
        Self { streams: Some(Default::default()), ..Self::over_udp(Dialect::Internet, on_port) }
    }

    /// The next bytes; over UDP one datagram.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application.get_or_insert(self.dialect.application());
        if direction == Direction::Sent {
            self.asked.speak();
        }
        // They are put back below: a message is read by all of the rest.
        let Some(mut streams) = self.streams.take() else {
            let framing = self.read(direction, bytes, page);
            count(direction, framing, bytes.len() - framing, page);
            return Step::On;
        };
        let [sent, received] = &mut streams;
        let stream = if direction == Direction::Sent { sent } else { received };
        let (mut rest, mut left) = (bytes, bytes.len());
        while let Some(message) = stream.next(&mut rest) {
            let came = self.came(direction, left - rest.len());
            left = rest.len();
            let framing = stream::LENGTH + self.read(direction, message, page);
            count(direction, framing, came.saturating_sub(framing), page);
        }
        if direction == Direction::Sent {
            self.waiting += left - rest.len();
        }
        count(direction, 0, rest.len(), page);
        self.streams = Some(streams);
        Step::On
    }

    /// All bytes of a message, the last of which came now.
    fn came(&mut self, direction: Direction, now: usize) -> usize {
        if direction == Direction::Sent { std::mem::take(&mut self.waiting) + now } else { 0 }
    }

    /// Bytes are missing here.
    pub(crate) fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        if direction == Direction::Sent {
            self.let_go(page);
            self.asked.miss();
        }
        if let Some([sent, received]) = &mut self.streams {
            let stream = if direction == Direction::Sent { sent } else { received };
            stream.miss(bytes);
        }
    }

    /// No more come.
    pub(crate) fn end(&mut self, page: &mut Page) {
        self.let_go(page);
        self.streams = None;
    }

    /// A message that will not be whole is not understood.
    fn let_go(&mut self, page: &mut Page) {
        count(Direction::Sent, 0, std::mem::take(&mut self.waiting), page);
    }

    /// What was answered since the last call.
    pub(crate) fn take_answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }

    /// Bytes of memory behind it.
    pub(crate) fn held(&self) -> usize {
        self.told
            + self.known.held()
            + self.asked.held()
            + self.list.capacity() * size_of::<Question>()
            + self.streams.iter().flatten().map(Stream::held).sum::<usize>()
    }

    /// Reads one message, and says how many of its bytes are one.
    fn read(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> usize {
        let (list, sent) = (std::mem::take(&mut self.list), direction == Direction::Sent);
        let Some(mut message) = Message::read(bytes, list, sent) else { return 0 };
        self.dialect.rewrite(&mut message);
        look_at(direction, &mut message, page);
        let framing = if sent { message.len.saturating_sub(message.opaque()) } else { 0 };
        if message.response {
            self.answered(direction, &message, page);
        } else {
            for question in message.questions.drain(..) {
                let (hash, _) = self.lookup(Cow::Owned(question.name), question.kind, page);
                if sent {
                    self.asked.ask(hash);
                }
            }
            self.list = message.questions;
        }
        framing
    }

    /// Remembers a question once, and gives its hash and what is known of it.
    fn lookup<'a>(
        &mut self,
        name: Cow<'_, str>,
        kind: u16,
        page: &'a mut Page,
    ) -> (u64, Option<&'a mut Lookup>) {
        let kind = record::kind_name(kind);
        let hash = self.known.hash(&name, &kind);
        let lookup = match self.known.place(hash, &name, &kind, &page.facts.lookups) {
            Some(place) => page.facts.lookups.get_mut(place),
            None => self.remember(name, kind, hash, page),
        };
        (hash, lookup)
    }

    /// Names of the local network are no names of the Internet: they stay among the lookups.
    fn remember<'a>(
        &mut self,
        name: Cow<'_, str>,
        kind: Cow<'static, str>,
        hash: u64,
        page: &'a mut Page,
    ) -> Option<&'a mut Lookup> {
        if self.dialect == Dialect::Internet {
            page.add_name(&name, NameSource::Dns);
        }
        if page.facts.lookups.len() >= Facts::NAMES || self.told >= TOLD {
            return None;
        }
        let (query, kind) = (name.into_owned(), kind.into_owned());
        self.told += size_of::<Lookup>() + query.capacity();
        let (addresses, others) = (Vec::new(), Vec::new());
        page.facts.lookups.push(Lookup { query, kind, answered: false, addresses, others });
        self.known.add(hash, &page.facts.lookups);
        page.facts.lookups.last_mut()
    }

    fn answered(&mut self, direction: Direction, message: &Message<'_>, page: &mut Page) {
        for question in message.questions.iter().take(ANSWERED) {
            let records = belonging(question, &message.answers);
            let hash = self.tell(&question.name, question.kind, &records, page);
            if !message.failed && self.believes(direction, hash) {
                self.learn(asked_for(question), &records);
            }
        }
        // Of a zone transfer only the first message has its question (RFC 5936 2.2): nobody asked for each.
        if message.questions.is_empty() && self.dialect != Dialect::Internet {
            self.announced(&message.answers, page);
        }
    }

    /// An app that says itself what a name has names nothing, nor does whoever was not asked for it. Those that are near
    /// answer unasked.
    fn believes(&self, direction: Direction, question: u64) -> bool {
        self.dialect != Dialect::Internet || direction == Direction::Received && self.asked.has(question)
    }

    /// mDNS: answers come without their questions (RFC 6762 6), also to nobody's question.
    fn announced(&mut self, records: &[Record<'_>], page: &mut Page) {
        for record in records {
            self.tell(&record.name, record.kind, &[record], page);
            self.learn(&record.name, &[record]);
        }
    }

    /// Remembers what was answered, as far as there is room, and gives the question's hash.
    fn tell(&mut self, name: &str, kind: u16, records: &[&Record<'_>], page: &mut Page) -> u64 {
        let room = self.told < TOLD;
        let (hash, lookup) = self.lookup(Cow::Borrowed(name), kind, page);
        if let Some(lookup) = lookup {
            lookup.answered = true;
            self.told += if room { fill(lookup, records) } else { 0 };
        }
        hash
    }

    fn learn(&mut self, name: &str, records: &[&Record<'_>]) {
        let addresses = records.iter().flat_map(|record| addresses(&record.data)).copied();
        let addresses: Vec<IpAddr> =
            addresses.filter(|address| self.dialect.may_have(*address)).take(KEPT).collect();
        let hides =
            records.iter().any(|record| matches!(&record.data, Data::Service(service) if service.ech));
        let says = hides || !addresses.is_empty();
        if self.dialect.may_name(name) && says && self.answers.len() < WAITING {
            self.answers.push(Answer { name: name.to_owned(), addresses, hides });
        }
    }
}

impl Dialect {
    fn application(self) -> Application {
        match self {
            Self::Internet => Application::Dns,
            Self::Multicast => Application::Mdns,
            Self::Llmnr => Application::Llmnr,
            Self::NetBios => Application::Nbns,
        }
    }

    /// Whom its answers may name. Whoever is near may answer, and must not say which host of the Internet an address is:
    /// there, names end in `.local` (RFC 6762 3) or are of one label (RFC 4795 2, RFC 1001 14).
    fn may_name(self, name: &str) -> bool {
        self == Self::Internet || name.ends_with(".local") || !name.contains('.')
    }

    /// Which addresses they may have: whoever is near must not name one of the Internet.
    fn may_have(self, address: IpAddr) -> bool {
        match address {
            _ if self == Self::Internet => true,
            IpAddr::V4(four) => four.is_private() || four.is_link_local(),
            IpAddr::V6(six) => six.is_unique_local() || six.is_unicast_link_local(),
        }
    }

    /// NetBIOS hides names in other names.
    fn rewrite(self, message: &mut Message<'_>) {
        if self != Self::NetBios {
            return;
        }
        let names = message.questions.iter_mut().map(|question| &mut question.name);
        let records = message.answers.iter_mut().chain(&mut message.others);
        for name in names.chain(records.map(|record| &mut record.name)) {
            *name = name::netbios(name).unwrap_or_else(|| std::mem::take(name));
        }
    }
}

/// Has everything that was sent searched, and leaves of the texts what may be kept.
fn look_at(direction: Direction, message: &mut Message<'_>, page: &mut Page) {
    if !page.is_searching() {
        return;
    }
    if direction == Direction::Sent {
        message.texts().for_each(|text| page.ask(text));
        for value in message.values() {
            page.ask_value(value, if message::is_understood(value) { value.len() } else { 0 });
        }
    }
    let questions = message.questions.iter_mut().map(|question| &mut question.name);
    let records =
        message.answers.iter_mut().flat_map(|record| [Some(&mut record.name), record.data.text_mut()]);
    for text in questions.chain(records.flatten()) {
        *text = page.redact(text).unwrap_or_else(|| std::mem::take(text));
    }
}

/// Whether a datagram on any port is DNS.
pub(crate) fn looks_like(datagram: &[u8]) -> Likeness {
    if message::is_exact(datagram) { Likeness::Yes } else { Likeness::No }
}

/// Whether a datagram on a port of DNS or a relative is.
pub(crate) fn could_be(datagram: &[u8]) -> bool {
    message::begins(datagram).is_some()
}

/// Whether a stream begins with a message and its length. On any port the first message has to be whole and
/// right to the last byte, which its header may rule out; on that of DNS its first question is enough.
pub(crate) fn looks_like_stream(bytes: &[u8], on_port: bool) -> Likeness {
    let Some((len, rest)) = bytes.split_first_chunk() else { return Likeness::Maybe };
    let len = usize::from(u16::from_be_bytes(*len));
    let message = rest.get(..len);
    match message {
        _ if len < SHORTEST => Likeness::No,
        _ if on_port && could_be(message.unwrap_or(rest)) => Likeness::Yes,
        Some(message) => looks_like(message),
        None if on_port && rest.len() >= LONGEST_QUESTION => Likeness::No,
        None if !on_port && message::is_never_exact(rest) => Likeness::No,
        None => Likeness::Maybe,
    }
}

/// A header and a question about the root.
const SHORTEST: usize = 12 + 5;

/// A header and a question about a name of 255 bytes.
const LONGEST_QUESTION: usize = 12 + 259;

/// Counts bytes that are of messages, and others, which nobody understands.
fn count(direction: Direction, framing: usize, others: usize, page: &mut Page) {
    if direction == Direction::Sent {
        page.facts.count_handshake(framing);
        page.facts.count_content(Class::Opaque, others);
    }
}

/// The records that answer a question: of its name, and of all that it is an alias of (RFC 1034 3.6.2), in
/// whatever order they come. Names are compared by their places in a list: they may be long and nearly the same.
fn belonging<'a, 'b>(question: &Question, answers: &'a [Record<'b>]) -> Vec<&'a Record<'b>> {
    if answers.iter().all(|record| alias(record).is_none()) {
        return answers.iter().filter(|record| record.name == question.name).collect();
    }
    let mut names: Vec<&str> =
        answers.iter().flat_map(|record| [Some(&*record.name), alias(record)]).flatten().collect();
    names.push(&question.name);
    names.sort_unstable();
    let place = |name: &str| names.partition_point(|other| *other < name);
    let places: Vec<_> =
        answers.iter().map(|record| (place(&record.name), alias(record).map(place))).collect();
    let mut reached = BTreeSet::from([place(&question.name)]);
    loop {
        let before = reached.len();
        for (name, target) in &places {
            if reached.contains(name) {
                reached.extend(target);
            }
        }
        if reached.len() == before {
            let reached = answers.iter().zip(&places).filter(|(_, (name, _))| reached.contains(name));
            return reached.map(|(record, _)| record).collect();
        }
    }
}

fn alias<'a>(record: &'a Record<'_>) -> Option<&'a str> {
    if let Data::Alias(target) = &record.data { Some(target) } else { None }
}

/// The name that a connection goes to: HTTPS and SVCB questions have port and scheme before it
/// (RFC 9460 2.3, 9.1).
fn asked_for(question: &Question) -> &str {
    let Some((first, rest)) = question.name.split_once('.') else { return &question.name };
    match rest.strip_prefix("_https.") {
        Some(host) if question.kind == record::HTTPS && first.starts_with('_') => host,
        _ => &question.name,
    }
}

fn addresses(data: &Data) -> &[IpAddr] {
    match data {
        Data::Address(address) => std::slice::from_ref(address),
        Data::Service(service) => &service.hints,
        Data::Alias(_) | Data::Names(_) | Data::Values(_) => &[],
    }
}

/// Answers to one question that are kept: repeated questions may get others each time.
const KEPT: usize = 32;

/// Gives how many bytes of memory more are behind it.
fn fill(lookup: &mut Lookup, records: &[&Record<'_>]) -> usize {
    let before = behind(lookup);
    for record in records {
        for address in addresses(&record.data) {
            push(&mut lookup.addresses, *address);
        }
        match &record.data {
            Data::Address(_) => {}
            Data::Alias(text)
            | Data::Names(text)
            | Data::Values(text)
            | Data::Service(Service { text, .. }) => {
                push(&mut lookup.others, text.clone());
            }
        }
    }
    behind(lookup).saturating_sub(before)
}

fn behind(lookup: &Lookup) -> usize {
    let others: usize = lookup.others.iter().map(|text| size_of::<String>() + text.capacity()).sum();
    lookup.addresses.capacity() * size_of::<IpAddr>() + others
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.len() < KEPT && !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests;
