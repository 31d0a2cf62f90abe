//! Reads a ClientHello as it comes (RFC 8446 4.1.2): what is needed is kept, the rest passed over, so that
//! a name is found in a hello of any length.
//!
//! Own code, not the `tls-parser` crate: that one wants the whole message in one piece, and a hello may
//! claim 128 KiB where 16 may be held.

use telltale_model::{Facts, Hello, Name, NameSource};

use super::ja4::{self, is_grease};
use crate::name_text::push_name;
use crate::reader::Reader;

/// What a hello travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Records over TCP.
    Tls,
    /// DTLS records.
    Dtls,
    /// CRYPTO frames.
    Quic,
}

/// A ClientHello that is being read, without the header of its message.
#[derive(Debug)]
pub(super) struct HelloReader {
    transport: Transport,
    /// Bytes of the message that are still to come.
    rest: usize,
    /// What is being read now, how much of it is still to come, and what was kept of it.
    part: Part,
    left: usize,
    kept: Vec<u8>,
    /// Whether that is not all of it.
    cut: bool,
    /// Bytes of extensions that are still to come.
    extensions: usize,
    offer: Offer,
}

/// What a client offers.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// As the hello itself says, or its `supported_versions`: the newest.
    pub(super) version: u16,
    pub(super) ciphers: Codes,
    /// Their types.
    pub(super) extensions: Codes,
    pub(super) signatures: Codes,
    pub(super) alpn: Vec<Vec<u8>>,
    name: Option<String>,
    ech: bool,
    early_data: bool,
    #[cfg(feature = "keys")]
    random: [u8; RANDOM],
}

/// Numbers in their order, without GREASE.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pub(super) codes: Vec<u16>,
    /// Whether there were more than are kept.
    pub(super) overfull: bool,
}

/// The parts of a hello in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Version, random, length of the session's id.
    Start,
    /// The session's id, and the length of what follows.
    Session,
    /// DTLS's cookie (RFC 6347 4.2.1), and the length of the ciphers.
    Cookie,
    Ciphers,
    CompressionLength,
    Compression,
    ExtensionsLength,
    ExtensionHead,
    Extension(u16),
    /// All is read.
    Whole,
    /// It is not a hello, or not a good one.
    Broken,
}

impl HelloReader {
    /// Of a message of so many bytes.
    pub(super) fn new(transport: Transport, len: usize) -> Self {
        let (part, kept, offer) = (Part::Start, Vec::new(), Offer::default());
        Self { transport, rest: len, part, left: START, kept, cut: false, extensions: 0, offer }
    }

    /// Takes what it needs; tells whether it needs no more.
    pub(super) fn take(&mut self, bytes: &mut Reader<'_>) -> bool {
        while !self.is_over() {
            if self.left > self.rest {
                self.part = Part::Broken;
                break;
            }
            let taken = bytes.take(self.left.min(bytes.len())).unwrap_or_default();
            self.keep(taken);
            if self.left > 0 {
                break;
            }
            (self.part, self.left) = self.advance().unwrap_or((Part::Broken, 0));
            self.kept.clear();
            self.cut = false;
        }
        self.is_over()
    }

    /// Bytes of the message that were not needed.
    pub(super) fn rest(&self) -> usize {
        self.rest
    }

    pub(super) fn is_whole(&self) -> bool {
        self.part == Part::Whole
    }

    pub(super) fn early_data(&self) -> bool {
        self.offer.early_data
    }

    /// What key logs call the connection, once its hello is whole.
    #[cfg(feature = "keys")]
    pub(super) fn random(&self) -> [u8; RANDOM] {
        self.offer.random
    }

