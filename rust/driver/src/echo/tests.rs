//! Echoes on real sockets, on the loopback interface and in namespaces.

use std::time::Duration;

use telltale_engine::DatagramFailure;

use super::*;
use crate::datagram::namespace::{Namespace, three_in_line};
use crate::poll::Events;

const ID: EchoId = EchoId { index: 2, generation: 5 };

struct World {
    echoes: Echoes,
    epoll: Epoll,
    events: Events,
    inputs: Vec<Input>,
}

impl World {
    fn new() -> Self {
        let (epoll, events) = (Epoll::new().unwrap(), Events::with_capacity(16));
        Self { echoes: Echoes::new(), epoll, events, inputs: Vec::new() }
    }

    fn send(&mut self, id: EchoId, to: &str, sequence: u16, payload: &'static [u8], hop_limit: u8) {
        let (to, payload) = (to.parse().unwrap(), Bytes::from_static(payload));
        self.echoes.send(&self.epoll, id, to, sequence, &payload, hop_limit, &mut self.inputs);
    }

    /// The next thing that happens, waiting for it 3 seconds at most.
    fn next(&mut self) -> Input {
        for _ in 0..300 {
            if !self.inputs.is_empty() {
                return self.inputs.remove(0);
            }
            std::thread::sleep(Duration::from_millis(10));
            self.epoll.wait_now(&mut self.events).unwrap();
            for index in 0.. {
                let Some(event) = self.events.at(index) else { break };
                while self.serve(event.token, event.error) {}
            }
        }
        panic!("nothing happened");
    }

    fn serve(&mut self, token: Token, failed: bool) -> bool {
        if let Token::RawEcho(family) = token {
            return self.echoes.ready_raw(family, failed, &mut self.inputs);
        }
        let Token::Echo(id) = token else { panic!("{token:?}") };
        self.echoes.ready(id, failed, &mut self.inputs)
    }

    fn reply(&mut self) -> (EchoId, u16, Bytes) {
        let input = self.next();
        let Input::EchoReply { echo, sequence, payload } = input else { panic!("{input:?}") };
        (echo, sequence, payload)
    }

    fn failure(&mut self) -> (u16, DatagramFailure) {
        let input = self.next();
        let Input::EchoFailed { echo: ID, sequence, failure } = input else { panic!("{input:?}") };
        (sequence, failure)
    }

    fn is_empty(&self) -> bool {
        self.echoes.echoes.iter().all(Option::is_none)
            && self.echoes.raw_v4.is_none()
            && self.echoes.raw_v6.is_none()
    }
}

/// Runs a test where ping sockets are allowed, and where only raw ones are.
fn both_ways(test: impl Fn(bool) + Copy + Send + 'static) {
    let Some([namespace]) = Namespace::several() else { return };
    // A new namespace allows nobody.
    namespace.run(move || test(false));
    namespace.shell("echo 0 0 >/proc/sys/net/ipv4/ping_group_range");
    namespace.run(move || test(true));
}

#[test]
fn replies_come_back_to_who_asked() {
    both_ways(|ping| {
        for to in ["127.0.0.1", "::1"] {
            let mut world = World::new();
            let other = EchoId { index: 0, generation: 1 };
            world.send(ID, to, 41, b"payload", 64);
            assert_eq!(world.reply(), (ID, 41, Bytes::from_static(b"payload")));
            world.send(other, to, 7, b"", 3);
            world.send(ID, to, 42, b"again", 64);
            assert_eq!(world.reply(), (other, 7, Bytes::new()));
            assert_eq!(world.reply(), (ID, 42, Bytes::from_static(b"again")));
            assert_eq!(matches!(world.echoes.find(ID).unwrap().way, Way::Ping(_)), ping);
            world.echoes.close(EchoId { generation: 4, ..ID });
            assert!(world.echoes.find(ID).is_some(), "an id of the past closes nothing");
            world.echoes.close(ID);
            world.echoes.close(other);
            assert!(world.is_empty());
            assert_eq!(world.echoes.refusal(), None);
        }
    });
}

#[test]
fn no_route_is_told() {
    both_ways(|_ping| {
        let mut world = World::new();
        world.send(ID, "192.0.2.1", 3, b"", 64);
        assert_eq!(world.failure(), (3, DatagramFailure::NetworkUnreachable));
        world.send(EchoId { index: 9, generation: 1 }, "127.0.0.1", 4, b"x", 64);
        assert_eq!(world.reply().1, 4);
    });
}

#[test]
fn routers_are_heard() {
    let Some([client, _router, _server]) = three_in_line() else { return };
    let test = || {
        for (to, near) in [("198.51.100.2", "192.0.2.1"), ("2001:db8:2::2", "2001:db8:1::1")] {
            let mut world = World::new();
            world.send(ID, to, 1, b"far", 64);
            assert_eq!(world.reply(), (ID, 1, Bytes::from_static(b"far")));
            world.send(ID, to, 2, b"too short", 1);
            let router = Some(near.parse().unwrap());
            assert_eq!(world.failure(), (2, DatagramFailure::HopLimitExceeded(router)));
            world.send(ID, to, 3, b"far", 64);
            assert_eq!(world.reply().1, 3, "an error hides nothing");
            world.echoes.close(ID);
            assert!(world.is_empty());
        }
    };
    client.run(test);
    client.shell("echo 0 0 >/proc/sys/net/ipv4/ping_group_range");
    client.run(test);
}

#[test]
fn large_requests_come_back_whole() {
    static LARGE: [u8; 4000] = [7; 4000];
    both_ways(|_ping| {
        let mut world = World::new();
        for to in ["127.0.0.1", "::1"] {
            world.send(ID, to, 1, &LARGE, 64);
            assert_eq!(world.reply().2, LARGE[..]);
            world.echoes.close(ID);
        }
    });
}

#[test]
fn a_refusal_names_the_setting() {
    let Some([namespace]) = Namespace::several() else { return };
    let refused = namespace.run(|| {
        // SAFETY: no pointers are passed; the effective user of this thread alone is changed (the
        // bare system call), which takes its capabilities away.
        let answer = unsafe { libc::syscall(libc::SYS_setresuid, -1, 65_534, -1) };
        assert_eq!(answer, 0);
        let mut world = World::new();
        world.send(ID, "127.0.0.1", 1, b"", 64);
        let refused = matches!(world.inputs[..], [Input::Unechoed(ID)]);
        // SAFETY: as above.
        unsafe { libc::syscall(libc::SYS_setresuid, -1, 0, -1) };
        refused && world.is_empty() && world.echoes.refusal().unwrap().contains("net.ipv4.ping_group_range")
    });
    assert!(refused);
}
