//! What the errors of TCP sockets mean to an app.

use libc::c_int;
use telltale_engine::Failure;

/// Why a connection could not be made.
pub(super) fn failure(errno: c_int) -> Failure {
    match errno {
        libc::ECONNREFUSED => Failure::Refused,
        libc::ETIMEDOUT => Failure::TimedOut,
        libc::ENETUNREACH | libc::ENETDOWN | libc::EAFNOSUPPORT => Failure::NetworkUnreachable,
        libc::EHOSTUNREACH
        | libc::EHOSTDOWN
        | libc::EADDRNOTAVAIL
        | libc::EACCES
        | libc::EPERM
        | libc::EINVAL
        | libc::EPROTO
        | libc::ENOPROTOOPT => Failure::HostUnreachable,
        libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ENOSPC | libc::EAGAIN => {
            Failure::NoSockets
        }
        _ => Failure::Reset,
    }
}

/// Why an established connection broke. Unreachable is what the kernel says in the end of a remote
/// that answered no more, if a router had said so meanwhile.
pub(super) fn broken(errno: c_int) -> Failure {
    match errno {
        libc::ETIMEDOUT | libc::EHOSTUNREACH | libc::ENETUNREACH => Failure::TimedOut,
        _ => Failure::Reset,
    }
}
