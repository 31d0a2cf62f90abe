//! The system's resolvers: questions of apps go to them as they are, answers come back as they are.
//! Each attempt has a socket of its own with a random port and a random id (RFC 5452 9.2, 10), which
//! lives until the answer is there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use telltale_engine::{Input, Instant, QueryId};

use super::exchange::{Exchange, Progress};
use super::message::{self, Asked};
use super::source::Source;
use super::{LONGEST, OUTSTANDING};
use crate::poll::{Epoll, Token};
use crate::resolv::ResolvConf;
use crate::sys;

/// glibc's values and ceilings for `timeout:` (seconds) and `attempts:`, resolv.conf(5).
const TIMEOUT: (u64, u64) = (5, 30);
const ATTEMPTS: (u64, u64) = (2, 5);

/// Asks the system's name servers.
pub(crate) struct Servers {
    source: Option<Source>,
    system: System,
    /// The server that the next question asks first.
    first: usize,
    slots: Vec<Slot>,
    free: Vec<u32>,
    deadlines: BTreeSet<(Instant, u32)>,
    ids: RandomIds,
    /// What every exchange receives into.
    scratch: BytesMut,
}

/// The system's servers, and how it asks them.
struct System {
    servers: Vec<SocketAddr>,
    timeout: Duration,
    /// How many servers a question is sent to before it fails, repetitions counted.
    tries: usize,
    rotate: bool,
}

struct Slot {
    /// Grows with every attempt, so that late events of earlier ones are told apart.
    generation: u32,
    question: Option<Question>,
}

struct Question {
    query: QueryId,
    asked: Asked,
    over_tcp: bool,
    first: usize,
    tried: usize,
    /// What a server said that could not or would not help; the app gets it where no other knows more.
    refusal: Option<Bytes>,
    exchange: Option<Exchange>,
    deadline: Instant,
}

impl Servers {
    /// Asks these servers, and others as soon as the file at `source` names others.
    pub(crate) fn new(conf: &ResolvConf, source: Option<PathBuf>) -> Self {
        Self {
            source: source.map(Source::new),
            system: System::new(conf),
            first: 0,
            slots: Vec::new(),
            free: Vec::new(),
            deadlines: BTreeSet::new(),
            ids: RandomIds::default(),
            scratch: BytesMut::with_capacity(LONGEST),
        }
    }

    /// Asks a question. The answer is an input now or later, unless the question is forgotten.
    pub(crate) fn ask(
        &mut self,
        epoll: &Epoll,
        now: Instant,
        query: QueryId,
        message: Bytes,
        over_tcp: bool,
        inputs: &mut Vec<Input>,
    ) {
        if let Some(conf) = self.source.as_mut().and_then(|source| source.news(now)) {
            self.system = System::new(&conf);
        }
        match Asked::read(message).zip(self.free_slot()) {
            Some((asked, slot)) => {
                self.put(slot, Question::new(query, asked, over_tcp, self.first));
                self.try_next(epoll, now, slot, inputs);
            }
            None => inputs.push(Input::Answer { query, message: None }),
        }
        if self.system.rotate {
            self.first = (self.first + 1) % self.system.servers.len().max(1);
        }
    }

