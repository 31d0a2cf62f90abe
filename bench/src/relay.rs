//! How a relay over a crate is run: the settings under which it does best, or those of its example.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// How many bytes are copied at once: what tokio's `copy_bidirectional` takes, which the examples call, or
/// with the argument `--tuned` eight times that.
pub fn piece() -> usize {
    if std::env::args().any(|argument| argument == "--tuned") { 64 << 10 } else { 8 << 10 }
}

/// A runtime for as many cores as this process may use. For one core that of one thread is the best.
///
/// # Errors
/// When the system gives no threads or descriptors.
pub fn runtime() -> io::Result<Runtime> {
    let mut builder = match thread::available_parallelism()?.get() {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}
