//! The core as the Android app uses it, on a real tun: what docs/boundary.md says, without a JVM.

use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use telltale::{Config, Core, Host};
use telltale_scenario::server::{Manner, Server};
use telltale_scenario::{Namespace, Process};

use crate::relay::{PHONE, phone};
use crate::world::{SCENARIO, World, eventually, first, now};

/// A phone whose only way out is a core of ours.
struct Phone {
    namespace: Namespace,
    core: Arc<Core>,
    told: Mutex<Receiver<Value>>,
}

const WIFI: &str = r#"{"handle":1,"transport":"wifi","dns":["203.0.113.10"]}"#;
const CELLULAR: &str = r#"{"handle":2,"transport":"cellular","dns":["203.0.113.10"]}"#;
const MTU: u32 = 15_000;

impl Phone {
    fn new(world: &World) -> Self {
        let (namespace, tun) = phone(MTU);
        let (tell, told) = channel();
        let host = Host {
            owner_of: Arc::new(|key| {
                Some(
                    json!({"uid": 10_000 + u32::from(key.remote.port()), "packages": ["org.example"]})
                        .to_string(),
                )
            }),
            changed: Arc::new(|_| {}),
            stopped: Arc::new(move |why| drop(tell.send(serde_json::from_str(why).unwrap()))),
        };
        let addresses = PHONE.map(|(address, length)| format!("{address}/{length}"));
        let config = json!({
            "database": world.scratch.0.join("telltale.db"), "locale": "en", "mtu": MTU, "addresses": addresses,
            "resolvers": ["198.19.84.53"], "network": serde_json::from_str::<Value>(WIFI).unwrap(),
        });
        let start = || {
            Core::start(Some(tun), Config::read(&config.to_string()).unwrap(), host)
                .map_err(|wrong| std::io::Error::other(wrong.to_string()))
        };
        let core = world.computer.inside(start).unwrap();
        Self { namespace, core, told: Mutex::new(told) }
    }

    fn start(&self, arguments: &str) -> Process {
        let mut command = Command::new(SCENARIO);
        self.namespace.spawn(command.args(arguments.split(' ')).stdout(Stdio::piped())).unwrap()
    }

    fn run(&self, arguments: &str) -> String {
        finish(&mut self.start(arguments))
    }
}

fn finish(process: &mut Process) -> String {
    let mut text = String::new();
    process.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    process.wait().unwrap();
    text
}

/// A connection that its app holds open: netcat, which has said and heard a line.
struct Held(Process, BufReader<std::process::ChildStdout>);

impl Held {
    fn open(phone: &Phone, port: u16) -> Self {
        let script = format!(
            "exec 3<>/dev/tcp/203.0.113.10/{port}; echo hello >&3; read -r line <&3; echo $line; \
                              read -r line <&3; echo over $?"
        );
        let mut process =
            phone.namespace.spawn(Command::new("bash").args(["-c", &script]).stdout(Stdio::piped())).unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "hello\n");
        Self(process, lines)
    }

    /// Waits until the app has heard that it is over.
    fn over(mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        let _ended = self.0.wait();
        line
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn connections_from_an_address_that_is_gone_end_at_once_and_others_go_on() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Echo).unwrap();
    world.computer.ip("address add 198.51.100.3/24 dev wan").unwrap();
    world.computer.ip("route replace default via 198.51.100.1 src 198.51.100.3").unwrap();
    let phone = Phone::new(&world);
    let old = Held::open(&phone, 80);
    // The other network is there before the first goes.
    world.computer.ip("route replace default via 198.51.100.1 src 198.51.100.2").unwrap();
    phone.core.network_changed(CELLULAR).unwrap();
    let mut new = Held::open(&phone, 80);
    world.computer.ip("address del 198.51.100.3/24 dev wan").unwrap();
    phone.core.network_changed(WIFI).unwrap();
    let start = now();
    assert_eq!(old.over(), "over 1\n");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let output = phone.run("exchange 203.0.113.10:80 --up 1000 --down 1000");
    assert!(!output.is_empty(), "a new flow goes out");
    assert!(new.0.try_wait().unwrap().is_none(), "the other connection was ended too");
    drop(new);
    phone.core.stop();
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_connection_that_is_being_made_is_made_on_the_new_network() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let phone = Phone::new(&world);
    // A network that carries nothing any more, which nobody has noticed yet.
    world.computer.ip("address add 198.51.100.3/24 dev wan").unwrap();
    world.computer.ip("route replace default via 198.51.100.9 src 198.51.100.3").unwrap();
    world.computer.ip("neigh replace 198.51.100.9 lladdr 02:00:00:00:00:99 dev wan").unwrap();
    let mut running = phone.start("exchange 203.0.113.10:80 --up 1000 --down 1000");
    thread::sleep(Duration::from_millis(200));
    world.computer.ip("address del 198.51.100.3/24 dev wan").unwrap();
    world.computer.ip("route replace default via 198.51.100.1").unwrap();
    let start = now();
    phone.core.network_changed(CELLULAR).unwrap();
    let output = finish(&mut running);
    assert!(output.starts_with("good 1 failed 0"), "{output}");
    assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
    phone.core.stop();
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn the_tun_is_replaced_while_bytes_flow_and_none_is_lost() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let phone = Phone::new(&world);
    let mut running = phone.start("exchange 203.0.113.10:80 --flows 4 --up 100000000 --down 100000000");
    for turn in 0..3 {
        thread::sleep(Duration::from_millis(100));
        let tun = another_tun(&phone.namespace, &format!("tun{}", turn + 1));
        phone.core.replace_tun(Some(tun), WIFI).unwrap();
    }
    let output = finish(&mut running);
    assert!(output.starts_with("good 4 failed 0"), "{output}");
    let start = now();
    phone.core.stop();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let reason = phone.told.lock().unwrap().recv_timeout(Duration::from_secs(1)).unwrap();
    assert_eq!(reason["reason"], "asked");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn without_a_tun_nothing_flows_and_with_one_again_it_does() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(80)], Manner::Exchange).unwrap();
    let phone = Phone::new(&world);
    let exchange = "exchange 203.0.113.10:80 --up 1000 --down 1000";
    assert!(phone.run(exchange).starts_with("good 1 failed 0"));
    phone.core.replace_tun(None, WIFI).unwrap();
    let state: Value = serde_json::from_str(&phone.core.query(r#"{"ask":"state"}"#).unwrap()).unwrap();
    assert_eq!(state["watching"], json!(false));
    let tun = another_tun(&phone.namespace, "tun1");
    let core = &phone.core;
    world
        .computer
        .inside(|| {
            core.replace_tun(Some(tun), WIFI).map_err(|wrong| std::io::Error::other(wrong.to_string()))
        })
        .unwrap();
    eventually("a flow that goes out", Duration::from_secs(5), || {
        phone.run(exchange).starts_with("good 1 failed 0")
    });
    phone.core.stop();
}

/// A new tun with the same addresses, which takes over the routes of the one before: what `establish()` does.
fn another_tun(phone: &Namespace, name: &str) -> OwnedFd {
    let tun = phone.tun(name).unwrap();
    phone.ip(&format!("link set {name} mtu {MTU}")).unwrap();
    let addresses: [(IpAddr, u8); 2] = PHONE;
    phone.address(name, &addresses).unwrap();
    phone.ip(&format!("route replace default dev {name}")).unwrap();
    phone.ip(&format!("-6 route replace default dev {name}")).unwrap();
    tun.as_fd().try_clone_to_owned().unwrap()
}
