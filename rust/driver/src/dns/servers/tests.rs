//! The resolver against name servers on the loopback interface.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;

use super::*;
use crate::poll::Events;

const QUESTION: &[u8] =
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";

struct World {
    resolver: Servers,
    epoll: Epoll,
    events: Events,
    now: Instant,
    inputs: Vec<Input>,
}

impl World {
    fn new(servers: &[SocketAddr], options: &str) -> Self {
        let mut conf = ResolvConf::of(servers.to_vec());
        conf.options = options.split_whitespace().map(str::to_owned).collect();
        let resolver = Servers::new(&conf, None);
        let (epoll, events) = (Epoll::new().unwrap(), Events::with_capacity(16));
        Self { resolver, epoll, events, now: Instant::default(), inputs: Vec::new() }
    }

    fn ask(&mut self, query: u64, over_tcp: bool) {
        let message = Bytes::from_static(QUESTION);
        self.resolver.ask(&self.epoll, self.now, QueryId(query), message, over_tcp, &mut self.inputs);
    }

    /// The next answer, waiting for it 2 seconds at most.
    fn answer(&mut self) -> (u64, Option<Bytes>) {
        for _ in 0..400 {
            if let Some(input) = self.inputs.pop() {
                let Input::Answer { query, message } = input else { panic!("{input:?}") };
                return (query.0, message);
            }
            thread::sleep(Duration::from_millis(5));
            self.look();
        }
        panic!("no answer");
    }

    fn look(&mut self) {
        self.epoll.wait_now(&mut self.events).unwrap();
        for index in 0.. {
            let Some(event) = self.events.at(index) else { break };
            let Token::Query { slot, generation } = event.token else { panic!("{event:?}") };
            self.resolver.ready(&self.epoll, self.now, slot, generation, &mut self.inputs);
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.resolver.expire(&self.epoll, self.now, &mut self.inputs);
    }

    /// Nothing is left behind by questions that have ended.
    fn is_idle(&self) -> bool {
        self.resolver.deadlines.is_empty() && self.resolver.free.len() == self.resolver.slots.len()
    }
}

fn server() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn received(server: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (len, from) = server.recv_from(&mut buffer).unwrap();
    (buffer[..len].to_vec(), from)
}

/// The answer to a question: one record, and that code.
fn answer_to(question: &[u8], code: u8) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] |= 0x80;
    answer[3] |= code;
    answer[7] = 1;
    answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
    answer
}

#[test]
fn a_question_goes_out_under_another_id_and_port_each_time() {
    let (server, address) = server();
    let mut world = World::new(&[address], "");
    let mut seen = Vec::new();
    for query in 0..20 {
        world.ask(query, false);
        let (question, from) = received(&server);
        assert_eq!(question[2..], QUESTION[2..]);
        seen.push((question[..2].to_vec(), from.port()));
        server.send_to(&answer_to(&question, 0), from).unwrap();
        assert_eq!(world.answer(), (query, Some(answer_to(QUESTION, 0).into())));
    }
    assert!(seen.iter().any(|(id, _)| *id != seen[0].0) && seen.iter().any(|(_, port)| *port != seen[0].1));
    assert!(world.is_idle());
}

#[test]
fn forged_answers_are_passed_over() {
    let (server, address) = server();
    let mut world = World::new(&[address], "");
    world.ask(1, false);
    let (question, from) = received(&server);
    let (stranger, _) = self::server();
    stranger.send_to(&answer_to(&question, 3), from).unwrap();
    let mut other_id = answer_to(&question, 3);
    other_id[0] ^= 1;
    server.send_to(&other_id, from).unwrap();
    let mut other_name = answer_to(&question, 3);
    other_name[13] = b'x';
    server.send_to(&other_name, from).unwrap();
    server.send_to(&answer_to(&question, 0), from).unwrap();
    assert_eq!(world.answer(), (1, Some(answer_to(QUESTION, 0).into())));
}

#[test]
fn silence_moves_on_to_the_next_server_and_ends_in_none() {
    let ((one, first), (two, second)) = (server(), server());
    let mut world = World::new(&[first, second], "timeout:2 attempts:2");
    world.ask(1, false);
    for server in [&one, &two, &one, &two] {
        received(server);
        let deadline = world.resolver.deadline().unwrap();
        assert_eq!(deadline - world.now, Duration::from_secs(2));
        assert!(world.inputs.is_empty());
        world.pass(2);
    }
    assert_eq!(world.answer(), (1, None));
    assert!(world.is_idle());
}

#[test]
fn a_late_answer_of_an_earlier_server_is_not_taken_twice() {
    let ((one, first), (two, second)) = (server(), server());
    let mut world = World::new(&[first, second], "");
    world.ask(1, false);
    let (question, from) = received(&one);
    world.pass(5);
    let (again, to) = received(&two);
    one.send_to(&answer_to(&question, 0), from).unwrap();
    two.send_to(&answer_to(&again, 0), to).unwrap();
    assert_eq!(world.answer().0, 1);
    world.look();
    assert!(world.inputs.is_empty() && world.is_idle());
}

#[test]
fn a_refusing_server_gives_way_and_a_dead_one_too() {
    let ((refusing, first), (dead, second), (good, third)) = (server(), server(), server());
    drop(dead);
    let mut world = World::new(&[first, second, third], "");
    world.ask(1, false);
    let (question, from) = received(&refusing);
    refusing.send_to(&answer_to(&question, 5), from).unwrap();
    thread::sleep(Duration::from_millis(20));
    world.look();
    world.look();
    let (question, from) = received(&good);
    good.send_to(&answer_to(&question, 0), from).unwrap();
    assert_eq!(world.answer(), (1, Some(answer_to(QUESTION, 0).into())));
}

