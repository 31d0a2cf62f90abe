//! Protocols that are named and not read further: how many bytes are content, and of which class.

use telltale_model::{Application, Class, Direction, Protocol};

use crate::page::{Kind, Page};
use crate::session::{Likeness, Step};
use crate::signatures::{is_esp, is_ike, ntp_len, stun_data, wireguard_builds};
use crate::tls;

/// A flow of such a protocol.
#[derive(Debug)]
pub(crate) struct Plain {
    application: Application,
    transport: Protocol,
    /// Bytes of a greeting line that were sent, while it goes on: SSH.
    greeting: Option<usize>,
    /// Whether what is sent is another protocol's than what is received, which told this one.
    other: bool,
    /// Of what the client says behind its greeting the first bytes, until they tell whether it is SSH; not counted yet.
    packet: Option<Vec<u8>>,
    /// Whether keys of DTLS were agreed upon, as far as could be seen of what was sent and of what was received.
    dtls: [bool; 2],
}

/// The sheet of all that is sent.
const ALL: u32 = 0;

/// How that of a client begins, without lines before it (RFC 4253 4.2).
const GREETING: &[u8] = b"SSH-";

/// RFC 4253 4.2.
const LONGEST_GREETING: usize = 255;

/// Bytes that tell whether a packet of SSH begins here.
const PACKET: usize = 6;

/// Length, padding, and a message of the transport layer, which agrees on keys (RFC 4253 6, 6.1; RFC 4251 7).
fn begins_packet(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, high, low, _, 1..=49, ..] if u16::from_be_bytes([*high, *low]) <= 35_000)
}

impl Plain {
    pub(crate) fn new(application: Application, transport: Protocol) -> Self {
        let greeting = (application == Application::Ssh).then_some(0);
        let packet = greeting.map(|_| Vec::new());
        Self { application, transport, greeting, other: false, packet, dtls: [false; 2] }
    }

