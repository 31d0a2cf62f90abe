//! Reads one DNS message (RFC 1035 4) as far as it goes: what is damaged costs what stands behind it, and
//! nothing that stands before.

use super::name;
use super::record::{self, Data};
use crate::reader::Reader;

/// What a message asks and says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// Whether it is an answer.
    pub(super) response: bool,
    /// Whether the answer is an error, such as that there is no such name.
    pub(super) failed: bool,
    pub(super) questions: Vec<Question>,
    pub(super) answers: Vec<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) kind: u16,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) data: Data,
}

/// Questions of one message that are read. DNS has one; mDNS asks for several services at once.
const QUESTIONS: u16 = 16;

/// Answers of one message that are read. Names have a few addresses, large services a dozen.
const ANSWERS: u16 = 32;

/// More questions than this make a message no DNS: a header of other bytes has thousands.
const PLAUSIBLE: u16 = 64;

/// RFC 1035 4.1.1.
struct Header {
    response: bool,
    opcode: u8,
    reserved: bool,
    rcode: u8,
    /// Questions, answers, authority, additional.
    counts: [u16; 4],
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [_, _, high, low] = reader.array()?;
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        Some(Self {
            response: high & 0x80 != 0,
            opcode: high >> 3 & 0x0f,
            reserved: low & 0x40 != 0,
            rcode: low & 0x0f,
            counts,
        })
    }

    /// RFC 1035, 1996, 2136, 8490: query, inverse query, status, notify, update, stateful operation.
    fn is_plausible(&self) -> bool {
        let [questions, ..] = self.counts;
        matches!(self.opcode, 0..=2 | 4..=6) && questions <= PLAUSIBLE && (questions > 0 || self.response)
    }

    /// A query about one name, or its answer, with nothing that is not in use.
    fn is_sane(&self) -> bool {
        let [questions, answers, ..] = self.counts;
        let code = if self.response { self.rcode <= 10 } else { self.rcode == 0 && answers == 0 };
        self.opcode == 0 && !self.reserved && questions == 1 && code
    }
}

impl Message {
    /// Reads a message of a flow that speaks DNS by its port. `None` where not even the first question can
    /// be read. Its questions come into the list, which is empty.
    pub(super) fn read(bytes: &[u8], empty: Vec<Question>) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader).filter(Header::is_plausible)?;
        let mut message = Self {
            response: header.response,
            failed: header.rcode != 0,
            questions: empty,
            answers: Vec::new(),
        };
        let [questions, answers, ..] = header.counts;
        for _ in 0..questions.min(QUESTIONS) {
            let Some(question) = Question::read(bytes, &mut reader) else {
                return (!message.questions.is_empty()).then_some(message);
            };
            message.questions.push(question);
        }
        if questions <= QUESTIONS {
            let records = (0..answers.min(ANSWERS)).map_while(|_| Record::read(bytes, &mut reader));
            message.answers.extend(records);
        }
        (questions > 0 || !message.answers.is_empty()).then_some(message)
    }
}

impl Question {
    fn read<'a>(message: &'a [u8], reader: &mut Reader<'a>) -> Option<Self> {
        Self::read_with_class(message, reader).map(|(question, _class)| question)
    }

    fn read_with_class<'a>(message: &'a [u8], reader: &mut Reader<'a>) -> Option<(Self, u16)> {
        let name = name::read(message, reader)?;
        Some((Self { name, kind: reader.u16()? }, reader.u16()?))
    }
}

impl Record {
    fn read<'a>(message: &'a [u8], reader: &mut Reader<'a>) -> Option<Self> {
        let name = name::read(message, reader)?;
        let kind = reader.u16()?;
        let (_class, _lifetime) = (reader.u16()?, reader.u32()?);
        let data = reader.vector16()?;
        Some(Self { name, kind, data: record::data(message, kind, data) })
    }
}

/// How many bytes are a message: its header, and questions and records as many as that says, up to the first that is
/// cut. What stands behind is none of it, but for zeros alone, with which DNSCrypt fills its questions for certificates.
pub(super) fn len(bytes: &[u8]) -> usize {
    let mut reader = Reader::new(bytes);
    let Some(Header { counts: [questions, records @ ..], .. }) = Header::read(&mut reader) else { return 0 };
    let records: u32 = records.into_iter().map(u32::from).sum();
    if (0..questions).all(|_| pass(&mut reader, |_| Some(())).is_some()) {
        let _cut = (0..records).all(|_| pass(&mut reader, pass_data).is_some());
    }
    let is_filling = reader.rest().iter().all(|byte| *byte == 0);
    if is_filling { bytes.len() } else { bytes.len() - reader.len() }
}

/// Passes over a name, kind and class, and what `more` does; over all or nothing.
fn pass(reader: &mut Reader<'_>, more: impl Fn(&mut Reader<'_>) -> Option<()>) -> Option<()> {
    let mut ahead = *reader;
    name::skip(&mut ahead)?;
    ahead.take(4)?;
    more(&mut ahead)?;
    *reader = ahead;
    Some(())
}

/// Lifetime and data of a record.
fn pass_data(reader: &mut Reader<'_>) -> Option<()> {
    reader.take(4)?;
    reader.vector16().map(drop)
}

/// Whether [`Message::read`] would find one: its first question or record tells, all others may be long.
pub(super) fn begins(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let header = Header::read(&mut reader).filter(Header::is_plausible)?;
    match header.counts {
        [0, 0, ..] => None,
        [0, ..] => Record::read(bytes, &mut reader).map(drop),
        [..] => Question::read(bytes, &mut reader).map(drop),
    }
}

/// Whether bytes on any port are a message from the first to the last byte: one question of a known kind
/// and class, and as many records as its header says. Random bytes pass once in 10^20.
pub(super) fn is_exact(bytes: &[u8]) -> bool {
    exact(bytes).is_some()
}

/// Whether the header is here, and rules out that a message is exact when all of it has come.
pub(super) fn is_never_exact(beginning: &[u8]) -> bool {
    Header::read(&mut Reader::new(beginning)).is_some_and(|header| !header.is_sane())
}

/// Records that are passed over at most to see whether a message ends where it says.
const EXACT: u16 = 256;

fn exact(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let header = Header::read(&mut reader)?;
    let [_, answers, authority, additional] = header.counts;
    let (question, class) = Question::read_with_class(bytes, &mut reader).filter(|_| header.is_sane())?;
    // Internet, Chaos, Hesiod, any: RFC 6895 3.2.
    let known = record::is_known(question.kind) && matches!(class, 1 | 3 | 4 | 255);
    let records =
        answers.checked_add(authority)?.checked_add(additional).filter(|all| *all <= EXACT && known)?;
    for _ in 0..records {
        pass(&mut reader, pass_data)?;
    }
    reader.is_empty().then_some(())
}
