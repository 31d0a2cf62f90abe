//! Thin safe wrappers over the system calls that the relay needs. Each does one call, retries nothing
//! but EINTR, and returns the error as the system gave it.

use std::io::{self, IoSlice};
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use libc::{c_int, c_void, socklen_t};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Buffers that one read fills at most.
pub(crate) const PIECES: usize = 16;

/// Turns the answer of a system call into a result: negative means errno.
pub(crate) fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// The same for calls that answer a length.
pub(crate) fn check_len(answer: isize) -> io::Result<usize> {
    usize::try_from(answer).map_err(|_negative| io::Error::last_os_error())
}

/// The errno behind an error of this module.
pub(crate) fn errno(error: &io::Error) -> c_int {
    error.raw_os_error().unwrap_or(0)
}

/// Calls again as long as a signal interrupts the call.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if errno(&error) == libc::EINTR => {}
            answer => return answer,
        }
    }
}

/// A socket address in the shape that the kernel wants.
#[derive(Clone, Copy)]
pub(crate) struct RawAddress {
    storage: libc::sockaddr_storage,
    len: socklen_t,
}

impl RawAddress {
    /// Room for an address that the kernel is to fill in.
    pub(crate) fn empty() -> Self {
        // SAFETY: sockaddr_storage is plain data, for which all zeroes are valid (AF_UNSPEC).
        let storage = unsafe { mem::zeroed() };
        Self { storage, len: size_of_len::<libc::sockaddr_storage>() }
    }

    /// Where the kernel reads or writes the address.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// Where the kernel reads the address.
    pub(crate) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    /// The length of the address in bytes; the room for it while it is empty.
    pub(crate) fn len(&self) -> socklen_t {
        self.len
    }

    /// The address, if it is one of IPv4 or IPv6.
    pub(crate) fn to_socket_addr(self) -> Option<SocketAddr> {
        match c_int::from(self.storage.ss_family) {
            libc::AF_INET => {
                // SAFETY: the family says that the storage holds a sockaddr_in, which is smaller.
                let v4 = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in>().read() };
                let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
                Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(v4.sin_port))))
            }
            libc::AF_INET6 => {
                // SAFETY: the family says that the storage holds a sockaddr_in6, which is smaller.
                let v6 = unsafe { (&raw const self.storage).cast::<libc::sockaddr_in6>().read() };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(SocketAddr::V6(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id)))
            }
            _ => None,
        }
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> Self {
        let mut raw = Self::empty();
        match address {
            SocketAddr::V4(v4) => raw.write(libc::sockaddr_in {
                sin_family: family(&address),
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*v4.ip()).to_be() },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => raw.write(libc::sockaddr_in6 {
                sin6_family: family(&address),
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            }),
        }
        raw
    }
}

impl RawAddress {
    fn write<T: Copy>(&mut self, address: T) {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        // SAFETY: the storage is at least as large as T (asserted above), aligned for every address
        // type, and any bytes are valid in it.
        unsafe { (&raw mut self.storage).cast::<T>().write(address) };
        self.len = size_of_len::<T>();
    }
}

/// The address that a socket sends from; `None` while it has none.
pub(crate) fn local_address(fd: BorrowedFd<'_>) -> Option<SocketAddr> {
    let mut address = RawAddress::empty();
    let mut len = address.len();
    // SAFETY: there is room for an address of any family, and the kernel says how much of it it has filled in.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), address.as_mut_ptr(), &raw mut len) }).ok()?;
    address.to_socket_addr().filter(|address| !address.ip().is_unspecified())
}

/// Whether this machine has an address no longer. Where it does not say so, it has it.
pub(crate) fn is_gone(mut address: SocketAddr) -> bool {
    address.set_port(0);
    let Ok(socket) = socket(c_int::from(family(&address)), libc::SOCK_DGRAM, 0) else { return false };
    let raw = RawAddress::from(address);
    // SAFETY: the pointer and the length are those of the address.
    let bound = check(unsafe { libc::bind(socket.as_raw_fd(), raw.as_ptr(), raw.len()) });
    bound.is_err_and(|error| errno(&error) == libc::EADDRNOTAVAIL)
}

/// The address family of an address, as the kernel names it.
#[expect(clippy::cast_possible_truncation, reason = "AF_INET and AF_INET6 are 2 and 10")]
pub(crate) fn family(address: &SocketAddr) -> libc::sa_family_t {
    match address {
        SocketAddr::V4(_) => libc::AF_INET as libc::sa_family_t,
        SocketAddr::V6(_) => libc::AF_INET6 as libc::sa_family_t,
    }
}