    /// The next bytes; over UDP one datagram.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application.get_or_insert(self.application);
        let (content, class) = match self.transport {
            Protocol::Udp => self.take_datagram(direction, bytes),
            Protocol::Tcp | Protocol::Icmp => return self.take_stream(direction, bytes, page),
        };
        if self.application == Application::Ike && !content.is_empty() && is_esp(bytes) {
            // The keys are agreed upon: from here on it carries what it was made for.
            page.facts.application = Some(Application::Esp);
        }
        if direction == Direction::Sent {
            page.facts.count_handshake(bytes.len() - content.len());
            self.count(class, content, page);
        } else {
            page.pause(ALL);
        }
        Step::On
    }

    pub(crate) fn miss(&mut self, direction: Direction, _bytes: u64, page: &mut Page) {
        if direction == Direction::Sent {
            self.let_go(page);
            page.tear(ALL);
            self.greeting = None;
        }
    }

    pub(crate) fn end(&mut self, page: &mut Page) {
        self.let_go(page);
    }

    pub(crate) fn held(&self) -> usize {
        self.packet.as_ref().map_or(0, Vec::capacity)
    }

    fn take_stream(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        if direction == Direction::Received {
            page.pause(ALL);
            return Step::On;
        }
        let greeting = self.take_greeting(bytes);
        page.facts.count_handshake(greeting);
        let (first, rest) = self.take_packet(bytes.get(greeting..).unwrap_or_default());
        for content in [&first[..], rest] {
            self.count(self.of_stream(), content, page);
        }
        Step::On
    }

    /// Holds the first bytes behind the greeting until they tell what it is.
    fn take_packet<'a>(&mut self, bytes: &'a [u8]) -> (Vec<u8>, &'a [u8]) {
        let Some(mut held) = self.packet.take() else { return (Vec::new(), bytes) };
        let (more, rest) = bytes.split_at(bytes.len().min(PACKET - held.len()));
        held.extend_from_slice(more);
        if held.len() < PACKET && !self.other {
            self.packet = Some(held);
            return (Vec::new(), rest);
        }
        self.other |= !begins_packet(&held);
        (held, rest)
    }

    /// Nobody knows what it would have been.
    fn let_go(&mut self, page: &mut Page) {
        if let Some(held) = self.packet.take() {
            self.count(Class::Opaque, &held, page);
        }
    }

    /// What of a datagram is content, and of which class. That keys were agreed upon is seen, or nothing is said to be
    /// encrypted; and text is not, whatever was spoken before.
    fn take_datagram<'a>(&mut self, direction: Direction, bytes: &'a [u8]) -> (&'a [u8], Class) {
        let [sent, received] = &mut self.dtls;
        *(if direction == Direction::Sent { sent } else { received }) |= agrees_on_dtls(bytes);
        let (content, class) = of_datagram(self.application, bytes, self.dtls == [true; 2]);
        let open = class == Class::Encrypted && direction == Direction::Sent && is_text(content);
        (content, if open { Class::Opaque } else { class })
    }

    /// Of a call, media is not looked at: only what is text.
    fn count(&mut self, class: Class, bytes: &[u8], page: &mut Page) {
        let media = matches!(self.application, Application::Stun | Application::Rtp);
        let readable = class == Class::Opaque && !bytes.is_empty();
        if readable && page.is_searching() && (!media || is_text(bytes)) {
            self.write(bytes, page);
        } else {
            page.facts.count_content(class, bytes.len());
        }
    }

    /// Has bytes searched: a datagram as it is, of a stream what comes before the other side speaks.
    fn write(&mut self, bytes: &[u8], page: &mut Page) {
        if self.transport == Protocol::Udp {
            page.begin(ALL, Kind::Message);
        }
        page.write(ALL, Class::Opaque, bytes);
        if self.transport == Protocol::Udp {
            page.end(ALL);
            page.close(ALL);
        }
    }

    /// What was not decoded is opaque, even where it is text.
    fn of_stream(&self) -> Class {
        let encrypts =
            matches!(self.application, Application::Ssh | Application::OpenVpn | Application::DnsCrypt);
        if encrypts && !self.other { Class::Encrypted } else { Class::Opaque }
    }

    /// How many of these bytes belong to the greeting.
    fn take_greeting(&mut self, bytes: &[u8]) -> usize {
        let Some(before) = self.greeting else { return 0 };
        let start = GREETING.get(before..).unwrap_or_default();
        let alike = bytes.iter().zip(start).take_while(|(byte, expected)| byte == expected).count();
        if alike < start.len().min(bytes.len()) {
            (self.greeting, self.other) = (None, true);
            return alike;
        }
        let most = bytes.len().min(LONGEST_GREETING.saturating_sub(before));
        let line = bytes.iter().take(most).position(|byte| *byte == b'\n');
        let len = line.map_or(most, |end| end + 1);
        let goes_on = line.is_none() && before + len < LONGEST_GREETING;
        self.greeting = goes_on.then_some(before + len);
        len
    }
}

/// What of a datagram is content, and of which class. Only what is known to agree upon something is framing: behind the
/// first datagram anything may come.
fn of_datagram(application: Application, bytes: &[u8], dtls: bool) -> (&[u8], Class) {
    let is = |these: &[Application]| these.contains(&application);
    match () {
        // Nothing in it but times, and what authenticates them.
        () if is(&[Application::Ntp]) => (bytes.get(ntp_len(bytes)..).unwrap_or_default(), Class::Opaque),
        () if is(&[Application::DnsCrypt]) => (bytes, Class::Encrypted),
        () if is(&[Application::WireGuard]) => wireguard(bytes),
        () if is(&[Application::OpenVpn]) => openvpn(bytes),
        () if is(&[Application::Ike, Application::Esp]) => ipsec(bytes),
        () if is(&[Application::Stun, Application::Rtp]) => call(bytes, dtls),
        () => (bytes, Class::Opaque),
    }
}

/// All of it is framing.
const NOTHING: (&[u8], Class) = (&[], Class::Opaque);

/// Type 4 carries packets, the others agree upon keys.
fn wireguard(bytes: &[u8]) -> (&[u8], Class) {
    match bytes.first() {
        _ if wireguard_builds(bytes) => NOTHING,
        Some(4) => (bytes, Class::Encrypted),
        _ => (bytes, Class::Opaque),
    }
}

/// P_DATA_V1 and P_DATA_V2 carry packets, all others that there are build the tunnel.
fn openvpn(bytes: &[u8]) -> (&[u8], Class) {
    match bytes.first().map_or(0, |first| first >> 3) {
        6 | 9 => (bytes, Class::Encrypted),
        1..=5 | 7 | 8 | 10 | 11 => NOTHING,
        _ => (bytes, Class::Opaque),
    }
}

