use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::App;

/// Who owns a flow on this machine. On Linux a process, on Android an app. Any part may be unknown:
/// a process can end before anybody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The user id that owns the socket.
    pub uid: Option<u32>,
    /// The process id, in the namespace of the relay.
    pub pid: Option<u32>,
    /// The path of the executable on Linux, such as `/usr/bin/curl`; on Android the name of the app's package.
    pub program: Option<String>,
    /// On Android, the app as it was then. The database has a place of its own for it.
    #[serde(skip)]
    pub app: Option<Arc<App>>,
}

impl From<App> for Owner {
    fn from(app: App) -> Self {
        Self {
            uid: Some(app.uid),
            pid: None,
            program: app.packages.first().cloned(),
            app: Some(Arc::new(app)),
        }
    }
}
