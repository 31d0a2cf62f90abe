//! What the acts say is what the files of `truth` say of them: every detail that has left is in the bytes in its
//! form, and no other detail of the person is, in any form that is tried here.
#![cfg(test)]

mod findings;
mod kept;
mod sought;
mod truth;

use std::collections::{BTreeMap, BTreeSet};

use telltale_scenario::phone::{Act, Over, PERSONA, Variant, film};

use sought::{Found, details_in};
use truth::{Left, Truth};

fn scenes() -> impl Iterator<Item = (Act, Variant)> {
    Act::ALL.into_iter().flat_map(|act| Variant::ALL.map(|variant| (act, variant)))
}

#[test]
fn the_truth_has_a_step_for_each_of_the_act() {
    for (act, variant) in scenes() {
        let truth = Truth::of(act, variant);
        assert_eq!((truth.act.as_str(), truth.variant.as_str()), (act.name(), variant.name()));
        let told: Vec<_> = truth.step.iter().map(|step| step.name.as_str()).collect();
        let played: Vec<_> = act.steps(variant).iter().map(|step| step.name).collect();
        assert_eq!(told, played, "{act} {variant}");
    }
}

#[test]
fn every_detail_that_has_left_is_in_its_request_in_its_form() {
    for (act, variant) in scenes() {
        for (told, step) in Truth::of(act, variant).step.iter().zip(act.steps(variant)) {
            for left in &told.left {
                let by = |program: &str, host: &str| program == left.program && host == left.host;
                let visits = step.visits.iter().filter(|visit| by(visit.program, visit.host));
                let requests = visits.flat_map(|visit| &visit.exchanges).map(|exchange| &exchange.request);
                let named: Vec<_> =
                    requests.filter(|request| request.starts_with(left.request.as_bytes())).collect();
                let values = left.values();
                assert!(!values.is_empty());
                for value in values {
                    let holds = |request: &&Vec<u8>| sought::holds(request, value, &left.form);
                    assert!(named.iter().any(holds), "{act} {variant} {}: {left:?}", told.name);
                }
            }
        }
    }
}

#[test]
fn no_other_detail_is_in_any_request() {
    for (act, variant) in scenes() {
        for (told, step) in Truth::of(act, variant).step.iter().zip(act.steps(variant)) {
            for visit in &step.visits {
                let requests = visit.exchanges.iter().map(|exchange| &exchange.request[..]);
                let found: Found = requests.flat_map(details_in).collect();
                let left =
                    told.left.iter().filter(|left| left.program == visit.program && left.host == visit.host);
                let what = format!("{act} {variant} {}: {} to {}", told.name, visit.program, visit.host);
                assert_eq!(found, left.flat_map(Left::details).collect(), "{what}");
                for exchange in &visit.exchanges {
                    assert_eq!(details_in(&exchange.answer), Found::new(), "the answer, {what}");
                }
            }
        }
    }
}

#[test]
fn what_could_not_be_searched_is_told() {
    for (act, variant) in scenes() {
        for (told, step) in Truth::of(act, variant).step.iter().zip(act.steps(variant)) {
            let protected = |over| matches!(over, Over::Tls12 | Over::Tls13);
            let encrypted: BTreeSet<_> = step
                .visits
                .iter()
                .filter(|visit| protected(visit.over))
                .map(|visit| (visit.program, visit.host))
                .collect();
            assert_eq!(told.unsearched("encrypted"), encrypted, "{act} {variant} {}", told.name);
            let sealed = |left: &&Left| left.protection == "tls";
            assert!(
                told.left.iter().filter(sealed).all(|left| encrypted.contains(&(&left.program, &left.host)))
            );
            assert!(told.left.iter().all(|left| sealed(&left) || left.protection == "none"));
        }
    }
}

#[test]
fn a_capture_is_always_the_same() {
    for (act, variant) in scenes() {
        let first = film(act, variant).unwrap();
        assert!(first == film(act, variant).unwrap(), "{act} {variant}");
        assert!(first.capture.len() < 40_000, "{act} {variant}: {}", first.capture.len());
    }
}

#[test]
fn the_example_of_the_app_is_the_first_act() {
    let act = film(Act::NewPhone, Variant::AsReported).unwrap();
    assert!(act.capture == include_bytes!("../../../screens/example/act1.pcap"), "write it anew");
    assert_eq!(PERSONA.identifiers(), include_str!("../../../screens/example/details.txt"));
}

#[test]
fn a_capture_holds_in_clear_what_the_truth_says_and_no_more() {
    for (act, variant) in scenes() {
        let film = film(act, variant).unwrap();
        let clear: Found = sent(&film.capture).values().flat_map(|bytes| details_in(bytes)).collect();
        let truth = Truth::of(act, variant);
        let left = truth.step.iter().flat_map(|step| &step.left).filter(|left| left.protection == "none");
        assert_eq!(clear, left.flat_map(Left::details).collect(), "{act} {variant}");
        assert_eq!(
            film.keys.is_empty(),
            truth.step.iter().all(|step| step.unsearched("encrypted").is_empty())
        );
    }
}

#[test]
fn the_identifiers_are_the_persona() {
    let lines = PERSONA.identifiers();
    for (kind, value) in PERSONA.details() {
        assert!(lines.lines().any(|line| line == format!("{kind} {value}")), "{kind}");
    }
}

/// What each port of the phone has sent over TCP: pcap of raw IPv4, in order.
fn sent(capture: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let (mut ports, mut at) = (BTreeMap::<u16, Vec<u8>>::new(), 24);
    while at < capture.len() {
        let length = u32::from_le_bytes(capture[at + 8..at + 12].try_into().unwrap()) as usize;
        let packet = &capture[at + 16..at + 16 + length];
        at += 16 + length;
        if packet[9] == 6 && packet[12..14] == [192, 168] {
            let segment = &packet[20..];
            let port = u16::from_be_bytes([segment[0], segment[1]]);
            ports.entry(port).or_default().extend(&segment[usize::from(segment[12] >> 4) * 4..]);
        }
    }
    ports
}
