//! pcapng: sections of blocks (<https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>).

use std::io::Read;

use bytes::Bytes;
use telltale_model::Timestamp;

use super::input::Input;
use super::number::{Fields, Order};
use super::{Frame, Secrets};
use crate::pinned::unpinned;
use crate::{Damage, limits};

/// The type of a block that begins a section, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// A pcapng file. [`SECTION`] at its very beginning was taken already.
#[derive(Default)]
pub(super) struct PcapNg {
    order: Option<Order>,
    /// By their numbers; `None` for one whose block was damaged.
    interfaces: Vec<Option<Interface>>,
    secrets: Vec<Secrets>,
    last: Timestamp,
    first_damage: Option<Damage>,
    lost: u64,
}

struct Interface {
    link: u32,
    /// Most bytes that are captured of a packet; 0 is no limit.
    snaplen: u32,
    /// Units of its stamps in a second.
    units: u128,
    /// Seconds to be added to its stamps.
    offset: i64,
}

/// What a block was.
enum Block {
    Frame(Frame),
    Other,
}

impl PcapNg {
    pub(super) fn passed_over(&self) -> Option<(&Damage, u64)> {
        self.first_damage.as_ref().map(|damage| (damage, self.lost))
    }

    pub(super) fn secrets(&self) -> &[Secrets] {
        &self.secrets
    }

    pub(super) fn next_frame(&mut self, input: &mut Input<impl Read>) -> Result<Option<Frame>, Damage> {
        if self.order.is_none() {
            self.section(input)?;
        }
        loop {
            let begin = input.offset();
            let Some(kind) = input.array::<4>()? else { return Ok(None) };
            if kind == SECTION {
                self.section(input)?;
            } else if let Some(frame) = self.block(input, begin, kind)? {
                return Ok(Some(frame));
            }
        }
    }

