//! Carries connections from COMMAND's loopback to the same port of the host's: `--loopback`.
//!
//! The kernel has already answered COMMAND when a connection arrives here, so a port where the host
//! does not listen shows as a reset, not as refused.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use telltale_engine::Shape;
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Observation, Protocol, Traffic};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::clock::wall;
use crate::introductions::PATIENCE;
use crate::owner::Asker;
use crate::sys;
use crate::watcher::WatchSender;

/// Connections of one listener at a time; more wait in its queue. Each takes two descriptors.
const CONNECTIONS: usize = 128;

/// Bytes of one read.
const BUFFER: usize = 16 << 10;

/// Until a descriptor may be free again after EMFILE.
const NO_DESCRIPTORS: Duration = Duration::from_millis(100);

/// The one way to the watcher that all connections share: the relay's thread alone carries them.
#[derive(Clone)]
pub(crate) struct Shared {
    watch: Option<Rc<RefCell<WatchSender>>>,
    owners: Option<Asker>,
    said: Rc<Cell<Said>>,
    listeners: Rc<[OwnedFd]>,
}

/// What COMMAND has said through all connections.
#[derive(Clone, Copy, Default)]
struct Said {
    /// Connections in which it may say more.
    unfinished: usize,
    bytes: u64,
}

impl Shared {
    /// Owners are asked for at `owners`.
    /// The listeners are only looked at.
    pub(crate) fn new(watch: Option<WatchSender>, owners: Option<Asker>, listeners: Rc<[OwnedFd]>) -> Self {
        Self {
            watch: watch.map(|watch| Rc::new(RefCell::new(watch))),
            owners,
            said: Rc::default(),
            listeners,
        }
    }

    /// The relay ends: hands over what waits, see [`WatchSender::finish`].
    pub(crate) fn finish(&self) {
        if let Some(watch) = &self.watch {
            watch.borrow_mut().finish();
        }
    }

    /// Connections in which COMMAND may say more, and how many bytes the host has taken of all.
    pub(crate) fn unfinished(&self) -> (usize, u64) {
        let Said { unfinished, bytes } = self.said.get();
        let accepting = self.listeners.iter().filter(|listener| sys::is_readable(listener.as_fd())).count();
        (unfinished + accepting, bytes)
    }

    fn tell(&self, observation: Observation) {
        if let Some(watch) = &self.watch {
            let mut watch = watch.borrow_mut();
            watch.tell(observation);
            watch.hand_over();
        }
    }

    fn tell_payload(&self, flow: FlowNumber, direction: Direction, payload: &[u8]) {
        if let Some(watch) = &self.watch {
            let mut watch = watch.borrow_mut();
            let payload = Bytes::copy_from_slice(payload);
            let pinned = payload.len();
            watch.tell_payload(flow, direction, Shape::Stream, payload, pinned);
            watch.hand_over();
        }
    }

    /// Has the owner of a connection searched for while `work` goes on, which gets no answer to the app
    /// before that is over.
    async fn introduce<T>(&self, number: FlowNumber, key: FlowKey, work: impl Future<Output = T>) -> T {
        let Some(owners) = &self.owners else { return work.await };
        let search = tokio::time::timeout(PATIENCE, owners.ask(number, key));
        let (answer, _known_or_not) = tokio::join!(work, search);
        answer
    }
}

/// Accepts and carries until it is dropped, which breaks off what it carries. Runs in a `LocalSet`.
///
/// # Errors
/// Where the listener cannot be used at all.
pub(crate) async fn forward(listener: std::net::TcpListener, watch: Shared) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let remote = listener.local_addr()?;
    let mut numbers = numbers(remote);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((app, from)) => {
                    let key = FlowKey { protocol: Protocol::Tcp, app: from, remote };
                    let number = numbers.next().unwrap_or(FlowNumber(u64::MAX));
                    connections.spawn_local(carry(app, Record::open(number, key, watch.clone())));
                }
                Err(_out_of_descriptors) => tokio::time::sleep(NO_DESCRIPTORS).await,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Numbers that the engine, which counts its flows from below, never reaches, and that no other