    /// The socket of an attempt is ready for something.
    pub(crate) fn ready(
        &mut self,
        epoll: &Epoll,
        now: Instant,
        slot: u32,
        generation: u32,
        inputs: &mut Vec<Input>,
    ) {
        let Some(entry) = self.slots.get_mut(place(slot)).filter(|entry| entry.generation == generation)
        else {
            return;
        };
        let Some(question) = &mut entry.question else { return };
        match question.advance(&mut self.scratch) {
            Progress::Waiting => {}
            Progress::Failed => self.try_next(epoll, now, slot, inputs),
            Progress::Answered(answer) if message::helps(&answer) => self.finish(slot, Some(answer), inputs),
            Progress::Answered(answer) => {
                question.refusal = Some(answer);
                self.try_next(epoll, now, slot, inputs);
            }
        }
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn forget(&mut self, query: QueryId) {
        let is_it = |slot: &Slot| slot.question.as_ref().is_some_and(|question| question.query == query);
        if let Some(slot) = self.slots.iter().position(is_it).and_then(|index| u32::try_from(index).ok()) {
            self.take(slot);
        }
    }

    /// Ends all questions, and says which they were.
    pub(crate) fn cancel(&mut self) -> Vec<QueryId> {
        let slots = (0..self.slots.len()).filter_map(|slot| u32::try_from(slot).ok());
        slots.filter_map(|slot| self.take(slot)).map(|question| question.query).collect()
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _slot)| *at)
    }

    /// Goes on to the next server where one has not answered in time.
    pub(crate) fn expire(&mut self, epoll: &Epoll, now: Instant, inputs: &mut Vec<Input>) {
        while let Some((at, slot)) = self.deadlines.first().copied() {
            if at > now {
                return;
            }
            self.try_next(epoll, now, slot, inputs);
        }
    }

    /// Sends the question to the next server that takes it. Where none is left, the question ends.
    fn try_next(&mut self, epoll: &Epoll, now: Instant, slot: u32, inputs: &mut Vec<Input>) {
        let Some(entry) = self.slots.get_mut(place(slot)) else { return };
        let Some(question) = &mut entry.question else { return };
        question.exchange = None;
        self.deadlines.remove(&(question.deadline, slot));
        let servers = &self.system.servers;
        // Repeating is for servers that say nothing.
        let tries = if question.refusal.is_some() { servers.len() } else { self.system.tries };
        while question.tried < tries {
            let Some(server) = servers.get((question.first + question.tried) % servers.len()) else { break };
            question.tried += 1;
            entry.generation = entry.generation.wrapping_add(1);
            let token = Token::Query { slot, generation: entry.generation };
            let started = self.ids.next().and_then(|id| {
                Exchange::start(epoll, token, *server, question.asked.with_id(id), question.over_tcp)
            });
            let Ok(exchange) = started else { continue };
            question.exchange = Some(exchange);
            question.deadline = now + self.system.timeout;
            self.deadlines.insert((question.deadline, slot));
            return;
        }
        let refusal = question.refusal.take();
        self.finish(slot, refusal, inputs);
    }

    fn finish(&mut self, slot: u32, answer: Option<Bytes>, inputs: &mut Vec<Input>) {
        let Some(question) = self.take(slot) else { return };
        let message = answer.map(|answer| question.asked.restore(&answer, question.over_tcp));
        inputs.push(Input::Answer { query: question.query, message });
    }

    fn free_slot(&mut self) -> Option<u32> {
        self.free.pop().or_else(|| {
            let index = u32::try_from(self.slots.len()).ok().filter(|_| self.slots.len() < OUTSTANDING)?;
            self.slots.push(Slot { generation: 0, question: None });
            Some(index)
        })
    }

    fn put(&mut self, slot: u32, question: Question) {
        if let Some(entry) = self.slots.get_mut(place(slot)) {
            entry.question = Some(question);
        }
    }

    fn take(&mut self, slot: u32) -> Option<Question> {
        let question = self.slots.get_mut(place(slot))?.question.take()?;
        self.deadlines.remove(&(question.deadline, slot));
        self.free.push(slot);
        Some(question)
    }
}

impl System {
    fn new(conf: &ResolvConf) -> Self {
        let bounded = |option, (usual, most): (u64, u64)| conf.number(option).unwrap_or(usual).clamp(1, most);
        let rounds = usize::try_from(bounded("attempts", ATTEMPTS)).unwrap_or(1);
        Self {
            servers: conf.nameservers.clone(),
            timeout: Duration::from_secs(bounded("timeout", TIMEOUT)),
            tries: rounds * conf.nameservers.len(),
            rotate: conf.has("rotate"),
        }
    }
}

impl Question {
    fn new(query: QueryId, asked: Asked, over_tcp: bool, first: usize) -> Self {
        let deadline = Instant::default();
        Self { query, asked, over_tcp, first, tried: 0, refusal: None, exchange: None, deadline }
    }

    fn advance(&mut self, scratch: &mut BytesMut) -> Progress {
        match &mut self.exchange {
            Some(exchange) => exchange.advance(&self.asked, scratch),
            None => Progress::Waiting,
        }
    }
}

/// Ids that nobody can guess, taken from the system some at a time.
#[derive(Default)]
struct RandomIds {
    pool: Vec<[u8; 2]>,
}

impl RandomIds {
    fn next(&mut self) -> std::io::Result<[u8; 2]> {
        if self.pool.is_empty() {
            let random = sys::random::<256>()?;
            self.pool.extend(random.chunks_exact(2).filter_map(|pair| pair.first_chunk().copied()));
        }
        Ok(self.pool.pop().unwrap_or_default())
    }
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
