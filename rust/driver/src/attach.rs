//! A tun that another program opened and left to this one, and waiting until it is enough.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::thread;

use libc::{c_char, c_int, ifreq};

use crate::owner::{FindOwner, by_socket};
use crate::sys;

/// Why a descriptor cannot be relayed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No descriptor has this number.
    NotOpen,
    /// It is a file, a terminal, a pipe or a stream: nothing keeps packets apart in it.
    NoPackets,
    /// It is a tap: its packets are Ethernet frames.
    Tap,
    /// It is a tun that puts the kind of each packet before it.
    Headers,
    /// It is `/dev/net/tun`, and no interface was made with it.
    NoInterface,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "is not open",
            Self::NoPackets => "is neither a tun nor a socket that keeps packets apart",
            Self::Tap => "is a tap, which carries Ethernet frames: open the interface with IFF_TUN",
            Self::Headers => {
                "is a tun that puts the kind of each packet before it: open it with IFF_NO_PI too"
            }
            Self::NoInterface => "is /dev/net/tun without an interface: call TUNSETIFF on it first",
        })
    }
}

/// Takes over the descriptor of that number, which the program that started this one has opened for
/// it: a tun (`IFF_TUN | IFF_NO_PI`, with `IFF_VNET_HDR` or without) or a packet socket. Programs started later do not get it.
///
/// To be called early: a number that this process gave to a descriptor of its own would be taken too.
///
/// # Errors
/// Where no packets can be read from it.
pub fn adopt(number: RawFd) -> Result<OwnedFd, Unfit> {
    // SAFETY: no pointers are passed.
    sys::check(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) })
        .map_err(|_error| Unfit::NotOpen)?;
    // SAFETY: the descriptor is open, as the call above has shown, and it was opened for this program
    // to have: nobody else in this process knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    match fitness(fd.as_fd()) {
        Ok(()) => Ok(fd),
        Err(unfit) => {
            // The caller may still need what is no tun: its stderr, say.
            mem::forget(fd);
            Err(unfit)
        }
    }
}

/// The MTU of a tun in bytes, wherever its interface is now. `None` for a socket, and where the
/// system does not tell.
pub fn device_mtu(tun: BorrowedFd<'_>) -> Option<usize> {
    let name = interface(tun).ok()?.ifr_name;
    at_home(tun, move || mtu(name))
}

/// Finds the owners of sockets where a tun's interface is now. `None` where this process may not look there.
pub fn owners(tun: BorrowedFd<'_>) -> Option<FindOwner> {
    at_home(tun, || sys::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_SOCK_DIAG)).map(by_socket)
}

/// What ends waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enough {
    /// SIGTERM, SIGINT or SIGHUP.
    Signal,
    /// The relay has ended of itself.
    Ended,
}

/// The signals that ask to stop, taken from now on instead of ending this process.
pub struct StopSignals {
    fd: OwnedFd,
}

impl StopSignals {
    /// Takes them. To be called before any thread starts: each would get them else.
    ///
    /// # Errors
    /// Where the system gives no descriptor.
    pub fn take() -> io::Result<Self> {
        let set = stop_signals();
        // SAFETY: the set lives until the call returns; the old one is not asked for.
        match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) } {
            0 => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        // SAFETY: the set lives until the call returns.
        let fd = sys::check(unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) })?;
        // SAFETY: the kernel has just made this descriptor and nobody else knows it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Waits for one of them, or for `ended` to become readable.
    ///
    /// # Errors
    /// Where the system cannot wait.
    pub fn wait(&self, ended: BorrowedFd<'_>) -> io::Result<Enough> {
        let events = libc::POLLIN;
        let mut fds =
            [&self.fd.as_fd(), &ended].map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 });
        // SAFETY: the pointer and the length are those of the array.
        sys::uninterrupted(|| sys::check(unsafe { libc::poll(fds.as_mut_ptr(), 2, -1) }))?;
        Ok(if fds[0].revents != 0 { Enough::Signal } else { Enough::Ended })
    }
}

fn stop_signals() -> libc::sigset_t {
    // SAFETY: sigset_t is plain data, for which all zeroes are valid.
    let mut set = unsafe { mem::zeroed() };
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: the set is writable, and the number is that of a signal.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

fn fitness(fd: BorrowedFd<'_>) -> Result<(), Unfit> {
    match interface(fd) {
        Ok(interface) => flags_fit(&interface),
        // TUNGETIFF of a tun that has no interface.
        Err(error) if sys::errno(&error) == libc::EBADFD => Err(Unfit::NoInterface),
        Err(_) if keeps_packets_apart(fd) => Ok(()),
        Err(_) => Err(Unfit::NoPackets),
    }
}

fn flags_fit(interface: &ifreq) -> Result<(), Unfit> {
    let flags = interface_flags(interface);
    match flags {
        _ if flags & libc::IFF_TUN == 0 => Err(Unfit::Tap),
        _ if flags & libc::IFF_NO_PI == 0 => Err(Unfit::Headers),
        _ => Ok(()),
    }
}

fn keeps_packets_apart(fd: BorrowedFd<'_>) -> bool {
    let kind = sys::option(fd, libc::SOL_SOCKET, libc::SO_TYPE);
    matches!(kind, Ok(libc::SOCK_SEQPACKET | libc::SOCK_DGRAM))
}

/// Name and flags of a tun's interface.
pub(crate) fn interface(tun: BorrowedFd<'_>) -> io::Result<ifreq> {
    let mut interface = nameless();
    // SAFETY: the call writes one ifreq.
    sys::check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNGETIFF as _, &raw mut interface) })?;
    Ok(interface)
}

