use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{Destination, Facts, Finding, Owner, Timestamp};

/// A flow's number, never used twice while a relay runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowNumber(pub u64);

/// What a flow speaks directly over IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
    /// ICMP or ICMPv6 echo. The app's port is the echo identifier, the remote port is 0.
    Icmp,
}

impl Protocol {
    /// The name used in tables, in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

/// The five values that tell one flow from another at any one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FlowKey {
    /// What is spoken.
    pub protocol: Protocol,
    /// The app's side, as the tunnel sees it.
    pub app: SocketAddr,
    /// The side out in the network.
    pub remote: SocketAddr,
}

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the app to the remote.
    Sent,
    /// From the remote to the app.
    Received,
}

impl Direction {
    /// The other way.
    pub fn reversed(self) -> Self {
        match self {
            Self::Sent => Self::Received,
            Self::Received => Self::Sent,
        }
    }
}

/// What went each way. Bytes are transport payload: no IP, TCP, UDP or ICMP header, and a byte that
/// was sent again counts once. Packets are those that crossed the tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Payload bytes from the app that were handed on toward the remote.
    pub bytes_sent: u64,
    /// Payload bytes from the remote that the app has received.
    pub bytes_received: u64,
    /// IP packets from the app.
    pub packets_sent: u64,
    /// IP packets to the app.
    pub packets_received: u64,
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Both sides said that they were done.
    Finished,
    /// The app broke it off.
    ResetByApp,
    /// The remote broke it off.
    ResetByRemote,
    /// The remote refused it.
    Refused,
    /// No way to the remote.
    Unreachable,
    /// The remote did not answer.
    TimedOut,
    /// The app gave up before the remote answered.
    GivenUp,
    /// Nothing was said for so long that the relay forgot it.
    Idle,
    /// The relay had to make room.
    Evicted,
    /// The relay ended first.
    Stopped,
}

impl Ending {
    /// Every ending, in a stable order.
    pub const ALL: [Self; 10] = [
        Self::Finished,
        Self::ResetByApp,
        Self::ResetByRemote,
        Self::Refused,
        Self::Unreachable,
        Self::TimedOut,
        Self::GivenUp,
        Self::Idle,
        Self::Evicted,
        Self::Stopped,
    ];

    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::ResetByApp => "reset_by_app",
            Self::ResetByRemote => "reset_by_remote",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::GivenUp => "given_up",
            Self::Idle => "idle",
            Self::Evicted => "evicted",
            Self::Stopped => "stopped",
        }
    }
}

/// One flow as it is known at some moment: the record that is shown and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its number within this run of the relay.
    pub number: FlowNumber,
    /// Addresses, ports and protocol.
    pub key: FlowKey,
    /// Who owns it, as far as known.
    pub owner: Owner,
    /// The name that the app had asked for before it spoke to this address, where known.
    pub name: Option<String>,
    /// Other names that fit as well, since the app had asked for several with this address: most recently
    /// asked for first. Empty where the name is certain.
    #[serde(default)]
    pub other_names: Vec<String>,
    /// When the first packet came.
    pub started: Timestamp,
    /// When it ended; `None` while it lives.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` while it lives.
    pub ending: Option<Ending>,
    /// What went each way so far.
    pub traffic: Traffic,
    /// What was read from its bytes.
    #[serde(default)]
    pub facts: Facts,
    /// With whom it speaks.
    #[serde(default)]
    pub destination: Destination,
    /// What of it a person may want to know.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

impl Flow {
    /// What its destination is called: by what it carried itself, else by what was asked for before.
    pub fn host(&self) -> Option<&str> {
        self.destination.name.as_deref().or(self.name.as_deref())
    }
}
