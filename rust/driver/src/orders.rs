//! What a running relay is told: the network is another one, or the tun is.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::dns::NameServers;
use crate::stall::Watchdog;

/// The network that new sockets use from now on.
#[derive(Debug)]
pub struct Network {
    /// Whether there is one.
    pub online: bool,
    /// Whether it is another than before, and not the same with other servers.
    pub another: bool,
    /// Where questions of apps go on to.
    pub name_servers: NameServers,
}

/// A tun that takes the place of the one before.
#[derive(Debug)]
pub struct NewTun {
    /// An open tun, see [`crate::Setup`].
    pub tun: OwnedFd,
    /// Its MTU in bytes.
    pub mtu: usize,
    /// The app's side of the tunnel. Flows from other addresses end.
    pub addresses: Vec<IpAddr>,
    /// Our own resolver's addresses inside the tunnel.
    pub resolvers: Vec<IpAddr>,
}

/// Tells a relay. Nobody hears it once the relay has ended.
#[derive(Clone, Debug)]
pub struct Controls {
    pub(crate) changes: Arc<Orders>,
    pub(crate) watchdog: Watchdog,
}

impl Controls {
    /// The network is another one, or has other name servers. Connections from addresses that this machine has no
    /// longer end with a reset to their apps, new sockets use the new network, and questions that wait for an answer
    /// get SERVFAIL. Returns at once.
    pub fn change_network(&self, network: Network) {
        self.changes.tell(|list| list.change_network(network));
    }

    /// For how long apps have tried without anything coming back from anywhere; `None` where something does, or
    /// nobody tries.
    pub fn stalled(&self) -> Option<Duration> {
        self.watchdog.since()
    }

    /// Goes on with another tun, also where the one before is gone already and the relay has not ended for that yet.
    /// Returns at once.
    ///
    /// # Errors
    /// The tun itself, where the relay has ended or is about to: nobody will take it.
    pub fn replace_tun(&self, tun: NewTun) -> Result<(), NewTun> {
        self.changes.replace_tun(tun)
    }
}

/// What was told and not done yet: of each kind the latest counts, so nothing piles up.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    list: Mutex<List>,
    /// Nobody takes orders any more. Changes only while `list` is held.
    closed: AtomicBool,
    /// Wakes the relay up.
    pub(crate) arrived: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) network: Option<Network>,
    pub(crate) tun: Option<NewTun>,
}

impl Orders {
    /// Adds to what was told, and wakes the relay up.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut List)) {
        change(&mut self.locked());
        self.arrived.notify_one();
    }

    pub(crate) fn take(&self) -> List {
        std::mem::take(&mut self.locked())
    }

    /// What to go on with though the tun is gone: a new one. `None` where there is none; from then on none is taken.
    pub(crate) fn take_rescue(&self) -> Option<List> {
        let mut list = self.locked();
        if list.tun.is_some() {
            return Some(std::mem::take(&mut list));
        }
        self.closed.store(true, Ordering::Relaxed);
        None
    }

    /// Takes no orders any more, and closes the tun that waits.
    pub(crate) fn close(&self) {
        let mut list = self.locked();
        self.closed.store(true, Ordering::Relaxed);
        *list = List::default();
    }

    fn replace_tun(&self, tun: NewTun) -> Result<(), NewTun> {
        let mut list = self.locked();
        if self.closed.load(Ordering::Relaxed) {
            return Err(tun);
        }
        list.tun = Some(tun);
        self.arrived.notify_one();
        Ok(())
    }

    /// A list is whole at any moment, so a panic elsewhere cannot break it.
    fn locked(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    /// Another network stays another one, though the same was told again since.
    pub(crate) fn change_network(&mut self, network: Network) {
        let another = network.another || self.network.as_ref().is_some_and(|before| before.another);
        self.network = Some(Network { another, ..network });
    }
}
