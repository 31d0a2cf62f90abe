//! FIN stays FIN, RST stays RST, refused stays refused, unreachable stays unreachable.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use telltale_scenario::Conditions;
use telltale_scenario::server::{Manner, Server};

use crate::world::{World, eventually, first, first_by_v6};

const SOON: Duration = Duration::from_secs(5);

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn the_client_half_closes_and_still_gets_the_answer() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(7)], Manner::Echo).unwrap();
    let run =
        world.run(&["sh", "-c", "head -c 3000000 /dev/zero | nc -N 203.0.113.10 7 | wc -c"]).succeeded();
    assert_eq!(run.text().trim(), "3000000", "the bytes that came back after the half-close differ");
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn the_server_half_closes_and_still_gets_the_rest() {
    let world = World::new();
    let server = Server::tcp(&world.internet, &[first(7)], Manner::LeaveFirst).unwrap();
    // nc reads the farewell and its end first, and sends a second later.
    let run =
        world.run(&["sh", "-c", "(sleep 1; head -c 2000000 /dev/zero) | nc -N 203.0.113.10 7"]).succeeded();
    assert_eq!(run.text(), "farewell\n");
    eventually("the server saw FIN", SOON, || server.seen().finished.load(Ordering::Relaxed) == 1);
    assert_eq!(
        server.seen().received.load(Ordering::Relaxed),
        2_000_000,
        "the bytes after the server's end differ"
    );
}

/// Directly, the system goes on sending when a program has ended. On the slower link it takes longer than
/// 3 s until a socket takes more.
#[test]
#[ignore = "real namespaces: scripts/test real"]
fn what_a_command_leaves_to_send_arrives_after_it() {
    for (rate, bytes) in [(8_000_000, 1_000_000), (160_000, 200_000)] {
        let world = World::through(Conditions { rate: Some(rate), ..Conditions::PERFECT }, 7);
        let server = Server::tcp(&world.internet, &[first(7)], Manner::Listen).unwrap();
        let run = world.run(&["bash", "-c", &leave_to_send(bytes)]).succeeded();
        assert_eq!(run.stderr, "", "nothing was cut off");
        eventually("the server saw FIN", 4 * SOON, || server.seen().finished.load(Ordering::Relaxed) == 1);
        assert_eq!(server.seen().received.load(Ordering::Relaxed), bytes, "the bytes that arrived differ");
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn who_asks_for_the_end_need_not_wait_for_what_is_left_to_send() {
    let world = World::through(Conditions { rate: Some(400_000), ..Conditions::PERFECT }, 7);
    let server = Server::tcp(&world.internet, &[first(7)], Manner::Listen).unwrap();
    let mut run = world.start(&["bash", "-c", &leave_to_send(2_000_000)]);
    eventually("bytes arrive", SOON, || server.seen().accepted.load(Ordering::Relaxed) == 1);
    std::thread::sleep(Duration::from_secs(1));
    assert!(run.try_wait().unwrap().is_none(), "it did not wait");
    kill(Pid::from_raw(run.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let mut status = None;
    eventually("it ended", Duration::from_secs(2), || {
        status = run.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().signal(), Some(Signal::SIGTERM as i32), "it ended by the signal");
}

/// Ends long before its bytes are under way.
fn leave_to_send(bytes: u64) -> String {
    format!("head -c {bytes} /dev/zero > /dev/tcp/203.0.113.10/7")
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_server_that_takes_nothing_more_is_not_waited_for() {
    let world = World::new();
    let _server = Server::tcp(&world.internet, &[first(7)], Manner::Stall).unwrap();
    let run = world
        .run(&[
            "bash",
            "-c",
            "exec 3<>/dev/tcp/203.0.113.10/7; head -c 60000000 /dev/zero >&3 & sleep 1; kill $!",
        ])
        .ended_with(0);
    assert!(run.stderr.contains("1 connection was cut off"), "it is told: {}", run.stderr);
    assert!(run.took < Duration::from_secs(15), "it took {:?}", run.took);
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_closed_port_is_refused_at_once() {
    let world = World::new();
    for address in ["203.0.113.10", "[2001:db8:2::10]"] {
        let run = world.run(&["curl", "-sS", &format!("http://{address}:81/")]).ended_with(7);
        assert!(
            run.stderr.contains("Connection refused") || run.stderr.contains("Couldn't connect"),
            "{}",
            run.stderr
        );
        assert!(run.took < SOON, "refused only after {:?}", run.took);
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn an_unreachable_host_is_told_at_once() {
    let world = World::new();
    world.computer.ip("route add unreachable 192.0.2.0/24").unwrap();
    world.computer.ip("-6 route add unreachable 2001:db8:3::/48").unwrap();
    for (host, port) in [("192.0.2.1", "80"), ("2001:db8:3::1", "80")] {
        let run = world.run(&["nc", "-v", "-w", "20", host, port]).ended_with(1);
        assert!(run.stderr.contains("No route to host"), "expected EHOSTUNREACH, found: {}", run.stderr);
        assert!(run.took < SOON, "told only after {:?}", run.took);
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_reset_of_the_server_reaches_the_client() {
    let world = World::new();
    let _server =
        Server::tcp(&world.internet, &[first(7), first_by_v6(7)], Manner::ResetAfter(100_000)).unwrap();
    for address in ["203.0.113.10:7", "[2001:db8:2::10]:7"] {
        let run = world.scenario(&format!("exchange {address} --up 50000000")).ended_with(1);
        let text = run.text();
        assert!(
            text.contains("reset by peer") || text.contains("Broken pipe"),
            "expected ECONNRESET, found: {text}"
        );
    }
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_reset_of_the_client_reaches_the_server() {
    let world = World::new();
    let server = Server::tcp(&world.internet, &[first(7)], Manner::Echo).unwrap();
    // Killed with unread bytes waiting: the system sends RST for it.
    let mut client = world.start(&[
        "sh",
        "-c",
        "head -c 100000000 /dev/zero | timeout -s KILL 1 nc 203.0.113.10 7 | sleep 3",
    ]);
    eventually("the server saw the connection", SOON, || server.seen().accepted.load(Ordering::Relaxed) == 1);
    eventually("the server saw RST", SOON, || server.seen().reset.load(Ordering::Relaxed) == 1);
    assert_eq!(server.seen().finished.load(Ordering::Relaxed), 0, "the reset looked like an orderly end");
    client.wait().unwrap();
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_server_that_is_silent_times_out_in_the_client() {
    let world = World::new();
    world.internet.ip("route add blackhole 192.0.2.0/24").unwrap();
    let run = world.run(&["curl", "-sS", "--connect-timeout", "2", "http://192.0.2.1/"]).ended_with(28);
    assert!((2.0..3.5).contains(&run.took.as_secs_f32()), "timed out after {:?}", run.took);
}

#[test]
#[ignore = "real namespaces: scripts/test real"]
fn a_server_killed_in_the_middle_ends_the_client() {
    let world = World::new();
    let server = Server::tcp(&world.internet, &[first(7)], Manner::Pour).unwrap();
    let mut client = world.telltale(&["sh", "-c", "curl -sS http://203.0.113.10:7/ --http0.9 -o /dev/null"]);
    let mut client = world.computer.spawn(client.stderr(Stdio::piped())).unwrap();
    eventually("the transfer began", SOON, || server.seen().accepted.load(Ordering::Relaxed) == 1);
    drop(server);
    eventually("the client ended after its server", SOON, || client.try_wait().unwrap().is_some());
}
