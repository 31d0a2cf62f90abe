//! Has TCP pass the tun in pieces of up to 64 KiB, whatever the MTU is.
//!
//! A network card would cut such a piece to the MTU and fill in the checksums. The relay ends TCP itself and
//! needs neither, and nor does the app's system, which takes what it is handed as one unless it forwards it. At an MTU of 1,500 an upload
//! costs the relay a third, and a download less than that; the rest of the machine less too.
//!
//! So can datagrams to an app: several of one size go as one packet, which its system takes apart (Linux since 6.2).
//!
//! Pieces from apps have to be asked for. Those to apps need a header before each packet (`IFF_VNET_HDR`), as the
//! tun's maker chose it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{IFF_PERSIST, IFF_VNET_HDR, TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, c_int, c_uint, c_ulong};
use telltale_engine::{Offload, Packet, Unfinished};

use crate::attach::{interface, interface_flags};
use crate::sys;

/// Not datagrams: what the relay forwards of them keeps its length.
const WHAT: c_uint = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

/// A packet is never longer than its IP header can say, whatever is asked for.
pub(crate) const LONGEST: usize = 65_535;

/// Bytes of the header before each packet: struct virtio_net_hdr (Virtio 1.3, 5.1.6) without its last field.
pub(crate) const HEADER: usize = 10;

/// What the tun is left to do from now on. Where it is anything from apps, their packets must be read in [`LONGEST`]
/// bytes; where it is anything to apps, there is a [`HEADER`] before every packet either way.
///
/// # Errors
/// Where the header's length cannot be agreed on.
pub(crate) fn begin(tun: BorrowedFd<'_>) -> io::Result<Offload> {
    let Ok(interface) = interface(tun) else {
        // A socket.
        return Ok(Offload::default());
    };
    let flags = interface_flags(&interface);
    let to_apps = flags & IFF_VNET_HDR != 0;
    if to_apps {
        set_header(tun)?;
    }
    Ok(Offload { from_apps: may_ask(flags) && ask(tun, WHAT).is_ok(), to_apps })
}

/// Gives the device back as it was.
pub(crate) fn end(tun: BorrowedFd<'_>) {
    if let Err(error) = ask(tun, 0) {
        log::debug!("the tun keeps handing over large pieces: {error}");
    }
}

/// The header before this packet, behind which so many bytes of payload follow.
pub(crate) fn header(packet: &Packet, payload: usize) -> [u8; HEADER] {
    let Some(unfinished) = packet.unfinished() else { return complete(packet.header().len()) };
    let is_ipv4 = packet.header().first().is_some_and(|first| first >> 4 == 4);
    let kind = match (unfinished.checksum_at, is_ipv4) {
        (UDP_CHECKSUM, _) => GSO_UDP,
        (_, true) => GSO_TCPV4,
        (_, false) => GSO_TCPV6,
    };
    describe(unfinished, kind, packet.header().len(), payload)
}

/// Nothing is left to do. The length of the headers has the kernel put the rest into pages instead of one piece of
/// memory, which it may not have.
fn complete(headers: usize) -> [u8; HEADER] {
    let [first, second] = u16::try_from(headers).unwrap_or_default().to_ne_bytes();
    [0, GSO_NONE, first, second, 0, 0, 0, 0, 0, 0]
}

/// In the order of bytes of this machine: what a tun expects that was told nothing.
fn describe(unfinished: Unfinished, kind: u8, headers: usize, payload: usize) -> [u8; HEADER] {
    let Unfinished { checksum_from, checksum_at, segment } = unfinished;
    let (kind, segment) = if payload > usize::from(segment) { (kind, segment) } else { (GSO_NONE, 0) };
    let headers = u16::try_from(headers).unwrap_or_default();
    let fields = [headers, segment, checksum_from, checksum_at].map(u16::to_ne_bytes);
    let mut header = [NEEDS_CHECKSUM, kind, 0, 0, 0, 0, 0, 0, 0, 0];
    for (to, from) in header.iter_mut().skip(2).zip(fields.as_flattened()) {
        *to = *from;
    }
    header
}

/// VIRTIO_NET_HDR_F_NEEDS_CSUM
const NEEDS_CHECKSUM: u8 = 1;
/// VIRTIO_NET_HDR_GSO_NONE
const GSO_NONE: u8 = 0;
/// VIRTIO_NET_HDR_GSO_TCPV4
const GSO_TCPV4: u8 = 1;
/// VIRTIO_NET_HDR_GSO_TCPV6
const GSO_TCPV6: u8 = 4;
/// VIRTIO_NET_HDR_GSO_UDP_L4, which a tun takes since Linux 6.2.
const GSO_UDP: u8 = 5;
/// Where the checksum stands in a UDP header (RFC 768).
const UDP_CHECKSUM: u16 = 6;

/// A device that outlives its descriptors is left alone: who reads it after us could not know. (After a SIGKILL
/// who has another descriptor of it still gets large pieces, until it asks for none.) On Android
/// apps may not ask (SELinux allows them `TUNGETIFF` alone), and every attempt is written to a log.
fn may_ask(flags: c_int) -> bool {
    !cfg!(target_os = "android") && flags & IFF_PERSIST == 0
}

fn ask(tun: BorrowedFd<'_>, what: c_uint) -> io::Result<c_int> {
    // SAFETY: the argument of TUNSETOFFLOAD is a number.
    sys::check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETOFFLOAD as _, c_ulong::from(what)) })
}

/// Ten bytes are what a tun has that was told nothing. Another length that its maker told it is overwritten.
fn set_header(tun: BorrowedFd<'_>) -> io::Result<()> {
    let len = c_int::try_from(HEADER).map_err(io::Error::other)?;
    // SAFETY: TUNSETVNETHDRSZ reads one int, which lives until the call returns.
    sys::check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETVNETHDRSZ as _, &raw const len) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_cut_only_where_it_is_longer_than_was_agreed_on() {
        let unfinished = Unfinished { checksum_from: 20, checksum_at: 16, segment: 1_460 };
        let fields = |header: [u8; HEADER]| {
            let fields = header[2..].as_chunks::<2>().0.iter().map(|field| u16::from_ne_bytes(*field));
            (header[0], header[1], fields.collect::<Vec<_>>())
        };
        assert_eq!(fields(describe(unfinished, GSO_TCPV4, 40, 1_460)), (1, 0, vec![40, 0, 20, 16]));
        assert_eq!(fields(describe(unfinished, GSO_TCPV4, 40, 1_461)), (1, 1, vec![40, 1_460, 20, 16]));
        let unfinished = Unfinished { checksum_from: 40, ..unfinished };
        assert_eq!(fields(describe(unfinished, GSO_TCPV6, 60, 60_000)), (1, 4, vec![60, 1_460, 40, 16]));
        assert_eq!(fields(complete(28)), (0, 0, vec![28, 0, 0, 0]));
    }
}
