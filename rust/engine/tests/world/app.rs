//! Apps: smoltcp's TCP, which nobody here wrote, behind a bad link.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::{HardwareAddress, IpCidr, IpEndpoint};
use telltale_engine::Instant;

use crate::link::{Link, Weather};
use crate::random::pattern;
use crate::server::Server;
use crate::shell::{APP_V4, APP_V6, Shell};

/// After this much virtual time something hangs.
const TOO_LONG: Duration = Duration::from_secs(3_600);

/// Apps on one side, the engine and its servers on the other.
pub(crate) struct World {
    pub(crate) shell: Shell,
    device: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    apps: Vec<App>,
    up: Link,
    down: Link,
}

/// What an app does over one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) to: SocketAddr,
    pub(crate) sends: usize,
    /// Closes its own direction after sending; else once the server has closed.
    pub(crate) closes_first: bool,
}

struct App {
    plan: Plan,
    handle: SocketHandle,
    stream: u64,
    sent: usize,
    received: Vec<u8>,
    closed: bool,
}

impl World {
    pub(crate) fn new(mtu: usize, weather: Weather, seed: u64) -> Self {
        let mut device = Wire { mtu, received: VecDeque::new(), sent: VecDeque::new() };
        let shell = Shell::new(mtu);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut device, smol(shell.now));
        interface.update_ip_addrs(|addresses| {
            for address in [APP_V4, APP_V6] {
                let address: IpAddr = address.parse().unwrap();
                addresses.push(IpCidr::new(address.into(), if address.is_ipv4() { 24 } else { 64 })).unwrap();
            }
        });
        interface.routes_mut().add_default_ipv4_route("10.0.0.1".parse().unwrap()).unwrap();
        interface.routes_mut().add_default_ipv6_route("2001:db8::1".parse().unwrap()).unwrap();
        Self {
            shell,
            device,
            interface,
            sockets: SocketSet::new(Vec::new()),
            apps: Vec::new(),
            up: Link::new(weather, seed ^ 0x0bad),
            down: Link::new(weather, seed ^ 0x1bad),
        }
    }

    pub(crate) fn serve(&mut self, port: u16, server: Server) {
        self.shell.serve(port, server);
    }

    /// An app with buffers of this size opens a connection. Gives its place among the apps.
    pub(crate) fn open(&mut self, plan: Plan, buffer: usize) -> usize {
        let ring = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut socket = tcp::Socket::new(ring(), ring());
        let place = self.apps.len();
        let port = 40_000 + u16::try_from(place).unwrap();
        let remote: IpEndpoint = plan.to.into();
        socket.connect(self.interface.context(), remote, port).unwrap();
        let handle = self.sockets.add(socket);
        let stream = place as u64 + 1;
        self.apps.push(App { plan, handle, stream, sent: 0, received: Vec::new(), closed: false });
        place
    }

    /// Runs until every app is done and the engine has forgotten every flow.
    pub(crate) fn run(&mut self) {
        let end = self.shell.now + TOO_LONG;
        while !self.is_done() {
            self.turn();
            let next = self.next().expect("the world stands still");
            assert!(next < end, "no end in sight: {}", self.progress());
            self.shell.jump(next.max(self.shell.now));
        }
        self.turn();
    }

    pub(crate) fn received(&self, app: usize) -> &[u8] {
        &self.apps[app].received
    }

    /// What an app's stream consists of.
    pub(crate) fn sent(&self, app: usize) -> Vec<u8> {
        pattern(self.apps[app].stream, 0, self.apps[app].plan.sends)
    }

    fn is_done(&self) -> bool {
        let closed = |app: &App| {
            let state = self.sockets.get::<tcp::Socket<'_>>(app.handle).state();
            matches!(state, tcp::State::Closed | tcp::State::TimeWait)
        };
        self.apps.iter().all(closed) && self.shell.engine.live_flows() == 0
    }

    /// Everything that happens at this moment.
    fn turn(&mut self) {
        while let Some(packet) = self.up.take_due(self.shell.now) {
            self.shell.feed(&packet);
        }
        self.shell.settle();
        for packet in self.shell.take_packets() {
            self.down.send(self.shell.now, packet);
        }
        while let Some(packet) = self.down.take_due(self.shell.now) {
            self.device.received.push_back(packet);
        }
        for _ in 0..2 {
            self.interface.poll(smol(self.shell.now), &mut self.device, &mut self.sockets);
            self.apps.iter_mut().for_each(|app| app.act(&mut self.sockets));
        }
        self.interface.poll(smol(self.shell.now), &mut self.device, &mut self.sockets);
        while let Some(packet) = self.device.sent.pop_front() {
            self.up.send(self.shell.now, packet);
        }
    }

    fn next(&mut self) -> Option<Instant> {
        let tcp = self.interface.poll_at(smol(self.shell.now), &self.sockets);
        let tcp = tcp.map(|at| Instant::from_micros(u64::try_from(at.total_micros()).unwrap()));
        [tcp, self.up.next(), self.down.next(), self.shell.next()].into_iter().flatten().min()
    }

    fn progress(&self) -> String {
        let app = |app: &App| {
            let state = self.sockets.get::<tcp::Socket<'_>>(app.handle).state();
            format!("{state}: {} sent, {} received; ", app.sent, app.received.len())
        };
        format!("{} flows, {}", self.shell.engine.live_flows(), self.apps.iter().map(app).collect::<String>())
    }
}

impl App {
    fn act(&mut self, sockets: &mut SocketSet<'_>) {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.handle);
        while socket.can_recv() {
            let take = |bytes: &mut [u8]| (bytes.len(), bytes.to_vec());
            self.received.extend(socket.recv(take).expect("bytes"));
        }
        while socket.can_send() && self.sent < self.plan.sends {
            let len = (self.plan.sends - self.sent).min(4_096);
            let sent = socket.send_slice(&pattern(self.stream, self.sent, len)).expect("room");
            self.sent += sent;
            if sent < len {
                break;
            }
        }
        let server_done = socket.state() == tcp::State::CloseWait && !socket.can_recv();
        let sent_all = self.sent == self.plan.sends && socket.may_send();
        if !self.closed && sent_all && (self.plan.closes_first || server_done) {
            self.closed = true;
            socket.close();
        }
    }
}

fn smol(now: Instant) -> SmolInstant {
    SmolInstant::from_micros(i64::try_from(now.as_micros()).unwrap())
}

struct Wire {
    mtu: usize,
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

struct Arrived(Vec<u8>);

struct Leaving<'a>(&'a mut VecDeque<Vec<u8>>);

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Leaving<'a>;

    fn receive(&mut self, _: SmolInstant) -> Option<(Arrived, Leaving<'_>)> {
        self.received.pop_front().map(|packet| (Arrived(packet), Leaving(&mut self.sent)))
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Leaving<'_>> {
        Some(Leaving(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut packet = vec![0; len];
        let result = write(&mut packet);
        self.0.push_back(packet);
        result
    }
}
