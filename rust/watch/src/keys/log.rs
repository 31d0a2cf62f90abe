//! A key log: the secrets that programs wrote of their own connections, one on a line (RFC 9850 2).

use std::collections::{BTreeMap, VecDeque};

use super::secret::Secret;

/// What tells one connection from another: the random value in its ClientHello.
pub(super) type Random = [u8; 32];

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// The master secret of TLS 1.2 and before.
    Master,
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    /// The first one of the client's application data; the next ones follow from it.
    Client,
    Server,
}

/// The secrets of many connections, within a bound: past it those of the oldest connection go.
#[derive(Debug, Default)]
pub struct KeyLog {
    secrets: BTreeMap<(Random, Label), Secret>,
    order: VecDeque<(Random, Label)>,
    line: Vec<u8>,
    /// Whether the present line is too long to be one.
    overlong: bool,
    strange: u64,
}

/// Secrets that are kept: those of some 13,000 connections of TLS 1.3. About 200 bytes each: 13 MB.
const SECRETS: usize = 65_536;

/// The longest line that is understood has 31 + 1 + 64 + 1 + 96 characters.
const LONGEST_LINE: usize = 512;

impl KeyLog {
    /// Takes the next bytes of a log, in pieces of any size.
    pub fn take(&mut self, bytes: &[u8]) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            self.hold(line);
            self.end_line();
        }
        self.hold(last);
    }

    /// The log ends here, with a line feed or without.
    pub fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.overlong) {
            self.strange = self.strange.saturating_add(1);
            return;
        }
        match secret_of(line.trim_ascii()) {
            Line::Secret(random, label, secret) => self.add((random, label), secret),
            Line::Other => {}
            Line::Strange => self.strange = self.strange.saturating_add(1),
        }
    }

    /// Secrets that are known.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether no secret is known.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Lines that have not the form of a key log. A file full of them is none.
    pub fn strange(&self) -> u64 {
        self.strange
    }

    pub(super) fn get(&self, random: &Random, label: Label) -> Option<Secret> {
        self.secrets.get(&(*random, label)).copied()
    }

    fn hold(&mut self, part: &[u8]) {
        self.overlong |= self.line.len() + part.len() > LONGEST_LINE;
        if !self.overlong {
            self.line.extend_from_slice(part);
        }
    }

    fn add(&mut self, of: (Random, Label), secret: Secret) {
        if self.secrets.insert(of, secret).is_none() {
            self.order.push_back(of);
        }
        if self.order.len() > SECRETS
            && let Some(oldest) = self.order.pop_front()
        {
            self.secrets.remove(&oldest);
        }
    }
}

/// What a line says.
enum Line {
    Secret(Random, Label, Secret),
    /// A comment, or a secret that nothing here needs.
    Other,
    Strange,
}

fn secret_of(line: &[u8]) -> Line {
    if line.first().is_none_or(|first| *first == b'#') {
        return Line::Other;
    }
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(label), Some(random), Some(secret), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Line::Strange;
    };
    let (mut bytes, mut room) = (Random::default(), [0; Secret::LONGEST]);
    if unhex(random, &mut bytes).is_none_or(|rest| !rest.is_empty()) {
        return Line::Strange;
    }
    let Some(label) = label_of(label) else { return Line::Other };
    let secret =
        unhex(secret, &mut room).map(|rest| rest.len()).and_then(|rest| room.get(..room.len() - rest));
    match secret.and_then(Secret::new) {
        Some(secret) if secret.bytes().len() >= SHORTEST => Line::Secret(bytes, label, secret),
        _ => Line::Strange,
    }
}

/// SHA-256 is the shortest hash of any suite.
const SHORTEST: usize = 32;

/// RFC 9850 2.1, 2.2.
fn label_of(word: &[u8]) -> Option<Label> {
    match word {
        b"CLIENT_RANDOM" => Some(Label::Master),
        b"CLIENT_EARLY_TRAFFIC_SECRET" => Some(Label::ClientEarly),
        b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Some(Label::ClientHandshake),
        b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Some(Label::ServerHandshake),
        b"CLIENT_TRAFFIC_SECRET_0" => Some(Label::Client),
        b"SERVER_TRAFFIC_SECRET_0" => Some(Label::Server),
        _ => None,
    }
}

/// Writes the bytes of hexadecimal digits to the front of `room`, and gives what is left of it. `None` where
/// they are none, or too many.
fn unhex<'a>(digits: &[u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let (bytes, left) = room.split_at_mut_checked(pairs.len()).filter(|_| rest.is_empty())?;
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? << 4 | low?).ok()?;
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(number: u32) -> String {
        format!("{number:064x}")
    }

    fn log(text: &str) -> KeyLog {
        let mut log = KeyLog::default();
        log.take(text.as_bytes());
        log.end_line();
        log
    }

    fn get(log: &KeyLog, number: u32, label: Label) -> Option<Vec<u8>> {
        let mut bytes = Random::default();
        bytes[28..].copy_from_slice(&number.to_be_bytes());
        log.get(&bytes, label).map(|secret| secret.bytes().to_vec())
    }

    #[test]
    fn secrets_are_found_by_the_random_value_of_their_connection() {
        let (master, traffic) = ("ab".repeat(48), "CD".repeat(32));
        let text = format!(
            "# a comment\n\nCLIENT_RANDOM {} {master}\r\nEXPORTER_SECRET {} {traffic}\nSERVER_TRAFFIC_SECRET_0 {} {traffic}",
            random(1),
            random(2),
            random(2)
        );
        let log = log(&text);
        assert_eq!(get(&log, 1, Label::Master), Some(vec![0xab; 48]));
        assert_eq!(get(&log, 2, Label::Server), Some(vec![0xcd; 32]));
        assert_eq!((get(&log, 2, Label::Client), log.len(), log.strange()), (None, 2, 0));
    }

    #[test]
    fn a_log_may_come_in_any_pieces() {
        let text = format!("CLIENT_TRAFFIC_SECRET_0 {} {}\n", random(7), "01".repeat(48));
        let mut log = KeyLog::default();
        text.as_bytes().chunks(3).for_each(|piece| log.take(piece));
        assert_eq!(get(&log, 7, Label::Client), Some(vec![1; 48]));
    }

    #[test]
    fn what_is_no_key_log_is_counted_and_not_kept() {
        let short = format!("CLIENT_RANDOM {} abcd", random(1));
        let odd = format!("CLIENT_RANDOM {} {}0", random(1), "ab".repeat(48));
        let long = format!("CLIENT_RANDOM {} {}", random(1), "ab".repeat(49));
        let overlong = "x".repeat(100_000);
        for line in ["GET / HTTP/1.1", &short, &odd, &long, &overlong, "CLIENT_RANDOM zz ab", "\0\u{1}"] {
            let log = log(line);
            assert_eq!((log.len(), log.strange()), (0, 1), "{line:.40}");
        }
    }

    #[test]
    fn the_oldest_secrets_make_room() {
        let mut log = KeyLog::default();
        for number in 0..70_000 {
            log.take(format!("CLIENT_RANDOM {} {}\n", random(number), "ab".repeat(48)).as_bytes());
        }
        assert_eq!((log.len(), log.order.len()), (SECRETS, SECRETS));
        assert!(get(&log, 69_999, Label::Master).is_some() && get(&log, 0, Label::Master).is_none());
    }

    #[test]
    fn no_secret_is_ever_shown() {
        let log = log(&format!("CLIENT_RANDOM {} {}", random(1), "ab".repeat(48)));
        assert!(!format!("{log:?}").contains("171, 171"));
    }
}
