//! Small TCP servers with known manners, inside a namespace.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::{Namespace, exchange, udp};

/// What a server does with each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Known bytes both ways, see [`exchange`].
    Exchange,
    /// Sends back what comes, and ends when the client does.
    Echo,
    /// Reads to the client's end, and ends then.
    Listen,
    /// Greets, ends its own side at once, and reads on to the client's end.
    LeaveFirst,
    /// Reads this many bytes, then resets.
    ResetAfter(u64),
    /// Accepts and never reads.
    Stall,
    /// Reads a request with a body of the length it says, and answers with a page.
    Http,
    /// Sends endlessly, as fast as the client reads.
    Pour,
}

/// What the server saw so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections that are open now.
    pub open: AtomicUsize,
    /// Payload bytes that came.
    pub received: AtomicU64,
    /// Connections that the client ended with FIN.
    pub finished: AtomicU64,
    /// Connections that the client reset.
    pub reset: AtomicU64,
}

/// A server that runs until it is dropped. Then its connections break: by FIN, or by RST where
/// bytes were left unread, as when the system kills a program.
#[derive(Debug)]
pub struct Server {
    seen: Arc<Seen>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A TCP server at these addresses.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub fn tcp(namespace: &Namespace, addresses: &[SocketAddr], manner: Manner) -> io::Result<Self> {
        let listeners: Vec<_> = namespace.inside(|| addresses.iter().map(TcpListener::bind).collect())?;
        Self::start(move |seen| {
            for listener in listeners {
                // The standard library's 128 overflow when thousands connect at once, and then the kernel
                // resets connections that its cookies have let in.
                socket2::SockRef::from(&listener).listen(4_096)?;
                listener.set_nonblocking(true)?;
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::spawn(accept(listener, manner, Arc::clone(&seen)));
            }
            Ok(())
        })
    }

    /// A UDP responder, see [`udp`].
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub fn udp(namespace: &Namespace, addresses: &[SocketAddr]) -> io::Result<Self> {
        let sockets = namespace.inside(|| {
            addresses.iter().map(|address| udp::Responder::bind(*address)).collect::<io::Result<Vec<_>>>()
        })?;
        Self::start(move |_| {
            for socket in sockets {
                tokio::spawn(socket.serve()?);
            }
            Ok(())
        })
    }

    /// What it saw so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    fn start(serve: impl FnOnce(Arc<Seen>) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let seen = Arc::new(Seen::default());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        {
            let _inside = runtime.enter();
            serve(Arc::clone(&seen))?;
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("server".into()).spawn(move || {
            // An error means that the sender is gone, which is a stop as well.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { seen, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, manner: Manner, seen: Arc<Seen>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, manner, Arc::clone(&seen)));
            }
            // Out of descriptors: the others go on, and some will end.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(mut stream: TcpStream, manner: Manner, seen: Arc<Seen>) {
    seen.accepted.fetch_add(1, Ordering::Relaxed);
    seen.open.fetch_add(1, Ordering::Relaxed);
    let _ = stream.set_nodelay(true);
    let result = match manner {
        Manner::Exchange => exchange::serve(&mut stream).await.map(|count| {
            seen.received.fetch_add(count, Ordering::Relaxed);
        }),
        Manner::Echo => echo(&mut stream, &seen).await,
        Manner::Listen => listen(&mut stream, &seen).await,
        Manner::LeaveFirst => leave_first(&mut stream, &seen).await,
        Manner::ResetAfter(count) => reset_after(&mut stream, count).await,
        Manner::Stall => stall(&mut stream).await,
        Manner::Http => http(&mut stream).await,
        Manner::Pour => pour(&mut stream).await,
    };
    match result {
        Ok(()) => seen.finished.fetch_add(1, Ordering::Relaxed),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
            seen.reset.fetch_add(1, Ordering::Relaxed)
        }
        Err(_) => 0,
    };
    seen.open.fetch_sub(1, Ordering::Relaxed);
}

async fn echo(stream: &mut TcpStream, seen: &Seen) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return stream.shutdown().await;
        }
        seen.received.fetch_add(count as u64, Ordering::Relaxed);
        stream.write_all(buffer.get(..count).unwrap_or_default()).await?;
    }
}

async fn leave_first(stream: &mut TcpStream, seen: &Seen) -> io::Result<()> {
    stream.write_all(b"farewell\n").await?;
    stream.shutdown().await?;
    listen(stream, seen).await
}

async fn listen(stream: &mut TcpStream, seen: &Seen) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        seen.received.fetch_add(count as u64, Ordering::Relaxed);
    }
}

async fn reset_after(stream: &mut TcpStream, count: u64) -> io::Result<()> {
    let mut sink = tokio::io::sink();
    tokio::io::copy(&mut stream.take(count), &mut sink).await?;
    // A linger time of zero makes close(2) send RST.
    socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))
}

async fn stall(stream: &mut TcpStream) -> io::Result<()> {
    // Whatever comes stays in the kernel; only a reset ends the wait.
    loop {
        let ready = stream.ready(tokio::io::Interest::ERROR).await?;
        if ready.is_error() {
            return stream.take_error()?.map_or(Ok(()), Err);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn http(stream: &mut TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(&mut *stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).await? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        line.clear();
    }
    tokio::io::copy(&mut reader.take(length), &mut tokio::io::sink()).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npage\n").await?;
    stream.shutdown().await
}

async fn pour(stream: &mut TcpStream) -> io::Result<()> {
    let bytes = crate::payload::Payload::new(1, 65_536).bytes(0, 65_536);
    loop {
        stream.write_all(bytes).await?;
    }
}
