//! Another tun takes the place of the one before.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use telltale_engine::{Offload, Tunnel};
use telltale_model::Ending;

use crate::packets::{ACK, PSH, udp};
use crate::player::{APP_PORT, Player};
use crate::server::Server;
use crate::shell::{APP_V4, APP_V6, RESOLVER_V4};

fn tunnel(mtu: usize, addresses: &[&str]) -> Tunnel {
    let parsed = |addresses: &[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
    Tunnel {
        mtu,
        addresses: parsed(addresses),
        resolvers: parsed(&[RESOLVER_V4]),
        offload: Offload::default(),
    }
}

#[test]
fn flows_of_an_address_that_stays_go_on_and_others_end() {
    let mut player = Player::open(Server::SINK);
    player.say(ACK | PSH, 1, 1, b"before");
    player.hear();
    let v6: SocketAddr = SocketAddr::new(APP_V6.parse::<IpAddr>().unwrap(), 5_000);
    player.shell.packet(&udp(v6, "[2001:db8:1::1]:9".parse().unwrap(), b"gone"));
    let now = player.shell.now;
    player.shell.engine.replace_tun(now, tunnel(1_500, &[APP_V4]));
    player.shell.settle();
    assert_eq!(player.shell.ending(5_000), Some(Ending::Stopped), "there is no IPv6 any more");
    assert_eq!(player.shell.ending(APP_PORT), None);
    player.say(ACK | PSH, 7, 1, b"after");
    assert_eq!(player.arrived(), b"beforeafter");
    player.shell.stop();
}

#[test]
fn an_app_whose_address_is_gone_hears_a_reset_and_its_server_too() {
    let mut player = Player::open(Server::SINK);
    let now = player.shell.now;
    player.shell.engine.replace_tun(now, tunnel(1_500, &["10.0.0.77"]));
    player.shell.settle();
    assert_eq!(player.hear().last().map(|heard| heard.flags.clone()).as_deref(), Some("RA"));
    assert_eq!(player.shell.ending(APP_PORT), Some(Ending::Stopped));
    player.shell.assert_empty();
}

#[test]
fn a_tun_that_cuts_segments_gets_long_ones_and_is_told_where_to_cut() {
    let mut player = Player::open(Server::SINK);
    let now = player.shell.now;
    let offload = Offload { to_apps: true, ..Offload::default() };
    player.shell.engine.replace_tun(now, Tunnel { offload, ..tunnel(1_500, &[APP_V4]) });
    player.server_sends(&[7; 40_000]);
    let heard = player.hear();
    assert_eq!(heard.iter().map(|heard| heard.len).sum::<usize>(), 40_000);
    // As long as what the socket gave at once.
    assert!(heard.len() <= 3, "{} segments", heard.len());
    assert_eq!(player.shell.cuts, BTreeSet::from([1_460]));
    // What is lost goes again in segments of the size that was agreed on.
    let again = player.listen_until(now + Duration::from_secs(1));
    assert!(!again.is_empty() && again.iter().all(|(_, heard)| heard.len <= 1_460), "{again:?}");
    player.shell.stop();
}

#[test]
fn what_a_tun_can_cut_goes_again_in_few_segments_too() {
    let mut player = Player::open(Server::SINK);
    let now = player.shell.now;
    let offload = Offload { to_apps: true, ..Offload::default() };
    player.shell.engine.replace_tun(now, Tunnel { offload, ..tunnel(1_500, &[APP_V4]) });
    player.server_sends(&[7; 60_000]);
    player.hear();
    player.say_sacked(1, 1, &[(59_001, 60_001)]);
    let again: Vec<usize> = player.hear().iter().map(|heard| heard.len).collect();
    assert_eq!(again.iter().sum::<usize>(), 59_000);
    // Cut to what was agreed on they would be 41: one acknowledgement would hold up all other flows.
    assert!(again.len() <= 4, "{again:?}");
    player.say(ACK, 1, 60_001, b"");
    player.shell.stop();
}

#[test]
fn segments_keep_the_size_that_was_agreed_on_and_new_ones_fit_the_new_tun() {
    let mut player = Player::open(Server::SINK);
    let now = player.shell.now;
    player.shell.engine.replace_tun(now, tunnel(9_000, &[APP_V4]));
    player.server_sends(&[7; 5_000]);
    assert!(player.hear().iter().all(|heard| heard.len <= 1_460));
    player.shell.stop();
}
