//! The name server of the small internet: the DNS of RFC 1035, as far as a phone asks.

use std::net::Ipv4Addr;

use super::hosts::Place;

/// Bytes of a header: RFC 1035 4.1.1.
const HEADER: usize = 12;
/// Seconds for which an answer holds.
const TTL: u32 = 300;
const A: u16 = 1;
const IN: u16 = 1;

/// A question for the address of a host: RFC 1035 4.1.2.
pub(crate) fn question(id: u16, host: &str) -> Vec<u8> {
    let mut message = [id.to_be_bytes(), [1, 0], [0, 1], [0, 0], [0, 0], [0, 0]].concat();
    for label in host.split('.') {
        message.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend([A.to_be_bytes(), IN.to_be_bytes()].concat());
    message
}

/// What is said to a question, or `None` where it is no question. Of our hosts only IPv4 addresses exist.
pub(crate) fn answer(question: &[u8], place: Place) -> Option<Vec<u8>> {
    let (host, kind, end) = asked(question)?;
    let address = place.address(&host);
    let found = address.filter(|_| kind == A);
    // Of another kind there is nothing; of another host there is no such name: RFC 1035 4.1.1.
    let code = if address.is_some() { 0 } else { 3 };
    let mut message = question.get(..2)?.to_vec();
    message.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
    message.extend(question.get(HEADER..end)?);
    message.extend(found.map(record).unwrap_or_default());
    Some(message)
}

/// The name is that of the question, 12 bytes from the beginning: RFC 1035 4.1.4.
fn record(address: Ipv4Addr) -> Vec<u8> {
    let fixed = [[0xc0, 12], A.to_be_bytes(), IN.to_be_bytes()].concat();
    [&fixed[..], &TTL.to_be_bytes(), &[0, 4], &address.octets()].concat()
}

/// The name that is asked for, the kind of record, and where the question ends.
fn asked(message: &[u8]) -> Option<(String, u16, usize)> {
    let is_question = message.get(2)? & 0x80 == 0 && message.get(4..6)? == [0, 1];
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*message.get(at).filter(|length| **length < 64)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).into_owned());
        at += length;
    }
    let kind = u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?);
    let end = at + 4;
    (is_question && end <= message.len()).then(|| (labels.join("."), kind, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_an_address_and_another_does_not_exist() {
        let known = answer(&question(7, "Chat.Example.com"), Place::INTERNET).unwrap();
        assert_eq!(known[..12], [0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert!(known.ends_with(&[0, 4, 203, 0, 113, 73]), "{known:?}");
        let unknown = answer(&question(8, "example.com"), Place::INTERNET).unwrap();
        assert_eq!(unknown[..12], [0, 8, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn there_is_no_other_record() {
        let mut question = question(7, "chat.example.com");
        let kind = question.len() - 3;
        question[kind] = 28;
        let message = answer(&question, Place::INTERNET).unwrap();
        assert_eq!(message[..12], [0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        let whole = question(7, "chat.example.com");
        assert!((0..whole.len()).all(|length| answer(&whole[..length], Place::INTERNET).is_none()));
        let said = answer(&whole, Place::INTERNET).unwrap();
        assert_eq!(answer(&said, Place::INTERNET), None);
    }
}
