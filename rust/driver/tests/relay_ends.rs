//! How a relay ends: when it is told to, and when its tun is gone.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "this is a test")]

use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

use telltale_driver::attach::{Enough, StopSignals};
use telltale_driver::resolv::ResolvConf;
use telltale_driver::{NameServers, Relay, Setup};

#[test]
fn an_idle_relay_stops_at_once() {
    let (relay, _app) = relay();
    let (stopped, took) = stop(relay);
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(stopped.ended.is_none());
}

#[test]
fn a_relay_that_floods_a_deaf_app_stops_at_once() {
    let (relay, app) = relay();
    let server = UdpSocket::bind("0.0.0.0:0").unwrap();
    let Some(address) = outside_address() else {
        println!("skipped: this machine has no address but its loopback's");
        return;
    };
    let port = server.local_addr().unwrap().port();
    app.send(&datagram(address, port, b"hello")).unwrap();
    let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
    // Nobody reads the app's side: its queue fills, and then the relay's.
    for _ in 0..5_000 {
        let _no_room = server.send_to(&[7; 1_000], from);
    }
    thread::sleep(Duration::from_millis(50));
    let (stopped, took) = stop(relay);
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(stopped.tun.delayed > 0, "the app's queue never filled");
}

#[test]
fn a_tun_that_is_closed_ends_the_relay() {
    let (near, far) = packet_sockets();
    let relay = Relay::start(setup(near)).unwrap();
    drop(far);
    let signals = StopSignals::take().unwrap();
    assert_eq!(signals.wait(relay.ended()).unwrap(), Enough::Ended);
    let (stopped, _took) = stop(relay);
    assert_eq!(stopped.ended.unwrap().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn what_cannot_be_waited_for_is_refused() {
    let file = std::fs::File::open("/etc/passwd").unwrap();
    assert!(Relay::start(setup(file.into())).is_err());
}

#[test]
fn hundreds_of_relays_leave_no_descriptor_behind() {
    let before = descriptors();
    for _ in 0..200 {
        let (relay, _app) = relay();
        relay.stop();
    }
    // Other tests of this program come and go meanwhile, each with a dozen.
    assert!(descriptors() < before + 100, "{} before, {} after", before, descriptors());
}

fn relay() -> (Relay, UnixDatagram) {
    let (near, far) = UnixDatagram::pair().unwrap();
    (Relay::start(setup(near.into())).unwrap(), far)
}

fn setup(tun: OwnedFd) -> Setup {
    Setup {
        tun,
        mtu: 1_500,
        addresses: vec!["198.19.84.1".parse().unwrap()],
        resolvers: vec!["198.19.84.53".parse().unwrap()],
        name_servers: NameServers::Listed { conf: ResolvConf::parse(""), file: None },
        owners: None,
        loopback: Vec::new(),
        watch: None,
        at_end: None,
    }
}

fn stop(relay: Relay) -> (telltale_driver::Stopped, Duration) {
    #[expect(clippy::disallowed_methods, reason = "the test measures how long stopping takes")]
    let start = Instant::now();
    (relay.stop(), start.elapsed())
}

/// Two ends that keep packets apart and tell when the other is closed.
fn packet_sockets() -> (OwnedFd, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    let answer = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, ends.as_mut_ptr()) };
    assert_eq!(answer, 0);
    // SAFETY: the kernel has just made these descriptors and nobody else knows them.
    let own = |fd| unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) };
    (own(ends[0]), own(ends[1]))
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// An address of this machine that the relay dials: it never dials the loopback.
fn outside_address() -> Option<[u8; 4]> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    match socket.local_addr().ok()?.ip() {
        std::net::IpAddr::V4(address) if !address.is_loopback() => Some(address.octets()),
        std::net::IpAddr::V4(_) | std::net::IpAddr::V6(_) => None,
    }
}

/// A UDP datagram from the app in an IPv4 packet. The UDP checksum may be 0 (RFC 768): none.
fn datagram(to: [u8; 4], port: u16, payload: &[u8]) -> Vec<u8> {
    let udp_len = 8 + payload.len();
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 198, 19, 84, 1];
    packet.extend(to);
    packet[2..4].copy_from_slice(&u16::try_from(20 + udp_len).unwrap().to_be_bytes());
    let sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    packet[10..12].copy_from_slice(&(!u16::try_from(folded).unwrap()).to_be_bytes());
    packet.extend(40_000_u16.to_be_bytes());
    packet.extend(port.to_be_bytes());
    packet.extend(u16::try_from(udp_len).unwrap().to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    packet
}
