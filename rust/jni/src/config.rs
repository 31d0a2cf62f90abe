//! What the app tells of the phone and the tunnel at the start.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{Network, Wrong};

/// RFC 8200 5: IPv6 needs 1,280 bytes. An IP packet has at most 65,535.
const MTUS: std::ops::RangeInclusive<usize> = 1_280..=65_535;

/// The configuration, as docs/boundary.md has it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Config {
    /// The database's file.
    pub database: PathBuf,
    /// The packed tables of destinations; without them nothing is said of companies. They are unpacked into a
    /// folder beside.
    #[serde(default)]
    pub tables: Option<PathBuf>,
    /// The language that is spoken where a question names none.
    pub locale: String,
    /// `Build.MANUFACTURER`.
    #[serde(default)]
    pub maker: String,
    /// `Build.BRAND`.
    #[serde(default)]
    pub brand: String,
    /// The code of the phone's own carrier, MCC and MNC, with which its IMSI begins; empty where no SIM says it.
    #[serde(default)]
    pub plmn: String,
    /// The country in which phone numbers without a code are dialled, two letters.
    #[serde(default)]
    pub country: Option<String>,
    /// The tunnel, where there is one.
    #[serde(flatten)]
    pub tunnel: Tunnel,
    /// The network, where there is one.
    #[serde(default)]
    pub network: Network,
}

/// What the tunnel is like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Tunnel {
    /// Its MTU in bytes.
    #[serde(default)]
    pub mtu: usize,
    /// The app's side, with or without a prefix length.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Our own resolver.
    #[serde(default)]
    pub resolvers: Vec<String>,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// Where it is not as docs/boundary.md says.
    pub fn read(json: &str) -> Result<Self, Wrong> {
        serde_json::from_str(json).map_err(|error| Wrong::json("the configuration", &error))
    }
}

impl Tunnel {
    /// Whether there can be a relay with it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        if !MTUS.contains(&self.mtu) {
            return Err(Wrong::Argument("the MTU is not a number from 1280 to 65535".into()));
        }
        if self.addresses().is_empty() {
            return Err(Wrong::Argument("the tunnel has no address".into()));
        }
        Ok(())
    }

    /// The addresses without their prefix lengths.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let bare = |text: &String| text.split('/').next().and_then(|address| address.parse().ok());
        self.addresses.iter().filter_map(bare).collect()
    }

    /// Our own resolver's addresses.
    pub(crate) fn resolvers(&self) -> Vec<IpAddr> {
        self.resolvers.iter().filter_map(|address| address.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_configuration_is_read_whole() {
        let config = Config::read(include_str!("../golden/config.json")).unwrap();
        assert!(config.database.ends_with("telltale.db") && config.tables.unwrap().ends_with("tables.bin"));
        assert_eq!((config.maker.as_str(), config.brand.as_str()), ("Xiaomi", "Redmi"));
        assert_eq!((config.tunnel.mtu, config.tunnel.check()), (15_000, Ok(())));
        let addresses: Vec<String> = config.tunnel.addresses().iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.215.173.1", "2001:db8:7e11:7a1e::1"]);
        assert_eq!(config.tunnel.resolvers().len(), 2);
        assert_eq!(config.network.dns, ["192.168.1.1"]);
    }

    #[test]
    fn without_a_tunnel_a_place_and_a_language_are_enough() {
        let config = Config::read(r#"{"database":"/x/t.db","locale":"en"}"#).unwrap();
        assert_eq!((config.tunnel.clone(), config.network), (Tunnel::default(), Network::default()));
        assert!(config.tunnel.check().is_err());
        assert!(Config::read(r#"{"locale":"en"}"#).is_err());
    }
}
