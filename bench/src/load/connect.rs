//! Connections that are made for one small request each. The app closes first, when it has its answer.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::bed::{Family, Way};
use crate::figures::{Figures, Quantity};
use crate::meter::observe;

/// Many ports: each connection leaves one of the app's in TIME_WAIT, for this port of the server alone.
const PORTS: std::ops::Range<u16> = 5_100..5_116;
const REQUEST: [u8; 100] = [b'?'; 100];
const ANSWER: [u8; 100] = [b'!'; 100];
const WARM_UP: Duration = Duration::from_millis(300);
/// A connection that takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Outcome {
    done: AtomicU64,
    failed: AtomicU64,
    first: Mutex<Option<String>>,
    stop: AtomicBool,
}

/// How many a second, and what each costs.
pub(super) fn run(way: &Way<'_>, family: Family, at_once: usize, length: Duration) -> io::Result<Figures> {
    let (outcome, over) = (Outcome::default(), Notify::new());
    let listeners = way.bed.server.inside(|| PORTS.map(|port| listen(family.server(port))).collect())?;
    let (window, before, after) = thread::scope(|scope| {
        scope.spawn(|| serve(listeners, &over));
        let callers = scope.spawn(|| way.app().inside(|| call(family, at_once, &outcome)));
        let result = observe(way, WARM_UP, length, || outcome.done.load(Ordering::Relaxed));
        outcome.stop.store(true, Ordering::Relaxed);
        // The server outlasts the last caller.
        let called = callers.join().unwrap_or_else(|_| Err(io::Error::other("the callers panicked")));
        over.notify_one();
        called.and(result)
    })?;
    let done = (after - before) as f64;
    let mut figures = window.figures();
    figures.set(Quantity::Rate, done / window.seconds);
    figures.set_some(Quantity::CpuEach, window.engine_for_each(done).map(|cpu| cpu * 1e6));
    let failed = outcome.failed.load(Ordering::Relaxed);
    if let Some(first) = outcome.first.into_inner().unwrap_or_default() {
        figures.note(|| format!("{failed} connections failed; the first: {first}"));
    }
    Ok(figures)
}

/// A runtime of one thread: this one.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn listen(server: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(server)?;
    SockRef::from(&listener).listen(4_096)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn serve(listeners: Vec<TcpListener>, over: &Notify) -> io::Result<()> {
    let work = async {
        for listener in listeners {
            tokio::task::spawn_local(accept(tokio::net::TcpListener::from_std(listener)?));
        }
        over.notified().await;
        Ok(())
    };
    LocalSet::new().block_on(&runtime()?, work)
}

async fn accept(listener: tokio::net::TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::task::spawn_local(answer(stream))),
            // Out of descriptors: others will end.
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; REQUEST.len()];
    stream.read_exact(&mut request).await?;
    stream.write_all(&ANSWER).await?;
    // Until the app has closed.
    stream.read(&mut request).await.map(drop)
}

fn call(family: Family, at_once: usize, outcome: &Outcome) -> io::Result<()> {
    let runtime = runtime()?;
    let callers = async {
        let one = || async {
            for port in PORTS.cycle() {
                if outcome.stop.load(Ordering::Relaxed) {
                    return;
                }
                let exchange = exchange(family.server(port));
                outcome.count(tokio::time::timeout(PATIENCE, exchange).await).await;
            }
        };
        futures_util::future::join_all((0..at_once).map(|_| one())).await
    };
    runtime.block_on(callers);
    Ok(())
}

async fn exchange(server: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&REQUEST).await?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).await?;
    if answer == ANSWER { Ok(()) } else { Err(io::Error::new(ErrorKind::InvalidData, "another answer came")) }
}

impl Outcome {
    async fn count(&self, result: Result<io::Result<()>, tokio::time::error::Elapsed>) {
        let problem = match result {
            Ok(Ok(())) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no end after {PATIENCE:?}"),
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut first) = self.first.lock() {
            first.get_or_insert(problem);
        }
        // Failures must not make a busy loop.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
