use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a detail of a person, a phone or a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailKind {
    /// The number of a phone's modem, 15 digits (3GPP TS 23.003 6.2.1).
    Imei,
    /// The same with the version of its software, 16 digits (6.2.2).
    ImeiSv,
    /// The number of a subscriber, at most 15 digits (2.2).
    Imsi,
    /// The number of a SIM, 18 to 22 digits (ITU-T E.118).
    Iccid,
    /// The person's own phone number.
    Phone,
    /// The phone number of someone they know.
    Contact,
    /// An e-mail address.
    Email,
    /// The phone's number for advertising, a UUID.
    AdvertisingId,
    /// `ANDROID_ID`, 16 hexadecimal digits.
    AndroidId,
    /// The serial number of the phone.
    Serial,
    /// The hardware address of an interface.
    Mac,
    /// The name of a wireless network.
    Ssid,
    /// The hardware address of an access point.
    Bssid,
    /// A person's name.
    Name,
    /// The name of the mobile operator.
    Carrier,
    /// A place as `latitude,longitude`, in degrees.
    Place,
    /// Anything else that a person gave.
    Word,
    /// The name of an installed package.
    Package,
}

/// Whom a detail tells from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tells {
    /// Nobody alone: many share it, such as a name, a carrier, or the name of a wireless network.
    Many,
    /// The person, as they gave it; others may have it too.
    Person,
    /// One person or one phone: nobody else has it.
    One,
}

impl DetailKind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 18] = [
        Self::Imei,
        Self::ImeiSv,
        Self::Imsi,
        Self::Iccid,
        Self::Phone,
        Self::Contact,
        Self::Email,
        Self::AdvertisingId,
        Self::AndroidId,
        Self::Serial,
        Self::Mac,
        Self::Ssid,
        Self::Bssid,
        Self::Name,
        Self::Carrier,
        Self::Place,
        Self::Word,
        Self::Package,
    ];

    /// Whose it is.
    pub fn tells(self) -> Tells {
        match self {
            Self::Imei
            | Self::ImeiSv
            | Self::Imsi
            | Self::Iccid
            | Self::Phone
            | Self::Contact
            | Self::Email
            | Self::AdvertisingId
            | Self::AndroidId
            | Self::Serial
            | Self::Mac
            | Self::Bssid => Tells::One,
            Self::Place | Self::Word => Tells::Person,
            Self::Ssid | Self::Name | Self::Carrier | Self::Package => Tells::Many,
        }
    }

    /// The name used in files, in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imei => "imei",
            Self::ImeiSv => "imei_sv",
            Self::Imsi => "imsi",
            Self::Iccid => "iccid",
            Self::Phone => "phone",
            Self::Contact => "contact",
            Self::Email => "email",
            Self::AdvertisingId => "advertising_id",
            Self::AndroidId => "android_id",
            Self::Serial => "serial",
            Self::Mac => "mac",
            Self::Ssid => "ssid",
            Self::Bssid => "bssid",
            Self::Name => "name",
            Self::Carrier => "carrier",
            Self::Place => "place",
            Self::Word => "word",
            Self::Package => "package",
        }
    }
}

impl FromStr for DetailKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == text);
        known.ok_or_else(|| format!("there is no kind of detail called {text:?}"))
    }
}

/// A detail without its value: all of it that findings, stored rows, logs and screens ever name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DetailName {
    /// What it is.
    pub kind: DetailKind,
    /// Which of its kind, counted from 1, for people: a phone with two SIMs has IMEI 1 and IMEI 2.
    pub number: u16,
    /// Nothing can be learned from it about the value. Of what is kept it is random, and never used for another; of
    /// what a file holds that is read anew in each run it says where in it the value stands.
    pub id: u64,
}

impl DetailName {
    /// What tells it from all others of its kind for as long as findings are kept: its id, since another value may take
    /// its number once it was removed. What a phone tells by itself is read anew at each start, and has no id that stays:
    /// contacts, packages and the carrier.
    pub fn lasting(&self) -> String {
        let Self { kind, number, id } = self;
        if matches!(kind, DetailKind::Contact | DetailKind::Package | DetailKind::Carrier) {
            return format!("{} {number}", kind.name());
        }
        format!("{} #{id:x}", kind.name())
    }
}

/// `<imei 1>`, as it stands in place of the value.
impl Display for DetailName {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "<{} {}>", self.kind.name(), self.number)
    }
}

/// A detail with its value. The value is overwritten when it is dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Detail {
    /// How it is called.
    pub name: DetailName,
    /// In the one way in which values of its kind are written here: `telltale_watch::details` has it.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Display::fmt(&self.name, f)
    }
}

/// The details that are looked for at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The random id of just this set; 0 for the empty one. Each row of the database says under which set it was
    /// judged: new details never judge the past anew.
    pub set: u64,
    /// By kind and number.
    pub list: Vec<Detail>,
    /// The code of the phone's own carrier (MCC and MNC, five or six digits), with which its IMSI begins.
    pub carrier_code: Option<u32>,
}

impl Details {
    /// Values of a person's own.
    pub const OWN: usize = 64;
    /// Contacts.
    pub const CONTACTS: usize = 5_000;
    /// Installed packages.
    pub const PACKAGES: usize = 2_000;
    /// So many of them in one request are a list of a person's apps.
    pub const LIST_OF_PACKAGES: usize = 8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kinds_are_the_same_in_files_as_in_json() {
        for kind in DetailKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("imie".parse::<DetailKind>().is_err());
    }

    #[test]
    fn a_value_that_takes_the_number_of_another_is_told_from_it() {
        let name = |kind, number, id| DetailName { kind, number, id }.lasting();
        assert_ne!(name(DetailKind::Imei, 1, 7), name(DetailKind::Imei, 1, 8));
        assert_eq!(
            name(DetailKind::Imei, 2, 7),
            name(DetailKind::Imei, 1, 7),
            "numbers move up where one goes"
        );
        assert_eq!(name(DetailKind::Contact, 1, 7), name(DetailKind::Contact, 1, 8), "after each start");
    }

    #[test]
    fn a_detail_prints_its_name_and_never_its_value() {
        let name = DetailName { kind: DetailKind::Imei, number: 1, id: 7 };
        let detail = Detail { name, value: Zeroizing::new("490154203237518".into()) };
        assert!(
            !format!("{detail:?} {:?}", Details { set: 1, list: vec![detail.clone()], ..Details::default() })
                .contains("4901")
        );
        assert_eq!(name.to_string(), "<imei 1>");
    }
}
