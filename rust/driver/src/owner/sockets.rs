//! The socket behind a flow.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use libc::c_int;
use telltale_model::{FlowKey, Protocol};

use crate::netlink::{Held, SockDiag};

/// The socket that somebody holds and that this flow belongs to. Echo has no owner that the kernel
/// would tell.
pub(super) fn find(diag: &mut SockDiag, key: FlowKey) -> Option<Held> {
    let direct = match key.protocol {
        Protocol::Tcp => diag.find(libc::IPPROTO_TCP, key.app, key.remote),
        // The kernel looks for the receiver of a packet from source to destination.
        Protocol::Udp => diag.find(libc::IPPROTO_UDP, key.remote, key.app),
        Protocol::Icmp => return None,
    };
    // A socket in TIME_WAIT belongs to nobody: inode 0, and an uid that means nothing.
    let held = |found: &Held| found.inode != 0;
    direct.ok().flatten().filter(held).or_else(|| search(diag, key).filter(held))
}

/// The kernel finds no socket that is bound to an interface, nor a connected one that sent elsewhere.
fn search(diag: &mut SockDiag, key: FlowKey) -> Option<Held> {
    let mut best = None;
    for app in [Some(key.app), mapped(key.app)].into_iter().flatten() {
        let any =
            SocketAddr::new(if app.is_ipv4() { key.remote.ip() } else { Ipv6Addr::UNSPECIFIED.into() }, 0);
        let (protocol, remote) = match key.protocol {
            Protocol::Tcp => (libc::IPPROTO_TCP, SocketAddr::new(any.ip(), key.remote.port())),
            Protocol::Udp | Protocol::Icmp => (libc::IPPROTO_UDP, any),
        };
        list(diag, protocol, (app, remote), key, &mut best);
    }
    best.map(|(_fit, held)| held)
}

fn list(
    diag: &mut SockDiag,
    protocol: c_int,
    ends: (SocketAddr, SocketAddr),
    key: FlowKey,
    best: &mut Option<(Fit, Held)>,
) {
    // An error means that no more is known than so far.
    let _unknown = diag.list(protocol, ends.0, ends.1, |held| {
        let Some(fit) = fit(key, &held) else { return };
        if best.is_none_or(|(so_far, _)| fit > so_far) {
            *best = Some((fit, held));
        }
    });
}

/// How well a socket fits a flow; the later the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Connected elsewhere, which keeps nobody from sending here too.
    Elsewhere,
    /// Not connected.
    Open,
    /// Connected to the flow's remote.
    Same,
}

fn fit(key: FlowKey, held: &Held) -> Option<Fit> {
    let local = held.local.ip();
    if held.local.port() != key.app.port() || !(local == key.app.ip() || local.is_unspecified()) {
        return None;
    }
    let same = (held.remote.ip(), held.remote.port()) == (key.remote.ip(), key.remote.port());
    match key.protocol {
        _ if same => Some(Fit::Same),
        Protocol::Tcp => None,
        Protocol::Udp | Protocol::Icmp if held.remote.port() == 0 => Some(Fit::Open),
        Protocol::Udp | Protocol::Icmp => Some(Fit::Elsewhere),
    }
}

/// The address as an IPv6 socket that speaks IPv4 has it.
fn mapped(app: SocketAddr) -> Option<SocketAddr> {
    match app.ip() {
        IpAddr::V4(v4) => Some(SocketAddr::new(v4.to_ipv6_mapped().into(), app.port())),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(local: &str, remote: &str) -> Held {
        Held { local: local.parse().unwrap(), remote: remote.parse().unwrap(), uid: 0, inode: 1 }
    }

    #[test]
    fn the_closest_socket_fits_best() {
        let key = |protocol| FlowKey {
            protocol,
            app: "198.19.84.2:5000".parse().unwrap(),
            remote: "192.0.2.1:443".parse().unwrap(),
        };
        let udp = |local, remote| fit(key(Protocol::Udp), &held(local, remote));
        assert_eq!(udp("198.19.84.2:5000", "192.0.2.1:443"), Some(Fit::Same));
        assert_eq!(udp("[::]:5000", "[::]:0"), Some(Fit::Open));
        assert_eq!(udp("0.0.0.0:5000", "192.0.2.9:443"), Some(Fit::Elsewhere));
        assert_eq!(udp("127.0.0.1:5000", "0.0.0.0:0"), None, "bound to another address");
        assert_eq!(udp("0.0.0.0:5001", "0.0.0.0:0"), None);
        let tcp = |local, remote| fit(key(Protocol::Tcp), &held(local, remote));
        assert_eq!(tcp("198.19.84.2:5000", "192.0.2.1:443"), Some(Fit::Same));
        assert_eq!(tcp("198.19.84.2:5000", "192.0.2.9:443"), None, "a connection has two ends");
    }
}
