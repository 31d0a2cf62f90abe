//! What the app tells of the phone's network.

use serde::Deserialize;
use telltale_driver::NameServers;
use telltale_driver::resolv::{RESOLV_CONF, ResolvConf};

use crate::{Tunnel, Wrong};

/// The network that new sockets use, as docs/boundary.md has it. What the core has no use for is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Network {
    /// `Network.getNetworkHandle()`, 0 where there is none.
    #[serde(default)]
    pub handle: i64,
    /// Its name servers, asked where there is no Android to ask.
    #[serde(default)]
    pub dns: Vec<String>,
    /// What carries it.
    pub transport: Transport,
}

/// What `replaceTun` is told: the network, and the tunnel where that is another one.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Replacement {
    #[serde(flatten)]
    pub(crate) network: Network,
    #[serde(default)]
    pub(crate) tunnel: Option<Tunnel>,
}

impl Replacement {
    /// Reads it.
    pub(crate) fn read(json: &str) -> Result<Self, Wrong> {
        serde_json::from_str(json).map_err(|error| Wrong::json("the network", &error))
    }
}

/// What carries a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// There is no network.
    #[default]
    None,
    /// Wi-Fi.
    Wifi,
    /// Mobile data.
    Cellular,
    /// A cable.
    Ethernet,
    /// Another VPN.
    Vpn,
    /// Bluetooth, USB, or what Android will have next.
    #[serde(other)]
    Other,
}

impl Network {
    /// Reads it.
    ///
    /// # Errors
    /// Where it is not as docs/boundary.md says.
    pub fn read(json: &str) -> Result<Self, Wrong> {
        serde_json::from_str(json).map_err(|error| Wrong::json("the network", &error))
    }

    /// The same for the relay, after another one. `None` where nothing has changed that concerns it.
    pub(crate) fn after(&self, before: &Self) -> Option<telltale_driver::Network> {
        let another = (self.handle, self.transport) != (before.handle, before.transport);
        (self != before).then(|| telltale_driver::Network {
            online: self.transport != Transport::None,
            another,
            name_servers: self.name_servers(),
        })
    }

    /// Where questions of apps go on to.
    pub(crate) fn name_servers(&self) -> NameServers {
        #[cfg(target_os = "android")]
        if let Some(calls) = crate::resolver::calls() {
            return NameServers::Android { calls, network: self.handle.cast_unsigned() };
        }
        if self.dns.is_empty() {
            let conf = ResolvConf::read(RESOLV_CONF).unwrap_or_else(|_missing| ResolvConf::parse(""));
            return NameServers::Listed { conf, file: Some(RESOLV_CONF.into()) };
        }
        let lines: String = self.dns.iter().map(|server| format!("nameserver {server}\n")).collect();
        NameServers::Listed { conf: ResolvConf::parse(&lines), file: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../golden/network.json");

    #[test]
    fn the_golden_networks_are_read() {
        let network = Network::read(GOLDEN).unwrap();
        assert_eq!((network.handle, network.transport), (432_902_426_637, Transport::Wifi));
        let NameServers::Listed { conf, file: None } = network.name_servers() else { panic!("no servers") };
        let servers: Vec<String> = conf.nameservers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.168.1.1:53", "[fe80::1%1]:53"]);
        let none = Network::read(include_str!("../golden/no-network.json")).unwrap();
        assert_eq!(none, Network::default());
        let bluetooth = Network::read(r#"{"transport":"bluetooth"}"#).unwrap();
        assert_eq!(bluetooth.transport, Transport::Other);
    }

    #[test]
    fn a_replacement_may_bring_another_tunnel() {
        let golden = Replacement::read(include_str!("../golden/replace-tun.json")).unwrap();
        assert_eq!(golden.network.transport, Transport::Wifi);
        assert_eq!(golden.tunnel.map(|tunnel| tunnel.check()), Some(Ok(())));
        assert!(Replacement::read(GOLDEN).unwrap().tunnel.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place_alone() {
        let Err(Wrong::Argument(said)) = Network::read(r#"{"transport":"wifi","dns":"10.9.8.7"}"#) else {
            panic!("it was taken")
        };
        assert!(said.contains("line 1, column") && !said.contains("10.9.8.7"), "{said}");
    }

    #[test]
    fn the_relay_hears_of_what_concerns_it() {
        let wifi = Network::read(GOLDEN).unwrap();
        assert!(wifi.after(&wifi).is_none());
        let servers = Network { dns: vec!["192.0.2.1".into()], ..wifi.clone() };
        assert!(servers.after(&wifi).is_some_and(|network| network.online && !network.another));
        let cellular = Network { handle: 7, transport: Transport::Cellular, ..wifi.clone() };
        assert!(cellular.after(&wifi).is_some_and(|network| network.online && network.another));
        assert!(Network::default().after(&wifi).is_some_and(|network| !network.online));
    }
}
