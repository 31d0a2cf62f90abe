//! Questions to the resolver that the engine has, which asks the one server there is.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::bed::{Family, RESOLVER, Way};
use crate::figures::{Figures, Quantity};
use crate::load::connect::runtime;
use crate::meter::observe;

const PORT: u16 = 53;
const AT_ONCE: usize = 16;
const WARM_UP: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(2);
/// QR and RA of RFC 1035 4.1.1.
const ANSWERED: [u8; 2] = [0x81, 0x80];
/// A name that points to the question's, A, IN, 60 seconds, 203.0.113.10.
const RECORD: [u8; 16] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 10];

#[derive(Default)]
struct Outcome {
    answered: AtomicU64,
    failed: AtomicU64,
    stop: AtomicBool,
}

/// How many a second, and what each costs. Without an engine the server is asked itself.
pub(super) fn run(way: &Way<'_>, length: Duration) -> io::Result<Figures> {
    let outcome = Outcome::default();
    let server = Family::V4.server(PORT);
    let resolver = if way.engine().is_some() { SocketAddr::new(RESOLVER, PORT) } else { server };
    let socket = way.bed.server.inside(|| UdpSocket::bind(server))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let (window, before, after) = thread::scope(|scope| {
        scope.spawn(|| serve(&socket, &outcome.stop));
        scope.spawn(|| way.app().inside(|| ask(resolver, &outcome)));
        let result = observe(way, WARM_UP, length, || outcome.answered.load(Ordering::Relaxed));
        outcome.stop.store(true, Ordering::Relaxed);
        result
    })?;
    let answered = (after - before) as f64;
    let mut figures = window.figures();
    figures.set(Quantity::Rate, answered / window.seconds);
    figures.set_some(Quantity::CpuEach, window.engine_for_each(answered).map(|cpu| cpu * 1e6));
    let failed = outcome.failed.into_inner();
    if failed > 0 {
        figures.note(|| format!("{failed} questions had no good answer"));
    }
    Ok(figures)
}

fn serve(socket: &UdpSocket, stop: &AtomicBool) {
    let mut buffer = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let Some([id, other, _, _, rest @ ..]) = buffer.get(..length) else { continue };
        let Some((counts, question)) = rest.split_first_chunk::<8>() else { continue };
        // One question, one answer; an EDNS record of the asker is left out, as its count says.
        let end = question.iter().position(|byte| *byte == 0).map_or(question.len(), |end| end + 5);
        let head = [*id, *other, ANSWERED[0], ANSWERED[1], counts[0], counts[1], 0, 1, 0, 0, 0, 0];
        let answer = [&head, question.get(..end).unwrap_or_default(), &RECORD].concat();
        let _ = socket.send_to(&answer, from);
    }
}

fn ask(resolver: SocketAddr, outcome: &Outcome) -> io::Result<()> {
    let one = |asker| async move {
        let mut number = 0;
        while !outcome.stop.load(Ordering::Relaxed) {
            number += 1;
            let asked = tokio::time::timeout(PATIENCE, question(resolver, asker, number)).await;
            if asked.is_ok_and(|answer| answer.is_ok_and(|good| good)) {
                outcome.answered.fetch_add(1, Ordering::Relaxed);
            } else if !outcome.stop.load(Ordering::Relaxed) {
                outcome.failed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    runtime()?.block_on(futures_util::future::join_all((0..AT_ONCE).map(one)));
    Ok(())
}

/// A new socket for each question, as resolvers in programs have. Whether the answer is the right one.
async fn question(resolver: SocketAddr, asker: usize, number: u64) -> io::Result<bool> {
    let socket = tokio::net::UdpSocket::bind(Family::V4.any()).await?;
    socket.connect(resolver).await?;
    let id = fastrand::u16(..).to_be_bytes();
    let mut message = [&id, &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..]].concat();
    for label in [format!("q{number}x{asker}"), "bench".into(), "example".into(), String::new()] {
        message.push(u8::try_from(label.len()).unwrap_or_default());
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 1, 0, 1]);
    socket.send(&message).await?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).await?;
    let answer = answer.get(..length).unwrap_or_default();
    Ok(answer.starts_with(&id) && answer.ends_with(&RECORD))
}
