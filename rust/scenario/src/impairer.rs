//! A bad link between two namespaces: a tun in each, and a thread that carries packets between them.

use std::io::{self, ErrorKind, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tappers::Tun;

use crate::{Conditions, Link, Namespace, Passage};

/// Carries packets until it is dropped.
#[derive(Debug)]
pub struct Impairer {
    /// Dropped first: the carrier sees the closed pipe and ends.
    stop: Option<PipeWriter>,
    carrier: Option<JoinHandle<[Passage; 2]>>,
}

impl Impairer {
    /// Puts a tun named `interface` into each namespace, to be given addresses by the caller, and joins
    /// them by a link of these conditions each way.
    ///
    /// # Errors
    /// When a tun cannot be made.
    pub fn between(
        left: &Namespace,
        right: &Namespace,
        interface: &str,
        conditions: Conditions,
        seed: u64,
    ) -> io::Result<Self> {
        let tuns = [open(left, interface)?, open(right, interface)?];
        let (reader, writer) = io::pipe()?;
        let links = [Link::new(conditions, seed), Link::new(conditions, !seed)];
        let carrier = thread::Builder::new()
            .name("impairer".into())
            .spawn(move || Carrier { tuns, links }.run(&reader))?;
        Ok(Self { stop: Some(writer), carrier: Some(carrier) })
    }

    /// Ends the link and tells what happened on it, left to right first.
    pub fn stop(mut self) -> [Passage; 2] {
        self.end()
    }

    fn end(&mut self) -> [Passage; 2] {
        self.stop.take();
        self.carrier.take().and_then(|carrier| carrier.join().ok()).unwrap_or_default()
    }
}

impl Drop for Impairer {
    fn drop(&mut self) {
        self.end();
    }
}

fn open(namespace: &Namespace, interface: &str) -> io::Result<Tun> {
    let mut tun = namespace.tun(interface)?;
    tun.set_nonblocking(true)?;
    Ok(tun)
}

/// `links[0]` leads from `tuns[0]` to `tuns[1]`, `links[1]` back.
struct Carrier {
    tuns: [Tun; 2],
    links: [Link; 2],
}

impl Carrier {
    fn run(mut self, stop: &PipeReader) -> [Passage; 2] {
        let start = clock();
        let mut buffer = vec![0; 65_536];
        loop {
            let now = clock() - start;
            let [left, right] = &self.tuns;
            let [there, back] = &mut self.links;
            take(left, there, now, &mut buffer);
            take(right, back, now, &mut buffer);
            deliver(there, right, now);
            deliver(back, left, now);
            if self.wait(stop, now) {
                return self.links.map(|link| link.passage());
            }
        }
    }

    /// Waits for a packet or for the next arrival. Whether it is time to end.
    fn wait(&self, stop: &PipeReader, now: Duration) -> bool {
        let next = self.links.iter().filter_map(Link::next_arrival).min();
        // Rounded up: an arrival that is less than a millisecond away must not make a busy loop.
        let timeout = next.map_or(PollTimeout::NONE, |at| {
            let wait = at.saturating_sub(now).as_micros().div_ceil(1_000);
            PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
        });
        let [left, right] = &self.tuns;
        let mut watched =
            [stop.as_fd(), left.as_fd(), right.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let _ = poll(&mut watched, timeout);
        watched.first().and_then(PollFd::any).unwrap_or(true)
    }
}

fn take(from: &Tun, link: &mut Link, now: Duration, buffer: &mut [u8]) {
    // A bounded batch, so that a flood one way does not starve the other.
    for _ in 0..256 {
        match from.recv(buffer) {
            Ok(length) => link.enter(now, buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn deliver(link: &mut Link, to: &Tun, now: Duration) {
    while let Some(packet) = link.leave(now) {
        // A tun that is down or full loses the packet, as a network does.
        let _ = to.send(&packet);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the impairer is a shell: it carries real packets in real time"
)]
fn clock() -> Instant {
    Instant::now()
}
