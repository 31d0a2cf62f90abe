//! Reads one DNS message (RFC 1035 4) as far as it goes: what is damaged costs what stands behind it, and
//! nothing that stands before.

use super::name;
use super::record::{self, Data};
use crate::reader::Reader;

/// What a message asks and says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Whether it is an answer.
    pub(super) response: bool,
    /// Whether the answer is an error, such as that there is no such name.
    pub(super) failed: bool,
    pub(super) questions: Vec<Question>,
    pub(super) answers: Vec<Record<'a>>,
    /// Those of the authority and the additional section, where they were asked for.
    pub(super) others: Vec<Record<'a>>,
    /// How many bytes were gone through: what stands behind them is none of it, but for zeros alone, with which
    /// DNSCrypt fills its questions for certificates.
    pub(super) len: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) kind: u16,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) data: Data,
    /// The same as it was sent.
    pub(super) bytes: &'a [u8],
}

/// Questions of one message that are read. DNS has one; mDNS asks for several services at once, a Mac for 17.
const QUESTIONS: u16 = 32;

/// Records of one section that are read. Names have a few addresses, large services a dozen.
const RECORDS: u16 = 32;

/// Values of one message that are looked at: a device tells some twenty of each of its services.
const VALUES: usize = 64;

/// What is longer and no text is no number either, and no digest: nobody understands it.
const UNDERSTOOD: usize = 64;

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

impl<'a> Message<'a> {
    /// Reads a message of a flow that speaks DNS by its port; all sections or questions and answers. `None` where not
    /// even the first question can be read. Its questions come into the list, which is empty.
    pub(super) fn read(bytes: &'a [u8], empty: Vec<Question>, all: bool) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader).filter(Header::is_plausible)?;
        let [questions, answers, authority, additional] = header.counts;
        let mut message = Self { questions: empty, ..Self::default() };
        (message.response, message.failed) = (header.response, header.rcode != 0);
        let record = |reader: &mut Reader<'a>| Record::read(bytes, reader);
        let _cut = several(questions, QUESTIONS, &mut reader, &mut message.questions, |reader| {
            Question::read(bytes, reader)
        }) && several(answers, RECORDS, &mut reader, &mut message.answers, record)
            && all
            && several(authority, RECORDS, &mut reader, &mut message.others, record)
            && several(additional, RECORDS, &mut reader, &mut message.others, record);
        let is_filling = all && reader.rest().iter().all(|byte| *byte == 0);
        message.len = if is_filling { bytes.len() } else { bytes.len() - reader.len() };
        (!message.questions.is_empty() || questions == 0 && !message.answers.is_empty()).then_some(message)
    }

    /// Every text in it that is one whole; of names that stand one after the other the first.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let questions = self.questions.iter().map(|question| question.name.as_str());
        let records = self.records().flat_map(|record| [Some(record.name.as_str()), record.data.names()]);
        let mut before = None;
        questions.chain(records.flatten()).filter(move |text| before.replace(*text) != Some(*text))
    }

    /// What else it says, as it was sent.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a [u8]> {
        self.all_values().take(VALUES)
    }

    /// Bytes of values that nobody looks at, or understands.
    pub(super) fn opaque(&self) -> usize {
        let is_opaque = |(place, value): &(usize, &[u8])| *place >= VALUES || !is_understood(value);
        self.all_values().enumerate().filter(is_opaque).map(|(_, value)| value.len()).sum()
    }

    /// Zeros at the end say nothing: they fill a question up (RFC 7830 3).
    fn all_values(&self) -> impl Iterator<Item = &'a [u8]> {
        let records = self.records().filter(|record| record.data.has_values());
        let values = records.flat_map(|record| record::values(record.kind, record.bytes));
        let without_filling = |value: &'a [u8]| value.get(..=value.iter().rposition(|byte| *byte != 0)?);
        values.filter_map(without_filling)
    }

    fn records(&self) -> impl Iterator<Item = &Record<'a>> {
        self.answers.iter().chain(&self.others)
    }
}

/// Whether a value is framing, as long as no detail is in it.
pub(super) fn is_understood(value: &[u8]) -> bool {
    value.len() <= UNDERSTOOD || str::from_utf8(value).is_ok()
}

/// Reads as many as there should be, `most` of them at most; tells whether these were all.
fn several<'a, T>(
    count: u16,
    most: u16,
    reader: &mut Reader<'a>,
    list: &mut Vec<T>,
    read: impl Fn(&mut Reader<'a>) -> Option<T>,
) -> bool {
    for _ in 0..count.min(most) {
        let mut ahead = *reader;
        let Some(item) = read(&mut ahead) else { return false };
        *reader = ahead;
        list.push(item);
    }
    count <= most
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

impl<'a> Record<'a> {
    fn read(message: &'a [u8], reader: &mut Reader<'a>) -> Option<Self> {
        let name = name::read(message, reader)?;
        let kind = reader.u16()?;
        let (_class, _lifetime) = (reader.u16()?, reader.u32()?);
        let data = reader.vector16()?;
        Some(Self { name, kind, data: record::data(message, kind, data), bytes: data.rest() })
    }
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
