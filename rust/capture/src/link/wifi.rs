//! IEEE 802.11, and the headers that drivers put before it.

use bytes::Bytes;

use super::{Layer, Next, after, le16, le32, linked, unwrap};

/// Data frames in clear: what is encrypted is encrypted with the keys of the network.
pub(super) fn frame(bytes: &Bytes, padded: bool) -> Next {
    let &[control, flags] = bytes.first_chunk()?;
    let is_data = control & TYPE == DATA && control & NO_DATA == 0;
    if !is_data || flags & PROTECTED != 0 {
        return None;
    }
    let (len, aggregate) = header(bytes, control, flags)?;
    let len = if padded { len.next_multiple_of(4) } else { len };
    let layer = if aggregate { Layer::Aggregate } else { Layer::Llc };
    Some((layer, after(bytes, len)?))
}

/// Version and type, which for data is 2.
const TYPE: u8 = 0x0f;
const DATA: u8 = 0x08;
/// Bits of the subtype: QoS, and "null", a frame without data.
const QOS: u8 = 0x80;
const NO_DATA: u8 = 0x40;

/// Bits of the flags.
const TO_AND_FROM_DS: u8 = 0x03;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;

/// The header's length, and whether several frames follow. Between two access points there are four
/// addresses; of a QoS frame "order" announces four bytes of HT control.
fn header(bytes: &[u8], control: u8, flags: u8) -> Option<(usize, bool)> {
    let mut len = 24;
    if flags & TO_AND_FROM_DS == TO_AND_FROM_DS {
        len += 6;
    }
    if control & QOS == 0 {
        return Some((len, false));
    }
    let aggregate = bytes.get(len)? & 0x80 != 0;
    len += 2;
    if flags & ORDER != 0 {
        len += 4;
    }
    Some((len, aggregate))
}

/// The frames of an A-MSDU: two addresses, a length, IEEE 802.2; all but the last padded to four bytes.
pub(super) fn each_frame(frames: &Bytes, found: &mut Vec<Bytes>) {
    const HEADER: usize = 14;
    let mut rest = frames.clone();
    while let Some(len) = super::be16(&rest, 12).map(usize::from) {
        let Some(behind) = after(&rest, HEADER) else { return };
        unwrap(Layer::Llc, behind.slice(..len.min(behind.len())), found);
        let Some(next) = after(&rest, (HEADER + len).next_multiple_of(4)) else { return };
        rest = next;
    }
}

/// <https://www.radiotap.org>: version, padding, length, and a bitmap of the fields.
pub(super) fn radiotap(bytes: &Bytes) -> Next {
    let (len, present) = (le16(bytes, 2)?, le32(bytes, 4)?);
    let padded = flags(bytes, present).is_some_and(|flags| flags & DATA_IS_PADDED != 0);
    Some((Layer::Wifi { padded }, after(bytes, len.into())?))
}

const TSFT_PRESENT: u32 = 1;
const FLAGS_PRESENT: u32 = 2;
const MORE_BITMAPS: u32 = 1 << 31;
const DATA_IS_PADDED: u8 = 0x20;

/// The field of flags, the second there is. The first has eight bytes, and stands at a multiple of eight.
fn flags(bytes: &[u8], present: u32) -> Option<u8> {
    if present & FLAGS_PRESENT == 0 {
        return None;
    }
    let bitmaps = bytes.get(4..)?.chunks_exact(4);
    let more = bitmaps.take_while(|bitmap| le32(bitmap, 0).is_some_and(|bits| bits & MORE_BITMAPS != 0));
    let fields = 8 + 4 * more.count();
    let at = if present & TSFT_PRESENT == 0 { fields } else { fields.next_multiple_of(8) + 8 };
    bytes.get(at).copied()
}

/// PPI: version, flags, length, and the kind of link that follows.
pub(super) fn per_packet_information(bytes: &Bytes) -> Next {
    Some((linked(le32(bytes, 4)?)?, after(bytes, le16(bytes, 2)?.into())?))
}
