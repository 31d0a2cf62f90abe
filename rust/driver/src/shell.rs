//! The loop around the engine: packets and readiness in, writes and sends out, turn after turn.

mod draining;
mod orders;
mod outputs;
mod serving;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use telltale_engine::{Config, Engine, Failure, Input, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::clock::{Clock, Timer};
use crate::dns::Resolver;
use crate::echo::Echoes;
use crate::introductions::Introductions;
use crate::loopback::Shared;
use crate::orders::Orders;
use crate::owner::{Asker, Owners};
use crate::poll::{Epoll, Event, Events, Token};
use crate::relay::{Setup, Stopped};
use crate::reports::Reports;
use crate::rest::{Rest, give_back};
use crate::stall::{Stall, Watchdog};
use crate::sys;
use crate::tcp::Sockets;
use crate::tun::{BATCH, Tun};
use crate::udp::Mappings;
use draining::Draining;
use serving::{Datagrams, Streams};

pub use draining::Drained;
pub(crate) use draining::{Drain, Left};

/// Everything that the engine thread owns.
pub(crate) struct Shell {
    clock: Clock,
    now: Instant,
    engine: Engine,
    deadline: Option<Instant>,
    tun: Tun,
    epoll: AsyncFd<Epoll>,
    events: Events,
    sockets: Sockets,
    mappings: Mappings,
    echoes: Echoes,
    resolver: Resolver,
    reports: Reports,
    introductions: Introductions,
    stall: Arc<Stall>,
    rest: Rest,
    draining: Option<Draining>,
    /// Bytes that the socket which was aborted last had not sent.
    unsent: usize,
    streams: Streams,
    datagrams: Datagrams,
    /// What datagram sockets brought, on its way to the engine.
    inputs: Vec<Input>,
}

/// What the relay is asked for from outside.
pub(crate) struct Told {
    /// To tell when all that apps have sent is on its way.
    pub(crate) drain: oneshot::Receiver<Drain>,
    /// To end.
    pub(crate) stop: oneshot::Receiver<()>,
    /// To go on in another way.
    pub(crate) changes: Arc<Orders>,
}

/// What ended waiting.
enum Woken {
    Stop,
    Drain(Drain),
    Changes,
    /// An error waits at the tun.
    Error,
    Work,
}

/// Sockets served in one turn.
const SERVED: usize = 64;

/// Packets that one turn writes to the tun at most, roughly: a quarter of a millisecond at the smallest MTU,
/// for which all other flows wait. A bulk flow is no faster with more. Apps answer every second of them, and
/// the tun's ring holds 500 answers until they are read.
const PACKETS_WRITTEN: usize = 64;

/// Batches of packets that one turn takes at most: as many as a turn's writes are answered with.
const BATCHES: usize = 2;

/// Bytes of packets read in one turn: what a cache near the processor holds until they are sent.
const PACKETS_READ: usize = 512 << 10;

/// A relay that stops takes in what is waiting for this long at most.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// While the kernel has no memory for a packet, it is asked again after this time.
const EXHAUSTED: Duration = Duration::from_millis(5);

impl Shell {
    /// A loop that is ready to run. Must be called inside the runtime.
    pub(crate) fn new(setup: Setup, config: Config) -> io::Result<Self> {
        let clock = Clock::start();
        let now = clock.now();
        let (epoll, reports) = (Epoll::new()?, Reports::new(setup.watch, setup.owners, now)?);
        if let Some(owners) = reports.owners() {
            epoll.add_reading(owners.answered().wake(), Token::Owners)?;
        }
        let tun = Tun::new(setup.tun, setup.mtu)?;
        let config = Config { offload: tun.offload(), ..config };
        Ok(Self {
            clock,
            now,
            deadline: None,
            engine: Engine::new(config, sys::random()?, now),
            epoll: epoll.watched()?,
            events: Events::with_capacity(SERVED),
            sockets: Sockets::new(tun.longest()),
            mappings: Mappings::new(),
            echoes: Echoes::new(),
            resolver: Resolver::new(setup.name_servers),
            reports,
            introductions: Introductions::default(),
            stall: Arc::default(),
            rest: Rest::default(),
            draining: None,
            unsent: 0,
            streams: Streams::new(tun.longest()),
            tun,
            datagrams: Datagrams::default(),
            inputs: Vec::new(),
        })
    }

    /// A way to see from elsewhere whether anything gets through.
    pub(crate) fn watchdog(&self) -> Watchdog {
        Watchdog { stall: Arc::clone(&self.stall), clock: self.clock }
    }

    /// A way to ask for owners, if anybody wants to know.
    pub(crate) fn asker(&self) -> Option<Asker> {
        self.reports.owners().and_then(Owners::asker)
    }

