//! The system's resolver configuration, resolv.conf(5).

use std::ffi::CString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::path::Path;

/// glibc's MAXNS: further servers are ignored, there as here.
const SERVERS: usize = 3;
const PORT: u16 = 53;

/// Where the C library looks for it.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What resolv.conf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// The name servers in the order in which they are asked, at least one, at most three.
    pub nameservers: Vec<SocketAddr>,
    /// The domains that are tried behind short names.
    pub search: Vec<String>,
    /// The words after `options`, such as `timeout:2` or `rotate`.
    pub options: Vec<String>,
}

impl ResolvConf {
    /// Reads a file. An error says that it could not be read; its content cannot be wrong.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        fs::read(path).map(|bytes| Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// Reads the text of such a file. Lines that it does not know are ignored, as resolv.conf(5)
    /// wants. Without a name server it is the one on this machine.
    pub fn parse(text: &str) -> Self {
        let mut conf = Self { nameservers: Vec::new(), search: Vec::new(), options: Vec::new() };
        for line in text.lines() {
            // A comment begins at the start of a line; a keyword too.
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                _ if line.starts_with([' ', '\t']) => {}
                Some("nameserver") => conf.nameservers.extend(words.next().and_then(server)),
                // The last of these lines counts.
                Some("search") => conf.search = words.map(str::to_owned).collect(),
                Some("domain") => conf.search = words.take(1).map(str::to_owned).collect(),
                Some("options") => conf.options.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        conf.bounded()
    }

    /// These servers and nothing else.
    pub fn of(nameservers: Vec<SocketAddr>) -> Self {
        Self { nameservers, search: Vec::new(), options: Vec::new() }.bounded()
    }

    /// The number behind an option such as `timeout:`.
    pub(crate) fn number(&self, option: &str) -> Option<u64> {
        let value = |word: &String| word.strip_prefix(option)?.strip_prefix(':')?.parse().ok();
        self.options.iter().rev().find_map(value)
    }

    /// Whether an option is set.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|word| word == option)
    }

    fn bounded(mut self) -> Self {
        self.nameservers.truncate(SERVERS);
        if self.nameservers.is_empty() {
            self.nameservers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        }
        self
    }
}

/// An address, for link-local IPv6 with its interface: `fe80::1%eth0`.
fn server(text: &str) -> Option<SocketAddr> {
    let Some((address, scope)) = text.split_once('%') else {
        return text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, PORT));
    };
    let ip: Ipv6Addr = address.parse().ok()?;
    Some(SocketAddr::V6(SocketAddrV6::new(ip, PORT, 0, interface(scope)?)))
}

/// The index of an interface by its number or name. None where there is no such interface.
fn interface(scope: &str) -> Option<u32> {
    scope.parse().ok().or_else(|| {
        let name = CString::new(scope).ok()?;
        // SAFETY: name is a C string that outlives the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        Some(index).filter(|index| *index != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        ResolvConf::parse(text).nameservers.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn a_usual_file_is_read() {
        let conf = ResolvConf::parse(
            "# by hand\nnameserver 192.0.2.53\nnameserver\t2001:db8::53  # second\nsearch a.example b.example\noptions timeout:2 rotate\noptions attempts:4\n",
        );
        assert_eq!(
            conf.nameservers,
            ["192.0.2.53:53".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap()]
        );
        assert_eq!(conf.search, ["a.example", "b.example"]);
        assert_eq!((conf.number("timeout"), conf.number("attempts")), (Some(2), Some(4)));
        assert!(conf.has("rotate") && !conf.has("edns0"));
    }

    #[test]
    fn without_a_server_it_is_this_machine() {
        assert_eq!(addresses(""), ["127.0.0.1:53"]);
        assert_eq!(addresses("nameserver\nnameserver nonsense\n;nameserver 192.0.2.1\n"), ["127.0.0.1:53"]);
        assert_eq!(ResolvConf::of(Vec::new()), ResolvConf::parse(""));
    }

    #[test]
    fn the_fourth_server_is_ignored() {
        let text: String = (1..=4).map(|host| format!("nameserver 192.0.2.{host}\n")).collect();
        assert_eq!(addresses(&text), ["192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"]);
    }

    #[test]
    fn link_local_servers_carry_their_interface() {
        assert_eq!(addresses("nameserver fe80::1%lo\n"), ["[fe80::1%1]:53"]);
        assert_eq!(addresses("nameserver fe80::1%7\n"), ["[fe80::1%7]:53"]);
        assert_eq!(addresses("nameserver fe80::1%no-such-interface\n"), ["127.0.0.1:53"]);
        assert_eq!(addresses("nameserver fe80::1%../../../etc/x\n"), ["127.0.0.1:53"]);
    }

    #[test]
    fn the_last_search_line_counts() {
        assert_eq!(ResolvConf::parse("search a b\ndomain c d\n").search, ["c"]);
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(ResolvConf::read("/nonexistent/resolv.conf").is_err());
    }
}
