//! Protocols that are named and not read further: how many bytes are content, and of which class.

use telltale_model::{Application, Class, Direction, Protocol};

use crate::page::{Kind, Page};
use crate::session::Step;
use crate::signatures::{is_esp, is_ike, is_stun};

/// A flow of such a protocol.
#[derive(Debug)]
pub(crate) struct Plain {
    application: Application,
    transport: Protocol,
    /// Bytes of a greeting line that were sent, while it goes on: SSH.
    greeting: Option<usize>,
}

/// The sheet of all that is sent.
const ALL: u32 = 0;

/// RFC 4253 4.2.
const LONGEST_GREETING: usize = 255;

impl Plain {
    pub(crate) fn new(application: Application, transport: Protocol) -> Self {
        let greeting = (application == Application::Ssh).then_some(0);
        Self { application, transport, greeting }
    }

    /// The next bytes; over UDP one datagram.
    pub(crate) fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) -> Step {
        page.facts.application.get_or_insert(self.application);
        let class = match self.transport {
            Protocol::Udp => of_datagram(self.application, bytes),
            Protocol::Tcp | Protocol::Icmp => of_stream(self.application),
        };
        if self.application == Application::Ike && class == Class::Encrypted && is_esp(bytes) {
            // The keys are agreed upon: from here on it carries what it was made for.
            page.facts.application = Some(Application::Esp);
        }
        if direction == Direction::Sent {
            let greeting = self.take_greeting(bytes);
            page.facts.count_handshake(greeting);
            self.count(class, bytes.get(greeting..).unwrap_or_default(), page);
        } else {
            page.pause(ALL);
        }
        Step::On
    }

    pub(crate) fn miss(&mut self, direction: Direction, _bytes: u64, page: &mut Page) {
        if direction == Direction::Sent {
            page.tear(ALL);
            self.greeting = None;
        }
    }

    pub(crate) fn end(&mut self, _page: &mut Page) {}

    pub(crate) fn held(&self) -> usize {
        0
    }

    fn count(&mut self, class: Class, bytes: &[u8], page: &mut Page) {
        let media = matches!(self.application, Application::Stun | Application::Rtp);
        match class {
            Class::Handshake => page.facts.count_handshake(bytes.len()),
            Class::Opaque if !media && page.is_searching() => self.write(bytes, page),
            Class::Searched
            | Class::Found
            | Class::Opaque
            | Class::Encrypted
            | Class::Unknown
            | Class::NotWatched => page.facts.count_content(class, bytes.len()),
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

    /// How many of these bytes belong to the greeting.
    fn take_greeting(&mut self, bytes: &[u8]) -> usize {
        let Some(before) = self.greeting else { return 0 };
        let most = bytes.len().min(LONGEST_GREETING.saturating_sub(before));
        let line = bytes.iter().take(most).position(|byte| *byte == b'\n');
        let len = line.map_or(most, |end| end + 1);
        let goes_on = line.is_none() && before + len < LONGEST_GREETING;
        self.greeting = goes_on.then_some(before + len);
        len
    }
}

/// What was not decoded is opaque, even where it is text.
fn of_stream(application: Application) -> Class {
    let encrypted = matches!(application, Application::Ssh | Application::OpenVpn | Application::DnsCrypt);
    if encrypted { Class::Encrypted } else { Class::Opaque }
}

fn of_datagram(application: Application, bytes: &[u8]) -> Class {
    let is = |these: &[Application]| these.contains(&application);
    match () {
        // Nothing in it but times, and what authenticates them.
        () if is(&[Application::Ntp]) => Class::Handshake,
        () if is(&[Application::DnsCrypt]) => Class::Encrypted,
        () if is(&[Application::WireGuard]) => wireguard(bytes),
        () if is(&[Application::OpenVpn]) => openvpn(bytes),
        () if is(&[Application::Ike, Application::Esp]) => ipsec(bytes),
        () if is(&[Application::Stun, Application::Rtp]) => call(bytes),
        () => Class::Opaque,
    }
}

/// Type 4 carries packets, all others agree upon keys.
fn wireguard(bytes: &[u8]) -> Class {
    if bytes.first() == Some(&4) { Class::Encrypted } else { Class::Handshake }
}

/// P_DATA_V1 and P_DATA_V2 carry packets, all others build the tunnel.
fn openvpn(bytes: &[u8]) -> Class {
    let is_data = bytes.first().is_some_and(|first| matches!(first >> 3, 6 | 9));
    if is_data { Class::Encrypted } else { Class::Handshake }
}

/// RFC 7296 1.2: only the first exchange is in clear; what follows is encrypted, but still no content. ESP's
/// keep-alives are one byte (RFC 3948 2.3).
fn ipsec(bytes: &[u8]) -> Class {
    let ike = is_ike(bytes) || bytes.strip_prefix(&[0; 4]).is_some_and(is_ike);
    if ike || bytes == [0xff] { Class::Handshake } else { Class::Encrypted }
}

/// RFC 7983 7: what shares the socket of a call, STUN before it had its cookie too. Of DTLS, type 23 carries data. Media is not understood.
fn call(bytes: &[u8]) -> Class {
    match bytes.first() {
        _ if is_stun(bytes) => Class::Handshake,
        Some(23) => Class::Encrypted,
        Some(0..=3 | 20..=22 | 24..=63) => Class::Handshake,
        _ => Class::Opaque,
    }
}