/// The flags that [`interface`] was told.
pub(crate) fn interface_flags(interface: &ifreq) -> c_int {
    // SAFETY: TUNGETIFF has filled in the flags.
    c_int::from(unsafe { interface.ifr_ifru.ifru_flags })
}

fn nameless() -> ifreq {
    // SAFETY: ifreq is plain data, for which all zeroes are valid.
    unsafe { mem::zeroed() }
}

/// The network namespace in which a tun's interface is. A tun keeps its descriptor when it is moved.
fn namespace(tun: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = sys::check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNGETDEVNETNS as _) })?;
    // SAFETY: the kernel has just made this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Does something in the network namespace of a tun's interface: a thread of its own goes there, and
/// never comes back.
fn at_home<T: Send + 'static>(
    tun: BorrowedFd<'_>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Option<T> {
    let home = namespace(tun).ok()?;
    let visit = move || {
        // SAFETY: no pointers are passed; this thread alone changes its namespace.
        sys::check(unsafe { libc::setns(home.as_raw_fd(), libc::CLONE_NEWNET) })?;
        work()
    };
    thread::spawn(visit).join().ok()?.ok()
}

fn mtu(name: [c_char; libc::IFNAMSIZ]) -> io::Result<usize> {
    let asker = sys::socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    let mut interface = nameless();
    interface.ifr_name = name;
    // SAFETY: the call reads the name and writes the MTU of one ifreq.
    sys::check(unsafe { libc::ioctl(asker.as_raw_fd(), libc::SIOCGIFMTU as _, &raw mut interface) })?;
    // SAFETY: the call above has filled in the MTU.
    let mtu = unsafe { interface.ifr_ifru.ifru_mtu };
    usize::try_from(mtu).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use super::*;

    #[test]
    fn a_datagram_socket_is_taken_and_its_mtu_is_not_known() {
        let (one, _other) = UnixDatagram::pair().unwrap();
        let fd = adopt(one.into_raw_fd()).unwrap();
        assert_eq!(device_mtu(fd.as_fd()), None);
    }

    #[test]
    fn what_keeps_no_packets_apart_is_refused_and_stays_open() {
        let (stream, _other) = UnixStream::pair().unwrap();
        assert_eq!(adopt(stream.as_raw_fd()).unwrap_err(), Unfit::NoPackets);
        assert!(sys::option(stream.as_fd(), libc::SOL_SOCKET, libc::SO_TYPE).is_ok());
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(adopt(file.as_raw_fd()).unwrap_err(), Unfit::NoPackets);
        assert_eq!(adopt(1 << 20).unwrap_err(), Unfit::NotOpen);
        assert_eq!(adopt(-1).unwrap_err(), Unfit::NotOpen);
    }

    #[test]
    fn a_tun_without_an_interface_is_refused() {
        let Ok(tun) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun") else {
            println!("skipped: /dev/net/tun cannot be opened here");
            return;
        };
        assert_eq!(adopt(tun.as_raw_fd()).unwrap_err(), Unfit::NoInterface);
    }

    #[test]
    fn only_the_relays_own_end_ends_waiting_without_a_signal() {
        let (reader, writer) = sys::pipe().unwrap();
        let signals = StopSignals::take().unwrap();
        drop(writer);
        assert_eq!(signals.wait(reader.as_fd()).unwrap(), Enough::Ended);
    }

    #[test]
    fn flags_tell_what_a_tun_puts_before_packets() {
        let flags = |flags: c_int| {
            let mut interface = nameless();
            interface.ifr_ifru.ifru_flags = libc::c_short::try_from(flags).unwrap();
            flags_fit(&interface)
        };
        assert_eq!(flags(libc::IFF_TUN | libc::IFF_NO_PI), Ok(()));
        assert_eq!(flags(libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR), Ok(()));
        assert_eq!(flags(libc::IFF_TUN), Err(Unfit::Headers));
        assert_eq!(flags(libc::IFF_TUN | libc::IFF_VNET_HDR), Err(Unfit::Headers));
        assert_eq!(flags(libc::IFF_TAP | libc::IFF_NO_PI), Err(Unfit::Tap));
    }
}
