use std::io::Write;

use flate2::write::GzEncoder;

use super::*;

/// Two frames with whole microseconds, of 5 and 3 bytes.
const FRAMES: [(u64, &[u8]); 2] = [(1_700_000_000_123_456, b"first"), (1_700_000_001_000_001, b"two")];

#[derive(Clone, Copy)]
struct Writer {
    big: bool,
}

impl Writer {
    fn u16(self, number: u16) -> Vec<u8> {
        if self.big { number.to_be_bytes().into() } else { number.to_le_bytes().into() }
    }

    fn u32(self, number: u32) -> Vec<u8> {
        if self.big { number.to_be_bytes().into() } else { number.to_le_bytes().into() }
    }

    fn pcap(self, magic: u32) -> Vec<u8> {
        let mut file = [self.u32(magic), self.u16(2), self.u16(4), vec![0; 8], self.u32(65_535)].concat();
        file.extend(self.u32(0x1000_0000 | 276));
        for (micros, bytes) in FRAMES {
            let fraction = u32::try_from(micros % 1_000_000).unwrap();
            let fraction = if magic == 0xa1b2_3c4d { fraction * 1_000 + 999 } else { fraction };
            let seconds = u32::try_from(micros / 1_000_000).unwrap();
            let len = u32::try_from(bytes.len()).unwrap();
            file.extend([seconds, fraction, len, len].map(|number| self.u32(number)).concat());
            if magic == 0xa1b2_cd34 {
                file.extend([7; 8]);
            }
            file.extend(bytes);
        }
        file
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let len = self.u32(u32::try_from(12 + body.len() + padding.len()).unwrap());
        [self.u32(kind), len.clone(), body.into(), padding, len].concat()
    }

