//! What is committed: the rows are right, and the asset is what they say.
#![cfg(test)]

use std::fs;

use bytes::Bytes;
use telltale_model::How;
use telltale_tables::{Bulk, Rows, asset, committed, disagreements, folder, packed, pins};
use telltale_watch::destinations::Destinations;
use telltale_watch::destinations::layout::Section;

fn rows() -> Rows {
    Rows::read(&folder().join("data")).unwrap_or_else(|wrong| panic!("{}", wrong.join("\n")))
}

#[test]
fn the_asset_is_what_the_rows_and_the_pinned_data_sets_say() {
    let tables = committed().unwrap();
    let bulk = Bulk::of(&tables);
    let (file, _) = packed(&rows(), &bulk).unwrap();
    assert_eq!(packed(&rows(), &bulk).unwrap().0, file, "the same rows give the same bytes");
    let anew = Destinations::open(Bytes::from(file)).unwrap();
    for section in Section::ALL {
        assert_eq!(anew.section(section), tables.section(section), "{section:?}: run scripts/tables");
    }
    let pins = pins(&folder().join("data")).unwrap();
    let sources: Vec<_> = tables.sources().collect();
    assert_eq!(sources.len(), pins.len());
    for (pin, source) in pins.iter().zip(sources) {
        let texts = [
            source.name,
            source.version,
            source.licence,
            source.licence_url,
            source.attribution,
            source.digest,
        ];
        assert_eq!(texts, pin.texts(), "run scripts/tables --sources");
    }
}

#[test]
fn every_disagreement_with_third_party_web_is_answered() {
    let open = disagreements(&folder().join("data"), &rows(), &committed().unwrap()).unwrap();
    assert!(open.is_empty(), "{}", open.join("\n"));
}

#[test]
fn there_are_enough_rows_and_most_have_a_reference() {
    let rows = rows();
    let referenced = rows.hosts.iter().filter(|host| !host.reference.is_empty()).count();
    assert!(rows.hosts.len() >= 2_000, "{}", rows.hosts.len());
    assert!(referenced * 10 >= rows.hosts.len() * 7, "{referenced} of {}", rows.hosts.len());
}

#[test]
fn every_row_is_found_again() {
    let (rows, tables) = (rows(), committed().unwrap());
    for host in &rows.hosts {
        let found = tables.host(&host.suffix).unwrap();
        let company = found.company_itself().unwrap();
        let said = (company.id, found.role(), found.how(), found.reference(), found.checked());
        let written =
            (host.company.as_str(), host.role, host.how, host.reference.as_str(), host.checked.as_str());
        assert_eq!((found.matched(), said), (host.suffix.len(), written), "{}", host.suffix);
    }
    for (id, company) in &rows.companies {
        let found = tables.company_with_id(id).unwrap();
        let parent = found.parent.and_then(|parent| tables.company(parent)).map(|parent| parent.id);
        assert_eq!(
            (found.id, found.name, parent),
            (id.as_str(), company.name.as_str(), company.parent.as_deref())
        );
        assert_eq!(found.country.as_ref().map(|country| country.code()), company.country.as_deref());
    }
    for switch in &rows.switches {
        let company = tables.company_with_id(&switch.company).unwrap().number;
        assert!(
            tables.switches(company, switch.role).any(|found| found.path == switch.path),
            "{}",
            switch.path
        );
    }
}

#[test]
fn the_asset_is_small() {
    let shipped = fs::metadata(asset()).unwrap().len();
    let tables = committed().unwrap();
    let unpacked: usize = Section::ALL.iter().map(|section| tables.section(*section).len()).sum();
    assert!(shipped <= 3_000_000 && unpacked <= 10_000_000, "{shipped} bytes shipped, {unpacked} unpacked");
}

#[test]
fn every_data_set_is_named_in_the_notice() {
    let notice = fs::read_to_string(folder().join("../../NOTICE")).unwrap();
    let notice = notice.split_whitespace().collect::<Vec<_>>().join(" ");
    for pin in pins(&folder().join("data")).unwrap() {
        let title = format!("{} {}, {}", pin.package, pin.version, pin.licence);
        for needed in [&title, &pin.licence_url, &pin.attribution] {
            assert!(notice.contains(needed.as_str()), "NOTICE does not say: {needed}");
        }
    }
}

/// Whom well-known places belong to. Whoever changes these must have meant it.
#[test]
fn well_known_places_are_known() {
    let tables = committed().unwrap();
    for (host, company) in [
        ("connectivitycheck.gstatic.com", "google"),
        ("data.mistat.xiaomi.com", "xiaomi"),
        ("settings.crashlytics.com", "google"),
        ("graph.facebook.com", "meta"),
        ("app-measurement.com", "google"),
        ("gos-api.gos-gsp.io", "samsung"),
        ("dc-in.heytapmobile.com", "oppo"),
        ("log.shtranssion.com", "transsion"),
        ("api.vungle.com", "vungle"),
        ("launches.appsflyersdk.com", "appsflyer"),
    ] {
        let row = tables.host(host).unwrap_or_else(|| panic!("{host} is not known"));
        assert_eq!(row.company_itself().unwrap().id, company, "{host}");
        assert!(row.how() != How::List, "{host}: there is no row");
    }
    for (address, asn, country) in [
        ("8.8.8.8", 15_169, "US"),
        ("2001:4860:4860::8888", 15_169, "US"),
        ("1.1.1.1", 13_335, "US"),
        ("64:ff9b::1.1.1.1", 13_335, "US"),
        ("::ffff:1.1.1.1", 13_335, "US"),
        ("157.240.1.35", 32_934, "US"),
    ] {
        let network = tables.address(address.parse().unwrap()).unwrap();
        assert_eq!(
            (network.asn(), network.country().as_ref().map(|country| country.code())),
            (asn, Some(country)),
            "{address}"
        );
    }
    for address in
        ["10.0.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "fe80::1", "::1", "ff02::1"]
    {
        assert!(tables.address(address.parse().unwrap()).is_none(), "{address}");
    }
}
