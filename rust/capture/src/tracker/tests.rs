use super::*;
use crate::testing::{ACK, APP, REMOTE, SYN, frame, ip, lines, tcp, told, told_of, udp};

const RESOLVER: &str = "198.51.100.53:53";

#[test]
fn datagrams_are_told_whole_and_an_answer_seen_first_is_no_beginning() {
    let packets = [udp(RESOLVER, APP, b"answer"), udp(APP, RESOLVER, b"question"), udp(APP, RESOLVER, b"")];
    let expected = ["1 udp 192.0.2.7:40000 198.51.100.53:53", "1 <answer", "1 >question", "1 stopped 8+6"];
    assert_eq!(lines(&told(&packets)), expected);
}

#[test]
fn a_datagram_that_was_cut_is_told_with_what_is_lacking() {
    let mut packet = udp(APP, RESOLVER, b"question");
    packet.truncate(28 + 5);
    assert_eq!(lines(&told(&[packet]))[1..], ["1 >quest", "1 >missed 3", "1 stopped 8+0"]);
}

#[test]
fn datagrams_after_a_long_silence_are_another_flow() {
    let packet = udp(APP, RESOLVER, b"q");
    let events = told_of(&[frame(0, &packet), frame(100_000_000, &packet), frame(230_000_000, &packet)]);
    let lines = lines(&events);
    assert_eq!(lines[2], "1 idle 2+0");
    let ends: Vec<i64> = events.iter().filter_map(end).collect();
    assert_eq!(ends, [100_000_000, 230_000_000], "a flow ends with its last packet");
}

#[test]
fn a_connection_that_is_not_answered_times_out_and_one_that_ended_leaves_soon() {
    let syn = tcp((APP, REMOTE), SYN, 1, 0, b"");
    let other = udp(APP, RESOLVER, b"q");
    let events = told_of(&[frame(0, &syn), frame(131_000_000, &other)]);
    assert_eq!(lines(&events)[1], "1 timed_out 0+0");
    let reset = tcp((REMOTE, APP), 4, 0, 0, b"");
    let events = told_of(&[frame(0, &syn), frame(1, &reset), frame(61_000_000, &other)]);
    assert_eq!(lines(&events)[1], "1 refused 0+0");
}

