use super::*;
use crate::ip::{Parsed, parse};
use crate::testing::{ip, udp};

/// Whether each of these frames holds the one packet.
fn holds(link: u32, header: &[&[u8]]) {
    let packet = udp("192.0.2.7:40000", "198.51.100.1:53", b"abc");
    let frame: Bytes = [&header.concat(), &packet[..]].concat().into();
    let mut found = Vec::new();
    packets(link, frame.clone(), &mut found);
    assert_eq!(found, [packet], "link {link}: {header:02x?}");
    for len in 0..frame.len() {
        packets(link, frame.slice(..len), &mut found);
    }
}

const ETHERNET: &[u8] = &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const SNAP: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

#[test]
fn ethernet_and_what_its_types_announce() {
    holds(1, &[ETHERNET, &[8, 0]]);
    holds(1, &[ETHERNET, &[0x81, 0, 0, 5, 8, 0]]);
    holds(1, &[ETHERNET, &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]]);
    holds(1, &[ETHERNET, &[0x88, 0x64, 0x11, 0, 0, 1, 0, 33], &[0, 0x21]]);
    holds(1, &[ETHERNET, &[0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64]]);
    holds(1, &[ETHERNET, &[0, 39], SNAP]);
    holds(1, &[ETHERNET, &[0x88, 0x47, 0, 0, 0x11, 64, 0, 0, 0, 0], ETHERNET, &[8, 0]]);
}

#[test]
fn raw_ip_and_headers_that_hold_little() {
    for link in [12, 14, 101, 228, 229] {
        holds(link, &[]);
    }
    holds(0, &[&[2, 0, 0, 0]]);
    holds(108, &[&[0, 0, 0, 2]]);
    holds(113, &[&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0]]);
    holds(113, &[&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x81, 0, 0, 5, 8, 0]]);
    holds(276, &[&[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0]]);
    holds(239, &[&[2, 0, 0, 0, 5, 0, 1, 0, 9, 0, 0, 0, 35, 0, 9, 0]]);
    holds(258, &[&[20, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
}

#[test]
fn ppp_with_all_that_it_may_leave_out() {
    holds(9, &[&[0xff, 3, 0, 0x21]]);
    holds(9, &[&[0, 0x21]]);
    holds(9, &[&[0x21]]);
    holds(50, &[&[0xff, 3, 0, 0x21]]);
    holds(50, &[&[0x0f, 0, 8, 0]]);
    holds(104, &[&[0x8f, 0, 8, 0]]);
    holds(51, &[&[0x11, 0, 0, 1, 0, 33, 0, 0x21]]);
}

#[test]
fn wifi_with_every_header() {
    let addresses = &[0; 22];
    holds(105, &[&[0x08, 0x01], addresses, SNAP]);
    holds(105, &[&[0x88, 0x01], addresses, &[0, 0], SNAP]);
    holds(105, &[&[0x88, 0x81], addresses, &[0, 0, 1, 2, 3, 4], SNAP]);
    holds(105, &[&[0x08, 0x03], addresses, &[0; 6], SNAP]);
    let radiotap = &[0, 0, 8, 0, 0, 0, 0, 0];
    holds(127, &[radiotap, &[0x08, 0x01], addresses, SNAP]);
    // Both stamp and flags, and a second bitmap: the flags say that the header is padded.
    let radiotap = &[0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20];
    holds(127, &[radiotap, &[0x88, 0x01], addresses, &[0, 0], &[0, 0], SNAP]);
    holds(192, &[&[0, 0, 8, 0, 105, 0, 0, 0], &[0x08, 0x01], addresses, SNAP]);
}

#[test]
fn an_aggregate_of_wifi_holds_several_packets() {
    let packet = udp("192.0.2.7:40000", "198.51.100.1:53", b"abcde");
    let len = u16::try_from(SNAP.len() + packet.len()).unwrap().to_be_bytes();
    let inner = [ETHERNET, &len, SNAP, &packet].concat();
    let padding = vec![0; inner.len().next_multiple_of(4) - inner.len()];
    let frame = [&[0x88, 0x01][..], &[0; 22], &[0x80, 0], &inner, &padding, &inner].concat();
    let mut found = Vec::new();
    packets(105, frame.into(), &mut found);
    assert_eq!(found, [packet.clone(), packet]);
}

#[test]
fn encrypted_wifi_and_unknown_links_hold_nothing() {
    let packet = udp("192.0.2.7:40000", "198.51.100.1:53", b"abc");
    let mut found = Vec::new();
    packets(105, [&[0x08, 0x41][..], &[0; 22], SNAP, &packet].concat().into(), &mut found);
    packets(999, packet.into(), &mut found);
    assert!(found.is_empty());
}

#[test]
fn tags_without_end_are_given_up() {
    let frame = [ETHERNET, &[0x81, 0, 0, 5].repeat(1_000)].concat();
    let mut found = Vec::new();
    packets(1, frame.into(), &mut found);
    assert!(found.is_empty());
}

/// Whether a packet that carries this carries the one inside.
fn carries(protocol: u8, header: &[&[u8]]) {
    let packet = udp("192.0.2.7:40000", "198.51.100.1:53", b"abc");
    let (source, destination) = ("203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap());
    let outer = ip(source, destination, protocol, &[&header.concat(), &packet[..]].concat());
    assert_eq!(found_inside(outer.clone()), [packet], "{header:02x?}");
    for len in 0..outer.len() {
        let _any = found_inside(outer[..len].into());
    }
}

fn found_inside(outer: Vec<u8>) -> Vec<Bytes> {
    let mut found = Vec::new();
    if let Parsed::Whole(outer) = parse(&outer.into())
        && let Some((layer, bytes)) = inside(&outer)
    {
        unwrap(layer, bytes, &mut found);
    }
    found
}

#[test]
fn tunnels_of_ip_are_looked_into() {
    carries(4, &[]);
    carries(41, &[]);
    carries(137, &[&[0, 0, 0x11, 64]]);
    carries(47, &[&[0, 0, 8, 0]]);
    carries(47, &[&[0xb0, 0, 8, 0], &[0; 12]]);
    carries(47, &[&[0x30, 0x81, 0x88, 0x0b], &[0; 12], &[0xff, 3, 0, 0x21]]);
    carries(47, &[&[0, 0, 0x65, 0x58], ETHERNET, &[8, 0]]);
}

#[test]
fn tunnels_over_udp_are_looked_into() {
    let udp = |port: u16| [[0x9c, 0x40], port.to_be_bytes(), [0, 0], [0, 0]].concat();
    carries(17, &[&udp(2152), &[0x30, 255, 0, 31, 0, 0, 0, 1]]);
    carries(17, &[&udp(2152), &[0x34, 255, 0, 39, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0]]);
    carries(17, &[&udp(4789), &[8, 0, 0, 0, 0, 0, 1, 0], ETHERNET, &[8, 0]]);
    carries(17, &[&udp(6081), &[1, 0, 0x65, 0x58, 0, 0, 1, 0, 0, 0, 0, 0], ETHERNET, &[8, 0]]);
    carries(17, &[&udp(3544), &[0, 0, 1, 2, 3, 4, 5, 6]]);
    carries(17, &[&udp(1701), &[0x40, 2, 0, 40, 0, 1, 0, 2, 0xff, 3, 0, 0x21]]);
    carries(17, &[&udp(5247), &[0, 0x10, 2, 0, 0, 0, 0, 0], ETHERNET, &[8, 0]]);
    carries(17, &[&udp(5247), &[0, 0x10, 3, 0, 0, 0, 0, 0], &[8, 1], &[0; 22], SNAP]);
}
