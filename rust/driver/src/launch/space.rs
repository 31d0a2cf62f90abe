//! In the child: its namespaces, step by step.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use super::Launch;
use super::error::{Failure, Stage};
use super::privilege::{self, Rights};
use super::{mounts, network};
use crate::sys::{self, check, errno};

/// What COMMAND's namespaces are reached by from outside.
pub(super) struct Space {
    /// The tun, the owner socket, and the loopback listeners, in this order.
    pub(super) fds: Vec<OwnedFd>,
    /// Whether COMMAND keeps the rights that this process has.
    pub(super) rights: Rights,
}

/// Moves this process into namespaces of its own and furnishes them.
pub(super) fn build(launch: &Launch) -> Result<Space, Failure> {
    let settings = Settings::of_host();
    let rights = enter()?;
    let mut fds = vec![network::build(launch.mtu, &launch.addresses)?];
    settings.apply(rights);
    mounts::furnish(&launch.resolv_conf())?;
    let owners = sys::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, libc::NETLINK_SOCK_DIAG);
    fds.push(owners.map_err(Failure::of(Stage::Owners))?);
    for port in &launch.loopback {
        fds.extend(listen(*port)?);
    }
    Ok(Space { fds, rights })
}

/// Root needs no user namespace, and without one its COMMAND keeps root's rights: apt must be able to
/// become another user.
fn enter() -> Result<Rights, Failure> {
    let rights = if privilege::may_make_namespaces() { Rights::Kept } else { Rights::Borrowed };
    if rights == Rights::Borrowed {
        enter_user_namespace()?;
    }
    unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS).map_err(Failure::of(Stage::Namespaces))?;
    Ok(rights)
}

fn enter_user_namespace() -> Result<(), Failure> {
    let (uid, gid) = privilege::ids();
    unshare(libc::CLONE_NEWUSER).map_err(Failure::of(Stage::UserNamespace))?;
    // user_namespaces(7): without a privilege outside, setgroups must be denied before gid_map is written.
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("{uid} {uid} 1"))?;
    write("/proc/self/gid_map", &format!("{gid} {gid} 1"))
}

fn write(path: &str, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::of(Stage::Mapping))
}

fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

fn listen(port: u16) -> Result<Vec<OwnedFd>, Failure> {
    let mut listeners = Vec::new();
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        match TcpListener::bind(SocketAddr::new(address, port)) {
            Ok(listener) => listeners.push(listener.into()),
            // A kernel without IPv6 has no ::1.
            Err(error)
                if address.is_ipv6()
                    && [libc::EADDRNOTAVAIL, libc::EAFNOSUPPORT].contains(&errno(&error)) => {}
            Err(error) => return Err(Failure::of(Stage::Port)(error).with(port)),
        }
    }
    Ok(listeners)
}

/// Settings of the host's network that decide what a program without rights may do there. A new
/// network namespace begins with the kernel's own, under which ping would fail where it worked before.
struct Settings {
    ping_groups: Option<String>,
    first_port: Option<String>,
}

const PING_GROUPS: &str = "/proc/sys/net/ipv4/ping_group_range";
const FIRST_PORT: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

impl Settings {
    fn of_host() -> Self {
        Self {
            ping_groups: fs::read_to_string(PING_GROUPS).ok(),
            first_port: fs::read_to_string(FIRST_PORT).ok(),
        }
    }

    /// A system that keeps /proc/sys from being written goes without: ping still has its own ways.
    fn apply(&self, rights: Rights) {
        let (_uid, gid) = privilege::ids();
        let groups = self.ping_groups.as_deref().and_then(|range| match rights {
            Rights::Kept => Some(range.to_owned()),
            // A group that is not mapped cannot be named there, so the range shrinks to our own.
            Rights::Borrowed => in_range(gid, range).then(|| format!("{gid} {gid}")),
        });
        for (path, value) in [(PING_GROUPS, &groups), (FIRST_PORT, &self.first_port)] {
            if let Some(value) = value {
                let _read_only = fs::write(path, value);
            }
        }
    }
}

fn in_range(gid: libc::gid_t, range: &str) -> bool {
    let mut ends = range.split_whitespace().map(str::parse::<libc::gid_t>);
    match (ends.next(), ends.next()) {
        (Some(Ok(first)), Some(Ok(last))) => (first..=last).contains(&gid),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_allowed_to_ping_as_the_host_says() {
        assert!(in_range(1000, "0\t2147483647\n"));
        assert!(in_range(0, "0\t0\n"));
        assert!(!in_range(1000, "0\t999\n"));
        assert!(!in_range(1, "1\t0\n"), "the kernel's own range, which allows nobody");
        assert!(!in_range(0, ""));
    }
}
