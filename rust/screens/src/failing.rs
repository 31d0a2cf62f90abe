//! Apps that may not work beside us: what a person is offered to leave out, never before it is seen.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;
use telltale_model::AppGroup;
use telltale_store::Failing;

use crate::apps::UNKNOWN;
use crate::seen::Seen;
use crate::{Room, answers};

#[derive(Debug, Serialize)]
pub(crate) struct FailingApps {
    failing: Vec<FailingApp>,
}

#[derive(Debug, Serialize)]
struct FailingApp {
    app: answers::App,
    sentence: String,
}

/// More than these at once are a network that fails, not apps.
const MOST: usize = 3;

/// Key exchange and calls: IKE and its way through address translation (RFC 7296 2.23), SIP (RFC 3261 18).
const PORTS: [u16; 4] = [500, 4_500, 5_060, 5_061];

impl Room<'_> {
    /// Each app once, with the receiver that it tried most often.
    pub(crate) fn failing(&self, seen: &Seen, all: &[Failing]) -> FailingApps {
        let mut known = BTreeSet::new();
        let failing = all.iter().filter(|failing| self.may_be_us(seen, failing)).filter_map(|failing| {
            let app = self.named(seen, seen.id(failing.program.as_deref(), Some(failing.uid)));
            // Only a package can be left out.
            if app.id == UNKNOWN || app.packages.is_empty() || !known.insert(app.id) {
                return None;
            }
            let sentence = self.words.failing(&app.name, &failing.host, failing.tries);
            Some(FailingApp { app, sentence })
        });
        FailingApps { failing: failing.take(MOST).collect() }
    }

    /// A server that answers nobody is not our doing. It may be where nothing answers the app at all, or where it
    /// matters who asks, and on which network: devices at home, a carrier's own servers, calls over Wi-Fi.
    fn may_be_us(&self, seen: &Seen, failing: &Failing) -> bool {
        let id = seen.id(failing.program.as_deref(), Some(failing.uid));
        !failing.is_answered_elsewhere
            || failing.address.is_some_and(is_near)
            || PORTS.contains(&failing.port)
            || seen.group(id) == AppGroup::Sim
    }
}

/// Of a home's or a carrier's own network (RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291 2.5.6).
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, ..] = four.octets();
            four.is_private() || four.is_link_local() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(six) => six.is_unique_local() || six.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_told_from_the_internet() {
        let near =
            ["10.0.0.1", "192.168.1.7", "169.254.3.3", "100.64.0.1", "100.127.9.9", "fd00::1", "fe80::1"];
        let far = ["100.63.0.1", "100.128.0.1", "203.0.113.9", "2001:db8::1"];
        assert!(near.iter().all(|address| is_near(address.parse().unwrap())));
        assert!(far.iter().all(|address| !is_near(address.parse().unwrap())));
    }
}
