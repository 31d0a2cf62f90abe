//! One small message there and back, again and again: how long the way is.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::bed::{Family, Way};
use crate::clock::now;
use crate::figures::{Figures, Quantity, percentile};
use crate::load::bulk::{Flows, Plan};
use crate::meter::observe;

const PORT: u16 = 5_003;
const BYTES: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
/// A message that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Trips {
    /// In microseconds; only those within the window count.
    taken: Mutex<Vec<f64>>,
    count: AtomicU64,
    stop: AtomicBool,
    problem: Mutex<Option<String>>,
}

/// Over TCP, beside bulk flows where the plan has any.
pub(super) fn tcp(way: &Way<'_>, family: Family, plan: Plan, length: Duration) -> io::Result<Figures> {
    if plan.up + plan.down == 0 {
        return alone_tcp(way, family, length);
    }
    let flows = Flows::new(plan);
    let mut figures = flows.during(way, family, || {
        let (start, before) = (now(), flows.received());
        let mut figures = alone_tcp(way, family, length)?;
        // Whoever lets the bulk wait has an easy time with the messages.
        let (bits, seconds) = ((flows.received() - before) as f64 * 8.0, start.elapsed().as_secs_f64());
        figures.set(Quantity::Goodput, bits / 1e6 / seconds);
        // The CPU is that of both.
        figures.remove(Quantity::CpuEach);
        Ok(figures)
    })?;
    if let Some(problem) = flows.problem() {
        figures.note(|| problem);
    }
    Ok(figures)
}

fn alone_tcp(way: &Way<'_>, family: Family, length: Duration) -> io::Result<Figures> {
    let server = family.server(PORT);
    let listener = way.bed.server.inside(|| TcpListener::bind(server))?;
    let mut stream = way.app().inside(|| TcpStream::connect_timeout(&server, PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut echo = accepted(&listener)?;
    echo.set_nodelay(true)?;
    // Not every engine tells one end that the other has closed.
    let ends = [stream.try_clone()?, echo.try_clone()?];
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut buffer = [0; BYTES];
            while echo.read_exact(&mut buffer).and_then(|()| echo.write_all(&buffer)).is_ok() {}
        });
        let figures = Trips::default().measure(way, length, |message| {
            stream.write_all(message)?;
            let mut answer = [0; BYTES];
            stream.read_exact(&mut answer)?;
            Ok(answer == *message)
        });
        for end in ends {
            let _ = end.shutdown(Shutdown::Both);
        }
        figures
    })
}

/// The next connection. An engine may have told the app of it before it has reached the server, or fail to.
fn accepted(listener: &TcpListener) -> io::Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let start = now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => return stream.set_nonblocking(false).map(|()| stream),
            Err(error) if start.elapsed() > PATIENCE => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Over UDP.
pub(super) fn udp(way: &Way<'_>, family: Family, length: Duration) -> io::Result<Figures> {
    let server = family.server(PORT);
    let echo = way.bed.server.inside(|| UdpSocket::bind(server))?;
    echo.set_read_timeout(Some(Duration::from_millis(100)))?;
    let socket = way.app().inside(|| {
        let socket = UdpSocket::bind(family.any())?;
        socket.connect(server).map(|()| socket)
    })?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; BYTES];
            while !over.load(Ordering::Relaxed) {
                if let Ok((length, from)) = echo.recv_from(&mut buffer) {
                    let _ = echo.send_to(buffer.get(..length).unwrap_or_default(), from);
                }
            }
        });
        let figures = Trips::default().measure(way, length, |message| {
            socket.send(message)?;
            let mut answer = [0; BYTES];
            socket.recv(&mut answer)?;
            Ok(answer == *message)
        });
        over.store(true, Ordering::Relaxed);
        figures
    })
}

impl Trips {
    fn measure(
        &self,
        way: &Way<'_>,
        length: Duration,
        trip: impl FnMut(&[u8; BYTES]) -> io::Result<bool> + Send,
    ) -> io::Result<Figures> {
        let (window, before, after) = thread::scope(|scope| {
            scope.spawn(|| self.go(trip));
            let result = observe(way, WARM_UP, length, || self.count.load(Ordering::Relaxed));
            self.stop.store(true, Ordering::Relaxed);
            result
        })?;
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, last] =
            [before, after].map(|count| usize::try_from(count).unwrap_or_default().min(taken.len()));
        let mut sorted = taken.get(first..last).unwrap_or_default().to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut figures = window.figures();
        figures.set_some(Quantity::P50, percentile(&sorted, 0.5));
        figures.set_some(Quantity::P99, percentile(&sorted, 0.99));
        let each = window.engine_for_each(sorted.len() as f64);
        figures.set_some(Quantity::CpuEach, each.map(|cpu| cpu * 1e6));
        if let Some(problem) = self.problem.lock().unwrap_or_else(PoisonError::into_inner).take() {
            figures.note(|| problem);
        }
        Ok(figures)
    }

    fn go(&self, mut trip: impl FnMut(&[u8; BYTES]) -> io::Result<bool>) {
        let mut taken = Vec::with_capacity(1 << 20);
        while !self.stop.load(Ordering::Relaxed) {
            let mut message = [0; BYTES];
            let number = (taken.len() as u64).to_be_bytes();
            message.iter_mut().zip(number).for_each(|(place, byte)| *place = byte);
            let start = now();
            let problem = match trip(&message) {
                Ok(true) => None,
                Ok(false) => Some("another message came back".to_owned()),
                Err(error) => Some(format!("a message did not come back: {error}")),
            };
            taken.push(start.elapsed().as_secs_f64() * 1e6);
            self.count.store(taken.len() as u64, Ordering::Relaxed);
            if problem.is_some() {
                *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
                break;
            }
        }
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = taken;
    }
}
