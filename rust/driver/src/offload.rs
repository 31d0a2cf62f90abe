//! Has an app's system hand over TCP as it keeps it, in pieces of up to 64 KiB, whatever the MTU is.
//!
//! A network card would cut such a piece to the MTU and fill in the checksums. The relay ends TCP itself and
//! needs neither: at an MTU of 1,500 an upload costs the relay a quarter to a third, and the rest of the machine
//! less too. What goes to apps is cut to the MTU as ever.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{IFF_PERSIST, IFF_VNET_HDR, TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, c_int, c_uint, c_ulong};

use crate::attach::{interface, interface_flags};
use crate::sys;

/// Not datagrams: only a header before each packet could say where to cut them.
const WHAT: c_uint = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

/// A packet is never longer than its IP header can say, whatever is asked for.
pub(crate) const LONGEST: usize = 65_535;

/// Asks for it; whether it was granted. Every app's packets must then be read in [`LONGEST`] bytes.
pub(crate) fn begin(tun: BorrowedFd<'_>) -> bool {
    may_ask(tun) && ask(tun, WHAT).is_ok()
}

/// Gives the device back as it was.
pub(crate) fn end(tun: BorrowedFd<'_>) {
    if let Err(error) = ask(tun, 0) {
        log::debug!("the tun keeps handing over large pieces: {error}");
    }
}

/// A device that outlives its descriptors is left alone: who reads it after us could not know. (After a SIGKILL
/// who has another descriptor of it still gets large pieces, until it asks for none.) On Android
/// apps may not ask (SELinux allows them `TUNGETIFF` alone), and every attempt is written to a log.
fn may_ask(tun: BorrowedFd<'_>) -> bool {
    let flags = interface(tun).map(|interface| interface_flags(&interface));
    !cfg!(target_os = "android") && flags.is_ok_and(|flags| flags & (IFF_PERSIST | IFF_VNET_HDR) == 0)
}

fn ask(tun: BorrowedFd<'_>, what: c_uint) -> io::Result<c_int> {
    // SAFETY: the argument of TUNSETOFFLOAD is a number.
    sys::check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETOFFLOAD as _, c_ulong::from(what)) })
}
