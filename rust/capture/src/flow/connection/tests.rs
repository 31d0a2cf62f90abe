//! What becomes of a conversation whose packets a capture has in disorder.

use crate::testing::{ACK, APP, FIN, REMOTE, RST, SYN, lines, tcp, told};

const SENT: (&str, &str) = (APP, REMOTE);
const RECEIVED: (&str, &str) = (REMOTE, APP);
/// Near the top, so that sequence numbers cross zero.
const ISN: u32 = u32::MAX - 5;
const OTHER_ISN: u32 = 1_000;

fn sent(place: u32, seen: u32, text: &str) -> Vec<u8> {
    tcp(SENT, ACK, ISN.wrapping_add(1 + place), OTHER_ISN + 1 + seen, text.as_bytes())
}

fn received(place: u32, seen: u32, text: &str) -> Vec<u8> {
    tcp(RECEIVED, ACK, OTHER_ISN + 1 + place, ISN.wrapping_add(1 + seen), text.as_bytes())
}

fn handshake() -> Vec<Vec<u8>> {
    vec![
        tcp(SENT, SYN, ISN, 0, b""),
        tcp(RECEIVED, SYN | ACK, OTHER_ISN, ISN.wrapping_add(1), b""),
        sent(0, 0, ""),
    ]
}

/// 12 bytes one way, 10 the other, 6 one way again; then both ends.
fn conversation() -> Vec<Vec<u8>> {
    let mut packets = handshake();
    packets.extend([
        sent(0, 0, "what "),
        sent(5, 0, "is it? "),
        received(0, 12, "it "),
        received(3, 12, "is an "),
        received(9, 12, "!"),
        sent(12, 10, "thanks"),
        tcp(SENT, FIN | ACK, ISN.wrapping_add(19), OTHER_ISN + 11, b""),
        tcp(RECEIVED, FIN | ACK, OTHER_ISN + 11, ISN.wrapping_add(20), b""),
        sent(19, 11, ""),
    ]);
    packets
}

