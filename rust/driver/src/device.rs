//! Makes a tun.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use libc::c_int;

use crate::sys;

/// Opens a new tun of this name, at most 15 bytes, in the network namespace of this thread: with a header before each
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

/// Makes one of it. A system that knows no headers, such as gVisor, makes it without.
pub(crate) fn make(device: OwnedFd, name: &CStr) -> io::Result<OwnedFd> {
    const USUAL: c_int = libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_TUN_EXCL;
    match set_interface(&device, name, USUAL | libc::IFF_VNET_HDR) {
        Err(error) if sys::errno(&error) == libc::EINVAL => set_interface(&device, name, USUAL)?,
        made => made?,
    };
    Ok(device)
}

fn set_interface(device: &OwnedFd, name: &CStr, flags: c_int) -> io::Result<c_int> {
    let mut request = Interface::new(name, flags);
    // SAFETY: TUNSETIFF reads and writes a struct ifreq, which `Interface` is, and which lives until the
    // call returns.
    sys::check(unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) })
}

/// A struct ifreq: a name, and flags at the start of 24 bytes of union.
#[repr(C)]
struct Interface {
    name: [libc::c_char; libc::IFNAMSIZ],
    flags: libc::c_short,
    rest: [u8; 22],
}

impl Interface {
    #[expect(clippy::cast_possible_truncation, reason = "the field holds 16 flags")]
    fn new(name: &CStr, flags: c_int) -> Self {
        const { assert!(size_of::<Self>() == size_of::<libc::ifreq>()) };
        let mut field = [0; libc::IFNAMSIZ];
        for (to, from) in field.iter_mut().zip(name.to_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        Self { name: field, flags: flags as libc::c_short, rest: [0; 22] }
    }
}
