//! A direct relay over the crate `netstack-smoltcp`, as its documentation and its example show it: the
//! sizes are those of its README, but for the window.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use netstack_smoltcp::{StackBuilder, TcpListener, TcpStream as AppStream, UdpSocket as AppDatagrams};
use telltale_bench::relay;
use telltale_bench::tun::{self, AsyncTun};
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;

/// As large as a datagram can be.
const DATAGRAM: usize = 64 << 10;

fn main() -> io::Result<()> {
    relay::runtime()?.block_on(relay())
}

async fn relay() -> io::Result<()> {
    let piece = relay::piece();
    let mtu = usize::from(tun::mtu()?);
    let (stack, runner, datagrams, connections) = StackBuilder::default()
        .stack_buffer_size(512)
        .tcp_buffer_size(4096)
        .enable_udp(true)
        .enable_tcp(true)
        .enable_icmp(true)
        .mtu(mtu)
        .build()?;
    let tun = Arc::new(AsyncTun::new(tun::inherited()?)?);
    let (mut to_stack, mut from_stack) = stack.split();
    if let Some(runner) = runner {
        tokio::spawn(runner);
    }
    let writer = Arc::clone(&tun);
    tokio::spawn(async move {
        while let Some(Ok(packet)) = from_stack.next().await {
            let _ = writer.write_packet(&packet).await;
        }
    });
    connections.map(|connections| tokio::spawn(accept(connections, piece)));
    datagrams.map(|datagrams| tokio::spawn(exchange(datagrams)));
    let mut buffer = vec![0; mtu];
    loop {
        let length = tun.read_packet(&mut buffer).await?;
        to_stack.send(buffer.get(..length).unwrap_or_default().to_vec()).await?;
    }
}

async fn accept(mut connections: TcpListener, piece: usize) {
    while let Some((app, _from, to)) = connections.next().await {
        tokio::spawn(carry(app, to, piece));
    }
}

async fn carry(mut app: AppStream, to: SocketAddr, piece: usize) -> io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut app, &mut server, piece, piece).await?;
    Ok(())
}

/// Payload, where it comes from, where it goes.
type Datagram = (Vec<u8>, SocketAddr, SocketAddr);

/// One socket for each pair of addresses. The example makes one for each datagram, which nobody would use.
async fn exchange(datagrams: AppDatagrams) {
    let (mut from_apps, mut to_apps) = datagrams.split();
    let (answers, mut answered) = mpsc::channel::<Datagram>(512);
    tokio::spawn(async move {
        while let Some(datagram) = answered.recv().await {
            let _ = to_apps.send(datagram).await;
        }
    });
    let mut sockets: HashMap<(SocketAddr, SocketAddr), Arc<UdpSocket>> = HashMap::new();
    while let Some((payload, app, server)) = from_apps.next().await {
        let socket = match sockets.get(&(app, server)) {
            Some(socket) => Arc::clone(socket),
            None => {
                let Ok(socket) = connected(server).await else { continue };
                tokio::spawn(answer(Arc::clone(&socket), app, server, answers.clone()));
                sockets.insert((app, server), Arc::clone(&socket));
                socket
            }
        };
        let _ = socket.send(&payload).await;
    }
}

async fn connected(server: SocketAddr) -> io::Result<Arc<UdpSocket>> {
    let socket = UdpSocket::bind(match server {
        SocketAddr::V4(_) => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        SocketAddr::V6(_) => (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    })
    .await?;
    socket.connect(server).await?;
    Ok(Arc::new(socket))
}

async fn answer(
    socket: Arc<UdpSocket>,
    app: SocketAddr,
    server: SocketAddr,
    answers: mpsc::Sender<Datagram>,
) {
    // Not one of its own for each flow: ten thousand would pin 640 MB, which is ours and not the crate's.
    loop {
        let mut buffer = Vec::new();
        if socket.readable().await.is_err() {
            return;
        }
        buffer.reserve(DATAGRAM);
        if socket.try_recv_buf(&mut buffer).is_ok() {
            buffer.shrink_to_fit();
            if answers.send((buffer, server, app)).await.is_err() {
                return;
            }
        }
    }
}