    /// Relays until `stop` is told or dropped, or until the tun is gone; then ends every flow.
    pub(crate) async fn run(mut self, mut orders: Told, loopback: Shared) -> Stopped {
        let mut ended = self.relay_on(&mut orders, &loopback).await.err();
        if ended.is_none() {
            ended = self.take_last_words().await.err();
        }
        self.now = self.clock.now();
        let unfinished = self.left(&loopback).unfinished;
        self.engine.stop();
        // The tun may be gone: then nobody is there to hear the resets, and flows end all the same.
        while self.settle().is_err() {}
        self.reports.finish();
        Stopped {
            counters: self.engine.counters(),
            tun: self.tun.counters(),
            datagrams_dropped: self.mappings.dropped() + self.echoes.dropped(),
            owners_missed: self.reports.owners_missed(),
            unfinished,
            problems: self.echoes.refusal().map(str::to_owned).into_iter().collect(),
            ended,
        }
    }

    /// What apps have said already still counts, above all what they have acknowledged: a command that
    /// has ended has left it in the tun.
    async fn take_last_words(&mut self) -> io::Result<()> {
        let until = self.clock.now() + LAST_WORDS;
        loop {
            // The runtime learns of packets only while this task waits.
            tokio::time::sleep(Duration::from_millis(1)).await;
            if !self.turn()? || self.now >= until {
                return Ok(());
            }
        }
    }

    /// Turns until asked to stop. An error means that the tun is gone, and that none came to take its place.
    async fn relay_on(&mut self, orders: &mut Told, loopback: &Shared) -> io::Result<()> {
        loop {
            let Err(error) = self.relay(orders, loopback).await else { return Ok(()) };
            self.rescue(&orders.changes, error)?;
        }
    }

    /// Turns until asked to stop. An error means that the tun is gone.
    async fn relay(&mut self, orders: &mut Told, loopback: &Shared) -> io::Result<()> {
        let mut timer = Timer::new(self.clock);
        loop {
            let more = self.turn()?;
            if more {
                // The runtime looks for what has become ready, and at its other tasks.
                tokio::task::yield_now().await;
            } else {
                self.rest();
            }
            self.drain(loopback);
            match self.wait(orders, &mut timer, more).await? {
                Woken::Stop => return Ok(()),
                Woken::Drain(drain) => self.draining = Some(Draining::begin(self.now, drain)),
                Woken::Changes => self.obey(orders.changes.take())?,
                Woken::Error => self.tun.suspect(),
                Woken::Work => {}
            }
        }
    }

    /// Looks from time to time whether all is on its way, if somebody waits for that.
    fn drain(&mut self, loopback: &Shared) {
        let due = |draining: &Draining| draining.look_at() <= self.now;
        if let Some(mut draining) = self.draining.take_if(|draining| due(draining)) {
            let left = self.left(loopback);
            self.draining = (!draining.is_over(self.now, left)).then_some(draining);
        }
    }

    /// What apps have said and is not on its way yet.
    fn left(&self, loopback: &Shared) -> Left {
        let (unfinished, taken) = self.engine.unfinished();
        let (forwarded, said) = loopback.unfinished();
        let progress = (taken + said).cast_signed() - self.sockets.unacknowledged();
        Left { unfinished: unfinished + forwarded, progress }
    }

    /// There is nothing to do just now.
    fn rest(&mut self) {
        if self.rest.pause(self.now, self.engine.memory()) {
            self.tun.rest();
            self.sockets.rest();
            give_back();
        }
    }

