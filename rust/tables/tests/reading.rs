//! The reader on files made here: what it answers, and that no damage harms it.
#![cfg(test)]

use bytes::Bytes;
use telltale_model::{How, Relation, Role};
use telltale_tables::{Bulk, Rows, pack, packed};
use telltale_watch::destinations::layout::{self, NO_SYSTEM, PREAMBLE};
use telltale_watch::destinations::{Around, CompanyNumber, Destinations, Row, unpack};

const COMPANIES: &str = r#"
[acme]
name = "Acme"
country = "DE"
brands = ["Acme", "Zed"]

[anvil]
name = "Anvil"
parent = "acme"

[google]
name = "Google"
country = "US"
also = ["search"]

[silicon]
name = "Silicon"
chips = ["SIL"]
unlike = ["silicon"]
"#;

const HOSTS: &str = "\
acme.example\tacme\t\tvendor-doc\thttps://acme.example/doc\t2026-11-25
push.acme.example\tanvil\tpush\tcode\thttps://acme.example/code\t2026-11-24
search.example\tgoogle\t\tname-only\t\t2026-11-25
";

const SWITCHES: &str = r#"
[[switch]]
company = "anvil"
role = "push"
versions = "AcmeOS 2"
path = "Settings > Notices"
default = "on"
how = "unchecked"
reference = "https://acme.example/help"
checked = "2026-11-25"
"#;

fn file() -> Vec<u8> {
    let rows = Rows::parse(COMPANIES.trim_start(), HOSTS, SWITCHES, "co.uk\n").unwrap();
    let owners =
        [("listed-inc", "Listed, Inc."), ("listed-search", "Search"), ("listed-silicon", "Another Silicon")];
    let system = |asn: u32, country: &[u8]| [&asn.to_le_bytes()[..], country].concat();
    let ranges4 =
        starts4().iter().map(|(start, place)| (u64::from(*start) << 32, *place)).collect::<Vec<_>>();
    let ranges6 = [(0, NO_SYSTEM), (0x2001_0db8 << 32, 1), ((0x2001_0db8 << 32) + 1, NO_SYSTEM)];
    let bulk = Bulk {
        owners: owners.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect(),
        sections: vec![
            pack::texts(&owners.iter().flat_map(|(id, name)| [*id, *name]).collect::<Vec<_>>()),
            pack::hosts(&[
                ("listed.example", 0),
                ("other.example", 1),
                ("cdn.acme.example", 0),
                ("valley.example", 2),
            ])
            .unwrap(),
            [system(64_496, b"DE"), system(4_200_000_000, &[0, 0])].concat(),
            pack::texts(&["Networks of Acme", "Nobody's"]),
            pack::ranges(&ranges4),
            pack::ranges(&ranges6),
            pack::texts(&["list", "1.0", "MIT", "https://list.example/", "The list", "00"]),
        ],
    };
    packed(&rows, &bulk).unwrap().0
}

/// IPv4 addresses from which on a network holds: three short ranges, then 200 of all sizes.
fn starts4() -> Vec<(u32, u32)> {
    let mut starts = vec![(0, NO_SYSTEM), (0xc000_0200, 0), (0xc000_0300, 1), (0xc000_0301, NO_SYSTEM)];
    let mut start = 0xc633_6400_u32;
    for number in 0..200_u32 {
        starts.push((start, if number % 3 == 2 { NO_SYSTEM } else { number % 3 }));
        start += [1, 256, 3, 65_536, 300, 1_000_003][number as usize % 6];
    }
    starts
}

fn tables() -> Destinations {
    Destinations::open(Bytes::from(file())).unwrap()
}

fn id<'a>(row: &Row<'a>) -> &'a str {
    row.company_itself().unwrap().id
}

