//! Network namespaces for tests: each is one thread, and gone when the thread ends.

use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

type Work = Box<dyn FnOnce() + Send>;

/// A network namespace of its own. Sockets that are opened in it stay in it.
pub(crate) struct Namespace {
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    tid: libc::pid_t,
}

impl Namespace {
    /// Several of them, or `None` and a printed line where the system allows none.
    pub(crate) fn several<const N: usize>() -> Option<[Self; N]> {
        let made: Option<Vec<Self>> = (0..N).map(|_| Self::new()).collect();
        if made.is_none() {
            println!("skipped: network namespaces need root");
        }
        made?.try_into().ok()
    }

    fn new() -> Option<Self> {
        let (work, queue) = channel::<Work>();
        let (tell, told) = channel();
        let thread = thread::spawn(move || {
            // SAFETY: no pointers are passed; this thread alone changes its namespace.
            let answer = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            // SAFETY: the call takes nothing and cannot fail.
            tell.send((answer == 0).then(|| unsafe { libc::gettid() })).unwrap();
            queue.into_iter().for_each(|work| work());
        });
        let tid = told.recv().unwrap()?;
        let namespace = Self { work: Some(work), thread: Some(thread), tid };
        // Without a search for duplicate addresses, IPv6 works at once.
        namespace.shell("ip link set lo up; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad");
        Some(namespace)
    }

    /// Does something inside, and waits for it.
    pub(crate) fn run<T: Send + 'static>(&self, inside: impl FnOnce() -> T + Send + 'static) -> T {
        let (tell, told) = channel();
        let work = move || tell.send(inside()).unwrap_or(());
        self.work.as_ref().unwrap().send(Box::new(work)).unwrap();
        told.recv().expect("what ran in the namespace has failed")
    }

    /// Runs a command line inside. It must succeed.
    pub(crate) fn shell(&self, line: &str) {
        let owned = line.to_owned();
        let status = self.run(move || Command::new("sh").args(["-ec", &owned]).status().unwrap());
        assert!(status.success(), "{line}");
    }

    /// Connects two of them by a cable: `name` here and there, with these addresses and this MTU.
    pub(crate) fn cable(&self, name: &str, addresses: &[&str], other: &Self, there: &[&str], mtu: u32) {
        let tid = other.tid;
        self.shell(&format!("ip link add {name} mtu {mtu} type veth peer name {name} mtu {mtu} netns {tid}"));
        for (side, addresses) in [(self, addresses), (other, there)] {
            for address in addresses {
                let flags = if address.contains(':') { "nodad" } else { "" };
                side.shell(&format!("ip addr add {address} dev {name} {flags}"));
            }
            side.shell(&format!("ip link set {name} up"));
        }
        for side in [self, other] {
            // The kernel notices a cable up to a second late, and until then IPv6 hears no neighbours.
            side.shell(&format!("until ip link show {name} | grep -q 'state UP'; do sleep 0.05; done"));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.work = None;
        // Where a test failed inside, it has been told.
        let _failed = self.thread.take().map(JoinHandle::join);
    }
}

/// A client, a router and a server in line: 192.0.2.2 - .1 | 198.51.100.1 - .2, and 2001:db8:1::2 - ::1
/// | 2001:db8:2::1 - ::2. The far cable has an MTU of 1,280.
pub(crate) fn three_in_line() -> Option<[Namespace; 3]> {
    let [client, router, server] = Namespace::several()?;
    client.cable(
        "near",
        &["192.0.2.2/24", "2001:db8:1::2/64"],
        &router,
        &["192.0.2.1/24", "2001:db8:1::1/64"],
        1500,
    );
    router.cable(
        "far",
        &["198.51.100.1/24", "2001:db8:2::1/64"],
        &server,
        &["198.51.100.2/24", "2001:db8:2::2/64"],
        1280,
    );
    client.shell("ip route add default via 192.0.2.1; ip route add default via 2001:db8:1::1");
    server.shell("ip route add default via 198.51.100.1; ip route add default via 2001:db8:2::1");
    router.shell("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
    Some([client, router, server])
}
