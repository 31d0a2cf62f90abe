//! The tun of a relay: whoever starts it hands it over as standard input, and its MTU as `TUN_MTU`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The open tun that this process was started with. It blocks no longer.
///
/// # Errors
/// When there is none.
pub fn inherited() -> io::Result<OwnedFd> {
    let tun = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::io::ioctl_fionbio(&tun, true)?;
    Ok(tun)
}

/// The MTU of the tun in bytes.
///
/// # Errors
/// When `TUN_MTU` does not say it.
pub fn mtu() -> io::Result<u16> {
    let said = std::env::var("TUN_MTU").map_err(io::Error::other)?;
    said.parse().map_err(io::Error::other)
}

/// A tun for programs that wait with tokio: each read is one packet, and each write.
#[derive(Debug)]
pub struct AsyncTun(AsyncFd<OwnedFd>);

impl AsyncTun {
    /// Inside a runtime.
    ///
    /// # Errors
    /// When the system cannot wait for it.
    #[expect(deprecated, reason = "unsound only for types that change their descriptor; OwnedFd does not")]
    pub fn new(tun: OwnedFd) -> io::Result<Self> {
        AsyncFd::new(tun).map(Self)
    }

    /// Reads one packet: how long it is.
    ///
    /// # Errors
    /// Those of read(2).
    pub async fn read_packet(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.async_io(tokio::io::Interest::READABLE, |tun| Ok(rustix::io::read(tun, &mut *buffer)?)).await
    }

    /// Writes one packet.
    ///
    /// # Errors
    /// Those of write(2).
    pub async fn write_packet(&self, packet: &[u8]) -> io::Result<usize> {
        self.0.async_io(tokio::io::Interest::WRITABLE, |tun| Ok(rustix::io::write(tun, packet)?)).await
    }
}

impl AsRawFd for AsyncTun {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsyncRead for AsyncTun {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let read = ready.try_io(|tun| Ok(rustix::io::read(tun.get_ref(), buffer.initialize_unfilled())?));
            if let Ok(result) = read {
                return Poll::Ready(result.map(|length| buffer.advance(length)));
            }
        }
    }
}

impl AsyncWrite for AsyncTun {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, packet: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            if let Ok(result) = ready.try_io(|tun| Ok(rustix::io::write(tun.get_ref(), packet)?)) {
                return Poll::Ready(result);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
