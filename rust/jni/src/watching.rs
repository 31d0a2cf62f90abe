//! One run of watching: a relay for a tun, and the watcher that it tells.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use telltale_driver::watcher::{News, Watch, WatchConfig, WatchSender};
use telltale_driver::{Controls, FindOwner, Relay, Setup, Stopped, wall, zone};
use telltale_model::{Details, History, Owner, Timestamp};
use telltale_store::{Cause, Reader, Run, Store};
use telltale_watch::destinations::{Around, Destinations};
use telltale_words::Ended;

use crate::pulse::{Call, Pulse};
use crate::{Config, Host, Network, Tunnel, Wrong, app};

/// How long the last flows may take to reach the disk. Ending the relay takes up to 250 ms besides, and the app waits
/// for 500.
const PATIENCE: Duration = Duration::from_millis(180);

/// What flows to our own resolver are called.
const RESOLVER: &str = "system resolver";

/// A relay and a watcher at work.
pub(crate) struct Watching {
    relay: Relay,
    watch: Watch,
    /// Tells one run from another.
    pub(crate) number: u64,
}

/// What can be asked of it and told to it without waiting for anybody.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) controls: Controls,
    pub(crate) sender: WatchSender,
    pub(crate) since: Timestamp,
}

/// What it needs.
pub(crate) struct Needs<'a> {
    pub(crate) tun: OwnedFd,
    pub(crate) tunnel: &'a Tunnel,
    pub(crate) network: &'a Network,
    pub(crate) config: &'a Config,
    pub(crate) tables: Option<Destinations>,
    pub(crate) around: Around,
    pub(crate) details: Details,
    pub(crate) host: &'a Host,
    pub(crate) pulse: &'a Pulse,
    pub(crate) number: u64,
}

impl Watching {
    /// Opens the database and starts both.
    ///
    /// # Errors
    /// Where the database cannot be used (a full disk stops nothing), or the system gives no thread.
    pub(crate) fn begin(needs: Needs<'_>) -> Result<(Self, Live), Wrong> {
        let (since, number) = (wall(), needs.number);
        let watch = Watch::start(watch_config(&needs, since)?)?;
        let sender = watch.sender();
        match Relay::start(setup(needs, sender.clone())) {
            Ok(relay) => {
                let live = Live { controls: relay.controls(), sender, since };
                Ok((Self { relay, watch, number }, live))
            }
            Err(error) => {
                watch.stop(PATIENCE);
                Err(error.into())
            }
        }
    }

    /// Ends both, the relay first. Why the relay had ended before, if it had.
    pub(crate) fn end(self) -> Option<Ended> {
        let stopped = self.relay.stop();
        let report = self.watch.stop(PATIENCE);
        for problem in stopped.problems.iter().chain(&report.problems) {
            log::debug!("{problem}");
        }
        why(&stopped)
    }
}

fn watch_config(needs: &Needs<'_>, since: Timestamp) -> Result<WatchConfig, Wrong> {
    let names = needs.tunnel.resolvers().into_iter().map(|address| (address, RESOLVER.to_owned())).collect();
    let pulse = needs.pulse.clone();
    Ok(WatchConfig {
        store: Some(store(needs.config, since)?),
        names,
        tables: needs.tables.clone(),
        around: needs.around,
        news: News(Some(Box::new(move || pulse.beat()))),
        details: needs.details.clone(),
        history: history(needs.config, since),
        // No system call tells the owner of ICMP echo, and there is no command that it could be.
        ..WatchConfig::default()
    })
}

/// This run, as the database knows it.
pub(crate) fn run(since: Timestamp) -> Run {
    Run { started: since, command: "android".into(), version: env!("CARGO_PKG_VERSION").into() }
}

fn store(config: &Config, since: Timestamp) -> Result<Store, Wrong> {
    match Store::open(&config.database, run(since)) {
        Ok(opened) => {
            if opened.set_aside.is_some() {
                log::warn!("the database was damaged; it was moved aside, and a new one begun");
            }
            Ok(opened.store)
        }
        Err(error) if error.cause() == Cause::Disk => Ok(Store::later(&config.database, run(since))),
        Err(error) => Err(Wrong::Failed(error.to_string())),
    }
}

/// Without a memory no comparison is made, and all else goes on.
fn history(config: &Config, since: Timestamp) -> History {
    let reader = Reader::open(&config.database).ok().flatten();
    reader.and_then(|reader| reader.history(since, zone(since)).ok()).unwrap_or_default()
}

fn setup(needs: Needs<'_>, sender: WatchSender) -> Setup {
    let Needs { tun, tunnel, network, host, pulse, number, .. } = needs;
    let pulse = pulse.clone();
    Setup {
        tun,
        mtu: tunnel.mtu,
        addresses: tunnel.addresses(),
        resolvers: tunnel.resolvers(),
        name_servers: network.name_servers(),
        owners: Some(owners(host)),
        loopback: Vec::new(),
        watch: Some(sender),
        at_end: Some(Box::new(move || pulse.call(Call::Ended(number)))),
    }
}

fn owners(host: &Host) -> FindOwner {
    let owner_of = Arc::clone(&host.owner_of);
    Box::new(move |key| owner_of(key).as_deref().and_then(app::read).map(Owner::from))
}

fn why(stopped: &Stopped) -> Option<Ended> {
    let error = stopped.ended.as_ref()?;
    Some(match error.raw_os_error() {
        Some(libc::ENOMEM) => Ended::NoMemory,
        None if error.kind() == std::io::ErrorKind::Other => Ended::Panic,
        _ => Ended::TunClosed,
    })
}
