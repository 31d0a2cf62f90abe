//! As much of a DNS message (RFC 1035 4.1) as a forwarder has to understand: its question, and how
//! large an answer may be.

use bytes::Bytes;

/// Bytes of a header: id, flags, and four counts.
const HEADER: usize = 12;
/// The least that every asker can receive over UDP, RFC 1035 4.2.1.
const SMALLEST_ROOM: usize = 512;
/// The record type of EDNS, RFC 6891 6.1.2.
const OPT: u16 = 41;
/// The bit in the third byte that tells answers from questions.
const QR: u8 = 0x80;
/// The bit in the third byte that says: cut, ask again over TCP.
const TC: u8 = 0x02;

/// A question as an app asked it.
pub(super) struct Asked {
    message: Bytes,
    /// The one question that the message asks, as it stands there; empty where it is not one.
    question: Bytes,
    /// Bytes that the app can receive over UDP.
    room: usize,
}

impl Asked {
    /// `None`: this is no DNS message.
    pub(super) fn read(message: Bytes) -> Option<Self> {
        let header: &[u8; HEADER] = message.first_chunk()?;
        let question = match question_end(&message) {
            Some(end) if count(header, 0) == 1 => message.slice(HEADER..end),
            _ => Bytes::new(),
        };
        let room = edns(&message).map_or(SMALLEST_ROOM, |opt| opt.room.max(SMALLEST_ROOM));
        Some(Self { question, room, message })
    }

    /// The message under another id.
    pub(super) fn with_id(&self, id: [u8; 2]) -> Bytes {
        replace_id(&self.message, id)
    }

    /// Whether this is the answer to this question under that id (RFC 5452 9.1).
    pub(super) fn is_answered_by(&self, answer: &[u8], id: [u8; 2]) -> bool {
        let Some(header) = answer.first_chunk::<HEADER>() else { return false };
        let [id0, id1, flags, rcode, ..] = *header;
        let opcode = |flags: u8| flags & 0x78;
        [id0, id1] == id
            && flags & QR != 0
            && opcode(flags) == self.message.get(2).map_or(0, |asked| opcode(*asked))
            // A server that could not read the question need not repeat it.
            && (self.is_repeated_by(answer) || count(header, 0) == 0 && rcode & 0x0f != 0)
    }

    /// The answer as the app is to have it: under the app's id, and no larger than it can receive.
    pub(super) fn restore(&self, answer: &Bytes, over_tcp: bool) -> Bytes {
        let id = self.message.first_chunk().copied().unwrap_or_default();
        if over_tcp || answer.len() <= self.room {
            replace_id(answer, id)
        } else {
            replace_id(&cut(answer), id)
        }
    }

    /// Servers may change the case of names, not more.
    fn is_repeated_by(&self, answer: &[u8]) -> bool {
        let Some((name, kind)) = self.question.split_last_chunk::<4>() else { return true };
        let repeated = answer.get(HEADER..HEADER + self.question.len());
        repeated
            .and_then(<[u8]>::split_last_chunk::<4>)
            // Lengths of labels are below the letters, so ignoring case leaves them alone.
            .is_some_and(|(own_name, own_kind)| own_kind == kind && own_name.eq_ignore_ascii_case(name))
    }
}

/// Whether an answer helps, or another server may know more: SERVFAIL, NOTIMP and REFUSED do not.
pub(super) fn helps(answer: &[u8]) -> bool {
    !answer.get(3).is_some_and(|flags| matches!(flags & 0x0f, 2 | 4 | 5))
}

fn replace_id(message: &[u8], id: [u8; 2]) -> Bytes {
    let rest = message.get(2..).unwrap_or_default();
    [&id[..], rest].concat().into()
}

/// What is left of an answer that is too large: header, question and EDNS record, with TC set
/// (RFC 2181 9, RFC 6891 7).
fn cut(answer: &[u8]) -> Bytes {
    let end = question_end(answer).unwrap_or(HEADER);
    let opt = edns(answer).map(|opt| opt.record).unwrap_or_default();
    let Some([id0, id1, flags, rcode, q0, q1, ..]) = answer.first_chunk::<HEADER>().copied() else {
        return Bytes::new();
    };
    let questions = if end > HEADER { [q0, q1] } else { [0, 0] };
    let [q0, q1] = questions;
    let header = [id0, id1, flags | TC, rcode, q0, q1, 0, 0, 0, 0, 0, u8::from(!opt.is_empty())];
    [&header[..], answer.get(HEADER..end).unwrap_or_default(), opt].concat().into()
}

/// Where the questions end.
fn question_end(message: &[u8]) -> Option<usize> {
    Some(message.len() - behind_questions(message)?.len())
}

fn behind_questions(message: &[u8]) -> Option<&[u8]> {
    let (header, mut rest) = message.split_first_chunk::<HEADER>()?;
    for _ in 0..count(header, 0) {
        rest = skip_name(rest)?.get(4..)?;
    }
    Some(rest)
}

/// The EDNS record of a message.
struct Edns<'a> {
    room: usize,
    record: &'a [u8],
}

fn edns(message: &[u8]) -> Option<Edns<'_>> {
    let header = message.first_chunk::<HEADER>()?;
    let mut rest = behind_questions(message)?;
    let records = (1..=3).map(|section| usize::from(count(header, section))).sum();
    for _ in 0..records {
        // Type, class, time to live, length of the data.
        let (fields, data) = skip_name(rest)?.split_first_chunk::<10>()?;
        let [t0, t1, c0, c1, _, _, _, _, l0, l1] = *fields;
        let behind = data.get(usize::from(u16::from_be_bytes([l0, l1]))..)?;
        if u16::from_be_bytes([t0, t1]) == OPT {
            let record = rest.get(..rest.len() - behind.len())?;
            return Some(Edns { room: usize::from(u16::from_be_bytes([c0, c1])), record });
        }
        rest = behind;
    }
    None
}