#[test]
fn echo_is_a_flow_for_each_identifier() {
    let (app, remote) = ("192.0.2.7".parse().unwrap(), "198.51.100.1".parse().unwrap());
    let request = [8, 0, 0, 0, 0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g'];
    let reply = [0, 0, 0, 0, 0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g'];
    let unreachable = [3, 1, 0, 0, 0, 0, 0, 0, b'?'];
    let packets =
        [ip(remote, app, 1, &reply), ip(app, remote, 1, &request), ip(remote, app, 1, &unreachable)];
    let expected = [
        "1 icmp 192.0.2.7:4660 198.51.100.1:0",
        "1 <ping",
        "1 >ping",
        "2 icmp 198.51.100.1:0 192.0.2.7:0",
        "2 >?",
        "1 stopped 4+4",
        "2 stopped 1+0",
    ];
    assert_eq!(lines(&told(&packets)), expected);
}

#[test]
fn other_protocols_are_counted() {
    let (app, remote) = ("2001:db8::7".parse().unwrap(), "2001:db8::1".parse().unwrap());
    let packets = [ip(app, remote, 50, b"sealed"), ip(remote, app, 50, b"sealed too")];
    assert_eq!(lines(&told(&packets)), ["other 50 2001:db8::7 2001:db8::1: 1+1 packets"]);
}

#[test]
fn a_tunnel_is_a_flow_and_so_is_what_it_carries() {
    let inner = udp(APP, RESOLVER, b"question");
    let outer = ip("203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap(), 4, &inner);
    let lines = lines(&told(&[outer]));
    assert_eq!(
        lines[..2],
        ["1 udp 192.0.2.7:40000 198.51.100.53:53", "1 >question"].map(|line| line.replacen('1', "2", 1))
    );
    assert_eq!(lines[2], "other 4 203.0.113.1 203.0.113.2: 1+0 packets");
}

/// Parts of the packet's payload, each with its flags and place.
fn fragment(whole: &[u8], from: usize, to: usize, field: [u8; 2]) -> Vec<u8> {
    let mut packet = [&whole[..20], &whole[20 + from..20 + to]].concat();
    packet[3] = u8::try_from(packet.len()).unwrap();
    packet[6..8].copy_from_slice(&field);
    let sum: u32 = packet[..20].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

#[test]
fn fragments_are_put_together() {
    let whole = udp(APP, RESOLVER, b"a question in two fragments");
    let packets = [fragment(&whole, 16, whole.len() - 20, [0, 2]), fragment(&whole, 0, 16, [0x20, 0])];
    assert_eq!(lines(&told(&packets))[1..], ["1 >a question in two fragments", "1 stopped 27+0"]);
}

#[test]
fn a_first_fragment_is_told_alone_where_the_others_never_come() {
    let whole = udp(APP, RESOLVER, b"a question in two fragments");
    let first = fragment(&whole, 0, 16, [0x20, 0]);
    let expected =
        ["1 udp 192.0.2.7:40000 198.51.100.53:53", "1 >a questi", "1 >missed 19", "1 stopped 27+0"];
    assert_eq!(lines(&told(&[first.clone(), first.clone()])), expected);
    // In IPv6 a header of its own makes it one; the second part of the datagram alone says nothing.
    let (app, resolver) = ("2001:db8::7", "2001:db8::53");
    let datagram = &udp(&format!("[{app}]:40000"), &format!("[{resolver}]:53"), b"a question in two")[40..];
    let part = |place: u8, bytes: &[u8]| {
        let header = [17, 0, 0, place, 0, 0, 0, 9];
        ip(app.parse().unwrap(), resolver.parse().unwrap(), 44, &[&header, bytes].concat())
    };
    let (first, second) = (part(1, &datagram[..16]), part(16, &datagram[16..]));
    assert_eq!(lines(&told(&[first.clone(), second.clone()]))[1], "1 >a question in two");
    assert_eq!(lines(&told(&[first]))[1..3], ["1 >a questi", "1 >missed 9"]);
    assert!(told(&[second]).is_empty());
    // Not before the time for the others is over.
    let late = udp(APP, "198.51.100.54:53", b"q");
    let first = fragment(&whole, 0, 16, [0x20, 0]);
    let events = told_of(&[frame(0, &first), frame(30_000_001, &late)]);
    assert_eq!(lines(&events)[1], "1 >a questi");
}

#[test]
fn a_length_that_was_left_to_the_network_card_is_the_frames() {
    let mut packet = tcp((APP, REMOTE), ACK, 1, 1, b"large");
    packet[2..4].fill(0);
    assert_eq!(lines(&told(&[packet]))[1..3], ["1 >missed 0", "1 >large"]);
}

#[test]
fn padding_behind_a_packet_is_no_part_of_it() {
    let mut packet = udp(APP, RESOLVER, b"q");
    packet.extend([0; 17]);
    assert_eq!(lines(&told(&[packet]))[1..], ["1 >q", "1 stopped 1+0"]);
}

#[test]
fn too_many_flows_end_the_one_that_would_end_next() {
    let mut tracker = Tracker::new();
    let mut events = Vec::new();
    for number in 0..=u32::try_from(limits::FLOWS).unwrap() {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number);
        let packet = udp(&format!("{address}:4000"), RESOLVER, b"q");
        tracker.take(&frame(i64::from(number), &packet), &mut events);
    }
    assert_eq!(events.iter().filter_map(end).collect::<Vec<_>>(), [0]);
    assert_eq!((tracker.flows.len(), tracker.deadlines.len()), (limits::FLOWS, limits::FLOWS));
}

#[test]
fn a_flow_that_was_heard_of_lately_does_not_make_room_for_others() {
    let mut tracker = Tracker::new();
    let mut events = Vec::new();
    let packet = |number: u32| {
        udp(&format!("{}:4000", std::net::Ipv4Addr::from(0x0a00_0000 + number)), RESOLVER, b"q")
    };
    let most = u32::try_from(limits::FLOWS).unwrap();
    for number in (0..most).chain([0]) {
        tracker.take(&frame(i64::from(number), &packet(number)), &mut events);
    }
    tracker.take(&frame(i64::from(most), &packet(0)), &mut events);
    tracker.take(&frame(i64::from(most) + 1, &packet(most)), &mut events);
    assert_eq!(events.iter().filter_map(end).collect::<Vec<_>>(), [1], "the second is the oldest by now");
}

#[test]
fn what_waits_in_all_flows_together_is_bounded() {
    let mut tracker = Tracker::new();
    let mut events = Vec::new();
    let text = [0; 60_000];
    for port in 1..2_000 {
        let app = format!("192.0.2.7:{port}");
        tracker.take(&frame(0, &tcp((&app, REMOTE), SYN, 0, 0, b"")), &mut events);
        tracker.take(&frame(0, &tcp((&app, REMOTE), ACK, 9, 0, &text)), &mut events);
        events.clear();
        assert!(tracker.held <= limits::WAITING_IN_ALL);
    }
    tracker.finish(&mut events);
    assert_eq!(tracker.held, 0);
}

fn end(event: &Event) -> Option<i64> {
    match event {
        Event::Observed(Observation::Closed { at, .. }) => Some(at.0),
        Event::Observed(_) | Event::Other(_) => None,
    }
}
