//! What the core asks of the app and tells it.

use std::fmt;
use std::sync::Arc;

use telltale_model::FlowKey;

/// The three calls out. Each comes on a thread of the core's own, and may take its time: nothing of the relay waits
/// for it.
#[derive(Clone)]
pub struct Host {
    /// The app that owns a flow, as JSON; `None` where nobody knows.
    pub owner_of: Arc<dyn Fn(FlowKey) -> Option<String> + Send + Sync>,
    /// Something that can be shown has changed.
    pub changed: Arc<dyn Fn(u64) + Send + Sync>,
    /// Watching has ended: why, as JSON.
    pub stopped: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Host")
    }
}
