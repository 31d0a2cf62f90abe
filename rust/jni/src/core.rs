//! What stands behind a handle: details, tables and database for as long as it lives, and a run of watching while
//! there is a tun.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use serde_json::json;
use telltale_driver::{NewTun, random, tables};
use telltale_watch::destinations::{Around, Destinations};
use telltale_watch::details::Given;
use telltale_words::{Ended, Words};
use zeroize::Zeroizing;

use crate::network::Replacement;
use crate::pulse::{Call, Pulse};
use crate::watching::{Live, Needs, Watching};
use crate::{Config, Host, Network, Tunnel, Wrong, details};

/// The folder of the unpacked tables.
const UNPACKED: &str = "tables";

/// How long [`Core::stop`] waits; what is not over then ends by itself. The app waits for 500 ms.
const STOP: Duration = Duration::from_millis(460);

/// How long the watcher may take to hear of new details.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs of watching that this process has begun: a number that tells one from any other.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// A core. All calls may come from any thread.
pub struct Core {
    pub(crate) config: Config,
    pub(crate) pulse: Pulse,
    host: Host,
    pub(crate) tables: Option<Destinations>,
    pub(crate) around: Around,
    pub(crate) given: Mutex<Given>,
    network: Mutex<Network>,
    tunnel: Mutex<Tunnel>,
    /// Held while a run begins or ends, which may take as long as the disk does.
    watching: Mutex<Option<Watching>>,
    /// Never held for long.
    live: Mutex<Option<Live>>,
    over: AtomicBool,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Core")
    }
}

impl Core {
    /// Opens what is needed to answer, and watches if there is a tun.
    ///
    /// # Errors
    /// Where the configuration does not allow it, the database cannot be used, or the system gives no thread.
    pub fn start(tun: Option<OwnedFd>, config: Config, host: Host) -> Result<Arc<Self>, Wrong> {
        let tables = open_tables(&config)?;
        let maker = tables.as_ref().and_then(|tables| tables.phone_maker(&config.maker, &config.brand));
        let around = Around { phone: maker.map(|company| company.number), ..Around::default() };
        let (pulse, beats) = Pulse::new();
        let core = Arc::new(Self {
            pulse,
            host: host.clone(),
            tables,
            around,
            given: Mutex::new(Given::new(random()?)),
            network: Mutex::new(config.network.clone()),
            tunnel: Mutex::new(config.tunnel.clone()),
            watching: Mutex::new(None),
            live: Mutex::new(None),
            over: AtomicBool::new(false),
            config,
        });
        let (weak, voice) =
            (Arc::downgrade(&core), Voice { host: host.clone(), locale: core.config.locale.clone() });
        beats.start(host, move |call| act(&weak, &voice, &call))?;
        if let Some(tun) = tun {
            core.begin(tun, &mut locked(&core.watching))?;
        }
        Ok(core)
    }

    /// Goes on with another tun, begins to watch where nobody did or where the run before has just ended, or ends
    /// watching where there is none. Answers the number of the run that watches now, 0 where none does.
    ///
    /// # Errors
    /// As [`Self::start`]; the tun is closed then.
    pub fn replace_tun(&self, tun: Option<OwnedFd>, replacement: &str) -> Result<u64, Wrong> {
        let Replacement { network, tunnel } = Replacement::read(replacement)?;
        let Some(tun) = tun else {
            self.change_network(network);
            // An end that came meanwhile has been told.
            let _told = self.end();
            return Ok(0);
        };
        if let Some(tunnel) = tunnel {
            tunnel.check()?;
            *locked(&self.tunnel) = tunnel;
        }
        self.change_network(network);
        let mut watching = locked(&self.watching);
        let Some((number, live)) = watching.as_ref().map(|run| run.number).zip(self.live()) else {
            return self.begin(tun, &mut watching);
        };
        let tunnel = locked(&self.tunnel).clone();
        let (mtu, addresses, resolvers) = (tunnel.mtu, tunnel.addresses(), tunnel.resolvers());
        let Err(NewTun { tun, .. }) = live.controls.replace_tun(NewTun { tun, mtu, addresses, resolvers })
        else {
            return Ok(number);
        };
        if let Some(why) = self.end_run(&mut watching) {
            self.pulse.call(Call::Stopped(number, why));
        }
        self.begin(tun, &mut watching)
    }

    /// Takes the whole set of details, or nothing of it. The answer is that of docs/boundary.md.
    ///
    /// # Errors
    /// Where the system gives no random numbers, or the watcher does not hear of it.
    pub fn set_details(&self, text: &Zeroizing<Vec<u8>>) -> Result<String, Wrong> {
        let mut given = locked(&self.given);
        let new = match details::read(text, &self.config, &given, random()?) {
            Ok(new) => new,
            Err(errors) => return Ok(details::answer(&given, &errors)),
        };
        let sender = self.live().map(|live| live.sender);
        if sender.is_some_and(|sender| !sender.look_for(new.details(), PATIENCE)) {
            return Err(Wrong::Failed("the watcher is too busy to hear of new details".into()));
        }
        *given = new;
        self.pulse.beat();
        Ok(details::answer(&given, &[]))
    }

