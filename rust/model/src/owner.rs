use serde::{Deserialize, Serialize};

/// Who owns a flow on this machine. On Linux a process, on Android an app. Any part may be unknown:
/// a process can end before anybody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The user id that owns the socket.
    pub uid: Option<u32>,
    /// The process id, in the namespace of the relay.
    pub pid: Option<u32>,
    /// The path of the executable on Linux, such as `/usr/bin/curl`.
    pub program: Option<String>,
}
