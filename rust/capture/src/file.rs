//! A capture file, frame by frame: pcap or pcapng, compressed with gzip or not.

mod input;
mod number;
mod pcap;
mod pcapng;

use std::io::{self, BufReader, Chain, Cursor, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use telltale_model::Timestamp;

use crate::Damage;
use input::Input;
use pcap::Pcap;
use pcapng::PcapNg;

/// What was captured of one frame of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When; the time of the frame before it where the file does not say.
    pub at: Timestamp,
    /// What kind of link it is, in the registry's numbers: <https://www.tcpdump.org/linktypes.html>.
    pub link: u32,
    /// The captured bytes. There may have been more: the IP header says.
    pub bytes: Bytes,
}

/// Secrets that came in the file to decrypt what is in it (pcapng, Decryption Secrets Block).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// What they are for: 0x544c534b is a TLS key log.
    pub kind: u32,
    /// The secrets.
    pub data: Bytes,
}

/// An open capture file.
pub struct Capture<R> {
    input: Input<Source<R>>,
    format: Format,
}

impl<R: Read> Capture<R> {
    /// Reads the header of the file.
    ///
    /// # Errors
    /// Where the bytes are none of a capture file, or cannot be read.
    pub fn open(source: R) -> Result<Self, Damage> {
        let mut input = Input::new(unpacked(source).map_err(|error| unread(0, &error))?);
        let magic = input.array()?.ok_or_else(|| Damage::new(0, "the file is empty"))?;
        let format = if magic == pcapng::SECTION {
            Format::PcapNg(PcapNg::default())
        } else {
            let (order, stamps) = pcap::magic(magic)
                .ok_or_else(|| Damage::new(0, "this is no capture file: neither pcap nor pcapng"))?;
            Format::Pcap(Pcap::open(&mut input, order, stamps)?)
        };
        Ok(Self { input, format })
    }

    /// The next frame; `None` at the end of the file.
    ///
    /// # Errors
    /// Where the file cannot be read any further. What came before is good; nothing follows.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Damage> {
        match &mut self.format {
            Format::Pcap(pcap) => pcap.next_frame(&mut self.input),
            Format::PcapNg(pcapng) => pcapng.next_frame(&mut self.input),
        }
    }

    /// Damage that could be passed over so far: the first of it, and how many blocks were lost.
    pub fn passed_over(&self) -> Option<(&Damage, u64)> {
        match &self.format {
            Format::Pcap(_) => None,
            Format::PcapNg(pcapng) => pcapng.passed_over(),
        }
    }

    /// Secrets that the file has brought along so far.
    pub fn secrets(&self) -> &[Secrets] {
        match &self.format {
            Format::Pcap(_) => &[],
            Format::PcapNg(pcapng) => pcapng.secrets(),
        }
    }
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// What was looked at, and what follows it.
type Whole<R> = Chain<Cursor<Vec<u8>>, BufReader<R>>;

enum Source<R> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Whole<R>>>>),
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.read(buffer),
            Self::Gzip(packed) => packed.read(buffer),
        }
    }
}

/// Where packed bytes are damaged, all that the decoder got at once with them is lost.
const PACKED_AT_ONCE: usize = 1_024;

/// RFC 1952 2.3.1: what gzip files begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn unpacked<R: Read>(source: R) -> io::Result<Source<R>> {
    let mut source = BufReader::with_capacity(1 << 16, source);
    let mut head = Vec::new();
    source.by_ref().take(2).read_to_end(&mut head)?;
    let is_packed = head == GZIP;
    let whole = Cursor::new(head).chain(source);
    if !is_packed {
        return Ok(Source::Plain(whole));
    }
    let slowly = BufReader::with_capacity(PACKED_AT_ONCE, whole);
    Ok(Source::Gzip(Box::new(MultiGzDecoder::new(slowly))))
}

/// What the system or the unpacking said, without its number.
fn unread(offset: u64, error: &io::Error) -> Damage {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    Damage::new(offset, format!("the file cannot be read on: {reason}"))
}

#[cfg(test)]
mod tests;