    /// Waits for something to do, unless there is more to do anyway.
    async fn wait(&self, orders: &mut Told, timer: &mut Timer, more: bool) -> io::Result<Woken> {
        let mut error = pin!(self.tun.error());
        let changes = Arc::clone(&orders.changes);
        let mut changed = pin!(changes.arrived.notified());
        poll_fn(|context| {
            if Pin::new(&mut orders.stop).poll(context).is_ready() {
                return Poll::Ready(Ok(Woken::Stop));
            }
            if !orders.drain.is_terminated()
                && let Poll::Ready(Ok(drain)) = Pin::new(&mut orders.drain).poll(context)
            {
                return Poll::Ready(Ok(Woken::Drain(drain)));
            }
            if changed.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(Woken::Changes));
            }
            if more {
                return Poll::Ready(Ok(Woken::Work));
            }
            if error.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(Woken::Error));
            }
            self.poll_wake(context, timer).map_ok(|()| Woken::Work)
        })
        .await
    }

    /// Ready as soon as there is something to do.
    fn poll_wake(&self, context: &mut Context<'_>, timer: &mut Timer) -> Poll<io::Result<()>> {
        let retry = self.tun.is_exhausted().then(|| self.now + EXHAUSTED);
        let (resolver, introductions) = (self.resolver.deadline(), self.introductions.deadline());
        let draining = self.draining.as_ref().map(Draining::look_at);
        let deadline = [self.deadline, resolver, introductions, self.rest.due(), draining, retry];
        let deadline = deadline.into_iter().flatten().min();
        if timer.poll_at(deadline, context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        if let Poll::Ready(result) = self.tun.poll_ready(context) {
            return Poll::Ready(result);
        }
        if self.tun.is_stuffed() {
            return Poll::Pending;
        }
        self.epoll.poll_read_ready(context).map_ok(drop)
    }

    /// Does a bounded amount of everything: packets from apps, then ready sockets, so that nothing can
    /// starve anything else. True says that there is more to do now; an error, that the tun is gone.
    fn turn(&mut self) -> io::Result<bool> {
        self.now = self.clock.now();
        self.datagrams.begin_turn();
        self.tun.flush()?;
        if self.deadline.is_some_and(|at| at <= self.now) {
            self.engine.handle_input(self.now, Input::Timeout);
        }
        self.resolver.expire(self.epoll.get_ref(), self.now, &mut self.inputs);
        self.settle()?;
        let packets_left = self.take_packets()?;
        self.rest.note(self.engine.memory(), self.tun.spare() + self.sockets.spare());
        self.now = self.clock.now();
        let events_left = self.take_events()?;
        self.serve_datagrams()?;
        self.serve_streams()?;
        let waiting_left = self.introduce()?;
        self.reports.carried(self.now, &mut self.engine);
        self.reports.hand_over();
        let queued = !self.streams.is_empty() || !self.datagrams.is_empty();
        let left = packets_left || events_left || waiting_left || queued;
        // With the tun stuffed, nothing can go on before it takes packets again.
        Ok(left && !self.tun.is_stuffed())
    }

    /// Hands packets of apps to the engine, batch after batch: the tun's ring is short, and drops what
    /// it has no place for without a word. True: there may be more.
    fn take_packets(&mut self) -> io::Result<bool> {
        for _ in 0..BATCHES {
            if self.tun.is_stuffed() {
                return Ok(false);
            }
            let more = self.take_batch()?;
            self.settle()?;
            if !more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands a batch of packets to the engine. What they carry is sent after the last of them, so that
    /// the payload of a batch goes out in one call a flow. True: there may be more.
    fn take_batch(&mut self) -> io::Result<bool> {
        self.tun.rewind();
        let (pinned, mut len) = (self.tun.pinned(), 0);
        for _ in 0..BATCH {
            let Some(packet) = self.tun.read()? else { return Ok(false) };
            len += packet.len();
            self.engine.handle_input(self.now, Input::Packet { packet, pinned });
            if len >= PACKETS_READ {
                break;
            }
        }
        Ok(true)
    }

    /// Acts on what has become ready. True: there may be more.
    fn take_events(&mut self) -> io::Result<bool> {
        self.events.clear();
        if self.tun.is_stuffed() {
            return Ok(false);
        }
        let look = self.epoll.try_io(Interest::READABLE, |epoll| {
            epoll.wait_now(&mut self.events)?;
            // Not full means that all was told: the runtime may wait for the next.
            if self.events.is_full() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
        });
        for place in 0..SERVED {
            let Some(event) = self.events.at(place) else { break };
            self.act(event)?;
        }
        Ok(look.is_ok())
    }

    /// Acts on an event, now or when the owner of its flow is known.
    fn act(&mut self, event: Event) -> io::Result<()> {
        if self.introductions.holds_event(event) { Ok(()) } else { self.act_now(event) }
    }

    /// Goes on with what need not wait for an owner any longer. True: there is more.
    fn introduce(&mut self) -> io::Result<bool> {
        let Some(owners) = self.reports.owners() else { return Ok(false) };
        self.introductions.look(self.now, owners);
        for _ in 0..SERVED {
            if self.tun.is_stuffed() {
                break;
            }
            let Some(held) = self.introductions.release() else { break };
            if let Some(input) = held.input {
                self.engine.handle_input(self.now, input);
            }
            if let Some(event) = held.event {
                self.act_now(event)?;
            }
            self.settle()?;
        }
        // What was held meanwhile has nobody yet who wakes the relay for it.
        if let Some(owners) = self.reports.owners() {
            self.introductions.look(self.now, owners);
        }
        Ok(self.introductions.has_more())
    }

    fn act_now(&mut self, event: Event) -> io::Result<()> {
        let Token::Tcp(flow) = event.token else { return self.serve_datagrams_of(event) };
        match self.sockets.note(flow, event) {
            Some(Ok(())) => {
                self.stall.answered();
                self.engine.handle_input(self.now, Input::Connected(flow));
            }
            Some(Err(failure)) => {
                if failure == Failure::Refused {
                    self.stall.answered();
                }
                self.engine.handle_input(self.now, Input::ConnectFailed(flow, failure));
            }
            None if event.writable => self.send(flow),
            None => {}
        }
        self.queue(flow);
        self.settle()
    }
}