/// The size of a type as the socket calls want it.
#[expect(clippy::cast_possible_truncation, reason = "only used for small structs")]
pub(crate) const fn size_of_len<T>() -> socklen_t {
    size_of::<T>() as socklen_t
}

/// A new socket, nonblocking and closed on exec. `kind` is SOCK_STREAM, SOCK_DGRAM...
pub(crate) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::socket(domain, kind, protocol) })?;
    // SAFETY: the kernel has just made this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Starts to connect. EINPROGRESS is the usual answer of a nonblocking TCP socket.
pub(crate) fn connect(fd: BorrowedFd<'_>, to: SocketAddr) -> io::Result<()> {
    let raw = RawAddress::from(to);
    // SAFETY: the address lives until the call returns and its length is its own.
    check(unsafe { libc::connect(fd.as_raw_fd(), raw.as_ptr(), raw.len()) }).map(drop)
}

/// Sets a socket option whose value is an int.
pub(crate) fn set_option(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    set_struct(fd, level, name, &value)
}

/// Makes the next close of a TCP socket send RST: SO_LINGER with a time of 0.
pub(crate) fn reset_on_close(fd: BorrowedFd<'_>) -> io::Result<()> {
    set_struct(fd, libc::SOL_SOCKET, libc::SO_LINGER, &libc::linger { l_onoff: 1, l_linger: 0 })
}

/// Makes the next close of a TCP socket send what is left and FIN, as sockets are made.
pub(crate) fn finish_on_close(fd: BorrowedFd<'_>) -> io::Result<()> {
    set_struct(fd, libc::SOL_SOCKET, libc::SO_LINGER, &libc::linger { l_onoff: 0, l_linger: 0 })
}

fn set_struct<T: Copy>(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let value = (&raw const *value).cast::<c_void>();
    // SAFETY: the value lives until the call returns and the length is its own.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value, size_of_len::<T>()) }).map(drop)
}

/// Reads a socket option whose value is an int.
pub(crate) fn option(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut len = size_of_len::<c_int>();
    let target = (&raw mut value).cast::<c_void>();
    // SAFETY: value and length are writable and the length says how much room there is.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, target, &raw mut len) })?;
    Ok(value)
}

/// Whether something waits at a descriptor: bytes, a connection to accept, an end or an error.
pub(crate) fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut look = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: there is room for the one answer, and the call does not wait.
    check(unsafe { libc::poll(&raw mut look, 1, 0) }).is_ok_and(|ready| ready > 0)
}

/// Bytes of a TCP socket that the other side has not acknowledged (`SIOCOUTQ`, tcp(7)); none where the
/// kernel does not tell.
pub(crate) fn unacknowledged(fd: BorrowedFd<'_>) -> c_int {
    let mut bytes: c_int = 0;
    // SAFETY: the kernel writes one int, for which there is room.
    let told = check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) });
    told.map_or(0, |_| bytes)
}

/// Bytes that a TCP socket holds and has not sent, a FIN among them; none where the kernel does not tell. It tells
/// also of a connection that has broken.
pub(crate) fn unsent(fd: BorrowedFd<'_>) -> usize {
    let [.., unsent, _] = tcp_info(fd);
    usize::try_from(unsent).unwrap_or(0)
}

/// The shortest round trip that a TCP socket has seen lately, where the kernel tells.
pub(crate) fn least_round_trip(fd: BorrowedFd<'_>) -> Option<Duration> {
    let [.., micros] = tcp_info(fd);
    (micros > 0).then(|| Duration::from_micros(micros.into()))
}

/// The beginning of struct tcp_info as words: its last two here are tcpi_notsent_bytes and tcpi_min_rtt (linux/tcp.h,
/// since 4.6). Zeroes where the kernel does not tell.
fn tcp_info(fd: BorrowedFd<'_>) -> [u32; 38] {
    let mut info = [0_u32; 38];
    let mut len = size_of_len::<[u32; 38]>();
    let target = info.as_mut_ptr().cast::<c_void>();
    // SAFETY: info is writable and the length says how much room there is; of what an older kernel does not
    // fill in the zeroes stay.
    let told =
        unsafe { libc::getsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, target, &raw mut len) };
    if told == 0 { info } else { [0; 38] }
}

