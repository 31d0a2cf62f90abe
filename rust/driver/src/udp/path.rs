//! How large a packet the path to a remote carries whole, as far as the kernel knows.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::sys;

/// Every path carries IPv6 packets of 1,280 bytes whole (RFC 8200 5), and in practice IPv4 ones too:
/// smaller datagrams are not worth a question.
pub(super) const ALWAYS_FITS: usize = 1200;
/// Remotes to remember. 64 bytes each.
const REMEMBERED: usize = 1024;
/// How long an answer holds. Routes change; asking costs four system calls.
const LIFETIME: Duration = Duration::from_secs(30);
/// UDP header, RFC 768.
const UDP_HEADER: u32 = 8;

#[derive(Default)]
pub(super) struct PathMtus {
    known: HashMap<IpAddr, Known>,
}

struct Known {
    /// Bytes, IP header included. `None`: the kernel does not tell.
    mtu: Option<u32>,
    until: Instant,
    /// Payload bytes of the last datagram that was measured, and whether it forbade fragments.
    last: (usize, bool),
}

impl PathMtus {
    /// The path's MTU, if a datagram of so much payload is too large for it.
    pub(super) fn exceeded_by(
        &mut self,
        payload_len: usize,
        to: SocketAddr,
        dont_fragment: bool,
    ) -> Option<u32> {
        if payload_len <= ALWAYS_FITS {
            return None;
        }
        let known = self.ask(to);
        known.last = (payload_len, dont_fragment);
        known.mtu.filter(|mtu| payload_len > room(*mtu, to.ip()))
    }

    /// The network said that the path carries no more than this. Answers how much payload the last
    /// measured datagram to that remote had, or the least that it can have had; `None` where it did
    /// not forbid fragments, or nobody knows: then nobody waits to hear of it.
    pub(super) fn shrunk(&mut self, remote: IpAddr, mtu: u32) -> Option<usize> {
        let known = self.known.get_mut(&remote)?;
        known.mtu = Some(mtu);
        let (payload_len, dont_fragment) = known.last;
        dont_fragment.then(|| payload_len.max(room(mtu, remote) + 1))
    }

    fn ask(&mut self, to: SocketAddr) -> &mut Known {
        let now = now();
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&to.ip()) {
            self.make_room(now);
        }
        let fresh = || Known { mtu: kernel_path_mtu(to), until: now + LIFETIME, last: (0, false) };
        let known = self.known.entry(to.ip()).or_insert_with(fresh);
        if known.until <= now {
            *known = fresh();
        }
        known
    }

    fn make_room(&mut self, now: Instant) {
        self.known.retain(|_remote, known| known.until > now);
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
    }
}

/// Payload bytes that one packet of that size carries.
fn room(mtu: u32, remote: IpAddr) -> usize {
    let ip_header = if remote.is_ipv4() { 20 } else { 40 };
    usize::try_from(mtu.saturating_sub(ip_header + UDP_HEADER)).unwrap_or(usize::MAX)
}

/// Only a connected socket can be asked, so one is connected for the question.
fn kernel_path_mtu(to: SocketAddr) -> Option<u32> {
    if to.ip().is_multicast() {
        return None;
    }
    let (domain, level, name) = match to {
        SocketAddr::V4(_) => (libc::AF_INET, libc::IPPROTO_IP, libc::IP_MTU),
        SocketAddr::V6(_) => (libc::AF_INET6, libc::IPPROTO_IPV6, libc::IPV6_MTU),
    };
    let socket = sys::socket(domain, libc::SOCK_DGRAM, 0).ok()?;
    sys::connect(socket.as_fd(), to).ok()?;
    let mtu = sys::option(socket.as_fd(), level, name).ok()?;
    u32::try_from(mtu).ok()
}

#[expect(clippy::disallowed_methods, reason = "the shell reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> SocketAddr {
        "127.0.0.1:9".parse().unwrap()
    }

    fn loopback_mtu() -> u32 {
        let device = std::fs::read_to_string("/sys/class/net/lo/mtu").unwrap();
        // An IPv4 packet is no longer than that.
        device.trim().parse::<u32>().unwrap().min(65_535)
    }

    #[test]
    fn only_what_does_not_fit_is_answered() {
        let mut paths = PathMtus::default();
        assert_eq!(paths.exceeded_by(ALWAYS_FITS, loopback(), true), None);
        assert!(paths.known.is_empty(), "small datagrams ask nothing");
        let mtu = loopback_mtu();
        let fits = mtu as usize - 28;
        assert_eq!(paths.exceeded_by(fits, loopback(), true), None);
        assert_eq!(paths.exceeded_by(fits + 1, loopback(), true), Some(mtu));
    }

    #[test]
    fn a_report_from_the_network_counts_from_then_on() {
        let mut paths = PathMtus::default();
        assert_eq!(paths.shrunk(loopback().ip(), 1280), None, "nothing was measured that could be told");
        assert_eq!(paths.exceeded_by(1300, loopback(), true), None);
        assert_eq!(paths.shrunk(loopback().ip(), 1300), Some(1300));
        assert_eq!(paths.exceeded_by(1273, loopback(), true), Some(1300));
        assert_eq!(paths.exceeded_by(1272, loopback(), true), None);
        assert_eq!(paths.shrunk(loopback().ip(), 1300), Some(1273), "the least that cannot have fit");
    }

    #[test]
    fn a_report_about_a_datagram_that_allowed_fragments_is_for_nobody() {
        let mut paths = PathMtus::default();
        assert_eq!(paths.exceeded_by(1400, loopback(), false), None);
        assert_eq!(paths.shrunk(loopback().ip(), 1280), None);
        assert_eq!(paths.exceeded_by(1400, loopback(), false), Some(1280), "it counts all the same");
    }

    #[test]
    fn memory_is_bounded() {
        let mut paths = PathMtus::default();
        for host in 0..3 * 1024 {
            let ip = std::net::Ipv4Addr::from(0x7f00_0001 + host);
            paths.exceeded_by(1300, SocketAddr::from((ip, 9)), true);
        }
        assert!(paths.known.len() <= REMEMBERED);
    }
}
