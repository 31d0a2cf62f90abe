use super::*;

use telltale_model::Protocol;

fn key(port: u16) -> FlowKey {
    FlowKey {
        protocol: Protocol::Udp,
        app: "198.19.84.1:40000".parse().unwrap(),
        remote: format!("192.0.2.7:{port}").parse().unwrap(),
    }
}

fn datagrams(port: u16, before: &[u8], bytes: &[u8]) -> Option<Application> {
    of_datagram(&Datagram { key: key(port), bytes, before })
}

fn datagram(port: u16, bytes: &[u8]) -> Option<Application> {
    datagrams(port, b"", bytes)
}

fn stream(sent: &[u8], received: &[u8]) -> Option<Application> {
    let start = Start { sent, received };
    of_stream(&start).find(|(likeness, _)| *likeness == Likeness::Yes).map(|(_, application)| application)
}

/// Begins with `head`, filled with zeros to `len`.
fn filled(head: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.resize(len, 0);
    bytes
}

#[test]
fn calls_are_told_by_stun_rtp_rtcp_and_sip() {
    let stun = filled(b"\0\x01\0\x08\x21\x12\xa4\x42", 28);
    assert_eq!(datagram(9_999, &stun), Some(Application::Stun));
    assert_eq!(datagram(9_999, &stun[..27]), None);
    let old = filled(b"\0\x01\0\0", 20);
    assert_eq!((datagram(3_478, &old), datagram(9_999, &old)), (Some(Application::Stun), None));
    assert_eq!(stream(&stun[..8], b""), Some(Application::Stun));
    let rtp = |sequence: u8| filled(&[0x80, 111, 0, sequence, 0, 0, 0, 9, 1, 2, 3, 4], 60);
    assert_eq!(datagram(9_999, &rtp(1)), None, "one alone is not certain");
    assert_eq!(datagrams(9_999, &rtp(1), &rtp(2)), Some(Application::Rtp));
    assert_eq!(datagrams(9_999, &rtp(2), &rtp(1)), None);
    assert_eq!(datagram(9_999, &filled(&[0x81, 201, 0, 7], 32)), Some(Application::Rtp));
    assert_eq!(datagram(9_999, &filled(&[0x81, 201, 0, 7], 33)), None);
    assert_eq!(datagram(9_999, b"REGISTER sip:ims.example SIP/2.0\r\n"), Some(Application::Sip));
    assert_eq!(stream(b"INVITE sip:a@ims.example SIP/2.0\r\n", b""), Some(Application::Sip));
}

#[test]
fn the_local_network_is_told_by_ntp_ssdp_and_dhcp() {
    assert_eq!(datagram(123, &filled(&[0x23], 48)), Some(Application::Ntp));
    assert_eq!((datagram(123, &filled(&[0x23], 47)), datagram(124, &filled(&[0x23], 48))), (None, None));
    assert_eq!(datagram(1_900, b"M-SEARCH * HTTP/1.1\r\n"), Some(Application::Ssdp));
    let mut dhcp = filled(&[1, 1, 6], 236);
    dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]);
    assert_eq!(datagram(67, &dhcp), Some(Application::Dhcp));
    let solicit = [1, 0, 0, 7, 0, 8, 0, 2, 0, 0];
    assert_eq!((datagram(547, &solicit), datagram(548, &solicit)), (Some(Application::Dhcp), None));
}

#[test]
fn tunnels_are_told_by_their_first_packets() {
    assert_eq!(datagram(9_999, &filled(&[1, 0, 0, 0, 9], 148)), Some(Application::WireGuard));
    assert_eq!(datagram(9_999, &filled(&[2, 0, 0, 0, 9], 92)), Some(Application::WireGuard));
    assert_eq!(datagram(9_999, &filled(&[1, 0, 0, 0, 9], 147)), None);
    let data = filled(&[4, 0, 0, 0, 9], 96);
    assert_eq!((datagram(51_820, &data), datagram(9_999, &data)), (Some(Application::WireGuard), None));
    let marked = |first: u8, len| filled(&[first, 7, 8, 9, 9], len);
    assert_eq!(datagram(2_408, &marked(1, 148)), Some(Application::WireGuard), "WARP's reserved bytes");
    assert_eq!(datagram(4_500, &marked(2, 92)), None, "others speak there");
    assert_eq!(
        (datagram(2_408, &marked(4, 96)), datagram(9_999, &marked(1, 148))),
        (Some(Application::WireGuard), None)
    );
    let plain = filled(b"\x38sessions", 14);
    assert_eq!(datagram(9_999, &plain), Some(Application::OpenVpn));
    let mut hashed = filled(b"\x38sessionshash-of-twenty-byte", 29);
    hashed.extend(b"\0\0\0\x01time\0\0\0\0\0");
    assert_eq!((hashed.len(), datagram(9_999, &hashed)), (42, Some(Application::OpenVpn)));
    let mut crypt = b"\x38sessions\0\0\0\x01time".to_vec();
    crypt.extend([7; 37]);
    assert_eq!((crypt.len(), datagram(9_999, &crypt)), (54, Some(Application::OpenVpn)));
    let mut server = b"\x40sessions\x01\0\0\0\0sessions".to_vec();
    server.extend([0; 4]);
    assert_eq!(datagram(9_999, &server), Some(Application::OpenVpn));
    assert_eq!(stream(&[&[0, 14][..], &plain].concat(), b""), Some(Application::OpenVpn));
}

