use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Something that happened on the phone, after which apps may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The phone was started.
    Boot,
    /// The screen came on.
    ScreenOn,
    /// The screen went off.
    ScreenOff,
    /// Another network, or a network again.
    Network,
    /// An app was installed.
    AppInstalled,
    /// A SIM was put in.
    Sim,
    /// A contact was added.
    ContactAdded,
    /// A text message, SMS or MMS, was sent.
    MessageSent,
    /// A text message was received.
    MessageReceived,
    /// A call was made.
    CallMade,
    /// A call was received.
    CallReceived,
    /// A step of a check-up began in which the person does nothing.
    Quiet,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 12] = [
        Self::Boot,
        Self::ScreenOn,
        Self::ScreenOff,
        Self::Network,
        Self::AppInstalled,
        Self::Sim,
        Self::ContactAdded,
        Self::MessageSent,
        Self::MessageReceived,
        Self::CallMade,
        Self::CallReceived,
        Self::Quiet,
    ];

    /// The name used in files, in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::ScreenOn => "screen_on",
            Self::ScreenOff => "screen_off",
            Self::Network => "network",
            Self::AppInstalled => "app_installed",
            Self::Sim => "sim",
            Self::ContactAdded => "contact_added",
            Self::MessageSent => "message_sent",
            Self::MessageReceived => "message_received",
            Self::CallMade => "call_made",
            Self::CallReceived => "call_received",
            Self::Quiet => "quiet",
        }
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|event| event.name() == text);
        known.ok_or_else(|| format!("there is no event called {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_files_as_in_json() {
        for event in Event::ALL {
            assert_eq!(serde_json::to_string(&event).unwrap(), format!("\"{}\"", event.name()));
            assert_eq!(event.name().parse(), Ok(event));
        }
        assert!("screen".parse::<Event>().is_err());
    }
}