/// What follows a name. Compressed names end at their pointer (RFC 1035 4.1.4).
fn skip_name(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, behind) = rest.split_first()?;
        match *length {
            0 => return Some(behind),
            1..=63 => rest = behind.get(usize::from(*length)..)?,
            192..=255 => return behind.get(1..),
            _ => return None,
        }
    }
}

/// The count of a section: questions, answers, authorities, additional records.
fn count(header: &[u8; HEADER], section: usize) -> u16 {
    let at = 4 + 2 * section;
    header.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |count| u16::from_be_bytes(*count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// id 0x1234, recursion desired, example.com A IN.
    const QUESTION: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";

    fn asked(message: &[u8]) -> Asked {
        Asked::read(Bytes::copy_from_slice(message)).unwrap()
    }

    fn with_opt(message: &[u8], room: u16) -> Vec<u8> {
        let mut message = message.to_vec();
        message[11] += 1;
        message.extend(b"\x00\x00\x29");
        message.extend(room.to_be_bytes());
        message.extend(b"\x00\x00\x00\x00\x00\x00");
        message
    }

    fn answer(records: usize) -> Vec<u8> {
        let mut answer = QUESTION.to_vec();
        answer[2] |= QR;
        answer[7] = u8::try_from(records).unwrap();
        for _ in 0..records {
            answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
        }
        answer
    }

    #[test]
    fn the_room_is_that_of_edns_and_at_least_512() {
        assert_eq!(asked(QUESTION).room, 512);
        assert_eq!(asked(&with_opt(QUESTION, 1232)).room, 1232);
        assert_eq!(asked(&with_opt(QUESTION, 100)).room, 512);
        assert_eq!(asked(&with_opt(QUESTION, 4096)[..35]).room, 512, "a cut record");
    }

    #[test]
    fn only_the_answer_to_this_question_is_taken() {
        let asked = asked(QUESTION);
        let id = [0x12, 0x34];
        let good = answer(1);
        assert!(asked.is_answered_by(&good, id));
        assert!(!asked.is_answered_by(&good, [0x12, 0x35]), "another id");
        assert!(!asked.is_answered_by(QUESTION, id), "no answer");
        assert!(!asked.is_answered_by(&good[..20], id), "cut");
        let changed = |at: usize, value: u8| {
            let mut other = good.clone();
            other[at] = value;
            asked.is_answered_by(&other, id)
        };
        assert!(changed(13, b'E'), "case may differ");
        assert!(!changed(13, b'f'), "another name");
        assert!(!changed(26, 28), "another type");
        assert!(!changed(2, QR | 0x20 | 0x01), "another operation");
    }

    #[test]
    fn a_type_is_not_compared_as_a_letter() {
        let mut https = QUESTION.to_vec();
        https[26] = b'A'; // type 65, HTTPS
        let mut reply = https.clone();
        reply[2] |= QR;
        assert!(asked(&https).is_answered_by(&reply, [0x12, 0x34]));
        reply[26] = b'a';
        assert!(!asked(&https).is_answered_by(&reply, [0x12, 0x34]));
    }

    #[test]
    fn a_refusal_need_not_repeat_the_question() {
        let refusal = b"\x12\x34\x81\x05\x00\x00\x00\x00\x00\x00\x00\x00";
        assert!(asked(QUESTION).is_answered_by(refusal, [0x12, 0x34]));
        assert!(!helps(refusal));
        let empty = b"\x12\x34\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        assert!(!asked(QUESTION).is_answered_by(empty, [0x12, 0x34]), "but an answer must");
    }

    #[test]
    fn what_is_no_message_is_not_asked() {
        assert!(Asked::read(Bytes::from_static(&QUESTION[..11])).is_none());
        assert!(Asked::read(Bytes::from_static(&QUESTION[..12])).is_some(), "a header is left to the server");
    }

    #[test]
    fn an_answer_gets_the_id_of_the_app_back() {
        let mut other = answer(1);
        other[..2].copy_from_slice(&[9, 9]);
        assert_eq!(asked(QUESTION).restore(&Bytes::from(other), false), answer(1));
    }

    #[test]
    fn an_answer_that_is_too_large_is_cut_for_udp_alone() {
        let asked = asked(QUESTION);
        let large = Bytes::from(with_opt(&answer(40), 1232));
        assert_eq!(asked.restore(&large, true), large);
        let mut expected = with_opt(QUESTION, 1232);
        expected[2] |= QR | TC;
        assert_eq!(asked.restore(&large, false), expected);
        let fits = Bytes::from(answer(30));
        assert_eq!(fits.len(), 29 + 30 * 16);
        assert_eq!(asked.restore(&fits, false), fits);
    }

    #[test]
    fn hostile_messages_are_survived() {
        for seed in 0..20_000_u32 {
            let mut bytes = with_opt(&answer(3), 1232);
            let at = seed as usize % bytes.len();
            bytes[at] = (seed.wrapping_mul(2_654_435_761) >> 24) as u8;
            bytes.truncate(bytes.len() - (seed as usize / 128) % bytes.len());
            if let Some(asked) = Asked::read(Bytes::from(bytes.clone())) {
                asked.is_answered_by(&bytes, [0x12, 0x34]);
                assert!(asked.restore(&Bytes::from(bytes.clone()), false).len() >= HEADER);
            }
        }
    }
}
