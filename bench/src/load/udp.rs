//! Datagrams one way.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_recv_buffer_size_force;

use crate::bed::{Family, Way};
use crate::clock::now;
use crate::figures::{Figures, Quantity};
use crate::load::Toward;
use crate::meter::{Window, observe};
use crate::pattern::Pattern;

const PORT: u16 = 5_004;
const WARM_UP: Duration = Duration::from_millis(300);
/// How many may be under way: far fewer than the 500 that a tun holds.
const UNDER_WAY: u64 = 128;
/// What has not arrived by then is lost.
const PATIENCE: Duration = Duration::from_millis(50);
/// So that the receiver's own queue is never what loses.
const BUFFER: usize = 16 << 20;
const PACED: usize = 1_200;
/// A datagram begins with its number.
const NUMBER: usize = 8;

#[derive(Default)]
struct Count {
    sent: AtomicU64,
    received: AtomicU64,
    /// Given up waiting for.
    missed: AtomicU64,
    damaged: AtomicU64,
    stop: AtomicBool,
    turn: (Mutex<()>, Condvar),
}

/// As fast as they arrive, [`UNDER_WAY`] at a time.
pub(super) fn closed(
    way: &Way<'_>,
    family: Family,
    bytes: usize,
    toward: Toward,
    length: Duration,
) -> io::Result<Figures> {
    carry(way, family, bytes, toward, length, |count, socket| {
        while !count.stop.load(Ordering::Relaxed) {
            if count.under_way() < UNDER_WAY {
                count.send(socket, bytes);
            } else {
                count.wait();
            }
        }
    })
}

/// At a fixed rate, whatever arrives.
pub(super) fn paced(
    way: &Way<'_>,
    family: Family,
    each_second: u32,
    length: Duration,
) -> io::Result<Figures> {
    carry(way, family, PACED, Toward::Server, length, |count, socket| {
        let start = now();
        while !count.stop.load(Ordering::Relaxed) {
            let due = start.elapsed().as_secs_f64() * f64::from(each_second);
            while (count.sent.load(Ordering::Relaxed) as f64) < due {
                count.send(socket, PACED);
            }
            thread::sleep(Duration::from_millis(1));
        }
    })
}

fn carry(
    way: &Way<'_>,
    family: Family,
    bytes: usize,
    toward: Toward,
    length: Duration,
    send: impl Fn(&Count, &UdpSocket) + Sync,
) -> io::Result<Figures> {
    let count = Count::default();
    let (app, server) = pair(way, family)?;
    let (sender, receiver) = match toward {
        Toward::Server => (app, server),
        Toward::App => (server, app),
    };
    let (window, before, after) = thread::scope(|scope| {
        scope.spawn(|| count.receive(&receiver, bytes));
        scope.spawn(|| send(&count, &sender));
        let result = observe(way, WARM_UP, length, || count.now());
        count.stop.store(true, Ordering::Relaxed);
        result
    })?;
    let [sent, received] = [after.0 - before.0, after.1 - before.1].map(|count| count as f64);
    let mut figures = figures(&window, bytes, received);
    // Those under way at either end of the window are no loss.
    let lost = after.2.saturating_sub(before.2) as f64;
    figures.set(Quantity::Loss, lost.min(sent) / sent.max(1.0) * 100.0);
    let damaged = count.damaged.into_inner();
    if damaged > 0 {
        figures.note(|| format!("{damaged} datagrams came with other bytes"));
    }
    if received == 0.0 {
        figures.note(|| "nothing came".into());
    }
    Ok(figures)
}

fn figures(window: &Window, bytes: usize, received: f64) -> Figures {
    let mut figures = window.figures();
    figures.set(Quantity::Goodput, received * bytes as f64 * 8.0 / 1e6 / window.seconds);
    figures.set(Quantity::Packets, received / window.seconds);
    figures.set_some(Quantity::CpuPerPacket, window.engine_for_each(received).map(|cpu| cpu * 1e6));
    figures
}

/// Two sockets that are connected with each other, as each of them sees it. The app speaks first, as it must.
fn pair(way: &Way<'_>, family: Family) -> io::Result<(UdpSocket, UdpSocket)> {
    let address = family.server(PORT);
    let server = way.bed.server.inside(|| UdpSocket::bind(address))?;
    let app = way.app().inside(|| {
        let app = UdpSocket::bind(family.any())?;
        app.connect(address).map(|()| app)
    })?;
    for socket in [&app, &server] {
        set_socket_recv_buffer_size_force(socket, BUFFER)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    }
    app.send(b"hello")?;
    let (_, from) = server.recv_from(&mut [0; NUMBER])?;
    server.connect(from)?;
    for socket in [&app, &server] {
        socket.set_read_timeout(Some(PATIENCE))?;
    }
    Ok((app, server))
}

impl Count {
    /// Sent, received, lost.
    fn now(&self) -> (u64, u64, u64) {
        let [sent, received] = [&self.sent, &self.received].map(|count| count.load(Ordering::Relaxed));
        let under_way = sent.saturating_sub(received);
        let missed = self.missed.load(Ordering::Relaxed);
        // Without a closed loop everything older than what the buffers hold is missed; a few thousand
        // at most are really under way.
        (sent, received, if missed > 0 { missed } else { under_way.saturating_sub(UNDER_WAY) })
    }

    fn under_way(&self) -> u64 {
        let [sent, received, missed] =
            [&self.sent, &self.received, &self.missed].map(|count| count.load(Ordering::Relaxed));
        sent.saturating_sub(received + missed)
    }

    fn send(&self, socket: &UdpSocket, bytes: usize) {
        let number = self.sent.load(Ordering::Relaxed);
        let mut datagram = number.to_be_bytes().to_vec();
        datagram.extend_from_slice(Pattern::new(number).bytes(0, bytes - NUMBER));
        // ENOBUFS and what ICMP says of earlier ones: it counts as sent, and will be missed.
        let _ = socket.send(&datagram);
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn receive(&self, socket: &UdpSocket, bytes: usize) {
        let mut buffer = vec![0; bytes + 1];
        while !self.stop.load(Ordering::Relaxed) {
            let Ok(length) = socket.recv(&mut buffer) else { continue };
            if !is_whole(buffer.get(..length).unwrap_or_default(), bytes) {
                self.damaged.fetch_add(1, Ordering::Relaxed);
            }
            if self.received.fetch_add(1, Ordering::Relaxed).is_multiple_of(UNDER_WAY / 4) {
                self.turn.1.notify_one();
            }
        }
    }

    /// Until a few have arrived. When nothing does, what is under way is missed.
    fn wait(&self) {
        let turn = self.turn.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = self.turn.1.wait_timeout_while(turn, PATIENCE, |()| self.under_way() >= UNDER_WAY * 3 / 4);
        if full.is_ok_and(|(_, waited)| waited.timed_out()) {
            self.missed.fetch_add(self.under_way(), Ordering::Relaxed);
        }
    }
}

fn is_whole(datagram: &[u8], bytes: usize) -> bool {
    datagram.split_first_chunk().is_some_and(|(number, rest)| {
        rest == Pattern::new(u64::from_be_bytes(*number)).bytes(0, bytes - NUMBER)
    })
}