/// listener gives. They stay below 2^53, which is as far as numbers in JSON are safe.
fn numbers(listener: SocketAddr) -> impl Iterator<Item = FlowNumber> {
    let first = 1 << 52 | u64::from(listener.is_ipv6()) << 51 | u64::from(listener.port()) << 32;
    (first..first + (1 << 32)).map(FlowNumber)
}

/// Where this is dropped in the midst of it, both sides see a reset: nothing that was cut off looks whole.
async fn carry(app: TcpStream, mut record: Record) {
    let saying = Saying::begin(&record.watch.said);
    reset(&app);
    let connect = reach(record.key.remote);
    record.ending = match record.watch.introduce(record.number, record.key, connect).await {
        Ok(host) => {
            let ending = carry_both(&app, &host, &record, saying).await;
            if ending != Ending::Finished {
                reset(&host);
                reset(&app);
            }
            ending
        }
        Err(error) => {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                Ending::Refused
            } else {
                Ending::Unreachable
            }
        }
    };
}

/// A service may listen at one of the two loopbacks alone, while `localhost` stands for both.
async fn reach(remote: SocketAddr) -> io::Result<TcpStream> {
    let other = match remote.ip() {
        IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    match TcpStream::connect(remote).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            TcpStream::connect(SocketAddr::new(other, remote.port())).await.map_err(|_| error)
        }
        answer => answer,
    }
}

async fn carry_both(app: &TcpStream, host: &TcpStream, record: &Record, saying: Saying) -> Ending {
    reset(host);
    // Each byte is passed on as it comes; waiting for more would only delay it.
    let _as_it_was = app.set_nodelay(true).and(host.set_nodelay(true));
    let sent = |bytes: &[u8]| {
        record.passed(Direction::Sent, bytes);
        saying.said(bytes.len() as u64);
    };
    let received = |bytes: &[u8]| record.passed(Direction::Received, bytes);
    let there = async {
        let passed = pass(app, host, sent).await;
        saying.end();
        passed.map_err(Broken::ending_there)
    };
    let back = async { pass(host, app, received).await.map_err(Broken::ending_back) };
    match tokio::try_join!(there, back) {
        Ok(_both_finished) => Ending::Finished,
        Err(ending) => ending,
    }
}

/// Which end of a one-way transfer broke.
enum Broken {
    Reading,
    Writing,
}

impl Broken {
    fn ending_there(self) -> Ending {
        match self {
            Self::Reading => Ending::ResetByApp,
            Self::Writing => Ending::ResetByRemote,
        }
    }

    fn ending_back(self) -> Ending {
        match self {
            Self::Reading => Ending::ResetByRemote,
            Self::Writing => Ending::ResetByApp,
        }
    }
}

/// One way, up to and with the end of the stream.
async fn pass(from: &TcpStream, to: &TcpStream, passed: impl Fn(&[u8])) -> Result<(), Broken> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = read(from, &mut buffer).await.map_err(|_reset| Broken::Reading)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            // What was said to its end is not taken back.
            let ended = sys::shutdown_write(to.as_fd()).and_then(|()| sys::finish_on_close(to.as_fd()));
            return ended.map_err(|_reset| Broken::Writing);
        };
        write(to, bytes).await.map_err(|_reset| Broken::Writing)?;
        passed(bytes);
    }
}

async fn read(from: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        from.readable().await?;
        match from.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            answer => return answer,
        }
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn reset(stream: &TcpStream) {
    // Where it fails the connection is gone already.
    let _gone = sys::reset_on_close(stream.as_fd());
}

/// A connection in which COMMAND may say more, until this ends or is dropped.
struct Saying {
    all: Rc<Cell<Said>>,
    ended: Cell<bool>,
}

impl Saying {
    fn begin(all: &Rc<Cell<Said>>) -> Self {
        let said = all.get();
        all.set(Said { unfinished: said.unfinished + 1, ..said });
        Self { all: Rc::clone(all), ended: Cell::new(false) }
    }

    fn said(&self, bytes: u64) {
        let said = self.all.get();
        self.all.set(Said { bytes: said.bytes + bytes, ..said });
    }

    fn end(&self) {
        if !self.ended.replace(true) {
            let said = self.all.get();
            self.all.set(Said { unfinished: said.unfinished - 1, ..said });
        }
    }
}