#[test]
fn the_longest_suffix_counts_and_names_are_matched_by_whole_labels() {
    let tables = tables();
    let found = |host: &str| tables.host(host).map(|row| (id(&row), row.role(), row.matched()));
    assert_eq!(found("acme.example"), Some(("acme", None, 12)));
    assert_eq!(found("WWW.Acme.Example."), Some(("acme", None, 12)));
    assert_eq!(found("a.b.push.acme.example"), Some(("anvil", Some(Role::Push), 17)));
    assert_eq!(found("notacme.example"), None);
    for nothing in ["", ".", "..", "example", "acme.example.org", &"a.".repeat(127), &"a".repeat(300)] {
        assert_eq!(found(nothing), None, "{nothing}");
    }
    let row = tables.host("push.acme.example").unwrap();
    assert_eq!(
        (row.how(), row.reference(), row.checked()),
        (How::Code, "https://acme.example/code", "2026-11-24")
    );
}

#[test]
fn a_row_goes_before_the_list_and_the_list_tells_no_role() {
    let tables = tables();
    let row = tables.host("cdn.acme.example").unwrap();
    assert_eq!((id(&row), row.how()), ("acme", How::VendorDoc), "though the list has a longer name");
    let row = tables.host("www.listed.example").unwrap();
    assert_eq!(
        (id(&row), row.company_itself().unwrap().name, row.role(), row.how()),
        ("listed-inc", "Listed, Inc.", None, How::List)
    );
    assert!(row.how().is_probable() && row.reference() == "list");
    assert_eq!(id(&tables.host("other.example").unwrap()), "google", "the company knows the list's name");
    assert_eq!(id(&tables.host("valley.example").unwrap()), "listed-silicon", "not the one of that name");
}

#[test]
fn addresses_have_networks() {
    let tables = tables();
    let found = |address: &str| {
        tables.address(address.parse().unwrap()).map(|network| (network.asn(), network.name()))
    };
    assert_eq!(found("192.0.1.255"), None);
    assert_eq!(found("192.0.2.0"), Some((64_496, "Networks of Acme")));
    assert_eq!(found("192.0.2.255"), Some((64_496, "Networks of Acme")));
    assert_eq!(found("192.0.3.0"), Some((4_200_000_000, "Nobody's")));
    assert_eq!(found("192.0.3.1"), None);
    assert_eq!(found("2001:db8::1234"), Some((4_200_000_000, "Nobody's")));
    assert_eq!(found("2001:db8:0:1::"), None);
}

#[test]
fn every_edge_of_every_range_is_exact() {
    let (tables, starts) = (tables(), starts4());
    let place = |address: u32| starts.iter().rfind(|(start, _)| *start <= address).unwrap().1;
    for address in starts.iter().skip(1).flat_map(|(start, _)| [start - 1, *start, start + 1]) {
        let expected = [64_496, 4_200_000_000].get(place(address) as usize).copied();
        let found =
            tables.address(std::net::Ipv4Addr::from_bits(address).into()).map(|network| network.asn());
        assert_eq!(found, expected, "{address:x}");
    }
}

#[test]
fn a_company_is_something_to_the_phone_and_the_app() {
    let tables = tables();
    let number = |id: &str| Some(tables.company_with_id(id).unwrap().number);
    let acme = tables.phone_maker("Factory", "ZED").map(|company| company.number);
    assert_eq!(
        (acme, tables.phone_maker("acme", "no brand").map(|company| company.id)),
        (number("acme"), Some("acme"))
    );
    assert_eq!(tables.chip_maker("sil").map(|company| company.id), Some("silicon"));
    assert_eq!((tables.phone_maker("sil", ""), tables.chip_maker("acme")), (None, None));
    let around = Around { app: None, phone: acme, chip: number("silicon"), carrier: None };
    let relation = |id: &str| tables.relation(number(id), &around);
    assert_eq!(relation("anvil"), Relation::PhoneMaker, "it belongs to the maker");
    assert_eq!(relation("google"), Relation::AndroidAndGoogle);
    assert_eq!(relation("silicon"), Relation::ChipMaker);
    assert_eq!(tables.relation(None, &around), Relation::Unknown);
    let own = Around { app: number("anvil"), ..around };
    assert_eq!(tables.relation(acme, &own), Relation::OwnCompany);
    let pixel = Around { phone: number("google"), ..Around::default() };
    assert_eq!(tables.relation(number("google"), &pixel), Relation::PhoneMaker);
    let listed = tables.host("listed.example").unwrap().company();
    assert_eq!(tables.relation(Some(listed), &around), Relation::AnotherCompany);
    assert_eq!(tables.company(CompanyNumber(u16::MAX)), None);
}

