//! Many TCP flows that carry known bytes both ways at once, checked by SHA-256 at both ends.
//!
//! The client opens with 24 bytes: seed, bytes up, bytes down (each 64 bits, big-endian). Then both
//! sides send at the same time; the client half-closes after its bytes; the server answers the
//! half-close with the SHA-256 and the number of what it got, and closes.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::payload::Payload;

/// The bytes of an opening.
const OPENING: usize = 24;
/// The bytes of the answer to the half-close.
const RECEIPT: usize = 40;
/// The most that is handed to the kernel at once.
const PIECE: usize = 65_536;

/// What the client is to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where the server is.
    pub server: SocketAddr,
    /// How many flows in all.
    pub flows: usize,
    /// How many of them at the same time.
    pub concurrent: usize,
    /// Bytes from the client, besides the opening, for each flow.
    pub up: usize,
    /// Bytes from the server, besides the receipt, for each flow.
    pub down: usize,
    /// How many bytes are written at once; 1 makes segments of one byte.
    pub piece: usize,
    /// How long all flows stay open, with nothing said, before their payload.
    pub hold: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Flows that carried every byte both ways unharmed.
    pub good: usize,
    /// Payload bytes handed to the kernel.
    pub sent: u64,
    /// Payload bytes got from the kernel.
    pub received: u64,
    /// What went wrong with the others.
    pub failures: Vec<String>,
}

/// Carries out the plan.
pub async fn run(plan: Plan) -> Outcome {
    let places = Arc::new(Semaphore::new(plan.concurrent));
    let mut flows = JoinSet::new();
    let mut outcome = Outcome::default();
    for seed in 0..plan.flows as u64 {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        flows.spawn(async move {
            let result = flow(plan, seed).await;
            drop(place);
            result.map_err(|error| format!("flow {seed}: {error}"))
        });
        while let Some(done) = flows.try_join_next() {
            outcome.add(done.unwrap_or_else(|panic| Err(panic.to_string())));
        }
    }
    while let Some(done) = flows.join_next().await {
        outcome.add(done.unwrap_or_else(|panic| Err(panic.to_string())));
    }
    outcome
}

impl Outcome {
    fn add(&mut self, result: Result<(u64, u64), String>) {
        match result {
            Ok((sent, received)) => {
                self.good += 1;
                self.sent += sent;
                self.received += received;
            }
            Err(failure) => self.failures.push(failure),
        }
    }
}

async fn flow(plan: Plan, seed: u64) -> io::Result<(u64, u64)> {
    let mut stream = TcpStream::connect(plan.server).await?;
    stream.set_nodelay(true)?;
    tokio::time::sleep(plan.hold).await;
    let (up, down) = (Payload::new(seed, plan.up), Payload::new(!seed, plan.down));
    let (reader, mut writer) = stream.split();
    let send = async {
        writer.write_all(&opening(seed, plan)).await?;
        write_payload(&mut writer, up, plan.piece).await?;
        writer.shutdown().await
    };
    let ((), (digest, receipt)) = tokio::try_join!(send, read_down(reader, plan.down))?;
    check("what the server sent", &digest, &down.digest())?;
    check("what the server got", receipt.get(..32).unwrap_or_default(), &up.digest())?;
    check(
        "the number of bytes the server got",
        receipt.get(32..).unwrap_or_default(),
        &(plan.up as u64).to_be_bytes(),
    )?;
    Ok(((OPENING + plan.up) as u64, (plan.down + RECEIPT) as u64))
}

fn opening(seed: u64, plan: Plan) -> Vec<u8> {
    [seed, plan.up as u64, plan.down as u64].iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn check(what: &str, found: &[u8], expected: &[u8]) -> io::Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(io::Error::other(format!("{what} differs: expected {}, found {}", hex(expected), hex(found))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn write_payload(
    writer: &mut (impl AsyncWrite + Unpin),
    payload: Payload,
    piece: usize,
) -> io::Result<()> {
    let mut offset = 0;
    while offset < payload.length() {
        let bytes = payload.bytes(offset, piece.clamp(1, PIECE));
        writer.write_all(bytes).await?;
        offset += bytes.len();
    }
    Ok(())
}

/// The digest of the first `down` bytes, the receipt behind them, and nothing after it.
async fn read_down(mut reader: impl AsyncRead + Unpin, down: usize) -> io::Result<([u8; 32], Vec<u8>)> {
    let mut digest = Sha256::new();
    let taken = digest_of(&mut (&mut reader).take(down as u64), &mut digest).await?;
    if taken < down as u64 {
        return Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            format!("end of stream after {taken} of {down} bytes"),
        ));
    }
    let mut receipt = Vec::new();
    (&mut reader).take(RECEIPT as u64 + 1).read_to_end(&mut receipt).await?;
    if receipt.len() != RECEIPT {
        return Err(io::Error::other(format!(
            "the receipt has {} bytes instead of {RECEIPT}",
            receipt.len()
        )));
    }
    Ok((digest.finalize().into(), receipt))
}

async fn digest_of(reader: &mut (impl AsyncRead + Unpin), digest: &mut Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; PIECE];
    let mut total = 0;
    loop {
        let count = reader.read(&mut buffer).await?;
        if count == 0 {
            return Ok(total);
        }
        digest.update(buffer.get(..count).unwrap_or_default());
        total += count as u64;
    }
}

/// The server's side of one flow. The number of payload bytes that came, without the opening.
///
/// # Errors
/// When the flow broke, or the client was silent to its end.
pub async fn serve(stream: &mut TcpStream) -> io::Result<u64> {
    let (mut reader, mut writer) = stream.split();
    let seed = reader.read_u64().await?;
    let up = reader.read_u64().await?;
    let down = usize::try_from(reader.read_u64().await?).map_err(io::Error::other)?;
    let mut digest = Sha256::new();
    let mut rest = (&mut reader).take(up.saturating_add(1));
    let (count, ()) = tokio::try_join!(
        digest_of(&mut rest, &mut digest),
        write_payload(&mut writer, Payload::new(!seed, down), PIECE)
    )?;
    writer.write_all(&digest.finalize()).await?;
    writer.write_u64(count).await?;
    writer.shutdown().await?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn outcome(plan: impl FnOnce(SocketAddr) -> Plan, spoil: bool) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plan = plan(listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if spoil {
                    stream.write_all(b"x").await.unwrap();
                }
                tokio::spawn(async move { serve(&mut stream).await });
            }
        });
        let outcome = run(plan).await;
        server.abort();
        outcome
    }

    fn plan(server: SocketAddr) -> Plan {
        Plan {
            server,
            flows: 8,
            concurrent: 4,
            up: 300_000,
            down: 200_001,
            piece: PIECE,
            hold: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn every_byte_both_ways_is_counted() {
        let outcome = outcome(plan, false).await;
        assert_eq!((outcome.good, outcome.failures), (8, vec![]));
        assert_eq!((outcome.sent, outcome.received), (8 * 300_024, 8 * 200_041));
    }

    #[tokio::test]
    async fn one_byte_too_much_fails_every_flow() {
        let outcome = outcome(plan, true).await;
        assert_eq!((outcome.good, outcome.failures.len()), (0, 8));
    }
}
