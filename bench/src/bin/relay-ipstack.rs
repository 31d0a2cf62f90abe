//! A direct relay over the crate `ipstack`, as its documentation and its example show it, with larger
//! buffers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipstack::{
    IpStack, IpStackConfig, IpStackStream, IpStackTcpStream, IpStackUdpStream, TcpConfig, TcpOptions,
};
use telltale_bench::relay;
use telltale_bench::tun::{self, AsyncTun};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::{TcpStream, UdpSocket};

/// What its example sets; its default of 16 KiB is slower.
const UNACKNOWLEDGED: u32 = 256 << 10;
/// As large as a datagram may be in ten thousand flows: the loads have none that is larger.
const DATAGRAM: usize = 2 << 10;
/// The headers of IPv4 and TCP.
const HEADERS: u16 = 40;

fn main() -> io::Result<()> {
    relay::runtime()?.block_on(relay())
}

async fn relay() -> io::Result<()> {
    let piece = relay::piece();
    let mtu = tun::mtu()?;
    let mut tcp = TcpConfig::default();
    tcp.max_unacked_bytes = UNACKNOWLEDGED;
    tcp.options = Some(vec![TcpOptions::MaximumSegmentSize(mtu - HEADERS)]);
    // Idle connections are measured for longer than its 60 seconds.
    tcp.timeout = Duration::from_secs(600);
    let mut config = IpStackConfig::default();
    config.mtu(mtu).map_err(io::Error::other)?.with_tcp_config(tcp);
    let mut stack = IpStack::new(config, AsyncTun::new(tun::inherited()?)?);
    loop {
        match stack.accept().await.map_err(io::Error::other)? {
            IpStackStream::Tcp(app) => drop(tokio::spawn(relay_tcp(app, piece))),
            IpStackStream::Udp(app) => drop(tokio::spawn(relay_udp(app))),
            IpStackStream::UnknownTransport(_) | IpStackStream::UnknownNetwork(_) => {}
        }
    }
}

async fn relay_tcp(mut app: IpStackTcpStream, piece: usize) -> io::Result<()> {
    let mut server = TcpStream::connect(app.peer_addr()).await?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut app, &mut server, piece, piece).await?;
    server.shutdown().await?;
    app.shutdown().await
}

async fn relay_udp(mut app: IpStackUdpStream) -> io::Result<()> {
    let server = UdpSocket::bind(any(app.peer_addr())).await?;
    server.connect(app.peer_addr()).await?;
    let (mut up, mut down) = (vec![0; DATAGRAM], vec![0; DATAGRAM]);
    loop {
        tokio::select! {
            read = app.read(&mut up) => match read? {
                0 => return Ok(()),
                length => drop(server.send(up.get(..length).unwrap_or_default()).await?),
            },
            length = server.recv(&mut down) => app.write_all(down.get(..length?).unwrap_or_default()).await?,
        }
    }
}

/// Any port of the same family.
fn any(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0).into(),
        SocketAddr::V6(_) => (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0).into(),
    }
}
