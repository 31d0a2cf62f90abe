//! The relay as its users see it: started with a tun, it carries all traffic on a thread of its own
//! until it is stopped or the tun is gone.

use std::io;
use std::mem;
use std::net::{IpAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use telltale_engine::{Config, Counters, Offload};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::descriptors::{self, Inherited};
use crate::dns::NameServers;
use crate::loopback::{self, Shared};
use crate::orders::{Controls, Orders};
use crate::owner::FindOwner;
use crate::shell::{Drain, Drained, Shell, Told};
use crate::sys;
use crate::tun::TunCounters;
use crate::watcher::WatchSender;

/// All that a relay needs.
pub struct Setup {
    /// An open tun (`IFF_TUN | IFF_NO_PI`, and faster with `IFF_VNET_HDR`), or any other descriptor that keeps
    /// packets apart.
    pub tun: OwnedFd,
    /// The tun's MTU in bytes.
    pub mtu: usize,
    /// The app's side of the tunnel.
    pub addresses: Vec<IpAddr>,
    /// Our own resolver's addresses inside the tunnel.
    pub resolvers: Vec<IpAddr>,
    /// Where the questions that it is asked go on to.
    pub name_servers: NameServers,
    /// Who knows the owners of flows; without it they stay unknown.
    pub owners: Option<FindOwner>,
    /// Listening sockets inside the tunnel's namespace whose connections go to the same port of the
    /// host's loopback.
    pub loopback: Vec<TcpListener>,
    /// Who wants to know; without it the relay relays alone.
    pub watch: Option<WatchSender>,
    /// Called when the relay has ended, however that came about, on its own thread.
    pub at_end: Option<Box<dyn FnOnce() + Send>>,
}

/// How often somebody who waits is asked whether to go on.
const GIVE_UP: Duration = Duration::from_millis(20);

/// A running relay. Dropping it stops it too, without waiting.
pub struct Relay {
    drain: Option<oneshot::Sender<Drain>>,
    stop: oneshot::Sender<()>,
    controls: Controls,
    thread: JoinHandle<Stopped>,
    ended: OwnedFd,
    inherited: Inherited,
}

/// What a relay leaves behind.
#[derive(Debug, Default)]
pub struct Stopped {
    /// What the engine counted.
    pub counters: Counters,
    /// What the tun did not take at once.
    pub tun: TunCounters,
    /// Datagrams and echo requests for which the system had no room.
    pub datagrams_dropped: u64,
    /// Flows whose owner nobody had time to look for.
    pub owners_missed: u64,
    /// TCP flows whose apps may have had more to say.
    pub unfinished: usize,
    /// What did not work, each in a sentence for the user.
    pub problems: Vec<String>,
    /// Why the relay ended before it was asked to.
    pub ended: Option<io::Error>,
}

impl Relay {
    /// Starts a relay on a thread of its own, and raises the limit on descriptors of this process as
    /// far as it may.
    ///
    /// # Errors
    /// Where the system gives no thread, no epoll set or no memory, or where the tun cannot be waited
    /// for (as a file cannot).
    pub fn start(mut setup: Setup) -> io::Result<Self> {
        let inherited = descriptors::raise_limit()?;
        let (ended, alive) = sys::pipe()?;
        let (drain, draining) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let changes = Arc::new(Orders::default());
        let told = Told { drain: draining, stop: stopped, changes: Arc::clone(&changes) };
        let at_end = AtEnd(setup.at_end.take());
        let forwarding = (mem::take(&mut setup.loopback), setup.watch.clone());
        let shell = shell(&runtime, setup)?;
        let closing = Closing(Arc::clone(&changes));
        let controls = Controls { changes, watchdog: shell.watchdog() };
        let work = move || {
            // Who waits hears of the end even where this thread ends in a panic.
            let _alive = (closing, alive, at_end);
            run(&runtime, shell, told, forwarding)
        };
        let thread = thread::Builder::new().name("telltale-relay".into()).spawn(work)?;
        Ok(Self { drain: Some(drain), stop, controls, thread, ended, inherited })
    }

    /// A descriptor that becomes readable (at its end) when the relay has ended without being asked.
    pub fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// The limit on descriptors before [`Self::start`] raised it.
    pub fn inherited_descriptors(&self) -> Inherited {
        self.inherited
    }

    /// A way to have the relay go on in another way, for as long as it runs.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// After the apps have ended: waits until all that they have sent is on its way to its servers, as
    /// long as the network takes it and for `most` at most. `give_up` is asked now and then whether to wait
    /// no longer; it hears how long that has been.
    pub fn drain(&mut self, most: Duration, mut give_up: impl FnMut(Duration) -> bool) -> Drained {
        let (tell, told) = sync_channel(1);
        // The relay may have ended already: then nobody is left to tell.
        let _ = self.drain.take().map(|drain| drain.send(Drain { most, tell }));
        let mut waited = Duration::ZERO;
        loop {
            match told.recv_timeout(GIVE_UP) {
                Ok(drained) => return drained,
                Err(RecvTimeoutError::Timeout) if !give_up(waited) => waited += GIVE_UP,
                Err(_) => return Drained::Cut,
            }
        }
    }

    /// Ends every flow and then the relay, and waits for that: nothing in it takes longer than closing
    /// the sockets.
    pub fn stop(self) -> Stopped {
        // The relay may have ended already: then nobody hears this.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_else(|_panic| Stopped {
            ended: Some(io::Error::other("the relay met a mistake of its own")),
            ..Stopped::default()
        })
    }
}

/// Closes the orders when it is dropped: before anybody hears of the end.
struct Closing(Arc<Orders>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Calls when it is dropped.
struct AtEnd(Option<Box<dyn FnOnce() + Send>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

fn shell(runtime: &Runtime, setup: Setup) -> io::Result<Shell> {
    let _inside = runtime.enter();
    let max_sockets = descriptors::affordable()?;
    let Setup { mtu, addresses, resolvers, .. } = &setup;
    let config = Config {
        mtu: *mtu,
        addresses: addresses.clone(),
        resolvers: resolvers.clone(),
        max_sockets,
        watched: setup.watch.is_some(),
        offload: Offload::default(),
    };
    Shell::new(setup, config)
}

/// Runs the loop, and beside it what forwards the loopback's ports.
fn run(
    runtime: &Runtime,
    shell: Shell,
    orders: Told,
    (listeners, watch): (Vec<TcpListener>, Option<WatchSender>),
) -> Stopped {
    let forwarders = LocalSet::new();
    let looked_at =
        listeners.iter().filter_map(|listener| listener.as_fd().try_clone_to_owned().ok()).collect();
    let watch = Shared::new(watch, shell.asker(), looked_at);
    for listener in listeners {
        // It ends with the set.
        drop(forwarders.spawn_local(forward(listener, watch.clone())));
    }
    let left = forwarders.block_on(runtime, shell.run(orders, watch.clone()));
    // What is still carried breaks off, and says so.
    drop(forwarders);
    watch.finish();
    left
}

async fn forward(listener: TcpListener, watch: Shared) {
    if let Err(error) = loopback::forward(listener, watch).await {
        log::warn!("a port of the loopback is not forwarded: {error}");
    }
}
