//! Whose phone it is: a person who does not exist, with numbers that belong to nobody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use sha1::{Digest, Sha1};

/// What the phone knows of itself and its owner.
#[derive(Debug)]
pub struct Persona {
    /// The numbers of its two modems, 15 digits with a check digit.
    pub imei: [&'static str; 2],
    /// The first one with the version of its software instead of the check digit.
    pub imei_sv: &'static str,
    /// The subscriber's number: it begins with the country and network of the carrier.
    pub imsi: &'static str,
    /// The number of the SIM card.
    pub iccid: &'static str,
    /// Her own phone number.
    pub phone: &'static str,
    /// The friend who is added to the contacts and is written to and called.
    pub friend: &'static str,
    /// Who sends her an SMS.
    pub sms_sender: &'static str,
    /// Who sends her an MMS.
    pub mms_sender: &'static str,
    /// Who calls her.
    pub caller: &'static str,
    /// Her e-mail address.
    pub email: &'static str,
    /// The phone's number for advertising.
    pub advertising_id: &'static str,
    /// Its `ANDROID_ID`.
    pub android_id: &'static str,
    /// Its serial number.
    pub serial: &'static str,
    /// The address of its Wi-Fi device.
    pub mac: &'static str,
    /// The name of her Wi-Fi at home.
    pub ssid: &'static str,
    /// The address of the access point there.
    pub bssid: &'static str,
    /// Her name.
    pub name: &'static str,
    /// Whose network the SIM card is for.
    pub carrier: &'static str,
    /// Where she is: latitude and longitude.
    pub place: &'static str,
    /// A word that she searched for.
    pub word: &'static str,
    /// What she has installed.
    pub packages: [&'static str; 10],
}

/// The one whom every act is about.
pub const PERSONA: Persona = Persona {
    imei: ["490154203237518", "356938035643809"],
    imei_sv: "4901542032375101",
    // 404 68 is MTNL in Delhi (ITU-T E.212, list of mobile network codes).
    imsi: "404685505601234",
    iccid: "8991681408000123458",
    // Ofcom keeps 07700 900000 to 900999 for drama, ACMA 0491 570 156, NANPA 555-0100 to 0199.
    phone: "+447700900461",
    friend: "+447700900123",
    sms_sender: "+447700900872",
    mms_sender: "+61491570156",
    caller: "+12025550143",
    email: "meera.kapoor@example.org",
    advertising_id: "3f2b8c64-91de-4a57-b0a3-5d7e1c9f2a18",
    android_id: "9f3c1e7ab2465d08",
    serial: "7c1f04e9d25b",
    // RFC 9542 2.1.2 keeps 00-00-5E-00-53-00 to FF for documentation.
    mac: "00:00:5e:00:53:2a",
    ssid: "Kapoor Family 2G",
    bssid: "00:00:5e:00:53:71",
    name: "Meera Kapoor",
    carrier: "MTNL",
    place: "28.6139,77.2090",
    word: "Zephyr Quill",
    packages: [
        "org.example.prayertimes",
        "org.example.periodcalendar",
        "org.example.jobsearch",
        "org.example.bank.delhi",
        "org.example.bloodsugar",
        "org.example.dating",
        "org.example.legalaid",
        "org.example.messenger",
        "org.example.trains",
        "org.example.union",
    ],
};

impl Persona {
    /// Every detail as `kind value`, in the words of `telltale run --identifiers`.
    pub fn details(&self) -> Vec<(&'static str, &'static str)> {
        let mut details = self.imei.map(|imei| ("imei", imei)).to_vec();
        details.extend([
            ("imei_sv", self.imei_sv),
            ("imsi", self.imsi),
            ("iccid", self.iccid),
            ("phone", self.phone),
            ("contact", self.friend),
            ("contact", self.sms_sender),
            ("contact", self.mms_sender),
            ("contact", self.caller),
            ("email", self.email),
            ("advertising_id", self.advertising_id),
            ("android_id", self.android_id),
            ("serial", self.serial),
            ("mac", self.mac),
            ("ssid", self.ssid),
            ("bssid", self.bssid),
            ("name", self.name),
            ("carrier", self.carrier),
            ("place", self.place),
            ("word", self.word),
        ]);
        details.extend(self.packages.map(|package| ("package", package)));
        details
    }

    /// The file for `telltale run --identifiers`.
    pub fn identifiers(&self) -> String {
        let lines = self.details().into_iter().map(|(kind, value)| format!("{kind} {value}\n"));
        std::iter::once("# The details of a person who does not exist.\n".to_owned()).chain(lines).collect()
    }
}

/// What MIUI made of a number in 2014: `CloudCoder.hashDeviceInfo`, 16 characters of Base64 for URLs of
/// its SHA-1 digest.
pub(crate) fn miui_hash(value: &str) -> String {
    let mut text = URL_SAFE.encode(Sha1::digest(value));
    text.truncate(16);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_phone() {
        assert_eq!(miui_hash("490154203237518"), "l6IQUjLsyHVvA6Ap");
        assert_eq!(miui_hash("404685505601234"), "3_Woa374L4uGL-Vb");
        assert_eq!(miui_hash("356938035643809"), "MfRVY1oSJS-M7bOc");
    }

    /// ISO/IEC 7812-1, annex B.
    fn has_check_digit(number: &str) -> bool {
        let digits = number.bytes().rev().map(|digit| u32::from(digit - b'0')).enumerate();
        let sum: u32 = digits
            .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
            .sum();
        sum.is_multiple_of(10)
    }

    #[test]
    fn numbers_are_such_as_a_phone_could_have() {
        assert!(PERSONA.imei.iter().all(|imei| imei.len() == 15 && has_check_digit(imei)));
        assert!(PERSONA.imei_sv.len() == 16 && PERSONA.imei_sv[..14] == PERSONA.imei[0][..14]);
        assert!(PERSONA.iccid.len() == 19 && has_check_digit(PERSONA.iccid));
        assert!(PERSONA.imsi.len() == 15 && PERSONA.imsi.starts_with("40468"));
    }

    #[test]
    fn the_file_has_a_line_for_each_detail() {
        let file = PERSONA.identifiers();
        assert!(file.contains("\nimei 490154203237518\nimei 356938035643809\n"), "{file}");
        assert_eq!(file.lines().count(), PERSONA.details().len() + 1);
    }
}