#[test]
fn when_all_refuse_the_app_hears_it() {
    let (refusing, address) = server();
    let mut world = World::new(&[address], "");
    world.ask(1, false);
    let (question, from) = received(&refusing);
    refusing.send_to(&answer_to(&question, 2), from).unwrap();
    assert_eq!(world.answer(), (1, Some(answer_to(QUESTION, 2).into())));
    assert!(world.is_idle());
}

#[test]
fn refusals_reach_the_app_without_any_waiting() {
    let ((one, first), (two, second)) = (server(), server());
    for code in [2, 4, 5] {
        let mut world = World::new(&[first, second], "");
        world.ask(1, false);
        let (question, from) = received(&one);
        // A server that does not want to read the question does not repeat it.
        let mut bare = question[..12].to_vec();
        (bare[2], bare[3], bare[5]) = (0x81, code, 0);
        one.send_to(&bare, from).unwrap();
        thread::sleep(Duration::from_millis(20));
        world.look();
        let (question, from) = received(&two);
        two.send_to(&answer_to(&question, code), from).unwrap();
        // No time passes in this world.
        assert_eq!(world.answer(), (1, Some(answer_to(QUESTION, code).into())));
        assert!(world.is_idle());
    }
}

#[test]
fn a_question_under_way_outlives_a_change_of_servers() {
    let ((silent, first), (next, second)) = (server(), server());
    let mut world = World::new(&[first], "");
    world.ask(1, false);
    received(&silent);
    world.resolver.system = System::new(&ResolvConf::of(vec![second]));
    world.pass(5);
    let (question, from) = received(&next);
    next.send_to(&answer_to(&question, 0), from).unwrap();
    assert_eq!(world.answer(), (1, Some(answer_to(QUESTION, 0).into())));
    assert!(world.is_idle());
}

#[test]
fn the_file_names_the_servers_from_the_next_question_on() {
    let (_, old) = server();
    let mut world = World::new(&[old], "");
    let path = std::env::temp_dir().join(format!("telltale-dns-{}", std::process::id()));
    std::fs::write(&path, "nameserver 127.53.0.1\nnameserver 127.53.0.2\noptions timeout:7\n").unwrap();
    world.resolver.source = Some(Source::new(path.clone()));
    world.ask(1, false);
    std::fs::remove_file(path).unwrap();
    let servers = ["127.53.0.1:53", "127.53.0.2:53"].map(|server| server.parse().unwrap());
    assert_eq!(world.resolver.system.servers, servers);
    assert_eq!(world.resolver.system.timeout, Duration::from_secs(7));
}

#[test]
fn rotation_begins_with_another_server_each_time() {
    let ((one, first), (two, second)) = (server(), server());
    let mut world = World::new(&[first, second], "rotate");
    for (query, server) in [(1, &one), (2, &two), (3, &one)] {
        world.ask(query, false);
        received(server);
    }
}

#[test]
fn a_question_over_tcp_may_have_a_long_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut world = World::new(&[listener.local_addr().unwrap()], "");
    let serve = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = vec![0; 2 + QUESTION.len()];
        stream.read_exact(&mut question).unwrap();
        assert_eq!(question[..2], [0, 29]);
        let mut answer = answer_to(&question[2..], 0);
        answer.resize(40_000, 7);
        let whole = [&40_000_u16.to_be_bytes()[..], &answer].concat();
        for part in whole.chunks(15_001) {
            stream.write_all(part).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
    });
    world.ask(7, true);
    let (query, answer) = world.answer();
    serve.join().unwrap();
    let answer = answer.unwrap();
    assert_eq!((query, answer.len(), &answer[..2]), (7, 40_000, &QUESTION[..2]));
    assert!(world.is_idle());
}

#[test]
fn a_tcp_server_that_hangs_up_gives_way() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let servers = [hanging.local_addr().unwrap(), closed.local_addr().unwrap()];
    drop(closed);
    let mut world = World::new(&servers, "attempts:1");
    let serve = thread::spawn(move || drop(hanging.accept().unwrap()));
    world.ask(1, true);
    assert_eq!(world.answer(), (1, None));
    serve.join().unwrap();
}

#[test]
fn questions_under_way_are_bounded() {
    let (_server, address) = server();
    let mut world = World::new(&[address], "");
    let most = OUTSTANDING as u64;
    (0..most).for_each(|query| world.ask(query, false));
    assert!(world.inputs.is_empty());
    world.ask(most, false);
    assert_eq!(world.answer(), (most, None));
    world.resolver.forget(QueryId(5));
    world.ask(most + 1, false);
    assert!(world.inputs.is_empty(), "a forgotten question has made room, and is not answered");
}

#[test]
fn what_is_no_question_is_answered_at_once() {
    let mut world = World::new(&[], "");
    let short = Bytes::from_static(b"hello");
    world.resolver.ask(&world.epoll, world.now, QueryId(1), short, false, &mut world.inputs);
    assert_eq!(world.answer(), (1, None));
}

#[test]
fn what_is_cancelled_leaves_room_and_nothing_comes_for_it() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut world = World::new(&[server.local_addr().unwrap()], "");
    world.ask(1, false);
    world.ask(2, false);
    assert_eq!(world.resolver.cancel(), [QueryId(1), QueryId(2)]);
    assert_eq!(world.resolver.deadline(), None);
    let (mut buffer, from) = ([0; 512], |buffer: &mut [u8]| server.recv_from(buffer).unwrap());
    let (length, to) = from(&mut buffer);
    buffer[2] |= 0x80;
    let _port_is_closed = server.send_to(&buffer[..length], to);
    thread::sleep(Duration::from_millis(20));
    world.look();
    assert!(world.inputs.is_empty());
}
