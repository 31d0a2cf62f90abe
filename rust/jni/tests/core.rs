//! The core as the app uses it, without a JVM: a packet socket is the tun, this machine's own address the network.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "this is a test"
)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use telltale::{Config, Core, Host, Wrong};
use zeroize::Zeroizing;

const APP: &str = include_str!("../golden/app.json");
const NETWORK: &str = r#"{"handle":7,"transport":"wifi","dns":["192.0.2.53"]}"#;
/// What the app says of itself in every datagram.
const IMEI: &str = "490154203237518";

#[test]
fn a_flow_is_kept_with_the_app_that_the_phone_names_and_the_screens_hear_of_it() {
    let Some(phone) = Phone::new("kept", |_| Some(APP.into())) else { return };
    phone.say(b"hello");
    assert_eq!(phone.heard(), b"hello");
    phone.until("a change", |told| matches!(told, Told::Changed));
    let kept = phone.eventually(|| {
        phone.ask_database(
            "SELECT app.packages || ' ' || app.names || ' ' || app.kind || ' ' || flow.app_version || ' ' || flow.program
             FROM flow JOIN app ON app.id = flow.app",
        )
    });
    assert_eq!(
        kept,
        "com.xiaomi.account\ncom.xiaomi.finddevice Mi Account\nFind device maker 2.14.3 com.xiaomi.account"
    );
    let state = phone.query(json!({"ask": "state"}));
    let members = |state: &Value| state.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&state), members(&parsed(include_str!("../golden/state.json"))));
    assert_eq!(
        (&state["watching"], &state["network"], &state["own_connections"]),
        (&json!(true), &json!(true), &json!(0))
    );
    phone.core.stop();
    phone.until("the end", |told| matches!(told, Told::Stopped(why) if why["reason"] == "asked"));
}