/// Takes the error that waits at a socket (SO_ERROR): the errno, 0 for none.
pub(crate) fn take_error(fd: BorrowedFd<'_>) -> c_int {
    option(fd, libc::SOL_SOCKET, libc::SO_ERROR).unwrap_or_else(|error| errno(&error))
}

/// Says that no more will be written.
pub(crate) fn shutdown_write(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_WR) }).map(drop)
}

/// Whether a stream socket has bytes to read; false means that its end was reached.
pub(crate) fn peek(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    let target = (&raw mut byte).cast::<c_void>();
    // SAFETY: there is room for one byte.
    uninterrupted(|| check_len(unsafe { libc::recv(fd.as_raw_fd(), target, 1, flags) })).map(|len| len > 0)
}

/// Sends some or all of the slices on a connected socket, without waiting and without SIGPIPE.
pub(crate) fn send_slices(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    // SAFETY: msghdr is plain data, for which all zeroes mean: nothing there.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    // IoSlice is documented to have the layout of iovec; sendmsg does not write through it.
    message.msg_iov = slices.as_ptr().cast::<libc::iovec>().cast_mut();
    message.msg_iovlen = slices.len();
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: message points to slices that live until the call returns.
    uninterrupted(|| check_len(unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags) }))
}

/// Writes some or all of the slices: for a tun, one packet.
pub(crate) fn write_slices(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = c_int::try_from(slices.len()).unwrap_or(c_int::MAX);
    let vector = slices.as_ptr().cast::<libc::iovec>();
    // SAFETY: IoSlice is documented to have the layout of iovec, and the slices live until the call
    // returns.
    uninterrupted(|| check_len(unsafe { libc::writev(fd.as_raw_fd(), vector, count) }))
}

/// Reads at most `limit` bytes to the end of the buffer, without growing it. For a tun, one packet.
/// 0 means the end, or that the buffer is full.
pub(crate) fn read_into(fd: BorrowedFd<'_>, buffer: &mut BytesMut, limit: usize) -> io::Result<usize> {
    fill(buffer, limit, |pointer, room| {
        // SAFETY: pointer and room are spare capacity of the buffer.
        check_len(unsafe { libc::read(fd.as_raw_fd(), pointer, room) })
    })
}

/// Receives at most `limit` bytes to the end of the buffer, without growing it and without waiting.
/// 0 means the end, or that the buffer is full.
pub(crate) fn receive_into(fd: BorrowedFd<'_>, buffer: &mut BytesMut, limit: usize) -> io::Result<usize> {
    fill(buffer, limit, |pointer, room| {
        // SAFETY: pointer and room are spare capacity of the buffer.
        check_len(unsafe { libc::recv(fd.as_raw_fd(), pointer, room, libc::MSG_DONTWAIT) })
    })
}

/// Receives at most `limit` bytes into empty buffers, one after the other, without growing them and without
/// waiting. 0 means the end.
pub(crate) fn receive_pieces(
    fd: BorrowedFd<'_>,
    buffers: &mut [BytesMut],
    limit: usize,
) -> io::Result<usize> {
    let mut vector = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; PIECES];
    let (mut count, mut left) = (0, limit);
    for (slice, buffer) in vector.iter_mut().zip(buffers.iter_mut()) {
        let spare = buffer.spare_capacity_mut();
        *slice = libc::iovec { iov_base: spare.as_mut_ptr().cast(), iov_len: spare.len().min(left) };
        left -= slice.iov_len;
        count += usize::from(slice.iov_len > 0);
    }
    // SAFETY: msghdr is plain data, for which all zeroes mean: nothing there.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = vector.as_mut_ptr();
    message.msg_iovlen = count;
    // SAFETY: the vector lives until the call returns, and names spare capacity of the buffers.
    let receive =
        || check_len(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) });
    let len = uninterrupted(receive)?;
    let mut filled = len;
    for (slice, buffer) in vector.iter().zip(buffers) {
        let here = slice.iov_len.min(filled);
        // SAFETY: the kernel has filled the slices in turn, so that this one holds `here` bytes.
        unsafe { buffer.advance_mut(here) };
        filled -= here;
    }
    Ok(len)
}

