//! Domain names in DNS messages, RFC 1035 3.1 and 4.1.4.

use crate::name_text::push_label;
use crate::reader::Reader;

/// A name has at most 255 bytes with its lengths, so at most 127 labels, and each pointer leads to
/// another label.
const LABELS: usize = 127;

/// The longest name, lengths of labels and the last zero included.
const LONGEST: usize = 255;

/// Most names are shorter.
const USUAL: usize = 32;

/// Reads a name, in lower case without the last dot; the root is `.`. Each pointer must lead further to the
/// left than the one before, so none can lead in a circle. `message` is all of it; the reader is left
/// behind the name. `None` for what is no name.
pub(super) fn read<'a>(message: &'a [u8], reader: &mut Reader<'a>) -> Option<String> {
    let mut text = Vec::with_capacity(USUAL);
    let mut ahead = *reader;
    let mut behind = None;
    let (mut len, mut before) = (1, message.len());
    for _ in 0..=2 * LABELS {
        match ahead.u8()? {
            0 => {
                *reader = behind.unwrap_or(ahead);
                text.is_empty().then(|| text.push(b'.'));
                return String::from_utf8(text).ok();
            }
            label @ 1..=63 => {
                len += 1 + usize::from(label);
                let label = ahead.take(label.into()).filter(|_| len <= LONGEST)?;
                if !text.is_empty() {
                    text.push(b'.');
                }
                push_label(&mut text, label);
            }
            high @ 0xc0.. => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(ahead.u8()?);
                behind.get_or_insert(ahead);
                ahead = Reader::new(message.get(target..).filter(|_| target < before)?);
                before = target;
            }
            // RFC 6891 5 and RFC 2673: kinds of labels that nobody uses any more.
            _ => return None,
        }
    }
    None
}

/// Passes over a name. `None` where it does not end.
pub(super) fn skip(reader: &mut Reader<'_>) -> Option<()> {
    for _ in 0..=LABELS {
        match reader.u8()? {
            0 => return Some(()),
            label @ 1..=63 => drop(reader.take(label.into())?),
            0xc0.. => return reader.u8().map(drop),
            _ => return None,
        }
    }
    None
}

/// A NetBIOS name (RFC 1001 14.1): sixteen bytes as thirty-two letters of one label, filled with spaces,
/// the last one the kind of service. `None` for a label that is no such name.
pub(super) fn netbios(name: &str) -> Option<String> {
    let label = name.split('.').next().filter(|label| label.len() == 32)?;
    let half = |letter: u8| letter.checked_sub(b'a').filter(|half| *half < 16);
    let mut bytes = Vec::with_capacity(16);
    for pair in label.as_bytes().chunks_exact(2) {
        let [high, low] = pair else { return None };
        bytes.push(half(*high)? << 4 | half(*low)?);
    }
    let (_kind, name) = bytes.split_last()?;
    let mut text = Vec::new();
    push_label(&mut text, name.trim_ascii_end());
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(message: &[u8], at: usize) -> Option<(String, usize)> {
        let mut reader = Reader::new(&message[at..]);
        let text = read(message, &mut reader)?;
        let mut skipped = Reader::new(&message[at..]);
        assert_eq!(skip(&mut skipped), Some(()), "what can be read can be passed over");
        assert_eq!(skipped.len(), reader.len());
        Some((text, message.len() - reader.len()))
    }

    #[test]
    fn names_end_at_the_root_or_behind_a_pointer() {
        let message = b"\x03wWw\x07Example\0\x01A\xc0\x04\xc0\x0d\0rest";
        assert_eq!(name(message, 0), Some(("www.example".into(), 13)));
        assert_eq!(name(message, 13), Some(("a.example".into(), 17)));
        assert_eq!(name(message, 17), Some(("a.example".into(), 19)), "a pointer to a pointer");
        assert_eq!(name(message, 19), Some((".".into(), 20)));
    }

    #[test]
    fn circles_and_pointers_to_nowhere_are_no_names() {
        for odd in [
            &b"\xc0\0"[..],
            b"\x01a\xc0\0",
            b"\xc0\x02\xc0\0",
            b"\xff\xff",
            b"\x41a",
            b"\x80a",
            b"\x05abc",
            b"\x01a",
            b"\xc0",
            b"",
        ] {
            assert_eq!(read(odd, &mut Reader::new(odd)), None, "{odd:?}");
        }
    }

    #[test]
    fn a_name_of_255_bytes_is_the_longest() {
        let label = [&[63][..], &[b'a'; 63]].concat();
        let long = |last: u8| {
            let end = [&[last][..], &vec![b'a'; last.into()], &[0]].concat();
            [&label[..], &label, &label, &end].concat()
        };
        assert_eq!(name(&long(61), 0).map(|(text, len)| (text.len(), len)), Some((253, 255)));
        assert_eq!(read(&long(62), &mut Reader::new(&long(62))), None);
    }

    #[test]
    fn netbios_names_are_told_in_clear() {
        assert_eq!(netbios("ejfdebfeebfacacacacacacacacacaaa").as_deref(), Some("isatap"));
        assert_eq!(netbios("ckaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").as_deref().map(|name| &name[..1]), Some("*"));
        assert_eq!(netbios("short"), None);
        assert_eq!(netbios("zzzzebfeebfacacacacacacacacacaaa"), None);
    }
}
