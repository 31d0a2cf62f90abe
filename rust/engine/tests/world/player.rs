//! Plays an app's part segment by segment: what is sent is written down with its numbers, and so is what
//! must come back. Numbers count from each side's SYN, which is 0; the first byte is 1.

use std::net::{IpAddr, SocketAddr};

use telltale_engine::Instant;

use crate::packets::{ACK, FIN, PSH, RST, Read, SYN, Segment};
use crate::server::Server;
use crate::shell::{APP_V4, Shell};

/// Maximum segment size 1,460, SACK permitted, window scale 7: as Linux begins.
pub(crate) const USUAL: &[u8] = &[2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7];
pub(crate) const APP_PORT: u16 = 40_000;
pub(crate) const PORT: u16 = 80;

/// The number of the app's SYN: near the top, so that every test crosses zero.
const APP_ISN: u32 = u32::MAX - 20;

pub(crate) struct Player {
    pub(crate) shell: Shell,
    pub(crate) app: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The number of the app's SYN.
    pub(crate) start: u32,
    /// The number of the engine's SYN, once seen.
    theirs: u32,
    scale: u8,
    /// The window field of what is sent.
    pub(crate) window: u16,
}

/// A segment that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) flags: String,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) len: usize,
    /// In bytes.
    pub(crate) window: u32,
    pub(crate) sacked: Vec<(u32, u32)>,
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// Flags, number, acknowledgement, payload length.
pub(crate) type Brief<'a> = (&'a str, u32, u32, usize);

impl Player {
    /// Before its SYN, toward a server at port 80.
    pub(crate) fn new(server: Server) -> Self {
        Self::with_mtu(server, 1_500)
    }

    pub(crate) fn with_mtu(server: Server, mtu: usize) -> Self {
        let mut shell = Shell::new(mtu);
        shell.serve(PORT, server);
        let app: IpAddr = APP_V4.parse().unwrap();
        let remote: IpAddr = "192.0.2.1".parse().unwrap();
        Self {
            shell,
            app: SocketAddr::new(app, APP_PORT),
            remote: SocketAddr::new(remote, PORT),
            start: APP_ISN,
            theirs: 0,
            scale: 0,
            window: 501,
        }
    }

    /// After the handshake.
    pub(crate) fn open(server: Server) -> Self {
        let mut player = Self::new(server);
        player.shake_hands(USUAL);
        player
    }

    pub(crate) fn shake_hands(&mut self, options: &[u8]) {
        self.syn(options);
        let heard = self.hear();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert_eq!((heard[0].flags.as_str(), heard[0].ack), ("SA", 1));
        self.say(ACK, 1, 1, b"");
    }

    pub(crate) fn syn(&mut self, options: &[u8]) {
        let segment =
            Segment { window: 64_240, options: options.to_vec(), ack: 0, ..self.segment(SYN, 0, 0, b"") };
        self.send(&segment);
    }

    pub(crate) fn say(&mut self, flags: u8, seq: u32, ack: u32, payload: &[u8]) {
        self.send(&self.segment(flags, seq, ack, payload));
    }

    /// With a SACK option: ranges as numbers from the engine's SYN.
    pub(crate) fn say_sacked(&mut self, seq: u32, ack: u32, ranges: &[(u32, u32)]) {
        let mut options = vec![1, 1, 5, u8::try_from(2 + 8 * ranges.len()).unwrap()];
        for (start, end) in ranges {
            options.extend_from_slice(&self.theirs.wrapping_add(*start).to_be_bytes());
            options.extend_from_slice(&self.theirs.wrapping_add(*end).to_be_bytes());
        }
        self.send(&Segment { options, ..self.segment(ACK, seq, ack, b"") });
    }

    pub(crate) fn segment(&self, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Segment {
        Segment {
            from: self.app,
            to: self.remote,
            seq: self.start.wrapping_add(seq),
            ack: self.theirs.wrapping_add(ack),
            flags,
            window: self.window,
            urgent: 0,
            options: Vec::new(),
            payload: payload.to_vec(),
        }
    }

    pub(crate) fn send(&mut self, segment: &Segment) {
        self.shell.packet(&segment.to_packet());
    }

    /// Segments that came since the last call, of this connection.
    pub(crate) fn hear(&mut self) -> Vec<Heard> {
        let packets = self.shell.take_packets();
        packets.iter().map(|packet| self.heard(&Segment::read(packet).expect("a segment"))).collect()
    }

    /// The same in brief, compared.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[Brief<'_>]) {
        let heard = self.hear();
        let brief: Vec<Brief<'_>> =
            heard.iter().map(|heard| (heard.flags.as_str(), heard.seq, heard.ack, heard.len)).collect();
        assert_eq!(brief, expected);
    }

    /// One ICMP message, its type and code, and the packet that it quotes.
    pub(crate) fn hear_icmp(&mut self) -> (u8, u8, Vec<u8>) {
        let packets = self.shell.take_packets();
        assert_eq!(packets.len(), 1);
        let read = Read::packet(&packets[0]).expect("a packet");
        (read.payload[0], read.payload[1], read.payload[8..].to_vec())
    }

    /// The server's socket has got this so far.
    pub(crate) fn arrived(&mut self) -> Vec<u8> {
        self.shell.socket(PORT).1.received.clone()
    }

    /// The server says something.
    pub(crate) fn server_sends(&mut self, bytes: &[u8]) {
        let (id, socket) = self.shell.socket(PORT);
        socket.stream.extend_from_slice(bytes);
        self.shell.wake(id);
    }

    /// The server takes so many bytes at once from now on.
    pub(crate) fn server_takes(&mut self, bytes: usize) {
        let (id, socket) = self.shell.socket(PORT);
        socket.script.takes = bytes;
        self.shell.wake(id);
    }

    /// The engine's wake-up calls as they come until `at`, with what it sends at each.
    pub(crate) fn listen_until(&mut self, at: Instant) -> Vec<(Instant, Heard)> {
        let mut log = Vec::new();
        loop {
            let now = self.shell.now;
            log.extend(self.hear().into_iter().map(|heard| (now, heard)));
            let Some(next) = self.shell.next().filter(|next| *next <= at) else { break };
            self.shell.jump(next);
        }
        self.shell.jump(at);
        log
    }

    fn heard(&mut self, segment: &Segment) -> Heard {
        assert_eq!((segment.from, segment.to), (self.remote, self.app));
        if segment.has(SYN) {
            (self.theirs, self.scale) = (segment.seq, segment.window_scale().unwrap_or(0));
        }
        let shift = if segment.has(SYN) { 0 } else { self.scale };
        let names = [(SYN, 'S'), (FIN, 'F'), (RST, 'R'), (PSH, 'P'), (ACK, 'A')];
        let flags = names.iter().filter(|(flag, _)| segment.has(*flag)).map(|(_, name)| *name).collect();
        let sacked = sacked(&segment.options).into_iter();
        let start = self.start;
        Heard {
            flags,
            seq: segment.seq.wrapping_sub(self.theirs),
            ack: segment.ack.wrapping_sub(self.start),
            len: segment.payload.len(),
            window: u32::from(segment.window) << shift,
            sacked: sacked.map(|(l, r)| (l.wrapping_sub(start), r.wrapping_sub(start))).collect(),
            options: segment.options.clone(),
            payload: segment.payload.clone(),
        }
    }
}

fn sacked(options: &[u8]) -> Vec<(u32, u32)> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    match options {
        [1, 1, 5, _, blocks @ ..] => blocks.chunks(8).map(|b| (number(&b[..4]), number(&b[4..]))).collect(),
        _ => Vec::new(),
    }
}
