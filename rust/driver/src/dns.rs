//! Who answers the questions of apps: the name servers of the system, asked directly, or on Android its own
//! resolver.

mod android;
mod exchange;
mod message;
mod servers;
mod source;

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use telltale_engine::{Input, Instant, QueryId};

use crate::poll::Epoll;
use crate::resolv::ResolvConf;
use android::Android;
pub use android::ResolverCalls;
use servers::Servers;

/// Questions under way at the same time. Further ones fail at once, and the app asks again.
const OUTSTANDING: usize = 128;
/// The longest DNS message.
const LONGEST: usize = 65_535;

/// Where questions of apps go on to.
#[derive(Clone)]
pub enum NameServers {
    /// To these servers.
    Listed {
        /// The servers, and how they are asked.
        conf: ResolvConf,
        /// The file that says so, which is read again when it has changed. `None`: they never change.
        file: Option<PathBuf>,
    },
    /// To Android's resolver, which does with them what it would have done without us: servers, encryption,
    /// cache and sign-in of that network.
    Android {
        /// Its functions.
        calls: ResolverCalls,
        /// The network (`net_handle_t`); 0 is the default one of this process.
        network: u64,
    },
}

impl fmt::Debug for NameServers {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Listed { .. } => "listed servers",
            Self::Android { .. } => "Android's resolver",
        })
    }
}

/// Asks them.
pub(crate) enum Resolver {
    Servers(Box<Servers>),
    Android(Android),
}

impl Resolver {
    pub(crate) fn new(of: NameServers) -> Self {
        match of {
            NameServers::Listed { conf, file } => Self::Servers(Box::new(Servers::new(&conf, file))),
            NameServers::Android { calls, network } => Self::Android(Android::new(calls, network)),
        }
    }

    /// Asks a question. The answer is an input now or later, unless the question is forgotten.
    pub(crate) fn ask(
        &mut self,
        epoll: &Epoll,
        now: Instant,
        query: QueryId,
        message: Bytes,
        over_tcp: bool,
        inputs: &mut Vec<Input>,
    ) {
        match self {
            Self::Servers(servers) => servers.ask(epoll, now, query, message, over_tcp, inputs),
            Self::Android(android) => android.ask(epoll, query, message, over_tcp, inputs),
        }
    }

    /// The descriptor of a question is ready for something.
    pub(crate) fn ready(
        &mut self,
        epoll: &Epoll,
        now: Instant,
        slot: u32,
        generation: u32,
        inputs: &mut Vec<Input>,
    ) {
        match self {
            Self::Servers(servers) => servers.ready(epoll, now, slot, generation, inputs),
            Self::Android(android) => android.ready(generation, inputs),
        }
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn forget(&mut self, query: QueryId) {
        match self {
            Self::Servers(servers) => servers.forget(query),
            Self::Android(android) => android.forget(query),
        }
    }

    /// There will be no answers: every question ends without one.
    pub(crate) fn cancel(&mut self, inputs: &mut Vec<Input>) {
        let queries = match self {
            Self::Servers(servers) => servers.cancel(),
            Self::Android(android) => android.cancel(),
        };
        inputs.extend(queries.into_iter().map(|query| Input::Answer { query, message: None }));
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Servers(servers) => servers.deadline(),
            // Android has time limits of its own, and the engine has one.
            Self::Android(_) => None,
        }
    }

    /// Goes on to the next server where one has not answered in time.
    pub(crate) fn expire(&mut self, epoll: &Epoll, now: Instant, inputs: &mut Vec<Input>) {
        if let Self::Servers(servers) = self {
            servers.expire(epoll, now, inputs);
        }
    }
}