impl Drop for Saying {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells the watcher of a connection: that it began, and when it is dropped how it ended.
struct Record {
    number: FlowNumber,
    key: FlowKey,
    sent: Cell<u64>,
    received: Cell<u64>,
    ending: Ending,
    watch: Shared,
}

impl Record {
    fn open(number: FlowNumber, key: FlowKey, watch: Shared) -> Self {
        watch.tell(Observation::Opened { flow: number, key, at: wall() });
        let (sent, received) = (Cell::new(0), Cell::new(0));
        Self { number, key, sent, received, ending: Ending::Stopped, watch }
    }

    fn passed(&self, direction: Direction, bytes: &[u8]) {
        let sum = if direction == Direction::Sent { &self.sent } else { &self.received };
        sum.set(sum.get() + bytes.len() as u64);
        self.watch.tell_payload(self.number, direction, bytes);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // No packet crosses the tunnel for these, so there is none to count.
        let traffic = Traffic {
            bytes_sent: self.sent.get(),
            bytes_received: self.received.get(),
            ..Traffic::default()
        };
        self.watch.tell(Observation::Closed { flow: self.number, traffic, ending: self.ending, at: wall() });
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;

    use super::*;
    use crate::watcher::{Watch, WatchConfig};

    #[test]
    fn a_half_closed_connection_brings_its_answer_back() {
        let client = talk(|mut server| {
            let mut heard = Vec::new();
            server.read_to_end(&mut heard).unwrap();
            server.write_all(&heard.repeat(2)).unwrap();
        });
        let mut client = client.unwrap();
        client.write_all(&[7; 100_000]).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, [7; 200_000]);
    }

    #[test]
    fn what_is_said_is_watched_as_everywhere() {
        let watch = Watch::start(WatchConfig::default()).unwrap();
        let answer = |mut server: TcpStream| drop(server.read_to_end(&mut Vec::new()));
        let mut client = talk_watched(answer, Some(watch.sender())).unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
        client.write_all(request).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        let told = || watch.sender().snapshot().and_then(|ledger| ledger.lines.into_iter().next());
        let ended = (0..100).find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            told().filter(|line| line.sum.traffic.bytes_sent == request.len() as u64)
        });
        let line = ended.unwrap();
        assert_eq!(line.sum.content.coverage.searched, request.len() as u64);
        assert_eq!(line.name.as_deref(), Some("a.example"));
    }

    #[test]
    fn a_reset_stays_a_reset() {
        let client = talk(|server| {
            sys::reset_on_close(server.as_fd()).unwrap();
        });
        let error = client.unwrap().read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn numbers_stay_apart_and_safe() {
        let first = |listener: &str| numbers(listener.parse().unwrap()).next().unwrap().0;
        let all = [first("127.0.0.1:80"), first("[::1]:80"), first("127.0.0.1:81"), first("[::1]:65535")];
        assert!(all.iter().all(|number| (1 << 52..1 << 53).contains(number)));
        assert!(all.iter().enumerate().all(|(at, number)| !all[..at].contains(number)));
    }

    /// A client that reaches `server` through a relayed connection. The two loopbacks of real life are
    /// two addresses of the one that a test has.
    fn talk(server: impl FnOnce(TcpStream) + Send + 'static) -> io::Result<TcpStream> {
        talk_watched(server, None)
    }

    fn talk_watched(
        server: impl FnOnce(TcpStream) + Send + 'static,
        watch: Option<WatchSender>,
    ) -> io::Result<TcpStream> {
        let host = TcpListener::bind("127.0.0.1:0")?;
        let inside = TcpListener::bind("127.0.0.1:0")?;
        let (from, to) = (inside.local_addr()?, host.local_addr()?);
        thread::spawn(move || server(host.accept().unwrap().0));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (app, from) = inside.accept().unwrap();
                app.set_nonblocking(true).unwrap();
                let app = tokio::net::TcpStream::from_std(app).unwrap();
                let key = FlowKey { protocol: Protocol::Tcp, app: from, remote: to };
                carry(app, Record::open(FlowNumber(1), key, Shared::new(watch, None, Rc::new([])))).await;
            });
        });
        TcpStream::connect(from)
    }
}
