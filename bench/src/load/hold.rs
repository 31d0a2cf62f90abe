//! Flows that are open and idle: what each costs in memory. A program of its own opens them, because one
//! process may not have as many descriptors as both ends of ten thousand flows need.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use telltale_scenario::server::Server;

use crate::bed::{Family, Way};
use crate::figures::{Figures, Quantity};
use crate::meter::{kernel_memory, resident};

const ECHO: u16 = 7;
const UDP: u16 = 5_005;
const PATIENCE: Duration = Duration::from_secs(2);
/// Whatever is freed with a delay is free by then.
const SETTLE: Duration = Duration::from_secs(1);
/// An engine that fails so often in a row serves no more.
const GIVE_UP: usize = 8;

/// What kind of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp,
    Udp,
}

impl Kind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp].into_iter().find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The memory of an engine that has nothing to do.
pub(super) fn start(way: &Way<'_>) -> io::Result<Figures> {
    thread::sleep(SETTLE);
    let mut figures = Figures::default();
    if let Some(engine) = way.engine() {
        figures.set(Quantity::Resident, resident(engine)? / 1e6);
    }
    Ok(figures)
}

/// The memory of an engine with so many idle flows.
pub(super) fn idle(way: &Way<'_>, family: Family, kind: Kind, flows: usize) -> io::Result<Figures> {
    let port = if kind == Kind::Tcp { ECHO } else { UDP };
    let _server =
        (kind == Kind::Udp).then(|| Server::udp(&way.bed.server, &[family.server(port)])).transpose()?;
    let memory = || way.engine().map_or(Ok(0.0), resident);
    let (before, kernel_before) = (memory()?, kernel_memory()?);
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["hold", kind.name(), &family.server(port).to_string(), &flows.to_string()]);
    let mut holder = way.app().spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let mut line = String::new();
    BufReader::new(holder.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
    let served: f64 = line.trim().parse().map_err(io::Error::other)?;
    thread::sleep(SETTLE);
    let mut figures = Figures::default();
    figures.set(Quantity::Served, served / flows as f64 * 100.0);
    figures.set(Quantity::KernelEach, (kernel_memory()? - kernel_before) / served.max(1.0));
    if way.engine().is_some() {
        let after = memory()?;
        figures.set(Quantity::Resident, after / 1e6);
        figures.set(Quantity::ResidentEach, (after - before) / served.max(1.0));
    }
    Ok(figures)
}

/// Opens flows, has one exchange on each, says how many were served, and holds them until its input ends.
///
/// # Errors
/// When the output is closed.
pub(crate) fn hold(kind: Kind, server: SocketAddr, flows: usize) -> io::Result<()> {
    match kind {
        Kind::Tcp => held(flows, || tcp(server)),
        Kind::Udp => held(flows, || udp(server)),
    }
}

fn held<T>(flows: usize, open: impl Fn() -> io::Result<T>) -> io::Result<()> {
    let (mut open_flows, mut failures) = (Vec::with_capacity(flows), 0);
    for _ in 0..flows {
        match open() {
            Ok(flow) => {
                open_flows.push(flow);
                failures = 0;
            }
            Err(_) if failures == GIVE_UP => break,
            Err(_) => failures += 1,
        }
    }
    writeln!(io::stdout(), "{}", open_flows.len())?;
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn tcp(server: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(&mut stream, b"8 bytes.")?;
    Ok(stream)
}

/// A message there and back.
pub(super) fn exchange(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let mut answer = vec![0; message.len()];
    stream.write_all(message)?;
    stream.read_exact(&mut answer)?;
    if answer == message { Ok(()) } else { Err(io::Error::other("another message came back")) }
}

fn udp(server: SocketAddr) -> io::Result<UdpSocket> {
    let any = if server.is_ipv4() { Family::V4.any() } else { Family::V6.any() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(b"8 bytes.")?;
    let mut answer = [0; 16];
    let length = socket.recv(&mut answer)?;
    if answer.get(..length) == Some(b"8 bytes.") {
        Ok(socket)
    } else {
        Err(io::Error::other("another came back"))
    }
}
