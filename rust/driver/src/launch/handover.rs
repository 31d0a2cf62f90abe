//! The socket between this process and the child: the child says how it went and passes descriptors
//! out, this process says go.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;

use super::MAX_LOOPBACK_PORTS;
use super::error::{Failure, Stage};
use crate::sys::{check_len, uninterrupted};

/// The tun, the owner socket, and two listeners for each port.
const MAX_FDS: usize = 2 + 2 * MAX_LOOPBACK_PORTS;

/// Stage, errno, length of the detail.
const HEADER: usize = 1 + 4 + 1;

/// One end. Closed on exec, which is how this process learns that exec has succeeded.
#[derive(Debug)]
pub(super) struct Handover(UnixStream);

/// What the child says.
#[derive(Debug)]
pub(super) enum News {
    /// Its namespaces are ready, and here are its descriptors.
    Ready(Vec<OwnedFd>),
    /// Something was refused.
    Failed(Failure),
    /// Its end is closed.
    Gone,
}

impl Handover {
    /// Two ends.
    pub(super) fn pair() -> io::Result<(Self, Self)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self(ours), Self(theirs)))
    }

    /// To the child: become COMMAND.
    pub(super) fn say_go(&self) -> io::Result<()> {
        (&self.0).write_all(b"g")
    }

    /// In the child: false where this process has ended or does not want COMMAND any more.
    pub(super) fn wait_for_go(&self) -> bool {
        (&self.0).read_exact(&mut [0]).is_ok()
    }

    /// In the child: all is ready.
    pub(super) fn send_ready(&self, fds: &[OwnedFd]) -> io::Result<()> {
        let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let mut header = [0; HEADER];
        let mut part = libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: HEADER };
        let mut control = Control::new();
        let message = control.message_with(&mut part, &fds);
        // SAFETY: the message points at `part` and `control`, which live until the call returns.
        uninterrupted(|| check_len(unsafe { libc::sendmsg(self.0.as_raw_fd(), &raw const message, 0) }))?;
        Ok(())
    }

    /// In the child: something was refused.
    pub(super) fn send_failure(&self, failure: &Failure) -> io::Result<()> {
        let detail = failure.detail.as_bytes();
        let length = u8::try_from(detail.len()).unwrap_or(u8::MAX);
        let mut message = vec![failure.stage.into()];
        message.extend(failure.errno.to_ne_bytes());
        message.push(length);
        message.extend(detail.iter().take(length.into()));
        (&self.0).write_all(&message)
    }

    /// Waits for what the child says.
    pub(super) fn receive(&self) -> io::Result<News> {
        let (header, fds) = self.receive_header()?;
        let Some([stage, a, b, c, d, length]) = header else { return Ok(News::Gone) };
        let mut detail = vec![0; length.into()];
        (&self.0).read_exact(&mut detail)?;
        Ok(match Stage::try_from(stage) {
            Err(()) => News::Ready(fds),
            Ok(stage) => News::Failed(Failure {
                stage,
                errno: i32::from_ne_bytes([a, b, c, d]),
                detail: String::from_utf8_lossy(&detail).into_owned(),
            }),
        })
    }

    /// The kernel keeps what was sent with descriptors in one piece, so the header arrives whole.
    fn receive_header(&self) -> io::Result<(Option<[u8; HEADER]>, Vec<OwnedFd>)> {
        let mut header = [0; HEADER];
        let mut part = libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: HEADER };
        let mut control = Control::new();
        let mut message = control.message(&mut part);
        let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_WAITALL;
        let length = uninterrupted(|| {
            // SAFETY: the message points at `part` and `control`, which live until the call returns.
            check_len(unsafe { libc::recvmsg(self.0.as_raw_fd(), &raw mut message, flags) })
        })?;
        // SAFETY: recvmsg has just filled the message in, and `control` still lives.
        let fds = unsafe { descriptors(&message) };
        Ok(((length == HEADER).then_some(header), fds))
    }
}

