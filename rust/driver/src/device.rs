//! Makes a tun.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use crate::sys;

/// Opens a tun of this name, at most 15 bytes, in the network namespace of this thread: with a header before each
/// packet (`IFF_VNET_HDR`), so that segments may be longer than the MTU both ways. It is gone with its descriptor.
///
/// # Errors
/// Without `/dev/net/tun` ([`io::ErrorKind::NotFound`]), without the right to make a tun, and where the name is taken.
pub fn open_tun(name: &CStr) -> io::Result<OwnedFd> {
    make(open()?, name)
}

/// The device that tuns are made with.
pub(crate) fn open() -> io::Result<OwnedFd> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_CLOEXEC | libc::O_NONBLOCK);
    Ok(options.open("/dev/net/tun")?.into())
}

/// Makes one of it.
pub(crate) fn make(device: OwnedFd, name: &CStr) -> io::Result<OwnedFd> {
    let request = Interface::new(name);
    // SAFETY: TUNSETIFF reads and writes a struct ifreq, which `Interface` is, and which lives until the
    // call returns.
    sys::check(unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF as _, &raw const request) })?;
    Ok(device)
}

/// A struct ifreq: a name, and flags at the start of 24 bytes of union.
#[repr(C)]
struct Interface {
    name: [libc::c_char; libc::IFNAMSIZ],
    flags: libc::c_short,
    rest: [u8; 22],
}

impl Interface {
    #[expect(clippy::cast_possible_truncation, reason = "the flags fit the field that the kernel reads")]
    fn new(name: &CStr) -> Self {
        const { assert!(size_of::<Self>() == size_of::<libc::ifreq>()) };
        let mut field = [0; libc::IFNAMSIZ];
        for (to, from) in field.iter_mut().zip(name.to_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        let flags = (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
        Self { name: field, flags, rest: [0; 22] }
    }
}
