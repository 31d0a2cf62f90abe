//! One datagram at a time, for sockets that carry few.

use std::io::{self, IoSlice};
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use bytes::{BufMut, BytesMut};

use super::control::Control;
use crate::sys::{self, RawAddress};

/// Sends the slices as one datagram.
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    to: SocketAddr,
    slices: &[IoSlice<'_>],
    control: &mut Control,
) -> io::Result<()> {
    let mut address = RawAddress::from(to);
    // SAFETY: msghdr is plain data, for which all zeroes mean: nothing there.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = address.as_mut_ptr().cast();
    message.msg_namelen = address.len();
    // IoSlice is documented to have the layout of iovec; sendmsg does not write through it.
    message.msg_iov = slices.as_ptr().cast::<libc::iovec>().cast_mut();
    message.msg_iovlen = slices.len() as _;
    if control.len() > 0 {
        message.msg_control = control.as_mut_ptr();
        message.msg_controllen = control.len() as _;
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    sys::uninterrupted(|| {
        // SAFETY: message points to an address, slices and a control buffer that outlive the call.
        sys::check_len(unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags) })
    })
    .map(drop)
}

/// Receives one datagram into the buffer, in place of what was there, and says who sent it; `None`
/// where that is no address of IPv4 or IPv6. What is longer than the buffer's capacity is cut.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut BytesMut) -> io::Result<Option<SocketAddr>> {
    buffer.clear();
    let mut address = RawAddress::empty();
    let mut address_len = address.len();
    let spare = buffer.spare_capacity_mut();
    let (start, room) = (spare.as_mut_ptr().cast(), spare.len());
    let len = sys::uninterrupted(|| {
        let (from, flags) = (address.as_mut_ptr(), libc::MSG_DONTWAIT);
        // SAFETY: start and room are spare capacity of the buffer; the address has the stated room.
        sys::check_len(unsafe {
            libc::recvfrom(fd.as_raw_fd(), start, room, flags, from, &raw mut address_len)
        })
    })?;
    // SAFETY: the kernel has written so many bytes of the spare capacity.
    unsafe { buffer.advance_mut(len.min(room)) };
    Ok(address.to_socket_addr())
}
