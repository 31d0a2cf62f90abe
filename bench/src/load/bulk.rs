//! TCP flows as fast as they go, each byte of them checked.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::bed::{Family, Way};
use crate::clock::now;
use crate::figures::{Figures, Quantity};
use crate::hello;
use crate::meter::{Window, observe};
use crate::pattern::{PIECE, Pattern, Sample};

const PORT: u16 = 5_001;
/// Windows and buffers have grown by then.
const WARM_UP: Duration = Duration::from_millis(500);
/// A flow that nothing moves on for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(3);
/// Through loss, what is in the buffers may need this long to arrive.
const LOSSY_PATIENCE: Duration = Duration::from_secs(45);

/// How many flows there are each way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) lossy: bool,
    /// Whether they look like TLS.
    pub(crate) tls: bool,
}

/// One flow, seen from both its ends.
#[derive(Debug)]
struct Flow {
    number: u64,
    up: bool,
    tls: bool,
    received: AtomicU64,
    /// What each end has made of the whole stream: hash and length.
    sent: Mutex<Option<([u8; 32], u64)>>,
    arrived: Mutex<Option<([u8; 32], u64)>>,
    problem: Mutex<Option<String>>,
}

/// Flows that run until they are stopped.
pub(super) struct Flows {
    flows: Vec<Flow>,
    tls: bool,
    stop: AtomicBool,
    /// Both ends of all connections, to break those that are stuck.
    ends: Mutex<Vec<TcpStream>>,
    patience: Duration,
}

/// Goodput and what it cost.
pub(super) fn run(way: &Way<'_>, family: Family, plan: Plan, length: Duration) -> io::Result<Figures> {
    let flows = Flows::new(plan);
    let (window, before, after) =
        flows.during(way, family, || observe(way, WARM_UP, length, || flows.received()))?;
    let mut figures = figures(&window, (after - before) as f64);
    if let Some(problem) = flows.problem() {
        figures.note(|| problem);
    }
    Ok(figures)
}

fn figures(window: &Window, bytes: f64) -> Figures {
    let mut figures = window.figures();
    figures.set(Quantity::Goodput, bytes * 8.0 / 1e6 / window.seconds);
    figures.set_some(Quantity::CpuPerGb, window.engine_for_each(bytes / 1e9));
    figures.set_some(Quantity::MachinePerGb, window.machine_for_each(bytes / 1e9));
    if window.engine > 0.0 && bytes > 0.0 {
        figures.set(Quantity::SwitchesPerMb, window.switches as f64 / (bytes / 1e6));
    }
    figures
}

impl Flows {
    pub(super) fn new(plan: Plan) -> Self {
        let flow = |number, up| Flow {
            number,
            up,
            tls: plan.tls,
            received: AtomicU64::new(0),
            sent: Mutex::default(),
            arrived: Mutex::default(),
            problem: Mutex::default(),
        };
        Self {
            flows: (0..plan.up + plan.down).map(|number| flow(number, number < plan.up)).collect(),
            tls: plan.tls,
            stop: AtomicBool::new(false),
            ends: Mutex::default(),
            patience: if plan.lossy { LOSSY_PATIENCE } else { PATIENCE },
        }
    }

    /// Does `work` while the flows run, then ends them.
    pub(super) fn during<T>(
        &self,
        way: &Way<'_>,
        family: Family,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let server = family.server(PORT);
        let listener = way.bed.server.inside(|| TcpListener::bind(server))?;
        thread::scope(|scope| {
            scope.spawn(|| self.accept(scope, &listener));
            let opened = way.app().inside(|| self.flows.iter().map(|flow| self.open(flow, server)).collect());
            let result = opened.and_then(|streams: Vec<TcpStream>| {
                let apps: Vec<_> = (self.flows.iter().zip(streams))
                    .map(|(flow, stream)| scope.spawn(|| self.play(flow, flow.up, stream)))
                    .collect();
                let result = work();
                self.stop.store(true, Ordering::Relaxed);
                self.wait(&apps);
                result
            });
            self.stop.store(true, Ordering::Relaxed);
            self.break_all();
            // The acceptor waits for one more connection: this one, which says that it is over.
            way.bed.server.inside(|| TcpStream::connect(server)).and(result)
        })
    }

    /// Payload that has arrived so far, of all flows.
    pub(super) fn received(&self) -> u64 {
        self.flows.iter().map(|flow| flow.received.load(Ordering::Relaxed)).sum()
    }

    /// The first thing that was wrong with any flow.
    pub(super) fn problem(&self) -> Option<String> {
        self.flows.iter().find_map(|flow| Some(format!("flow {}: {}", flow.number, flow.verdict()?)))
    }