#[test]
fn wifi_calling_is_told_by_ike_and_esp() {
    let mut ike = filled(b"spi-of-i\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x28", 40);
    assert_eq!(datagram(500, &ike), Some(Application::Ike));
    assert_eq!(datagram(4_500, &[&[0; 4][..], &ike].concat()), Some(Application::Ike));
    ike.push(0);
    assert_eq!(datagram(500, &ike), None);
    let esp = |number: u8| filled(&[0xc1, 2, 3, 4, 0, 0, 0, number], 100);
    assert_eq!(datagrams(4_500, &esp(1), &esp(2)), Some(Application::Esp));
    assert_eq!((datagram(4_500, &esp(2)), datagrams(4_501, &esp(1), &esp(2))), (None, None));
}

#[test]
fn peers_messages_and_shells_are_told_by_their_greetings() {
    assert_eq!(stream(b"\x13BitTorrent protocol\0\0", b""), Some(Application::BitTorrent));
    assert_eq!(datagram(6_881, b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping"), Some(Application::BitTorrent));
    let syn = [0x41, 0, 7, 7, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0];
    assert_eq!(datagram(6_881, &syn), Some(Application::BitTorrent));
    assert_eq!(datagram(6_969, b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0abcd"), Some(Application::BitTorrent));
    assert_eq!(stream(b"\x10\x1e\0\x04MQTT\x05", b""), Some(Application::Mqtt));
    assert_eq!(stream(b"\x10\x9e\x01\0\x06MQIsdp\x03", b""), Some(Application::Mqtt));
    assert_eq!(stream(b"", b"SSH-2.0-OpenSSH_9.2\r\n"), Some(Application::Ssh));
    assert_eq!(stream(b"SSH-2.0-x\r\n", b""), Some(Application::Ssh));
}

#[test]
fn dnscrypt_is_told_by_the_text_before_an_answer() {
    let answer = filled(b"r6fnvWj8", 304);
    assert_eq!(datagram(443, &answer), Some(Application::DnsCrypt));
    assert_eq!((datagram(443, &answer[..47]), datagram(443, &answer[1..])), (None, None));
}

#[test]
fn a_beginning_is_never_ruled_out_before_it_is_recognised() {
    let greetings: [&[u8]; 6] = [
        b"\x13BitTorrent protocol",
        b"\x10\x9e\x01\0\x04MQTT",
        b"SSH-2.0-",
        b"REGISTER sip",
        b"\0\x01\0\x08\x21\x12\xa4\x42",
        b"\0\x0e\x38sessions\0\0\0\0\0",
    ];
    for whole in greetings {
        let application = stream(whole, b"").unwrap();
        for cut in 0..whole.len() {
            let start = Start { sent: &whole[..cut], received: b"" };
            let likeness = of_stream(&start).find(|(_, of)| *of == application).unwrap().0;
            assert_eq!(likeness, Likeness::Maybe, "{application:?} cut at {cut}");
        }
    }
}

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| self.next().to_be_bytes()).collect();
        bytes.truncate(len);
        bytes
    }

    fn len(&mut self) -> usize {
        // The sizes that signatures ask for come more often than others.
        const USUAL: [usize; 12] = [14, 16, 20, 42, 48, 54, 64, 86, 92, 96, 148, 240];
        match self.next() {
            any if any % 3 == 0 => usize::try_from(any >> 40).unwrap() % 300,
            any => USUAL[usize::try_from(any >> 40).unwrap() % USUAL.len()],
        }
    }
}

#[test]
fn random_bytes_are_nothing() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..200_000 {
        let (len, before) = (random.len(), random.len());
        let (bytes, before) = (random.bytes(len), random.bytes(before));
        assert_eq!(datagrams(9_999, &before, &bytes), None, "{bytes:?}");
        assert_eq!(stream(&bytes, &before), None, "{bytes:?}");
    }
}

#[test]
fn random_bytes_on_ports_of_others_are_mostly_nothing() {
    let mut random = Random(0x0fed_cba9_8765_4321);
    for port in [67, 500, 546, 1_194, 1_900, 3_478, 4_500, 5_060, 6_881, 51_820] {
        let hits = (0..20_000)
            .filter(|_| {
                let len = random.len();
                let (bytes, before) = (random.bytes(len), random.bytes(len));
                datagrams(port, &before, &bytes).is_some()
            })
            .count();
        assert_eq!(hits, 0, "on port {port}");
    }
}

#[test]
fn text_is_nothing() {
    let texts: [&[u8]; 8] = [
        b"",
        b"\n",
        b"hello, world",
        b"220 ready\r\n",
        b"{\"imei\":\"490154203237518\"}",
        b"GET / HTTP/1.1\r\n\r\n",
        b"<html><body>REGISTER sip</body>",
        b"d8:announce35:http://tracker.example/announce",
    ];
    for text in texts {
        for port in [67, 123, 500, 1_900, 3_478, 4_500, 9_999] {
            assert_eq!(datagram(port, text), None, "{text:?}");
        }
        assert_eq!(stream(text, text), None, "{text:?}");
    }
}
