//! What phones of later years were seen to send: the list of what is installed, over HTTP; telemetry in
//! protobuf with hashed numbers, over HTTP; the MD5 digest of the address of the Wi-Fi device; and what a
//! browser tells of its use, as Base64 in TLS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::act::{Over, Step, Visit};
use super::http::{APP_2021, Exchange, json, percent};
use super::noise;
use super::persona::PERSONA;

/// Packages that came with the phone.
const SYSTEM_PACKAGES: [&str; 4] =
    ["com.miui.securitycenter", "com.xiaomi.finddevice", "com.android.thememanager", "com.miui.daemon"];

/// The act.
pub(super) fn steps() -> Vec<Step> {
    vec![
        Step {
            name: "package-list",
            title: "The phone starts, and reports what is installed",
            visits: vec![noise::modern_network_check(), package_list(), noise::music(APP_2021, Over::Tls13)],
        },
        Step {
            name: "screen-locked",
            title: "The screen is locked, and the use until then is reported",
            visits: vec![telemetry(), noise::news(APP_2021)],
        },
        Step {
            name: "wifi-joined",
            title: "The phone joins the Wi-Fi at home",
            visits: vec![noise::modern_network_check(), wifi_address(), noise::shop(APP_2021)],
        },
        Step {
            name: "page-opened",
            title: "She searches for something in the phone's browser",
            visits: vec![browser(), noise::photos(APP_2021)],
        },
    ]
}

/// `checkpackages.php`, as a Redmi asks at each start.
fn package_list() -> Visit {
    let entry = |package: &str| format!(r#"{{"packageName":"{package}","versionCode":210}}"#);
    let list: Vec<_> =
        SYSTEM_PACKAGES.iter().chain(&PERSONA.packages).map(|package| entry(package)).collect();
    let body = format!(r#"{{"device":"M2101K7BG","packages":[{}]}}"#, list.join(","));
    let host = "policy.app.xiaomi.com";
    let request = APP_2021.send(
        "POST",
        host,
        "/cms/interface/v1/checkpackages.php",
        "application/json",
        body.as_bytes(),
    );
    visit("mi-devcore", host, Over::Http, request)
}

/// Statistics at every lock of the screen: digests in place of the numbers.
fn telemetry() -> Visit {
    let event = [text(1, "screen_locked"), number(2, 1_634_020_212_904), number(3, 413)].concat();
    let body = [
        text(1, "V12.5.4.0"),
        text(2, &hex(&Md5::digest(PERSONA.imei[0]))),
        text(3, &hex(&Sha256::digest(PERSONA.android_id))),
        // A digest as its 32 bytes.
        field(4, &Sha256::digest(PERSONA.serial)),
        field(5, &event),
    ]
    .concat();
    let host = "data.mistat.intl.xiaomi.com";
    let request = APP_2021.send("POST", host, "/mistats/v3", "application/x-protobuf", &body);
    visit("mi-stat", host, Over::Http, request)
}

/// A question of the security program, with the digest of the Wi-Fi device's address.
fn wifi_address() -> Visit {
    let host = "api.sec.intl.miui.com";
    let digest = hex(&Md5::digest(PERSONA.mac.to_uppercase()));
    let request = APP_2021.get(host, &format!("/data/adv?mac={digest}&version=V12.5.4.0&r=0.7730941"));
    visit("mi-security", host, Over::Http, request)
}

/// Pages and searches, as Base64 of JSON.
fn browser() -> Visit {
    let said = format!(
        r#"{{"event":"search","gaid":"{}","query":"{}","url":"https://search.example.com/?q=zq","private":true}}"#,
        PERSONA.advertising_id, PERSONA.word
    );
    let body = format!("appId=browser&data={}", percent(&STANDARD.encode(said)));
    let host = "tracking.intl.miui.com";
    let request =
        APP_2021.send("POST", host, "/track/spock", "application/x-www-form-urlencoded", body.as_bytes());
    visit("mi-browser", host, Over::Tls13, request)
}

fn visit(program: &'static str, host: &'static str, over: Over, request: Vec<u8>) -> Visit {
    let answer = json(r#"{"code":0,"message":"ok"}"#);
    Visit { program, host, over, exchanges: vec![Exchange { request, answer }] }
}

/// A field of text in protobuf: <https://protobuf.dev/programming-guides/encoding/>.
fn text(tag: u64, value: &str) -> Vec<u8> {
    field(tag, value.as_bytes())
}

/// A field of bytes, or of another message.
fn field(tag: u64, value: &[u8]) -> Vec<u8> {
    [varint(tag << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// A field of a number.
fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

/// Seven bits a byte, the lowest first, and the eighth says that more follow.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protobuf_does() {
        assert_eq!(number(1, 150), [0x08, 0x96, 0x01]);
        assert_eq!(text(2, "testing"), b"\x12\x07testing");
    }
}