/// Room for a control message with [`MAX_FDS`] descriptors, aligned as the kernel wants it.
struct Control([u64; MAX_FDS / 2 + 4]);

impl Control {
    fn new() -> Self {
        Self([0; MAX_FDS / 2 + 4])
    }

    fn message(&mut self, part: &mut libc::iovec) -> libc::msghdr {
        // SAFETY: msghdr is plain data, for which all zeroes are valid.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = part;
        message.msg_iovlen = 1;
        message.msg_control = self.0.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&self.0);
        message
    }

    fn message_with(&mut self, part: &mut libc::iovec, fds: &[RawFd]) -> libc::msghdr {
        let mut message = self.message(part);
        let fds = fds.get(..MAX_FDS).unwrap_or(fds);
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_FDS descriptors of four bytes")]
        let bytes = size_of_val(fds) as u32;
        // SAFETY: CMSG_SPACE and CMSG_LEN only count. The room is larger than CMSG_SPACE of MAX_FDS
        // descriptors, so there is a first header, with room for the descriptors behind it.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(bytes) as usize;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(bytes) as usize;
            ptr::copy_nonoverlapping(fds.as_ptr(), libc::CMSG_DATA(header).cast(), fds.len());
        }
        message
    }
}

/// The descriptors that came with a message.
///
/// # Safety
/// `message` was filled in by recvmsg, and its control room is still there.
unsafe fn descriptors(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut fds = Vec::new();
    // SAFETY: the caller says that the headers are the kernel's; CMSG_FIRSTHDR and CMSG_NXTHDR stay
    // within the control room, cmsg_len bounds the data, and each descriptor was made for us alone.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while let Some(current) = header.as_ref() {
            if current.cmsg_level == libc::SOL_SOCKET && current.cmsg_type == libc::SCM_RIGHTS {
                let count = (current.cmsg_len - libc::CMSG_LEN(0) as usize) / size_of::<RawFd>();
                let data = libc::CMSG_DATA(header).cast::<RawFd>();
                fds.extend((0..count).map(|at| OwnedFd::from_raw_fd(data.add(at).read_unaligned())));
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    fds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_cross_and_still_lead_to_the_same_place() {
        let (ours, theirs) = Handover::pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        theirs.send_ready(&[writer.into(), theirs.0.try_clone().unwrap().into()]).unwrap();
        let News::Ready(fds) = ours.receive().unwrap() else { panic!() };
        let [writer, _socket] = <[OwnedFd; 2]>::try_from(fds).unwrap();
        std::fs::File::from(writer).write_all(b"over").unwrap();
        let mut read = [0; 4];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"over");
    }

    #[test]
    fn as_many_descriptors_cross_as_there_may_be() {
        let (ours, theirs) = Handover::pair().unwrap();
        let fds: Vec<OwnedFd> = (0..MAX_FDS).map(|_| theirs.0.try_clone().unwrap().into()).collect();
        theirs.send_ready(&fds).unwrap();
        let News::Ready(fds) = ours.receive().unwrap() else { panic!() };
        assert_eq!(fds.len(), MAX_FDS);
    }

    #[test]
    fn a_failure_crosses_whole_and_then_the_end_is_seen() {
        let (ours, theirs) = Handover::pair().unwrap();
        let sent = Failure { detail: "/run/nscd".into(), ..Failure::new(Stage::Mask, libc::EACCES) };
        theirs.send_failure(&sent).unwrap();
        drop(theirs);
        let News::Failed(failure) = ours.receive().unwrap() else { panic!() };
        assert_eq!(failure, sent);
        assert!(matches!(ours.receive(), Ok(News::Gone)));
    }

    #[test]
    fn the_child_hears_go_and_hears_that_nobody_is_left() {
        let (ours, theirs) = Handover::pair().unwrap();
        ours.say_go().unwrap();
        assert!(theirs.wait_for_go());
        drop(ours);
        assert!(!theirs.wait_for_go());
    }
}