#[test]
fn settings_are_found_by_company_and_role() {
    let tables = tables();
    let anvil = tables.company_with_id("anvil").unwrap().number;
    let switch = tables.switches(anvil, Role::Push).next().unwrap();
    assert_eq!((switch.versions, switch.path, switch.default), ("AcmeOS 2", "Settings > Notices", "on"));
    assert_eq!(tables.switches(anvil, Role::Sync).count(), 0);
}

#[test]
fn hosts_are_grouped_by_the_name_that_somebody_registered() {
    let tables = tables();
    for (host, group) in [
        ("a.b.shop.co.uk", "shop.co.uk"),
        ("shop.co.uk", "shop.co.uk"),
        ("co.uk", "co.uk"),
        ("uk", "uk"),
        ("a.b.example", "b.example"),
        ("a.b.example.", "b.example"),
        ("", ""),
    ] {
        assert_eq!(tables.registrable(host), group, "{host}");
    }
}

#[test]
fn other_files_are_refused_with_the_reason() {
    let why = |file: Vec<u8>| Destinations::open(Bytes::from(file)).unwrap_err().to_string();
    assert!(why(Vec::new()).contains("another kind"));
    assert!(why(b"telltal".to_vec()).contains("another kind"));
    let mut newer = file();
    newer[8] = 99;
    assert!(why(newer).contains("another version"));
    let mut cut = file();
    cut.pop();
    assert!(why(cut).contains("cut short"));
    assert!(why(file()[..30].to_vec()).contains("cut short"));
    for at in PREAMBLE..file().len() {
        let mut damaged = file();
        damaged[at] ^= 0x10;
        assert!(why(damaged).contains("damaged"), "byte {at}");
    }
}

/// A checksum is no proof: somebody may make a file whose checksum is right.
#[test]
fn a_file_made_to_harm_does_no_harm() {
    let good = file();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut file = good.clone();
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = PREAMBLE + (random >> 33) as usize % (file.len() - PREAMBLE);
            file[at] = random.to_be_bytes()[3];
        }
        let checksum = layout::checksum(&file[PREAMBLE..]).to_le_bytes();
        file[16..24].copy_from_slice(&checksum);
        let Ok(tables) = Destinations::open(Bytes::from(file)) else { continue };
        for host in ["a.push.acme.example", "listed.example", "other.example", "a.shop.co.uk"] {
            if let Some(row) = tables.host(host) {
                let _read = (row.role(), row.how(), row.reference(), row.checked());
                tables.switches(row.company(), Role::Push).for_each(drop);
                tables.relation(Some(row.company()), &Around::default());
            }
            tables.registrable(host);
        }
        for address in
            ["192.0.2.7", "198.51.100.9", "199.0.0.1", "201.3.4.5", "2001:db8::1", "255.255.255.255"]
        {
            let _read =
                tables.address(address.parse().unwrap()).map(|network| (network.name(), network.country()));
        }
        tables.phone_maker("acme", "zed");
        tables.sources().for_each(drop);
    }
}

#[test]
fn an_asset_is_one_or_more_whole_frames() {
    // A frame of RFC 8878 with one raw block: "abc".
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, b'a', b'b', b'c'];
    assert_eq!(unpack(&frame).unwrap(), b"abc");
    assert_eq!(unpack(&[frame, frame].concat()).unwrap(), b"abcabc");
    assert_eq!(unpack(&[]).unwrap(), b"");
    for end in 1..frame.len() {
        assert!(unpack(&frame[..end]).is_err(), "{end}");
    }
    assert!(unpack(b"no frame at all").is_err());
    // Blocks of one byte repeated, 128 KiB each: 1 kB that would be 26 MB.
    let block = |last: u32| [&(last | 1 << 1 | (128 << 10) << 3).to_le_bytes()[..3], b"x"].concat();
    let bomb = [vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58], block(0).repeat(200), block(1)].concat();
    assert!(unpack(&bomb).unwrap_err().to_string().contains("too large"));
}
