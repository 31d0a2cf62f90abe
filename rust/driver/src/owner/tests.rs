//! Owners of real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use telltale_model::Protocol;

use super::*;
use crate::sys;

struct Asked {
    owners: Owners,
    told: Receiver<(FlowNumber, Owner)>,
}

impl Asked {
    fn new() -> Self {
        const NETLINK_SOCK_DIAG: libc::c_int = 4;
        let diag = sys::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, NETLINK_SOCK_DIAG).unwrap();
        let (tell, told) = mpsc::channel();
        let owners =
            Owners::start(by_socket(diag), move |flow, owner| tell.send((flow, owner)).unwrap()).unwrap();
        Self { owners, told }
    }

    fn ask(&self, protocol: Protocol, app: SocketAddr, remote: SocketAddr) -> Option<Owner> {
        self.owners.ask(FlowNumber(1), FlowKey { protocol, app, remote });
        match self.told.recv_timeout(Duration::from_millis(500)) {
            Ok((flow, owner)) => Some((flow, owner)).map(|(_, owner)| owner),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the thread is gone"),
        }
    }
}

/// This process, as the owner of a socket.
fn own() -> Owner {
    // SAFETY: the call cannot fail and takes nothing.
    let uid = unsafe { libc::getuid() };
    let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    Owner { uid: Some(uid), pid: Some(std::process::id()), program: Some(program), app: None }
}

#[test]
fn a_connection_has_an_owner() {
    let asked = Asked::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (app, remote) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
    assert_eq!(asked.ask(Protocol::Tcp, app, remote), Some(own()));
}

#[test]
fn a_closed_connection_has_none() {
    let asked = Asked::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (app, remote) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
    let (far, _) = listener.accept().unwrap();
    drop(near); // ends in TIME_WAIT, of which the kernel says uid 0
    drop(far);
    assert_eq!(asked.ask(Protocol::Tcp, app, remote), None);
}

#[test]
fn datagram_sockets_have_owners_however_they_are_bound() {
    let asked = Asked::new();
    let remote: SocketAddr = "127.0.0.1:9".parse().unwrap();
    for bound in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        let socket = UdpSocket::bind(bound).unwrap();
        let app = SocketAddr::new("127.0.0.1".parse().unwrap(), socket.local_addr().unwrap().port());
        assert_eq!(asked.ask(Protocol::Udp, app, remote), Some(own()), "{bound}");
        if !bound.starts_with('[') {
            socket.connect("127.0.0.1:10").unwrap();
            assert_eq!(asked.ask(Protocol::Udp, app, remote), Some(own()), "{bound} connected elsewhere");
        }
    }
}

#[test]
fn echo_has_no_owner_and_does_not_disturb() {
    let asked = Asked::new();
    let address = "127.0.0.1:7".parse().unwrap();
    asked.owners.ask(FlowNumber(2), FlowKey { protocol: Protocol::Icmp, app: address, remote: address });
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(asked.ask(Protocol::Udp, socket.local_addr().unwrap(), address), Some(own()));
}

#[test]
fn another_process_is_named() {
    let asked = Asked::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; read -r line <&3", to.port());
    let Ok(mut child) = Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).spawn() else {
        println!("skipped: there is no bash");
        return;
    };
    let (far, app) = listener.accept().unwrap();
    let owner = asked.ask(Protocol::Tcp, app, to);
    drop(far);
    child.wait().unwrap();
    let owner = owner.unwrap();
    assert_eq!(owner.pid, Some(child.id()));
    assert!(owner.program.unwrap().ends_with("/bash"));
}

#[test]
fn a_socket_that_a_child_has_inherited_is_its_parents() {
    let asked = Asked::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let script =
        format!("exec 3<>/dev/tcp/127.0.0.1/{}; sleep 60 & echo >&3; read -r line <&3; kill $!", to.port());
    let Ok(mut child) = Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).spawn() else {
        println!("skipped: there is no bash");
        return;
    };
    let (mut far, app) = listener.accept().unwrap();
    far.read_exact(&mut [0]).unwrap();
    let owner = asked.ask(Protocol::Tcp, app, to);
    far.write_all(b"end\n").unwrap();
    child.wait().unwrap();
    assert_eq!(owner.unwrap().pid, Some(child.id()));
}

/// Also where that child is known from a socket of its own.
#[test]
fn a_datagram_socket_that_a_known_child_has_inherited_is_its_parents() {
    let asked = Asked::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let script = format!(
        "exec 3<>/dev/udp/127.0.0.1/9; bash -c 'exec 4<>/dev/tcp/127.0.0.1/{}; read -r line <&4; :'; :",
        to.port()
    );
    let Ok(mut parent) = Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).spawn() else {
        println!("skipped: there is no bash");
        return;
    };
    let (mut far, app) = listener.accept().unwrap();
    let child = asked.ask(Protocol::Tcp, app, to).unwrap().pid;
    assert_ne!(child, Some(parent.id()));
    let inherited = std::fs::read_link(format!("/proc/{}/fd/3", parent.id())).unwrap();
    let inode = inherited.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    let mut processes = Processes::new(None);
    let line = std::fs::read_link(format!("/proc/{}/fd/4", child.unwrap())).unwrap();
    let own = line.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    assert_eq!(processes.holding(own).map(|process| process.pid), child);
    assert_eq!(processes.holding(inode).map(|process| process.pid), Some(parent.id()));
    far.write_all(b"end\n").unwrap();
    parent.wait().unwrap();
}

#[test]
fn a_socket_that_closes_while_it_is_looked_at_is_not_roots() {
    let end = "127.0.0.1:7".parse().unwrap();
    let held = |uid| Held { local: end, remote: end, uid, inode: 5 };
    let uid = |uid| Owner { uid: Some(uid), ..Owner::default() };
    assert_eq!(owner(held(0), None, || false), None);
    assert_eq!(owner(held(0), None, || true), Some(uid(0)), "a process that may not be looked at");
    assert_eq!(owner(held(1000), None, || false), Some(uid(1000)));
    let process = Process { pid: 7, program: None };
    assert_eq!(owner(held(0), Some(process), || false), Some(Owner { pid: Some(7), ..uid(0) }));
}

#[test]
fn who_does_not_answer_holds_up_nothing() {
    let (block, blocked) = sync_channel::<()>(0);
    let find: FindOwner = Box::new(move |_| blocked.recv().ok().map(|()| Owner::default()));
    let owners = Owners::start(find, |_, _| {}).unwrap();
    let end = "127.0.0.1:7".parse().unwrap();
    owners.ask(FlowNumber(1), FlowKey { protocol: Protocol::Tcp, app: end, remote: end });
    #[expect(clippy::disallowed_methods, reason = "the test measures how long the end takes")]
    let start = std::time::Instant::now();
    drop(owners);
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    drop(block);
}

#[test]
fn asking_never_waits() {
    let (block, blocked) = sync_channel::<()>(0);
    const NETLINK_SOCK_DIAG: libc::c_int = 4;
    let diag = sys::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, NETLINK_SOCK_DIAG).unwrap();
    let owners = Owners::start(by_socket(diag), move |_, _| _ = blocked.recv()).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let app = socket.local_addr().unwrap();
    for flow in 0..WAITING as u64 + 10 {
        owners.ask(FlowNumber(flow), FlowKey { protocol: Protocol::Udp, app, remote: app });
    }
    assert!((8..=10).contains(&owners.missed()), "{}", owners.missed());
    drop(block);
    drop(owners);
}
