//! Our own resolver inside the tunnel: questions of apps go to the system's resolver through the shell,
//! over UDP and TCP (RFC 1035 4.2, RFC 7766), and every question is answered in the end.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use telltale_model::FlowNumber;

use crate::limits::{QUERIES, QUERIES_PER_CONNECTION, QUERY_TIME};
use crate::shared::Shared;
use crate::tcp::Flows;
use crate::udp::Datagrams;
use crate::{FlowId, Instant, Output, QueryId};

/// Length of a DNS header.
const HEADER: usize = 12;

/// Questions under way.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    queries: BTreeMap<u64, Query>,
    numbers: u64,
}

#[derive(Debug)]
struct Query {
    asker: Asker,
    question: Bytes,
    asked: Instant,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A datagram from this app to this address of ours.
    Datagram { app: SocketAddr, resolver: SocketAddr },
    /// A connection.
    Flow(FlowId),
}

/// Where answers go.
pub(crate) struct Ways<'a> {
    pub(crate) flows: &'a mut Flows,
    pub(crate) datagrams: &'a mut Datagrams,
}

impl Resolver {
    /// Passes a question on. One too many is answered with SERVFAIL at once; what is no DNS message is
    /// dropped.
    pub(crate) fn ask(
        &mut self,
        (asker, number): (Asker, FlowNumber),
        question: Bytes,
        ways: &mut Ways<'_>,
        shared: &mut Shared,
    ) {
        if question.len() < HEADER {
            shared.counters.malformed += 1;
            return;
        }
        if self.queries.len() >= QUERIES {
            return fail(asker, &question, ways, shared);
        }
        self.numbers += 1;
        let (query, over_tcp) = (QueryId(self.numbers), matches!(asker, Asker::Flow(_)));
        let question = Bytes::copy_from_slice(&question);
        self.queries.insert(query.0, Query { asker, question: question.clone(), asked: shared.now });
        shared.ask(Output::Query { query, number, message: question, over_tcp });
    }

    /// Reads the questions that a connection has sent so far, as long as it reads the answers too. Called
    /// at each of its segments, so that it goes on when some were acknowledged.
    pub(crate) fn read(&mut self, flow: FlowId, ways: &mut Ways<'_>, shared: &mut Shared) {
        let Some(number) = ways.flows.number(flow) else { return };
        while self.asked_by(flow) < QUERIES_PER_CONNECTION && ways.flows.room(flow, shared) > 0 {
            let Some(question) = next_message(ways.flows, flow) else { break };
            ways.flows.consumed(flow, 2 + question.len(), shared);
            self.ask((Asker::Flow(flow), number), question, ways, shared);
        }
        // What is left stays for longer than this turn.
        ways.flows.blocked(flow, shared);
        if ways.flows.app_finished(flow) && self.asked_by(flow) == 0 {
            ways.flows.finished(flow, shared);
        }
    }

    /// The shell has the answer, or knows that there will be none.
    pub(crate) fn answer(
        &mut self,
        id: QueryId,
        message: Option<Bytes>,
        ways: &mut Ways<'_>,
        shared: &mut Shared,
    ) {
        let Some(query) = self.queries.remove(&id.0) else { return };
        match message {
            Some(message) => deliver(query.asker, message, ways, shared),
            None => fail(query.asker, &query.question, ways, shared),
        }
        if let Asker::Flow(flow) = query.asker {
            self.read(flow, ways, shared);
        }
    }

    /// Answers what was asked too long ago.
    pub(crate) fn time_out(&mut self, ways: &mut Ways<'_>, shared: &mut Shared) {
        while let Some((&number, query)) = self.queries.first_key_value() {
            if query.asked + QUERY_TIME > shared.now {
                break;
            }
            shared.ask(Output::Forget(QueryId(number)));
            self.answer(QueryId(number), None, ways, shared);
        }
    }

    pub(crate) fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.queries.first_key_value().map(|(_, query)| (query.asked + QUERY_TIME, "dns query"))
    }

    fn asked_by(&self, flow: FlowId) -> usize {
        self.queries.values().filter(|query| query.asker == Asker::Flow(flow)).count()
    }
}

/// The next whole message of a connection: RFC 1035 4.2.2, two bytes of length before it.
fn next_message(flows: &Flows, flow: FlowId) -> Option<Bytes> {
    let mut bytes = flows.pending(flow).flatten().copied();
    let len = usize::from(u16::from_be_bytes([bytes.next()?, bytes.next()?]));
    (flows.pending_len(flow) >= 2 + len).then(|| bytes.take(len).collect())
}

fn deliver(asker: Asker, message: Bytes, ways: &mut Ways<'_>, shared: &mut Shared) {
    match asker {
        Asker::Datagram { app, resolver } => ways.datagrams.answer(app, resolver, message, shared),
        Asker::Flow(flow) => {
            let Ok(len) = u16::try_from(message.len()) else { return };
            let mut framed = BytesMut::with_capacity(2 + message.len());
            framed.put_u16(len);
            framed.extend_from_slice(&message);
            ways.flows.answer(flow, framed.freeze(), shared);
        }
    }
}

fn fail(asker: Asker, question: &Bytes, ways: &mut Ways<'_>, shared: &mut Shared) {
    shared.counters.queries_failed += 1;
    if let Some(message) = servfail(question) {
        deliver(asker, message, ways, shared);
    }
}

/// SERVFAIL to a question: its header and, where it can be read, the question itself (RFC 1035 4.1.1).
fn servfail(question: &Bytes) -> Option<Bytes> {
    let &[id_high, id_low, flags, _, ref counts @ ..] = question.get(..6)? else { return None };
    let asked = question_end(question).filter(|_| counts == [0, 1]);
    // QR and RA set, opcode and RD as they were, RCODE 2.
    let header =
        [id_high, id_low, 0x80 | (flags & 0x79), 0x82, 0, u8::from(asked.is_some()), 0, 0, 0, 0, 0, 0];
    let mut message = BytesMut::from(&header[..]);
    message.extend_from_slice(question.get(HEADER..asked.unwrap_or(HEADER))?);
    Some(message.freeze())
}

/// Where the first question ends: after its labels, type and class. `None` where it is not plain.
fn question_end(message: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let label = usize::from(*message.get(at)?);
        at += 1 + label;
        match label {
            0 => return (at + 4 <= message.len()).then_some(at + 4),
            1..=63 => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] =
        b"\x12\x34\x01\x20\0\x01\0\0\0\0\0\x01\x01a\x07example\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0";

    #[test]
    fn servfail_repeats_the_question_and_nothing_else() {
        let answer = servfail(&Bytes::from_static(QUESTION)).unwrap();
        assert_eq!(&answer[..], b"\x12\x34\x81\x82\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01");
    }

    #[test]
    fn a_question_that_cannot_be_read_is_left_out() {
        let looped = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01";
        let answer = servfail(&Bytes::from_static(looped)).unwrap();
        assert_eq!(&answer[..], b"\x12\x34\x81\x82\0\0\0\0\0\0\0\0");
    }
}
