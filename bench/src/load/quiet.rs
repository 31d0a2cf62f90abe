//! An engine that has nothing to do, or next to nothing: how often it wakes up. A battery feels each time.

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::bed::{Family, Way};
use crate::figures::{Figures, Quantity};
use crate::load::hold::exchange;
use crate::meter::observe;

const ECHO: u16 = 7;
const CONNECTIONS: usize = 100;
const MESSAGE: [u8; 100] = [b'.'; 100];
/// Each connection has an exchange in so long, and they take turns.
const ROUND: Duration = Duration::from_secs(30);
/// After the last connection was opened; acknowledgements and look-ups are over by then.
const SETTLE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(2);

/// Wake-ups while nothing is said.
pub(super) fn run(way: &Way<'_>, family: Family, length: Duration) -> io::Result<Figures> {
    let _open = open(way, family)?;
    let (window, (), ()) = observe(way, SETTLE, length, || ())?;
    let mut figures = window.figures();
    figures.set(Quantity::WakeUps, window.switches as f64 / window.seconds);
    Ok(figures)
}

/// Wake-ups and CPU of exchanges far apart.
pub(super) fn battery(way: &Way<'_>, family: Family, length: Duration) -> io::Result<Figures> {
    let mut open = open(way, family)?;
    let (done, failed, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let pause = ROUND / u32::try_from(CONNECTIONS).unwrap_or(1);
    let (window, before, after) = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for stream in &mut open {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let count = if exchange(stream, &MESSAGE).is_ok() { &done } else { &failed };
                    count.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(pause);
                }
            }
        });
        let result = observe(way, SETTLE, length, || done.load(Ordering::Relaxed));
        stop.store(true, Ordering::Relaxed);
        result
    })?;
    let exchanges = (after - before) as f64;
    let mut figures = window.figures();
    figures.set_some(Quantity::CpuEach, window.engine_for_each(exchanges).map(|cpu| cpu * 1e6));
    figures.set(Quantity::WakeUpsEach, window.switches as f64 / exchanges.max(1.0));
    let failed = failed.into_inner();
    if failed > 0 {
        figures.note(|| format!("{failed} exchanges failed"));
    }
    Ok(figures)
}

fn open(way: &Way<'_>, family: Family) -> io::Result<Vec<TcpStream>> {
    let one = || {
        let mut stream = TcpStream::connect_timeout(&family.server(ECHO), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        exchange(&mut stream, &MESSAGE)?;
        Ok(stream)
    };
    way.app().inside(|| (0..CONNECTIONS).map(|_| one()).collect())
}
