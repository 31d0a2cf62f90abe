//! What the relay tells the watcher, dated with the world's clock.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use telltale_engine::{Engine, Instant, Shape};
use telltale_model::{Direction, Ending, FlowKey, FlowNumber, Observation, Protocol, Traffic};

use crate::clock;
use crate::owner::{FindOwner, Owners};
use crate::watcher::WatchSender;

/// The way to the watcher, if anybody watches.
pub(crate) struct Reports {
    watch: Option<WatchSender>,
    owners: Option<Owners>,
    carried: Instant,
}

/// Flows that live on are reported this often at most, and only while something happens anyway.
const CARRIED: Duration = Duration::from_secs(1);

impl Reports {
    /// Reports to `watch`; owners are those that `find` finds. An error says that the system gives no
    /// thread for that.
    pub(crate) fn new(watch: Option<WatchSender>, find: Option<FindOwner>, now: Instant) -> io::Result<Self> {
        let owners = watch.as_ref().zip(find).map(|(watch, find)| {
            let mut watch = watch.clone();
            Owners::start(find, move |flow, owner| {
                watch.tell(Observation::Owned { flow, owner });
                watch.hand_over();
            })
        });
        Ok(Self { watch, owners: owners.transpose()?, carried: now })
    }

    /// A flow began: its owner is asked while its first packet is still held. True: it is searched for,
    /// and [`Owners::answered`] tells when that is over.
    pub(crate) fn opened(&mut self, flow: FlowNumber, key: FlowKey) -> bool {
        self.tell(|| Observation::Opened { flow, key, at: clock::wall() });
        key.protocol != Protocol::Icmp && self.owners.as_ref().is_some_and(|owners| owners.ask(flow, key))
    }

    /// Who searches for owners, if anybody does.
    pub(crate) fn owners(&self) -> Option<&Owners> {
        self.owners.as_ref()
    }

    /// A flow ended.
    pub(crate) fn closed(&mut self, flow: FlowNumber, traffic: Traffic, ending: Ending) {
        self.tell(|| Observation::Closed { flow, traffic, ending, at: clock::wall() });
    }

    /// A flow carried this, which keeps `pinned` bytes of a buffer alive.
    pub(crate) fn seen(
        &mut self,
        flow: FlowNumber,
        direction: Direction,
        shape: Shape,
        payload: Bytes,
        pinned: usize,
    ) {
        if let Some(watch) = &mut self.watch {
            watch.tell_payload(flow, direction, shape, payload, pinned);
        }
    }

    /// Hands over what was told in this turn.
    pub(crate) fn hand_over(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.hand_over();
        }
    }

    /// Reports what living flows have carried, if that is due.
    pub(crate) fn carried(&mut self, now: Instant, engine: &mut Engine) {
        let Some(watch) = &mut self.watch else { return };
        if now - self.carried < CARRIED {
            return;
        }
        self.carried = now;
        let at = clock::wall();
        for (flow, traffic) in engine.carried() {
            watch.tell(Observation::Carried { flow, traffic, at });
        }
    }

    /// Flows whose owner nobody had time to look for.
    pub(crate) fn owners_missed(&self) -> u64 {
        self.owners.as_ref().map_or(0, Owners::missed)
    }

    /// The relay ends: hands over what waits for room, see [`WatchSender::finish`].
    pub(crate) fn finish(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.finish();
        }
    }

    /// Costs nothing where nobody watches.
    fn tell(&mut self, observation: impl FnOnce() -> Observation) {
        if let Some(watch) = &mut self.watch {
            watch.tell(observation());
        }
    }
}