    /// The phone's network is another one. Returns at once.
    ///
    /// # Errors
    /// Where the text is not as docs/boundary.md says.
    pub fn network_changed(&self, network: &str) -> Result<(), Wrong> {
        self.change_network(Network::read(network)?);
        Ok(())
    }

    /// Ends everything, within half a second: what takes longer ends by itself.
    pub fn stop(self: &Arc<Self>) {
        self.over.store(true, Ordering::SeqCst);
        let (done, over) = sync_channel(1);
        let core = Arc::clone(self);
        let end = move || {
            let _told = core.end();
            // Details are forgotten now, also where somebody still holds this core.
            if let Ok(seed) = random() {
                *locked(&core.given) = Given::new(seed);
            }
            core.pulse.call(Call::Over);
            let _late = done.try_send(());
        };
        match thread::Builder::new().name("telltale-stop".into()).spawn(end) {
            Ok(_ends_by_itself) => _ = over.recv_timeout(STOP),
            // Without a thread left, nobody but this one can do it.
            Err(_) => _ = self.end(),
        }
    }

    /// What watches now, if anything does.
    pub(crate) fn live(&self) -> Option<Live> {
        locked(&self.live).clone()
    }

    /// The network, as it was told last.
    pub(crate) fn network(&self) -> Network {
        locked(&self.network).clone()
    }

    fn change_network(&self, network: Network) {
        let mut known = locked(&self.network);
        let change = network.after(&known);
        *known = network;
        if let (Some(change), Some(live)) = (change, &*locked(&self.live)) {
            live.controls.change_network(change);
            self.pulse.beat();
        }
    }

    fn begin(&self, tun: OwnedFd, watching: &mut Option<Watching>) -> Result<u64, Wrong> {
        if self.over.load(Ordering::SeqCst) {
            return Err(Wrong::Stale);
        }
        let (tunnel, network) = (locked(&self.tunnel).clone(), self.network());
        tunnel.check()?;
        let number = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
        // Details that come meanwhile wait until there is somebody to hear of them.
        let given = locked(&self.given);
        let (begun, live) = Watching::begin(Needs {
            tun,
            tunnel: &tunnel,
            network: &network,
            config: &self.config,
            tables: self.tables.clone(),
            around: self.around,
            details: given.details(),
            host: &self.host,
            pulse: &self.pulse,
            number,
        })?;
        let known = locked(&self.network);
        if let Some(change) = known.after(&network) {
            live.controls.change_network(change);
        }
        *locked(&self.live) = Some(live);
        *watching = Some(begun);
        self.pulse.beat();
        Ok(number)
    }

    /// Ends a run of watching, if there is one. Why it had ended before, if it had.
    fn end(&self) -> Option<Ended> {
        self.end_run(&mut locked(&self.watching))
    }

    fn end_run(&self, watching: &mut Option<Watching>) -> Option<Ended> {
        *locked(&self.live) = None;
        let why = watching.take()?.end();
        self.pulse.beat();
        why
    }

    /// A run has ended by itself, unless it was ended meanwhile: why.
    fn ended(&self, number: u64) -> Option<Ended> {
        let mut watching = locked(&self.watching);
        watching.as_ref().filter(|watching| watching.number == number)?;
        self.end_run(&mut watching)
    }
}

/// The tables are unpacked once, beside the packed ones. The folder that Android gives an app is its group's too, which
/// is the app itself; tables are mapped only from a folder of one owner, so they get one of their own.
fn open_tables(config: &Config) -> Result<Option<Destinations>, Wrong> {
    let Some(path) = &config.tables else { return Ok(None) };
    let packed =
        fs::read(path).map_err(|error| Wrong::Failed(format!("the tables cannot be read: {error}")))?;
    let folder = path.with_file_name(UNPACKED);
    // Where it cannot be made they are unpacked into memory.
    let _in_memory = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    tables::open(&packed, Some(&folder)).map(Some).map_err(|why| Wrong::Failed(why.to_string()))
}

/// Says to the app that watching has ended; also when the core itself is gone.
struct Voice {
    host: Host,
    locale: String,
}

impl Voice {
    fn say(&self, run: u64, why: Ended) {
        let sentence = Words::new(&self.locale).ended(why);
        (self.host.stopped)(&json!({"run": run, "reason": why.name(), "sentence": sentence}).to_string());
    }
}

/// What the thread that speaks with the app does at an end. False: it was the last.
fn act(core: &Weak<Core>, voice: &Voice, call: &Call) -> bool {
    match call {
        Call::Changed => {}
        Call::Ended(number) => {
            if let Some(why) = core.upgrade().and_then(|core| core.ended(*number)) {
                voice.say(*number, why);
            }
        }
        Call::Stopped(number, why) => voice.say(*number, *why),
        Call::Over => voice.say(0, Ended::Asked),
    }
    !matches!(call, Call::Over)
}

/// What these locks guard is whole at any moment, so a panic elsewhere cannot break it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