#[test]
fn stopping_waits_for_nobody() {
    let (block, blocked) = channel::<()>();
    let blocked = Mutex::new(blocked);
    let hang = move |_| {
        let _never = blocked.lock().unwrap().recv();
        None
    };
    let Some(phone) = Phone::new("stop", hang) else { return };
    phone.say(b"who");
    assert_eq!(phone.heard(), b"who", "nobody knows whose it is, and it goes on all the same");
    // Another program has the database for itself.
    let other = Connection::open(phone.database()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    phone.say(b"more");
    let took = took(|| phone.core.stop());
    assert!(took < Duration::from_millis(500), "{took:?}");
    drop((other, block));
}

#[test]
fn a_tun_that_is_closed_is_told_once_and_another_one_begins_anew() {
    let Some(mut phone) = Phone::new("closed", |_| None) else { return };
    phone.say(b"one");
    assert_eq!(phone.heard(), b"one");
    phone.app = near_end(packet_sockets().0);
    let golden = parsed(include_str!("../golden/stopped.json"));
    let like_golden = |why: &Value| {
        let mut why = why.clone();
        // Runs are numbered in the order in which this process began them.
        why["run"] = why["run"].as_u64().filter(|run| *run > 0).map_or(Value::Null, |_| json!(1));
        why == golden
    };
    phone.until("the end", |told| matches!(told, Told::Stopped(why) if like_golden(why)));
    assert_eq!(phone.query(json!({"ask": "state"}))["watching"], json!(false));
    let (near, far) = packet_sockets();
    phone.app = near_end(far);
    phone.core.replace_tun(Some(near), NETWORK).unwrap();
    phone.say(b"two");
    assert_eq!(phone.heard(), b"two");
    phone.core.stop();
    phone.until("the end", |told| matches!(told, Told::Stopped(why) if why["reason"] == "asked"));
    let runs = phone.ask_database("SELECT count(DISTINCT run) || '' FROM flow");
    assert_eq!(runs.as_deref(), Some("2"), "each with numbers of its own");
}

#[test]
fn a_tun_given_while_the_one_before_ends_is_watched() {
    let Some(mut phone) = Phone::new("moment", |_| None) else { return };
    for round in 0..200 {
        let (near, far) = packet_sockets();
        // The old one's end is closed, and a little later the core has another.
        phone.app = near_end(far);
        thread::sleep(Duration::from_micros(5 * round));
        phone.core.replace_tun(Some(near), NETWORK).unwrap();
        let said = round.to_string();
        phone.say(said.as_bytes());
        phone.server.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        phone.server_hears(said.as_bytes());
    }
}

#[test]
fn a_tun_that_is_not_taken_is_closed_once() {
    let Some(phone) = Phone::new("refused", |_| None) else { return };
    let is_closed = |far: OwnedFd| {
        let far = near_end(far);
        far.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        far.recv(&mut [0; 9]).unwrap() == 0
    };
    let (near, far) = packet_sockets();
    assert!(phone.core.replace_tun(Some(near), "{}").is_err());
    assert!(is_closed(far));
    phone.say(b"the one before is still there");
    phone.server_hears(b"the one before is still there");
    phone.core.stop();
    let (near, far) = packet_sockets();
    assert!(phone.core.replace_tun(Some(near), NETWORK).is_err());
    assert!(is_closed(far));
}

#[test]
fn a_flow_goes_on_over_another_tun_from_the_same_port() {
    let Some(mut phone) = Phone::new("replaced", |_| None) else { return };
    phone.say(b"one");
    let from = phone.server_hears(b"one");
    let (near, far) = packet_sockets();
    phone.core.replace_tun(Some(near), NETWORK).unwrap();
    let before = std::mem::replace(&mut phone.app, near_end(far));
    phone.say(b"two");
    assert_eq!(phone.server_hears(b"two"), from);
    phone.server.send_to(b"back", from).unwrap();
    assert_eq!(phone.received(), b"back");
    drop(before);
    phone.say(b"three");
    assert_eq!(phone.server_hears(b"three"), from, "the old tun's end is nobody's");
    phone.core.stop();
}

#[test]
fn on_another_network_a_mapping_gets_a_new_socket_and_the_old_tells_nothing() {
    let Some(phone) = Phone::new("network", |_| None) else { return };
    phone.say(b"one");
    let first = phone.server_hears(b"one");
    phone.core.network_changed(NETWORK).unwrap();
    phone.say(b"same");
    assert_eq!(phone.server_hears(b"same"), first, "nothing has changed");
    phone.core.network_changed(r#"{"handle":8,"transport":"cellular","dns":["192.0.2.54"]}"#).unwrap();
    thread::sleep(Duration::from_millis(50));
    phone.say(b"two");
    let second = phone.server_hears(b"two");
    assert_ne!(second, first);
    phone.server.send_to(b"back", second).unwrap();
    assert_eq!(phone.received(), b"back");
    assert!(matches!(phone.core.network_changed("{}"), Err(Wrong::Argument(_))));
    phone.core.stop();
}

#[test]
fn without_a_tun_questions_are_answered_and_nothing_is_watched() {
    let folder = Folder::new("no-tun");
    let (host, _told) = host(|_| None);
    let core = Core::start(None, folder.config(), host).unwrap();
    let query = |question: Value| core.query(&question.to_string()).map(|answer| parsed(&answer));
    assert_eq!(query(json!({"ask": "state"})).unwrap()["watching"], json!(false));
    for question in serde_json::from_str::<Vec<Value>>(include_str!("../golden/questions.json")).unwrap() {
        assert!(query(question.clone()).is_ok(), "{question}");
    }
    for wrong in [
        json!({"ask": "nothing"}),
        json!({}),
        json!([]),
        json!({"do": "event", "kind": IMEI, "at": 1}),
        json!({"do": "gap", "from": 2, "to": 1, "why": "off"}),
        json!({"do": "gap", "from": 1, "to": 2, "why": IMEI}),
    ] {
        let Err(Wrong::Argument(said)) = query(wrong.clone()) else { panic!("{wrong} was taken") };
        assert!(!said.contains(IMEI), "{said}");
    }
    let gap = Connection::open(folder.0.join("telltale.db")).unwrap();
    let gap: (i64, String) = gap
        .query_row("SELECT ended - began, why FROM gap", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(gap, (3_600_000_000, "ended".into()));
    core.stop();
    assert!(core.replace_tun(Some(packet_sockets().0), NETWORK).is_err(), "what was stopped begins nothing");
}

#[test]
fn the_tables_are_unpacked_once_beside_the_packed_ones() {
    let folder = Folder::new("tables");
    let packed = folder.0.join("tables.bin-7");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../tables/destinations.zst"), &packed).unwrap();
    for _ in 0..2 {
        let config = Config { tables: Some(packed.clone()), ..folder.config() };
        Core::start(None, config, host(|_| None).0).unwrap().stop();
        let unpacked = fs::read_dir(folder.0.join("tables")).unwrap().count();
        assert_eq!(unpacked, 1);
    }
    let missing = Config { tables: Some(folder.0.join("missing")), ..folder.config() };
    assert!(matches!(Core::start(None, missing, host(|_| None).0), Err(Wrong::Failed(_))));
}

#[test]
fn a_command_that_waits_for_the_disk_holds_up_no_end_of_watching() {
    let Some(phone) = Phone::new("command", |_| Some(APP.into())) else { return };
    phone.say(b"kept");
    phone.eventually(|| phone.ask_database("SELECT 'kept' FROM flow"));
    let other = Connection::open(phone.database()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asks = Arc::clone(&phone.core);
    let thread = thread::spawn(move || drop(asks.query(r#"{"do":"gap","from":1,"to":2,"why":"off"}"#)));
    thread::sleep(Duration::from_millis(50));
    let took = took(|| assert_eq!(phone.core.replace_tun(None, NETWORK).unwrap(), 0));
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(!thread.is_finished(), "it waits for the disk all this time");
    drop(other);
    thread.join().unwrap();
}

#[test]
fn a_stuck_disk_holds_up_no_stop_while_watching_begins() {
    let folder = Folder::new("stuck");
    let (host, _told) = host(|_| None);
    let core = Core::start(None, folder.config(), host).unwrap();
    assert!(parsed(&core.query(r#"{"do":"gap","from":1,"to":2,"why":"off"}"#).unwrap())["done"] == true);
    let other = Connection::open(folder.0.join("telltale.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let (begins, beginning) = (Arc::clone(&core), packet_sockets().0);
    let thread = thread::spawn(move || drop(begins.replace_tun(Some(beginning), NETWORK)));
    thread::sleep(Duration::from_millis(50));
    let took = took(|| core.stop());
    assert!(took < Duration::from_millis(500), "{took:?}");
    drop(other);
    thread.join().unwrap();
}

#[test]
fn nothing_of_a_person_is_ever_logged() {
    static LISTENER: Listener = Listener(Mutex::new(String::new()));
    log::set_logger(&LISTENER).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    log::info!("the listener works");
    let Some(phone) = Phone::new("logged", |_| Some(APP.into())) else { return };
    let details = format!("imei {IMEI}\nssid Zephyr\nimei 12\n").into_bytes();
    let answer = phone.core.set_details(&Zeroizing::new(details)).unwrap();
    assert!(!answer.contains(IMEI) && answer.contains("\"line\":3"), "{answer}");
    let details = format!("imei {IMEI}\nssid Zephyr\n").into_bytes();
    assert!(phone.core.set_details(&Zeroizing::new(details)).unwrap().contains("4901"));
    for said in [&format!("GET /?imei={IMEI} HTTP/1.1\r\n\r\n"), "Zephyr"] {
        phone.say(said.as_bytes());
        phone.heard();
    }
    phone.core.network_changed(r#"{"handle":9,"transport":"wifi","dns":["198.51.100.77"]}"#).unwrap();
    let _wrong = phone.core.query(&json!({"ask": IMEI}).to_string());
    phone.eventually(|| phone.ask_database("SELECT 'kept' FROM flow"));
    phone.core.stop();
    let logged = LISTENER.0.lock().unwrap().clone();
    assert!(logged.contains("the listener works"));
    let address = phone.address.to_string();
    for personal in [IMEI, "Zephyr", "xiaomi", "Mi Account", address.as_str(), "198.51.100.77"] {
        assert!(!logged.contains(personal), "{personal} in the log:\n{logged}");
    }
    let folder = phone.folder.0.clone();
    for file in fs::read_dir(folder).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = fs::read(file.path()).unwrap();
        let holds = bytes.windows(IMEI.len()).any(|window| window == IMEI.as_bytes());
        assert!(!holds, "{} holds a detail", file.path().display());
    }
}

struct Listener(Mutex<String>);

impl log::Log for Listener {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        *self.0.lock().unwrap() += &format!("{} {}\n", record.target(), record.args());
    }

    fn flush(&self) {}
}

#[derive(Debug)]
enum Told {
    Changed,
    Stopped(Value),
}

/// A phone with one app that speaks with one server.
struct Phone {
    core: Arc<Core>,
    app: UnixDatagram,
    server: UdpSocket,
    address: Ipv4Addr,
    told: Receiver<Told>,
    folder: Folder,
}

impl Phone {
    /// `None` where this machine has no address but its loopback's, which the relay never dials.
    fn new(
        test: &str,
        owner: impl Fn(telltale_model::FlowKey) -> Option<String> + Send + Sync + 'static,
    ) -> Option<Self> {
        let Some(address) = outside_address() else {
            println!("skipped: this machine has no address but its loopback's");
            return None;
        };
        let folder = Folder::new(test);
        let (host, told) = host(owner);
        let (near, app) = packet_sockets();
        let core = Core::start(Some(near), folder.config(), host).unwrap();
        let server = UdpSocket::bind("0.0.0.0:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Some(Self { core, app: near_end(app), server, address, told, folder })
    }

    fn say(&self, payload: &[u8]) {
        let port = self.server.local_addr().unwrap().port();
        self.app.send(&datagram(self.address.octets(), port, payload)).unwrap();
    }

    fn heard(&self) -> Vec<u8> {
        let mut buffer = [0; 2_000];
        let (length, _) = self.server.recv_from(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    fn server_hears(&self, expected: &[u8]) -> std::net::SocketAddr {
        let mut buffer = [0; 2_000];
        let (length, from) = self.server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], expected);
        from
    }

    /// The payload of the next datagram to the app.
    fn received(&self) -> Vec<u8> {
        let mut buffer = [0; 2_000];
        self.app.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let length = self.app.recv(&mut buffer).unwrap();
        buffer[28..length].to_vec()
    }

    fn query(&self, question: Value) -> Value {
        parsed(&self.core.query(&question.to_string()).unwrap())
    }

    fn database(&self) -> PathBuf {
        self.folder.0.join("telltale.db")
    }

    fn ask_database(&self, question: &str) -> Option<String> {
        Connection::open(self.database()).unwrap().query_row(question, [], |row| row.get(0)).ok()
    }

    fn eventually<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        for _ in 0..100 {
            if let Some(found) = look() {
                return found;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("it never came")
    }

    fn until(&self, what: &str, wanted: impl Fn(&Told) -> bool) {
        loop {
            match self.told.recv_timeout(Duration::from_secs(5)) {
                Ok(told) if wanted(&told) => return,
                Ok(Told::Changed) => {}
                other => panic!("expected {what}, found {other:?}"),
            }
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.core.stop();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("telltale-core-{test}-{}", std::process::id()));
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn config(&self) -> Config {
        let config = json!({
            "database": self.0.join("telltale.db"), "locale": "en", "maker": "Xiaomi", "brand": "Redmi", "mtu": 1500,
            "addresses": ["198.19.84.1/30"], "resolvers": ["198.19.84.53"], "network": parsed(NETWORK),
        });
        Config::read(&config.to_string()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _kept = fs::remove_dir_all(&self.0);
    }
}

fn host(
    owner: impl Fn(telltale_model::FlowKey) -> Option<String> + Send + Sync + 'static,
) -> (Host, Receiver<Told>) {
    let (tell, told) = channel();
    let (changes, ends): (Sender<Told>, Sender<Told>) = (tell.clone(), tell);
    let host = Host {
        owner_of: Arc::new(owner),
        changed: Arc::new(move |_| drop(changes.send(Told::Changed))),
        stopped: Arc::new(move |why| drop(ends.send(Told::Stopped(parsed(why))))),
    };
    (host, told)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn took(work: impl FnOnce()) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the test measures how long it takes")]
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Two ends that keep packets apart and tell when the other is closed.
fn packet_sockets() -> (OwnedFd, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    let answer = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, ends.as_mut_ptr()) };
    assert_eq!(answer, 0);
    // SAFETY: the kernel has just made these descriptors and nobody else knows them.
    let own = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
    (own(ends[0]), own(ends[1]))
}

/// Sends and receives packets; that it is of another kind of socket does not matter to those calls.
fn near_end(fd: OwnedFd) -> UnixDatagram {
    UnixDatagram::from(fd)
}

/// An address of this machine that the relay dials.
fn outside_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) if !address.is_loopback() => Some(address),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// A UDP datagram from the app in an IPv4 packet. The UDP checksum may be 0 (RFC 768): none.
fn datagram(to: [u8; 4], port: u16, payload: &[u8]) -> Vec<u8> {
    let udp_len = 8 + payload.len();
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 198, 19, 84, 1];
    packet.extend(to);
    packet[2..4].copy_from_slice(&u16::try_from(20 + udp_len).unwrap().to_be_bytes());
    let sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    packet[10..12].copy_from_slice(&(!u16::try_from(folded).unwrap()).to_be_bytes());
    packet.extend(40_000_u16.to_be_bytes());
    packet.extend(port.to_be_bytes());
    packet.extend(u16::try_from(udp_len).unwrap().to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    packet
}