    /// A section's header, behind its type: its length is read in the byte order that it tells.
    fn section(&mut self, input: &mut Input<impl Read>) -> Result<(), Damage> {
        let begin = input.offset().saturating_sub(4);
        let head = input.bytes(8)?;
        let (len, magic) = head.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let order = match magic {
            [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
            [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
            _ => return Err(Damage::new(begin, "a section of the file tells no byte order")),
        };
        let rest = block_len(order.u32(*len)).and_then(|len| len.checked_sub(12));
        input.skip(rest.ok_or_else(|| bad_length(begin))?)?;
        self.order = Some(order);
        self.interfaces.clear();
        Ok(())
    }

    /// One block, behind its type. What is wrong inside it costs this block alone.
    fn block(
        &mut self,
        input: &mut Input<impl Read>,
        begin: u64,
        kind: [u8; 4],
    ) -> Result<Option<Frame>, Damage> {
        let order = self.order.unwrap_or(Order::Little);
        let len = order.u32(input.array()?.unwrap_or_default());
        let body_len = block_len(len).and_then(|len| len.checked_sub(12)).ok_or_else(|| bad_length(begin))?;
        let kind = order.u32(kind);
        if body_len > limits::RECORD as u64 || !KNOWN.contains(&kind) {
            input.skip(body_len + 4)?;
            self.add_lost_interface(kind);
            return Ok(None);
        }
        let body = Bytes::from(input.bytes(usize::try_from(body_len).unwrap_or_default())?);
        let again = order.u32(input.array()?.unwrap_or_default());
        if again != len {
            self.add_lost_interface(kind);
            self.lose(begin, "the two lengths of a block differ");
            return Ok(None);
        }
        match self.read(kind, &body) {
            Some(Block::Frame(frame)) => Ok(Some(frame)),
            Some(Block::Other) => Ok(None),
            None => {
                self.add_lost_interface(kind);
                self.lose(begin, "a block is too short for what it should hold, or names no interface");
                Ok(None)
            }
        }
    }

    fn lose(&mut self, begin: u64, what: &str) {
        self.lost += 1;
        self.first_damage.get_or_insert_with(|| Damage::new(begin, what));
    }

    fn read(&mut self, kind: u32, body: &Bytes) -> Option<Block> {
        let fields = Fields::new(self.order?, body);
        match kind {
            INTERFACE => self.interface(fields),
            ENHANCED_PACKET => self.enhanced_packet(fields, body).map(Block::Frame),
            SIMPLE_PACKET => self.simple_packet(fields, body).map(Block::Frame),
            PACKET => self.packet(fields, body).map(Block::Frame),
            _ => self.more_secrets(fields),
        }
    }

    fn interface(&mut self, mut fields: Fields<'_>) -> Option<Block> {
        let (link, _reserved, snaplen) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let mut interface = Interface { link: link.into(), snaplen, units: 1_000_000, offset: 0 };
        let order = self.order?;
        while let Some((code, value)) = option(&mut fields) {
            match (code, value) {
                (END_OF_OPTIONS, _) => break,
                (TIME_RESOLUTION, &[resolution]) => interface.units = units(resolution),
                (TIME_OFFSET, value) => {
                    // Signed: two's complement of 64 bits.
                    let offset = value.try_into().map(|value| order.u64(value).cast_signed());
                    interface.offset = offset.unwrap_or_default();
                }
                _ => {}
            }
        }
        self.add_interface(Some(interface));
        Some(Block::Other)
    }

    /// Those that follow keep their numbers.
    fn add_lost_interface(&mut self, kind: u32) {
        if kind == INTERFACE {
            self.add_interface(None);
        }
    }

    /// Past the limit, packets of further interfaces name none that is known.
    fn add_interface(&mut self, interface: Option<Interface>) {
        if self.interfaces.len() < limits::INTERFACES {
            self.interfaces.push(interface);
        }
    }

    fn enhanced_packet(&mut self, mut fields: Fields<'_>, body: &Bytes) -> Option<Frame> {
        let (interface, high, low) = (fields.u32()?, fields.u32()?, fields.u32()?);
        self.stamped(fields, body, interface, high, low)
    }

    /// The packet block of the format's first version.
    fn packet(&mut self, mut fields: Fields<'_>, body: &Bytes) -> Option<Frame> {
        let (interface, _drops, high, low) = (fields.u16()?, fields.u16()?, fields.u32()?, fields.u32()?);
        self.stamped(fields, body, interface.into(), high, low)
    }

    fn stamped(
        &mut self,
        mut fields: Fields<'_>,
        body: &Bytes,
        interface: u32,
        high: u32,
        low: u32,
    ) -> Option<Frame> {
        let interface = self.interfaces.get(usize::try_from(interface).ok()?)?.as_ref()?;
        let (captured, _original) = (fields.u32()?, fields.u32()?);
        let bytes = unpinned(body.slice_ref(fields.bytes(usize::try_from(captured).ok()?)?), body.len());
        self.last = interface.at(u64::from(high) << 32 | u64::from(low));
        Some(Frame { at: self.last, link: interface.link, bytes })
    }

    /// It has no stamp, and no captured length: that is what the first interface captures at most.
    fn simple_packet(&self, mut fields: Fields<'_>, body: &Bytes) -> Option<Frame> {
        let interface = self.interfaces.first()?.as_ref()?;
        let original = fields.u32()?;
        let most = if interface.snaplen == 0 { original } else { original.min(interface.snaplen) };
        let bytes = unpinned(body.slice_ref(fields.bytes(usize::try_from(most).ok()?)?), body.len());
        Some(Frame { at: self.last, link: interface.link, bytes })
    }

    fn more_secrets(&mut self, mut fields: Fields<'_>) -> Option<Block> {
        let (kind, len) = (fields.u32()?, fields.u32()?);
        let data = fields.bytes(usize::try_from(len).ok()?)?;
        let held: usize = self.secrets.iter().map(|secrets| secrets.data.len()).sum();
        if held + data.len() <= limits::SECRETS && self.secrets.len() < limits::INTERFACES {
            self.secrets.push(Secrets { kind, data: Bytes::copy_from_slice(data) });
        }
        Some(Block::Other)
    }
}

const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;
const KNOWN: [u32; 5] = [INTERFACE, PACKET, SIMPLE_PACKET, ENHANCED_PACKET, DECRYPTION_SECRETS];

const END_OF_OPTIONS: u16 = 0;
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

impl Interface {
    fn at(&self, stamp: u64) -> Timestamp {
        let micros = u128::from(stamp) * 1_000_000 / self.units;
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        Timestamp(micros.saturating_add(self.offset.saturating_mul(1_000_000)))
    }
}

/// A block's length: a multiple of four, itself twice and its type included. Writers that forgot the
/// multiple exist, and pad to it all the same.
fn block_len(len: u32) -> Option<u64> {
    (len >= 12).then(|| u64::from(len).next_multiple_of(4))
}

fn bad_length(begin: u64) -> Damage {
    Damage::new(begin, "the length of a block cannot be: the file is damaged here")
}

/// The next option of a block: its code and value, without the padding to four bytes.
fn option<'a>(fields: &mut Fields<'a>) -> Option<(u16, &'a [u8])> {
    let (code, len) = (fields.u16()?, usize::from(fields.u16()?));
    let padded = len.next_multiple_of(4).min(fields.rest().len());
    fields.bytes(padded)?.get(..len).map(|value| (code, value))
}

/// The upper bit chooses powers of two instead of powers of ten.
fn units(resolution: u8) -> u128 {
    let exponent = u32::from(resolution & 0x7f);
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u128::MAX)
}