/// RFC 7296 1.2: only the first exchange is in clear; what follows is encrypted, but still no content. ESP's
/// keep-alives are one byte (RFC 3948 2.3).
fn ipsec(bytes: &[u8]) -> (&[u8], Class) {
    let ike = is_ike(bytes) || bytes.strip_prefix(&[0; 4]).is_some_and(is_ike);
    if ike || bytes == [0xff] { NOTHING } else { (bytes, Class::Encrypted) }
}

/// RFC 7983 7: what shares the socket of a call. Of DTLS, types 23 and 25 carry data, and what is encrypted in 1.3 may
/// (RFC 9147 4): there one byte is all that tells it, so its keys must have been agreed upon. Media is not understood.
fn call(bytes: &[u8], dtls: bool) -> (&[u8], Class) {
    let is_dtls = || tls::looks_like_dtls(bytes) == Likeness::Yes;
    match bytes.first() {
        Some(0..=3) => (stun_data(bytes).unwrap_or(bytes), Class::Opaque),
        Some(23 | 25) if is_dtls() => (bytes, Class::Encrypted),
        Some(20..=26) if is_dtls() => NOTHING,
        Some(0x20..=0x3f) if dtls => (bytes, Class::Encrypted),
        _ => (bytes, Class::Opaque),
    }
}

/// Whether it is a record of DTLS in clear with which keys are agreed upon: change cipher spec, alert, handshake
/// (RFC 9147 4).
fn agrees_on_dtls(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(20..=22)) && tls::looks_like_dtls(bytes) == Likeness::Yes
}

