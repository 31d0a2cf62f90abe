//! A UDP server that shows what a network does to datagrams, and the client that asks it.
//!
//! `who` is answered with the sender's address as the server saw it; `third` with the same, but
//! from another port, which the client has never written to; anything else comes back unchanged.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};

/// The server: two sockets on one address.
#[derive(Debug)]
pub struct Responder {
    first: UdpSocket,
    third: UdpSocket,
}

/// Every datagram fits.
const LARGEST: usize = 65_536;
/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Responder {
    /// Binds the address, and a second socket on a port that the system picks.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let first = UdpSocket::bind(address)?;
        let third = UdpSocket::bind(SocketAddr::new(address.ip(), 0))?;
        first.set_nonblocking(true)?;
        third.set_nonblocking(true)?;
        Ok(Self { first, third })
    }

    /// The work of the server, to be spawned.
    ///
    /// # Errors
    /// Outside a runtime.
    pub fn serve(self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let first = tokio::net::UdpSocket::from_std(self.first)?;
        let third = tokio::net::UdpSocket::from_std(self.third)?;
        Ok(async move {
            let mut buffer = vec![0; LARGEST];
            loop {
                // An ICMP error for an earlier answer is no reason to end.
                let Ok((length, from)) = first.recv_from(&mut buffer).await else { continue };
                let request = buffer.get(..length).unwrap_or_default();
                let _ = match request {
                    b"who" => first.send_to(from.to_string().as_bytes(), from).await,
                    b"third" => third.send_to(from.to_string().as_bytes(), from).await,
                    other => first.send_to(other, from).await,
                };
            }
        })
    }
}

/// The mapping that a network gives one socket.
#[derive(Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The socket's address as each server saw it.
    pub seen: Vec<SocketAddr>,
    /// Whether an answer came through from a port that the socket had not written to.
    pub third_party_heard: bool,
}

impl Mapping {
    /// Whether the socket looks the same to all, and anyone may answer it: RFC 4787 4.1 and 5.
    pub fn is_endpoint_independent(&self) -> bool {
        self.third_party_heard
            && self.seen.windows(2).all(|pair| matches!(pair, [one, other] if one == other))
    }
}

/// Asks every server from one socket how it looks to them, and the first one for an answer from elsewhere.
///
/// # Errors
/// When a server does not answer.
pub fn mapping(servers: &[SocketAddr]) -> io::Result<Mapping> {
    let first = *servers.first().ok_or_else(|| io::Error::other("no server given"))?;
    let socket = open(first)?;
    let seen = servers
        .iter()
        .map(|server| {
            socket.send_to(b"who", server)?;
            let (answer, from) = receive(&socket)?;
            if from != *server {
                return Err(io::Error::other(format!("asked {server}, and {from} answered")));
            }
            String::from_utf8_lossy(&answer).parse().map_err(io::Error::other)
        })
        .collect::<io::Result<_>>()?;
    socket.send_to(b"third", first)?;
    let third_party_heard =
        receive(&socket).is_ok_and(|(_, from)| from.ip() == first.ip() && from.port() != first.port());
    Ok(Mapping { seen, third_party_heard })
}

/// What a program may say about fragments of its datagrams: `IP_MTU_DISCOVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragments {
    /// What a socket does that says nothing: DF is set, and the system makes fragments as it learns.
    Default,
    /// DF is not set.
    Allowed,
    /// DF is set, and what does not fit is refused.
    Forbidden,
}

impl Fragments {
    fn apply(self, socket: &UdpSocket, server: SocketAddr) -> io::Result<()> {
        let (v4, v6) = match self {
            Self::Default => return Ok(()),
            Self::Allowed => (Ipv4PathMtuDiscovery::DONT, Ipv6PathMtuDiscovery::DONT),
            Self::Forbidden => (Ipv4PathMtuDiscovery::DO, Ipv6PathMtuDiscovery::DO),
        };
        if server.is_ipv4() {
            set_ip_mtu_discover(socket, v4)?
        } else {
            set_ipv6_mtu_discover(socket, v6)?
        }
        Ok(())
    }
}

/// Sends a datagram of `length` bytes and waits for it to come back unchanged. A first error such as
/// EMSGSIZE, which the system also reports for what a router said about an earlier try, is retried once,
/// as a program does that adapts to the path.
///
/// # Errors
/// When nothing or something else comes back.
pub fn echo(server: SocketAddr, length: usize, fragments: Fragments) -> io::Result<()> {
    let socket = open(server)?;
    fragments.apply(&socket, server)?;
    socket.connect(server)?;
    let payload = crate::payload::Payload::new(9, length).bytes(0, length);
    let (answer, _) = exchange(&socket, payload).or_else(|_| exchange(&socket, payload))?;
    if answer != payload {
        return Err(io::Error::other(format!(
            "{length} bytes were sent, other {} bytes came back",
            answer.len()
        )));
    }
    Ok(())
}

fn exchange(socket: &UdpSocket, payload: &[u8]) -> io::Result<(Vec<u8>, SocketAddr)> {
    socket.send(payload)?;
    receive(socket)
}

fn open(toward: SocketAddr) -> io::Result<UdpSocket> {
    let any = if toward.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn receive(socket: &UdpSocket) -> io::Result<(Vec<u8>, SocketAddr)> {
    let mut buffer = vec![0; LARGEST];
    let (length, from) = socket.recv_from(&mut buffer)?;
    buffer.truncate(length);
    Ok((buffer, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responder() -> SocketAddr {
        let responder = Responder::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = responder.first.local_addr().unwrap();
        tokio::spawn(responder.serve().unwrap());
        address
    }

    #[tokio::test]
    async fn one_socket_looks_the_same_to_two_servers() {
        let servers = [responder(), responder()];
        let mapping = tokio::task::spawn_blocking(move || mapping(&servers)).await.unwrap().unwrap();
        assert_eq!(mapping.seen[0], mapping.seen[1]);
        assert!(mapping.third_party_heard);
    }

    #[tokio::test]
    async fn a_datagram_comes_back_unchanged() {
        let server = responder();
        tokio::task::spawn_blocking(move || echo(server, 4_000, Fragments::Default)).await.unwrap().unwrap();
    }
}