    fn section(self) -> Vec<u8> {
        let body = [self.u32(0x1a2b_3c4d), self.u16(1), self.u16(0), vec![0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [self.u16(link), self.u16(0), self.u32(4)].concat();
        for (code, value) in options {
            body.extend([self.u16(*code), self.u16(u16::try_from(value.len()).unwrap())].concat());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    fn packet(self, interface: u32, stamp: u64, bytes: &[u8]) -> Vec<u8> {
        let (high, low) = (u32::try_from(stamp >> 32).unwrap(), u32::try_from(stamp & 0xffff_ffff).unwrap());
        let len = u32::try_from(bytes.len()).unwrap();
        let fixed = [interface, high, low, len, len + 100].map(|number| self.u32(number)).concat();
        self.block(6, &[&fixed, bytes].concat())
    }
}

const BOTH: [Writer; 2] = [Writer { big: true }, Writer { big: false }];

/// The frames that can be read, the damage that ends them, and the damage that was passed over.
fn read(file: &[u8]) -> (Vec<Frame>, Option<Damage>, u64) {
    let mut capture = match Capture::open(file) {
        Ok(capture) => capture,
        Err(damage) => return (Vec::new(), Some(damage), 0),
    };
    let mut frames = Vec::new();
    let end = loop {
        match capture.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => break None,
            Err(damage) => break Some(damage),
        }
    };
    (frames, end, capture.passed_over().map_or(0, |(_, lost)| lost))
}

fn short(frames: &[Frame]) -> Vec<(i64, u32, &[u8])> {
    frames.iter().map(|frame| (frame.at.0, frame.link, &frame.bytes[..])).collect()
}

#[test]
fn every_kind_of_pcap_is_read() {
    for writer in BOTH {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34] {
            let (frames, damage, _) = read(&writer.pcap(magic));
            let expected =
                [(1_700_000_000_123_456, 276, &b"first"[..]), (1_700_000_001_000_001, 276, b"two")];
            assert_eq!((short(&frames), damage), (expected.to_vec(), None), "{magic:x}");
        }
    }
}

#[test]
fn a_cut_file_gives_the_frames_before_the_cut_and_says_where_it_ends() {
    let file = BOTH[1].pcap(0xa1b2_c3d4);
    for len in 0..file.len() {
        let (frames, damage, _) = read(&file[..len]);
        let whole = if len < 24 + 16 + 5 { 0 } else { 1 };
        assert_eq!(frames.len(), whole, "{len}");
        assert_eq!(damage.is_none(), len == 24 || len == 24 + 16 + 5, "{len}");
    }
    let said = |lacking| read(&file[..file.len() - lacking]).1.unwrap().to_string();
    assert_eq!(said(1), format!("the file ends here, 1 byte too early (at byte {})", file.len() - 1));
    assert_eq!(said(2), format!("the file ends here, 2 bytes too early (at byte {})", file.len() - 2));
}

#[test]
fn a_length_that_cannot_be_is_damage_and_sets_no_memory_aside() {
    let mut file = BOTH[1].pcap(0xa1b2_c3d4);
    file[24 + 16 + 5 + 8..][..4].copy_from_slice(&[0xff; 4]);
    let (frames, damage, _) = read(&file);
    assert_eq!((frames.len(), damage.unwrap().offset), (1, 45));
}

#[test]
fn what_is_no_capture_is_told() {
    assert_eq!(read(b"").1.unwrap().what, "the file is empty");
    assert!(read(b"GIF89a").1.unwrap().what.contains("neither pcap nor pcapng"));
}

#[test]
fn a_compressed_capture_is_read_and_a_cut_one_as_far_as_it_goes() {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&BOTH[0].pcap(0xa1b2_c3d4)).unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(read(&packed).0.len(), 2);
    let (_, damage, _) = read(&packed[..packed.len() - 12]);
    assert!(damage.is_some());
}

#[test]
fn sections_interfaces_and_every_packet_block_are_read() {
    let mut file = Vec::new();
    for writer in BOTH {
        let nanos = writer.interface(1, &[(2, b"eth0"), (9, &[9]), (0, b"")]);
        let binary = writer.interface(101, &[(9, &[0x8a])]);
        let seconds = if writer.big { 10_i64.to_be_bytes() } else { 10_i64.to_le_bytes() };
        let shifted = writer.interface(113, &[(14, &seconds)]);
        let old = [writer.u16(2), writer.u16(0), writer.u32(0), writer.u32(7), writer.u32(1), writer.u32(1)];
        file.extend(
            [
                writer.section(),
                nanos,
                binary,
                shifted,
                writer.block(0x0bad, b"whatever it is"),
                writer.packet(0, 5_000_001_999, b"a"),
                writer.packet(1, 3 << 10 | 512, b"b"),
                writer.packet(2, 1_000_000, b"c"),
                writer.block(2, &[old.concat(), b"d".to_vec()].concat()),
                writer.block(3, &[writer.u32(9), b"efgh".to_vec()].concat()),
            ]
            .concat(),
        );
    }
    let (frames, damage, lost) = read(&file);
    let section: [(i64, u32, &[u8]); 5] = [
        (5_000_001, 1, b"a"),
        (3_500_000, 101, b"b"),
        (11_000_000, 113, b"c"),
        (10_000_007, 113, b"d"),
        (10_000_007, 1, b"efgh"),
    ];
    assert_eq!((short(&frames), damage, lost), ([section, section].concat(), None, 0));
}

#[test]
fn a_damaged_block_costs_itself_alone() {
    let writer = BOTH[1];
    let mut lying = writer.packet(0, 1, b"lying");
    lying[20] = 200;
    let mut unequal = writer.packet(0, 2, b"unequal");
    *unequal.last_mut().unwrap() = 9;
    let stranger = writer.packet(5, 3, b"stranger");
    let file = [
        writer.section(),
        writer.interface(1, &[]),
        lying,
        unequal,
        stranger,
        writer.block(6, b"short"),
        writer.packet(0, 4, b"good"),
    ];
    let (frames, damage, lost) = read(&file.concat());
    assert_eq!((short(&frames), damage, lost), (vec![(4, 1, &b"good"[..])], None, 4));
}

#[test]
fn a_damaged_interface_moves_no_other() {
    let writer = BOTH[1];
    let mut unequal = writer.interface(113, &[]);
    *unequal.last_mut().unwrap() = 9;
    let file = [
        writer.section(),
        writer.interface(101, &[(14, b"odd")]),
        unequal,
        writer.block(1, b"odd"),
        writer.interface(276, &[]),
        writer.packet(0, 1, b"a"),
        writer.packet(1, 2, b"of which"),
        writer.packet(2, 3, b"of which"),
        writer.packet(3, 4, b"d"),
    ];
    let (frames, damage, lost) = read(&file.concat());
    assert_eq!((short(&frames), damage), (vec![(1, 101, &b"a"[..]), (4, 276, b"d")], None));
    assert_eq!(lost, 4, "two interfaces, and what came from them");
}

#[test]
fn a_block_without_a_possible_length_ends_the_file() {
    let writer = BOTH[1];
    let section = writer.section();
    let file = [section.clone(), writer.interface(1, &[]), writer.packet(0, 1, b"good"), vec![6, 0, 0, 0, 3]];
    let (frames, damage, _) = read(&file.concat());
    assert_eq!((frames.len(), damage.unwrap().what.as_str()), (1, "the file ends in the middle of a header"));
    let file = [section, vec![6, 0, 0, 0, 3, 0, 0, 0]].concat();
    assert_eq!(read(&file).1.unwrap().offset, 28);
}

#[test]
fn secrets_are_kept() {
    let writer = BOTH[0];
    let body = [writer.u32(0x544c_534b), writer.u32(3), b"key".to_vec()].concat();
    let file = [writer.section(), writer.block(10, &body)].concat();
    let mut capture = Capture::open(&file[..]).unwrap();
    assert_eq!(capture.next_frame(), Ok(None));
    assert_eq!(capture.secrets(), [Secrets { kind: 0x544c_534b, data: Bytes::from_static(b"key") }]);
}

#[test]
fn no_single_damaged_byte_makes_the_reader_panic() {
    let writer = BOTH[1];
    let pcapng = [
        writer.section(),
        writer.interface(1, &[(9, &[9])]),
        writer.packet(0, 1, b"one"),
        writer.packet(0, 2, b"two"),
    ];
    for file in [writer.pcap(0xa1b2_c3d4), pcapng.concat()] {
        for at in 0..file.len() {
            for bits in [1, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[at] ^= bits;
                let _any = read(&damaged);
            }
        }
    }
}
