//! What COMMAND's network takes over from the machine's.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use telltale_driver::resolv::{RESOLV_CONF, ResolvConf};

/// From 198.18.0.0/15, which nothing on the Internet and hardly any network uses (RFC 2544).
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 19, 84, 1));
const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 19, 84, 53));

/// Outside fc00::/7: with an address from there, programs would prefer IPv4 to everywhere (RFC 6724).
const ADDRESS_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x7e11, 0x7a1e, 0, 0, 0, 1));
const RESOLVER_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x7e11, 0x7a1e, 0, 0, 0, 0x53));

/// What the machine's network has.
#[derive(Debug)]
pub(super) struct Host {
    /// COMMAND's addresses. IPv6 is given only while the machine has it, or programs would try it in
    /// vain.
    pub(super) addresses: Vec<IpAddr>,
    /// Our resolver's addresses.
    pub(super) resolvers: Vec<IpAddr>,
    /// The MTU of COMMAND's tun in bytes.
    pub(super) mtu: u16,
    /// The machine's own resolvers.
    pub(super) system: ResolvConf,
}

impl Host {
    /// Looks at the machine.
    pub(super) fn look() -> Self {
        let addresses = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
        let ipv6 = addresses.lines().any(is_global);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            addresses: if ipv6 { vec![ADDRESS, ADDRESS_V6] } else { vec![ADDRESS] },
            resolvers: if ipv6 { vec![RESOLVER, RESOLVER_V6] } else { vec![RESOLVER] },
            mtu: mtu(&release),
            system: system_resolvers(ResolvConf::read(RESOLV_CONF)),
        }
    }
}

/// resolv.conf(5): without a file the name server on this machine is asked.
fn system_resolvers(read: io::Result<ResolvConf>) -> ResolvConf {
    read.unwrap_or_else(|_missing| ResolvConf::parse(""))
}

/// Whether a line of /proc/net/if_inet6 is an address that reaches beyond its link: address, interface
/// index, prefix length, scope, flags, interface name. Interfaces that are down have no lines.
fn is_global(line: &str) -> bool {
    const GLOBAL: &str = "00";
    let mut fields = line.split_ascii_whitespace().skip(3);
    fields.next() == Some(GLOBAL) && fields.nth(1).is_some_and(|interface| interface != "lo")
}

/// The larger the packets, the fewer: 1 GB costs 1.3 CPU seconds at 1500 bytes and 0.07 at 65535. Before
/// Linux 6.6 a write to a tun takes one linear buffer, which is hard to find above 16 KiB.
fn mtu(release: &str) -> u16 {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (6, 6) => 65_535,
        _ => 15_800,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_packets_need_a_new_kernel() {
        assert_eq!(mtu("6.18.44-fc-v669\n"), 65_535);
        assert_eq!(mtu("6.6.0"), 65_535);
        assert_eq!(mtu("7.0.1-rc2"), 65_535);
        assert_eq!(mtu("6.5.13-arch"), 15_800);
        assert_eq!(mtu("5.15.0-91-generic"), 15_800);
        assert_eq!(mtu(""), 15_800);
    }

    #[test]
    fn ipv6_is_there_with_a_global_address_on_a_real_interface() {
        assert!(is_global("20010db8000000000000000000000002 04 40 00 80     eth0"));
        assert!(!is_global("fe8000000000000000fc00fffe000001 04 40 20 80     eth0"));
        assert!(!is_global("00000000000000000000000000000001 01 80 10 80       lo"));
        assert!(!is_global("20010db8000000000000000000000001 01 80 00 80       lo"));
        assert!(!is_global(""));
    }

    #[test]
    fn without_a_resolv_conf_this_machine_is_asked() {
        let system = system_resolvers(Err(io::ErrorKind::NotFound.into()));
        assert_eq!(system.nameservers, ["127.0.0.1:53".parse().unwrap()]);
    }
}