/// Whether all of it is text, with zeros behind it or without. Of 16 random bytes, once in a million times.
fn is_text(bytes: &[u8]) -> bool {
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let is_usual = |letter: char| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r');
    let text = bytes.get(..len).and_then(|text| std::str::from_utf8(text).ok());
    text.is_some_and(|text| !text.is_empty() && text.chars().all(is_usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Framing and content of these datagrams, all sent.
    fn counted(application: Application, datagrams: &[Vec<u8>]) -> (u64, u64) {
        let (mut plain, mut page) = (Plain::new(application, Protocol::Udp), Page::default());
        for datagram in datagrams {
            plain.take(Direction::Sent, datagram, &mut page);
        }
        let all: usize = datagrams.iter().map(Vec::len).sum();
        assert_eq!(page.facts.coverage.total(), all as u64);
        assert_eq!(page.facts.content_sent, page.facts.coverage.total() - page.facts.coverage.handshake);
        (page.facts.coverage.handshake, page.facts.content_sent)
    }

    /// Begins with `head`, filled with a byte that means nothing, to `len`.
    fn filled(head: &[u8], len: usize) -> Vec<u8> {
        let mut bytes = head.to_vec();
        bytes.resize(len, 0xee);
        bytes
    }

    #[test]
    fn of_time_only_the_time_is_framing() {
        let extended = [filled(&[0x23], 48), filled(&[1, 4, 0, 28], 28), filled(&[], 20)].concat();
        for whole in [filled(&[0x23], 48), filled(&[0x1b], 68), extended] {
            assert_eq!(counted(Application::Ntp, std::slice::from_ref(&whole)), (whole.len() as u64, 0));
        }
        assert_eq!(counted(Application::Ntp, &[filled(&[0x23], 1_200)]), (48, 1_152));
        assert_eq!(counted(Application::Ntp, &[filled(b"hello", 5), filled(&[], 1_200)]), (0, 1_205));
    }

    #[test]
    fn what_a_relayed_call_carries_is_content() {
        let stun = |kind: u16, attributes: &[u8]| {
            let [high, low] = u16::try_from(attributes.len()).unwrap().to_be_bytes();
            [&kind.to_be_bytes()[..], &[high, low, 0x21, 0x12, 0xa4, 0x42], &[7; 12], attributes].concat()
        };
        let peer = [0, 0x12, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7];
        // RFC 8656 11.1: a Send indication, its data padded to four bytes.
        let data = [&[0, 0x13, 0, 5][..], b"hello", &[0; 3]].concat();
        let send = stun(0x0016, &[&peer[..], &data].concat());
        assert_eq!(counted(Application::Stun, std::slice::from_ref(&send)), (send.len() as u64 - 5, 5));
        assert_eq!(counted(Application::Stun, &[stun(1, &peer)]), (32, 0));
        assert_eq!(counted(Application::Stun, &[stun(1, &[0, 0x13, 0xff, 0xff])]), (24, 0), "no attribute");
        let record = |kind: u8, len: u8| {
            filled(&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, len], 13 + usize::from(len))
        };
        assert_eq!(counted(Application::Stun, &[record(22, 30)]), (43, 0));
        assert_eq!(counted(Application::Stun, &[record(23, 30)]), (0, 43));
        assert_eq!(counted(Application::Stun, &[filled(&[0x2f], 100)]), (0, 100), "DTLS 1.3, RFC 9147 4");
        let encrypted = |before: &[(Direction, Vec<u8>)], datagram: &[u8]| {
            let (mut plain, mut page) = (Plain::new(Application::Stun, Protocol::Udp), Page::default());
            before.iter().for_each(|(direction, bytes)| drop(plain.take(*direction, bytes, &mut page)));
            plain.take(Direction::Sent, datagram, &mut page);
            page.facts.coverage.encrypted
        };
        let agreed = [(Direction::Sent, record(22, 30)), (Direction::Received, record(22, 30))];
        let record_of_13 = filled(&[0x2f], 100);
        assert_eq!(encrypted(&agreed, &record_of_13), 100);
        for missing in [&agreed[..1], &agreed[1..], &[]] {
            assert_eq!(encrypted(missing, &record_of_13), 0, "a byte alone proves nothing");
        }
        assert_eq!(encrypted(&agreed, b"<id imei=\"490154203237518\"/>\n"), 0, "text");
        for no_message in [filled(&[0], 100), filled(&[22], 100), filled(&[62], 100), filled(&[0x80], 100)] {
            assert_eq!(counted(Application::Stun, &[no_message]), (0, 100));
        }
        let old = [&[0, 1, 0, 8][..], &[7; 16], &[0, 3, 0, 4, 0, 0, 0, 0]].concat();
        assert_eq!(counted(Application::Stun, &[old]), (28, 0), "RFC 3489");
    }

    #[test]
    fn text_is_never_said_to_be_encrypted_whatever_was_spoken_before() {
        for (application, text) in [
            (Application::OpenVpn, "0 id=490154203237518"),
            (Application::OpenVpn, "Hello \u{fc}berall\0"),
            (Application::Esp, "{\"imei\":\"490154203237518\"}\r\n"),
            (Application::DnsCrypt, "hi"),
        ] {
            let (mut plain, mut page) = (Plain::new(application, Protocol::Udp), Page::default());
            plain.take(Direction::Sent, text.as_bytes(), &mut page);
            assert_eq!(
                (page.facts.coverage.opaque, page.facts.content_sent),
                (text.len() as u64, text.len() as u64)
            );
            let binary = filled(text.as_bytes(), 200);
            plain.take(Direction::Sent, &binary, &mut page);
            assert_eq!(page.facts.coverage.encrypted, 200, "{application:?}");
        }
        assert!(!is_text(b"") && !is_text(b"\0\0") && !is_text(b"a\0b") && !is_text(b"\xffa"));
    }

    #[test]
    fn a_tunnel_that_is_being_built_has_known_sizes() {
        let built = [filled(&[1, 0, 0, 0], 148), filled(&[2, 7, 7, 7], 92), filled(&[3, 0, 0, 0], 64)];
        assert_eq!(counted(Application::WireGuard, &built), (304, 0));
        assert_eq!(counted(Application::WireGuard, &[filled(&[4, 0, 0, 0], 96)]), (0, 96));
        assert_eq!(
            counted(Application::WireGuard, &[filled(&[1, 0, 0, 0], 1_204), filled(&[9], 50)]),
            (0, 1_254)
        );
        assert_eq!(counted(Application::OpenVpn, &[filled(&[0x38], 14), filled(&[0x20], 90)]), (104, 0));
        assert_eq!(counted(Application::OpenVpn, &[filled(&[0x48], 50), filled(&[0xf8], 50)]), (0, 100));
    }
}