    fn open(&self, flow: &Flow, server: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(server)?;
        self.keep(&stream)?;
        if flow.tls {
            stream.write_all(&hello::client(flow.number))?;
            stream.read_exact(&mut [0; hello::SERVER])?;
            stream.write_all(&hello::request())?;
        } else {
            stream.write_all(&flow.number.to_be_bytes())?;
        }
        Ok(stream)
    }

    fn accept<'scope>(&'scope self, scope: &'scope thread::Scope<'scope, '_>, listener: &TcpListener) {
        while let Ok((mut stream, _)) = listener.accept() {
            let number = if self.tls { greet(&mut stream) } else { introduced(&mut stream) };
            let flow = number.ok().and_then(|number| self.flows.get(usize::try_from(number).ok()?));
            let Some(flow) = flow else {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                continue;
            };
            if self.keep(&stream).is_ok() {
                scope.spawn(|| self.play(flow, !flow.up, stream));
            }
        }
    }

    fn keep(&self, stream: &TcpStream) -> io::Result<()> {
        locked(&self.ends).push(stream.try_clone()?);
        Ok(())
    }

    /// One end of a flow, to its end.
    fn play(&self, flow: &Flow, sends: bool, stream: TcpStream) {
        let result = if sends { self.send(flow, &stream) } else { flow.receive(&stream) };
        // Another descriptor of it is kept: dropping this one does not close.
        let _ = stream.shutdown(Shutdown::Both);
        if let Err(error) = result {
            locked(&flow.problem).get_or_insert_with(|| error.to_string());
        }
    }

    fn send(&self, flow: &Flow, mut stream: &TcpStream) -> io::Result<()> {
        let (pattern, mut sample, mut offset) = (flow.pattern(), Sample::default(), 0);
        while !self.stop.load(Ordering::Relaxed) {
            let bytes = pattern.bytes(offset, PIECE);
            let length = stream.write(bytes)?;
            sample.update(bytes.get(..length).unwrap_or_default());
            offset += length as u64;
        }
        *locked(&flow.sent) = Some(sample.finish());
        stream.shutdown(Shutdown::Write)?;
        // Until the other end has closed: nothing must be left behind for the next test.
        match stream.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(io::Error::other("bytes came that nobody sent")),
            Err(error) => Err(error),
        }
    }

    /// Waits for the ends of the app; what moves no more after a while is broken off.
    fn wait(&self, apps: &[thread::ScopedJoinHandle<'_, ()>]) {
        let (mut since, mut received) = (now(), self.received());
        while apps.iter().any(|app| !app.is_finished()) {
            thread::sleep(Duration::from_millis(5));
            if self.received() != received {
                (since, received) = (now(), self.received());
            }
            if since.elapsed() > self.patience {
                return;
            }
        }
    }

    fn break_all(&self) {
        for end in locked(&self.ends).drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Flow {
    fn pattern(&self) -> Pattern {
        if self.tls { Pattern::framed(self.number) } else { Pattern::new(self.number) }
    }

    fn receive(&self, mut stream: &TcpStream) -> io::Result<()> {
        let (pattern, mut sample, mut offset) = (self.pattern(), Sample::default(), 0);
        let mut buffer = vec![0; PIECE];
        loop {
            let length = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..length).unwrap_or_default();
            if bytes != pattern.bytes(offset, length) {
                return Err(io::Error::other(format!("other bytes than were sent, after {offset}")));
            }
            sample.update(bytes);
            offset += length as u64;
            self.received.store(offset, Ordering::Relaxed);
        }
        *locked(&self.arrived) = Some(sample.finish());
        Ok(())
    }

    /// What was wrong, if anything.
    fn verdict(&self) -> Option<String> {
        if let Some(problem) = locked(&self.problem).clone() {
            return Some(problem);
        }
        match (*locked(&self.sent), *locked(&self.arrived)) {
            (Some(sent), Some(arrived)) if sent == arrived => None,
            (Some((_, sent)), Some((_, arrived))) if sent != arrived => {
                Some(format!("{sent} bytes were sent, {arrived} arrived"))
            }
            (Some(_), Some(_)) => Some("the SHA-256 of what arrived is another".into()),
            _ => Some("it came to no end".into()),
        }
    }
}

/// The number of the flow whose app has opened this connection.
fn introduced(stream: &mut TcpStream) -> io::Result<u64> {
    let mut number = [0; 8];
    stream.read_exact(&mut number)?;
    Ok(u64::from_be_bytes(number))
}

/// The same by the opening of TLS.
fn greet(stream: &mut TcpStream) -> io::Result<u64> {
    let mut hello = [0; hello::CLIENT];
    stream.read_exact(&mut hello)?;
    stream.write_all(&hello::server())?;
    stream.read_exact(&mut [0; hello::REQUEST])?;
    Ok(hello::number(&hello))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