    /// Tells what was read. Of a hello that was cut or is broken only the name, if that was
    /// whole.
    pub(super) fn tell(self, facts: &mut Facts) {
        if self.is_whole() && facts.hello.is_none() {
            facts.hello = Some(self.offer.hello(self.transport));
        }
        let from = match self.transport {
            Transport::Tls | Transport::Dtls => NameSource::Tls,
            Transport::Quic => NameSource::Quic,
        };
        if let Some(name) = self.offer.name {
            facts.add_name(Name { name, from, outer: self.offer.ech });
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn held(&self) -> usize {
        let lists = [&self.offer.ciphers, &self.offer.extensions, &self.offer.signatures];
        let codes: usize = lists.iter().map(|list| 2 * list.codes.capacity()).sum();
        let protocols: usize = self.offer.alpn.iter().map(|name| size_of_val(name) + name.capacity()).sum();
        size_of_val(self) + codes + protocols + self.kept.capacity()
    }

    fn is_over(&self) -> bool {
        matches!(self.part, Part::Whole | Part::Broken)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.part.kept().saturating_sub(self.kept.len());
        self.kept.extend(bytes.iter().take(room));
        self.cut |= bytes.len() > room;
        self.left -= bytes.len();
        self.rest -= bytes.len();
    }

    /// The present part is whole: which comes next, and how long it is.
    fn advance(&mut self) -> Option<(Part, usize)> {
        let mut kept = Reader::new(&self.kept);
        match self.part {
            Part::Start => {
                self.offer.version = kept.u16().filter(|version| self.transport.speaks(*version))?;
                let _random: [u8; RANDOM] = kept.array()?;
                #[cfg(feature = "keys")]
                {
                    self.offer.random = _random;
                }
                // The length of a cookie takes one byte, that of the ciphers two.
                let length = if self.transport == Transport::Dtls { 1 } else { 2 };
                Some((Part::Session, usize::from(kept.u8()?) + length))
            }
            Part::Session if self.transport == Transport::Dtls => {
                Some((Part::Cookie, usize::from(*kept.rest().last()?) + 2))
            }
            Part::Session | Part::Cookie => {
                let (_, len) = kept.rest().split_last_chunk()?;
                Some((Part::Ciphers, u16::from_be_bytes(*len).into()))
            }
            Part::Ciphers => {
                self.offer.ciphers.read(kept, self.cut);
                Some((Part::CompressionLength, 1))
            }
            Part::CompressionLength => Some((Part::Compression, kept.u8()?.into())),
            // SSL 3 and TLS 1.0 know hellos without extensions.
            Part::Compression if self.rest == 0 => Some((Part::Whole, 0)),
            Part::Compression => Some((Part::ExtensionsLength, 2)),
            Part::ExtensionsLength => {
                self.extensions = kept.u16()?.into();
                self.next_extension()
            }
            Part::ExtensionHead => {
                let (kind, len) = (kept.u16()?, kept.u16()?);
                self.extensions = self.extensions.checked_sub(EXTENSION_HEAD + usize::from(len))?;
                self.offer.begin(kind);
                Some((Part::Extension(kind), len.into()))
            }
            Part::Extension(kind) => {
                self.offer.read(kind, kept, self.cut, self.transport);
                self.next_extension()
            }
            Part::Whole | Part::Broken => None,
        }
    }

    fn next_extension(&self) -> Option<(Part, usize)> {
        if self.extensions == 0 {
            Some((Part::Whole, 0))
        } else {
            Some((Part::ExtensionHead, EXTENSION_HEAD))
        }
    }
}

const RANDOM: usize = 32;
const START: usize = 2 + RANDOM + 1;
const EXTENSION_HEAD: usize = 4;

/// Ciphers, extensions and signatures that are kept, each. Real hellos have fewer than 200; of one with
/// more no fingerprint is made, for a wrong one is worse.
const CODES: usize = 1_024;

/// Protocols that are kept. Real hellos have one to five.
const PROTOCOLS: usize = 32;

impl Part {
    /// How much of it is kept at most.
    fn kept(self) -> usize {
        match self {
            Self::Ciphers => 2 * CODES,
            Self::Extension(extension::SIGNATURE_ALGORITHMS) => 2 + 2 * CODES,
            Self::Extension(extension::SERVER_NAME) => 512,
            Self::Extension(extension::ALPN) => 1_024,
            // At most 127 versions.
            Self::Extension(extension::SUPPORTED_VERSIONS) => 256,
            Self::Extension(_) | Self::Compression | Self::Whole | Self::Broken => 0,
            Self::Start | Self::CompressionLength | Self::ExtensionsLength | Self::ExtensionHead => START,
            Self::Session | Self::Cookie => 255 + 2,
        }
    }
}

impl Transport {
    /// SSL 3 to TLS 1.3, DTLS 1.0 to 1.3.
    fn speaks(self, version: u16) -> bool {
        match self {
            // The last is of a draft, which VPNs still speak.
            Self::Dtls => version >> 8 == 0xfe || version == 0x0100,
            Self::Tls | Self::Quic => version >> 8 == 3,
        }
    }

    /// DTLS counts its versions downwards.
    fn newer(self, one: u16, other: u16) -> u16 {
        match self {
            Self::Dtls => one.min(other),
            Self::Tls | Self::Quic => one.max(other),
        }
    }
}

impl Codes {
    fn push(&mut self, code: u16) {
        if is_grease(code) {
            return;
        }
        self.overfull |= self.codes.len() == CODES;
        if !self.overfull {
            self.codes.push(code);
        }
    }

    fn read(&mut self, mut codes: Reader<'_>, cut: bool) {
        self.overfull |= cut;
        while let Some(code) = codes.u16() {
            self.push(code);
        }
    }
}

impl Offer {
    pub(super) fn has(&self, extension: u16) -> bool {
        self.extensions.codes.contains(&extension)
    }

    fn hello(&self, transport: Transport) -> Hello {
        Hello {
            version: self.version,
            alpn: self.alpn.iter().map(|protocol| protocol.escape_ascii().to_string()).collect(),
            ech: self.ech,
            ja4: ja4::fingerprint(transport, self),
        }
    }

    /// An extension begins: that it is there says something already.
    fn begin(&mut self, kind: u16) {
        self.extensions.push(kind);
        self.ech |= kind == extension::ENCRYPTED_CLIENT_HELLO;
        self.early_data |= kind == extension::EARLY_DATA;
    }

    /// An extension that breaks its own form says nothing.
    fn read(&mut self, kind: u16, mut body: Reader<'_>, cut: bool, transport: Transport) {
        match kind {
            extension::SERVER_NAME => self.name = self.name.take().or_else(|| server_name(body)),
            extension::ALPN if self.alpn.is_empty() => self.alpn = protocols(body),
            extension::SUPPORTED_VERSIONS => self.version = newest(body, transport).unwrap_or(self.version),
            extension::SIGNATURE_ALGORITHMS if body.u16().is_some() => self.signatures.read(body, cut),
            _ => {}
        }
    }
}

/// RFC 6066 3: there is one kind of names, and one name of a kind. No name is longer than 255 bytes.
fn server_name(mut body: Reader<'_>) -> Option<String> {
    const HOST_NAME: u8 = 0;
    let mut list = body.vector16()?;
    while let Some(kind) = list.u8() {
        let name = list.vector16()?.rest();
        if kind == HOST_NAME {
            let name = name.strip_suffix(b".").unwrap_or(name);
            let mut text = String::new();
            push_name(&mut text, name);
            return (1..=255).contains(&name.len()).then_some(text);
        }
    }
    None
}

/// RFC 7301 3.1, without GREASE (RFC 8701 2). Of a list that was cut those that are whole.
fn protocols(mut body: Reader<'_>) -> Vec<Vec<u8>> {
    let _length = body.u16();
    let names = std::iter::from_fn(|| body.vector8().map(|name| name.rest().to_vec()));
    let is_grease = |name: &[u8]| matches!(*name, [high, low] if is_grease(u16::from_be_bytes([high, low])));
    names.filter(|name| !is_grease(name)).take(PROTOCOLS).collect()
}

/// RFC 8446 4.2.1.
fn newest(mut body: Reader<'_>, transport: Transport) -> Option<u16> {
    let mut list = body.vector8()?;
    let versions = std::iter::from_fn(|| list.u16()).filter(|version| !is_grease(*version));
    versions.reduce(|one, other| transport.newer(one, other))
}

/// Numbers of extensions: IANA's TLS ExtensionType values.
pub(super) mod extension {
    pub(in super::super) const SERVER_NAME: u16 = 0x0000;
    pub(in super::super) const SIGNATURE_ALGORITHMS: u16 = 0x000d;
    pub(in super::super) const ALPN: u16 = 0x0010;
    pub(in super::super) const EARLY_DATA: u16 = 0x002a;
    pub(in super::super) const SUPPORTED_VERSIONS: u16 = 0x002b;
    /// RFC 9849.
    pub(in super::super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
}