fn conversation_in_order() -> Vec<String> {
    [
        "1 tcp 192.0.2.7:40000 198.51.100.1:443",
        "1 >what is it? ",
        "1 <it is an !",
        "1 >thanks",
        "1 finished 18+10",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn lines_of(packets: &[Vec<u8>]) -> Vec<String> {
    lines(&told(packets))
}

#[test]
fn a_conversation_in_order_is_told_as_it_was() {
    assert_eq!(lines_of(&conversation()), conversation_in_order());
}

#[test]
fn repeated_packets_are_told_once() {
    let packets = conversation();
    let twice: Vec<_> = packets.iter().flat_map(|packet| [packet.clone(), packet.clone()]).collect();
    assert_eq!(lines_of(&twice), conversation_in_order());
    let again = [packets.clone(), packets[3..9].to_vec()].concat();
    assert_eq!(lines_of(&again), conversation_in_order());
}

#[test]
fn any_two_neighbours_may_change_places_and_any_shuffle_may_be() {
    let packets = conversation();
    for at in 1..packets.len() {
        let mut swapped = packets.clone();
        swapped.swap(at - 1, at);
        assert_eq!(lines_of(&swapped), conversation_in_order(), "{at}");
    }
    let mut random: u32 = 1;
    for _ in 0..500 {
        let mut shuffled = packets.clone();
        for at in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            shuffled.swap(at, (random >> 8) as usize % (at + 1));
        }
        assert_eq!(lines_of(&shuffled), conversation_in_order());
    }
}

#[test]
fn overlapping_segments_are_told_once() {
    let mut packets = handshake();
    packets.extend([
        sent(3, 0, "defg"),
        sent(1, 0, "bcde"),
        sent(0, 0, "a"),
        sent(4, 0, "efghij"),
        sent(0, 0, "abcdefghijk"),
    ]);
    let lines = lines_of(&packets);
    assert_eq!(lines[1..], ["1 >abcdefghijk", "1 stopped 11+0"]);
}

#[test]
fn a_byte_that_was_acknowledged_and_never_seen_is_missed_after_some_patience() {
    let mut packets = handshake();
    packets.extend([sent(0, 0, "abc"), sent(8, 0, "ijk"), received(0, 11, "yes")]);
    let lines = lines_of(&packets);
    assert_eq!(lines[1..], ["1 >abc", "1 >missed 5", "1 >ijk", "1 <yes", "1 stopped 11+3"]);

    // Not before the end alone: other packets of the connection pass in time.
    let mut events = Vec::new();
    let mut tracker = crate::Tracker::new();
    for (at, packet) in packets.iter().chain(std::iter::repeat_n(&received(3, 11, ""), 40)).enumerate() {
        tracker.take(&crate::testing::frame(i64::try_from(at).unwrap(), packet), &mut events);
    }
    assert_eq!(self::lines(&events)[1..], lines[1..5]);
}

#[test]
fn a_byte_that_was_not_acknowledged_is_waited_for_without_end() {
    let mut packets = handshake();
    packets.extend([sent(0, 0, "abc"), sent(8, 0, "ijk")]);
    packets.extend(std::iter::repeat_n(received(0, 3, ""), 1_000));
    packets.push(sent(3, 0, "defgh"));
    assert_eq!(lines_of(&packets)[1..], ["1 >abcdefghijk", "1 stopped 11+0"]);
}

#[test]
fn a_window_full_of_gaps_is_bounded() {
    let mut packets = handshake();
    let kilobyte = "x".repeat(1_000);
    let places = (1..).step_by(1_001).take(1_500);
    packets.extend(places.map(|place| sent(place, 0, &kilobyte)));
    let lines = lines_of(&packets);
    assert_eq!(lines[1], "1 >missed 1");
    assert_eq!(lines.last().unwrap(), &format!("1 stopped {}+0", 1_500 * 1_001));
}

#[test]
fn a_capture_that_begins_in_the_middle_is_told_from_there() {
    let packets = conversation();
    let lines = lines_of(&packets[4..]);
    let expected = [
        "1 tcp 192.0.2.7:40000 198.51.100.1:443",
        "1 >missed 0",
        "1 >is it? ",
        "1 <it is an !",
        "1 >thanks",
        "1 finished 13+10",
    ];
    assert_eq!(lines, expected);
    assert_eq!(lines_of(&packets[5..])[..3], [expected[0], "1 <missed 0", "1 <it is an !"]);
}

#[test]
fn one_direction_alone_is_told_too() {
    let client: Vec<_> = conversation().into_iter().filter(|packet| packet[12] == 192).collect();
    let lines = lines_of(&client);
    assert_eq!(lines[1..], ["1 >what is it? thanks", "1 stopped 18+0"]);
}

#[test]
fn bytes_beyond_the_snaplen_are_missed() {
    let cut: Vec<Vec<u8>> = conversation()
        .into_iter()
        .map(|mut packet| {
            packet.truncate(42);
            packet
        })
        .collect();
    let expected = [
        "1 tcp 192.0.2.7:40000 198.51.100.1:443",
        "1 >wh",
        "1 >missed 3",
        "1 >is",
        "1 >missed 5",
        "1 <it",
        "1 <missed 1",
        "1 <is",
        "1 <missed 4",
        "1 <!",
        "1 >th",
        "1 >missed 4",
        "1 finished 18+10",
    ];
    assert_eq!(lines_of(&cut), expected);
    let bare: Vec<Vec<u8>> = cut.into_iter().map(|packet| packet[..34].to_vec()).collect();
    assert_eq!(lines_of(&bare).last().unwrap(), "1 finished 18+10");
}

#[test]
fn ports_that_are_used_again_are_another_flow() {
    let mut packets = conversation();
    packets.extend([tcp(SENT, SYN, 77, 0, b""), tcp(SENT, ACK, 78, 0, b"new")]);
    let lines = lines_of(&packets);
    assert_eq!(lines[..5], conversation_in_order());
    assert_eq!(lines[5..], ["2 tcp 192.0.2.7:40000 198.51.100.1:443", "2 >new", "2 stopped 3+0"]);
    // Also where the end of the first one is lacking.
    let mut packets = conversation()[..5].to_vec();
    packets.extend([tcp(SENT, SYN, 77, 0, b""), tcp(SENT, ACK, 78, 0, b"new")]);
    assert_eq!(lines_of(&packets)[2..4], ["1 evicted 12+0", "2 tcp 192.0.2.7:40000 198.51.100.1:443"]);
}

#[test]
fn who_breaks_it_off_is_told() {
    let reset = |ends, sequence| tcp(ends, RST, sequence, 0, b"");
    let by_app = [handshake(), vec![reset(SENT, ISN.wrapping_add(1))]].concat();
    let by_remote = [handshake(), vec![reset(RECEIVED, OTHER_ISN + 1)]].concat();
    let refused = [handshake()[..1].to_vec(), vec![reset(RECEIVED, 0)]].concat();
    for (packets, ending) in [(by_app, "reset_by_app"), (by_remote, "reset_by_remote"), (refused, "refused")]
    {
        assert_eq!(lines_of(&packets)[1..], [format!("1 {ending} 0+0")]);
    }
}

#[test]
fn data_in_a_syn_is_told() {
    let packets = [tcp(SENT, SYN, ISN, 0, b"early"), sent(5, 0, " and late")];
    assert_eq!(lines_of(&packets)[1], "1 >early and late");
}

#[test]
fn single_bytes_are_told_as_one_stream() {
    let text = "a longer text, byte by byte";
    let mut packets = handshake();
    packets.extend(
        (0..).zip(text.split("").filter(|byte| !byte.is_empty())).map(|(at, byte)| sent(at, 0, byte)),
    );
    assert_eq!(lines_of(&packets)[1], format!("1 >{text}"));
}

#[test]
fn numbers_that_make_no_sense_do_not_stop_what_does() {
    let mut packets = handshake();
    packets.extend([
        tcp(RECEIVED, ACK, OTHER_ISN + 1 + (1 << 31), ISN.wrapping_add(1 << 31), b"far"),
        sent(0, 1 << 31, "abc"),
        sent(3, 500, "def"),
        received(0, 400, "ghi"),
    ]);
    let lines = lines_of(&packets);
    assert!(lines.iter().any(|line| line.contains("abc")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("ghi")), "{lines:?}");
}

/// A connection as [`conversation`], in which one packet with a damaged number comes before the last words.
fn with_damage(packet: Vec<u8>) -> Vec<String> {
    let mut packets = conversation();
    packets.insert(8, packet);
    lines_of(&packets)
}

#[test]
fn one_damaged_number_makes_no_gap_of_a_gibibyte() {
    const FAR: u32 = 1 << 29;
    let text = "thanks";
    for damaged in [
        received(10, FAR, ""),
        sent(FAR, 10, text),
        tcp(SENT, FIN | ACK, ISN.wrapping_add(1 + FAR), OTHER_ISN + 11, b""),
    ] {
        assert_eq!(with_damage(damaged), conversation_in_order());
    }
}

#[test]
fn a_long_gap_is_believed_when_a_second_packet_tells_of_it() {
    const FAR: u32 = 1 << 24;
    let mut packets = handshake();
    packets.extend([
        sent(0, 0, "a"),
        received(0, FAR, ""),
        sent(FAR, 0, "b"),
        sent(FAR + 1, 0, "c"),
        received(0, FAR + 2, ""),
    ]);
    let lines = lines_of(&packets);
    assert!(lines.contains(&format!("1 >missed {}", FAR - 1)), "{lines:?}");
    assert!(lines.contains(&"1 >bc".to_owned()), "{lines:?}");
}