/// Lets a call fill the spare capacity of a buffer. The call answers how many bytes it wrote.
fn fill(
    buffer: &mut BytesMut,
    limit: usize,
    mut call: impl FnMut(*mut c_void, usize) -> io::Result<usize>,
) -> io::Result<usize> {
    let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
    let room = spare.len().min(limit);
    let pointer = spare.as_mut_ptr().cast::<c_void>();
    let len = uninterrupted(|| call(pointer, room))?;
    // SAFETY: the kernel has written len bytes, which is at most room, to the spare capacity.
    unsafe { buffer.advance_mut(len.min(room)) };
    Ok(len)
}

/// A pipe, closed on exec: (reading end, writing end).
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}

/// A counter that wakes up who watches it, closed on exec (eventfd(2)).
pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the kernel has just made this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Counts one up at an [`eventfd`]. It fails only where nobody has looked 2^64 times.
pub(crate) fn signal(eventfd: BorrowedFd<'_>) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: the pointer and the length are those of the number.
    let _counted = unsafe { libc::write(eventfd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

/// Has the runtime watch a descriptor. Must be called inside it.
pub(crate) fn watched(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd always gives the same descriptor, which is open as long as it lives.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// Makes a descriptor nonblocking.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    let flags = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    // SAFETY: no pointers are passed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) }).map(drop)
}

/// Fills a key with random bytes of the system. Waits only in the first moments after boot.
pub fn random<const LEN: usize>() -> io::Result<[u8; LEN]> {
    const { assert!(LEN <= 256, "larger reads may be short") };
    let mut key = [0_u8; LEN];
    // SAFETY: the pointer and the length are those of the key.
    uninterrupted(|| check_len(unsafe { libc::getrandom(key.as_mut_ptr().cast(), LEN, 0) }))?;
    Ok(key)
}

/// How many seconds the clocks of this machine were ahead of UTC at a moment; `None` where it has no such rules.
pub(crate) fn ahead_of_utc(at: libc::time_t) -> Option<i32> {
    let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; all zeroes are a valid tm, which the call fills in or leaves.
    let (answered, local) = unsafe {
        let answered = libc::localtime_r(&raw const at, broken_down.as_mut_ptr());
        (!answered.is_null(), broken_down.assume_init())
    };
    i32::try_from(local.tm_gmtoff).ok().filter(|_| answered)
}

/// How many descriptors this process may have: (soft, hard).
pub(crate) fn descriptor_limits() -> io::Result<(u64, u64)> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: limits is writable and of the right type.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limits) })?;
    Ok((limits.rlim_cur, limits.rlim_max))
}

/// Sets how many descriptors this process may have.
pub(crate) fn set_descriptor_limits(soft: u64, hard: u64) -> io::Result<()> {
    let limits = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: limits is readable and of the right type.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn addresses_survive_the_way_through_the_kernel_shape() {
        for text in ["192.0.2.7:65535", "[2001:db8::1]:443", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::from(address).to_socket_addr(), Some(address));
        }
        let scoped = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 53, 0, 3));
        assert_eq!(RawAddress::from(scoped).to_socket_addr(), Some(scoped));
        assert_eq!(RawAddress::empty().to_socket_addr(), None);
    }

    #[test]
    fn a_refused_connection_is_told_by_the_waiting_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap();
        drop(listener);
        let socket = socket(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap();
        let told = match connect(socket.as_fd(), closed) {
            Err(error) if errno(&error) == libc::EINPROGRESS => take_error(socket.as_fd()),
            Err(error) => errno(&error),
            Ok(()) => 0,
        };
        assert_eq!(told, libc::ECONNREFUSED);
    }

    #[test]
    fn reads_stop_at_the_limit_and_at_the_capacity() {
        let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
        send_slices(one.as_fd(), &[IoSlice::new(b"hello "), IoSlice::new(b"world")]).unwrap();
        let mut buffer = BytesMut::with_capacity(8);
        let capacity = buffer.capacity();
        assert_eq!(receive_into(other.as_fd(), &mut buffer, 5).unwrap(), 5);
        assert_eq!(&buffer[..], b"hello");
        receive_into(other.as_fd(), &mut buffer, 100).unwrap();
        assert_eq!(buffer.capacity(), capacity);
        assert!(b"hello world".starts_with(&buffer));
    }

    #[test]
    fn an_empty_socket_does_not_wait() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        set_nonblocking(socket.as_fd()).unwrap();
        let mut buffer = BytesMut::with_capacity(8);
        let error = read_into(socket.as_fd(), &mut buffer, 8).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn two_keys_differ() {
        assert_ne!(random::<32>().unwrap(), random::<32>().unwrap());
    }
}
