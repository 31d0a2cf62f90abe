//! What the maker's programs sent in 2014, in the shapes of the MIUI of that time.
//!
//! `GET /pass/user@id?type=MXPH&externalId=NUMBER` asks whether a phone number is known, and
//! `GET /pass/activate/dev/IMEI/activating?imsi=IMSI` registers the SIM card; both to
//! api.account.xiaomi.com. F-Secure saw the numbers in clear. The code of the programs hashes IMEI and
//! IMSI with [`miui_hash`]; phone numbers are in clear in both.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::act::{Over, Step, Variant, Visit};
use super::http::{APP_2014, Exchange, MIUI_2014, json, percent};
use super::noise;
use super::persona::{PERSONA, miui_hash};
use crate::payload::Payload;

const ACCOUNT: &str = "api.account.xiaomi.com";
const CONTACTS: &str = "contactapi.micloud.xiaomi.net";
const PHONE: &str = PERSONA.phone;
const FRIEND: &str = PERSONA.friend;

/// Act 1.
pub(super) fn new_phone(variant: Variant) -> Vec<Step> {
    let imei = written(variant, PERSONA.imei[0]);
    let activate = get(format!("/pass/activate/dev/{imei}/activating?operator={}", PERSONA.carrier));
    let visits = vec![
        noise::network_check(),
        noise::clock(),
        account("mi-account", vec![activate, look_up(PHONE)]),
        noise::weather(),
        noise::update(),
    ];
    let start =
        Step { name: "start-up", title: "The SIM card is in, Wi-Fi is joined, the place is allowed", visits };
    std::iter::once(start).chain(messages()).collect()
}

/// Act 2.
pub(super) fn cloud(variant: Variant) -> Vec<Step> {
    let (imei, imsi) = (written(variant, PERSONA.imei[0]), written(variant, PERSONA.imsi));
    let activate = get(format!("/pass/activate/dev/{imei}/activating?imsi={imsi}"));
    let visits = vec![
        account("mi-cloud", vec![activate, look_up(PHONE)]),
        contacts(),
        noise::news(APP_2014),
        noise::music(APP_2014, Over::Tls12),
    ];
    let start = Step { name: "cloud-on", title: "She signs in to the maker's cloud", visits };
    std::iter::once(start).chain(messages()).collect()
}

/// Act 3: none of the maker's programs but the one that looks for updates.
pub(super) fn opted_out() -> Vec<Step> {
    vec![
        Step {
            name: "contact-added",
            title: "She adds a friend to her contacts",
            visits: vec![noise::network_check(), noise::news(APP_2014), noise::images(), noise::update()],
        },
        Step {
            name: "sms",
            title: "An SMS goes to the friend, another comes",
            visits: vec![noise::chat(), noise::weather(), noise::shop(APP_2014)],
        },
        Step {
            name: "call",
            title: "She calls the friend, and is called",
            visits: vec![noise::news(APP_2014), noise::photos(APP_2014), noise::music(APP_2014, Over::Tls12)],
        },
    ]
}

/// Act 4: Base64 of JSON, in TLS.
pub(super) fn opted_in(variant: Variant) -> Vec<Step> {
    let (imei, imsi) = (written(variant, PERSONA.imei[0]), written(variant, PERSONA.imsi));
    let both = format!(r#"{{"imei":"{imei}","imsi":"{imsi}"}}"#);
    let all = format!(r#"{{"imei":"{imei}","imsi":"{imsi}","phone":"{PHONE}"}}"#);
    let known = format!(r#"{{"type":"MXPH","externalId":"{FRIEND}"}}"#);
    vec![
        Step {
            name: "messaging-on",
            title: "She switches on the maker's messaging",
            visits: vec![protected("mi-messaging", "/pass/v3/sendActivateMessage", &both), noise::weather()],
        },
        Step {
            name: "cloud-on",
            title: "She signs in to the maker's cloud",
            visits: vec![
                protected("mi-cloud", "/pass/v3/activate", &all),
                noise::news(APP_2014),
                noise::chat(),
            ],
        },
        Step {
            name: "contact-added",
            title: "She adds a friend to her contacts",
            visits: vec![protected("mi-contacts", "/pass/v3/user@id", &known), noise::network_check()],
        },
    ]
}

/// What follows in acts 1 and 2: each number that turns up is looked up.
fn messages() -> Vec<Step> {
    let step = |name, title, visits| Step { name, title, visits };
    let asks = |program, number| account(program, vec![look_up(number)]);
    vec![
        step(
            "contact-added",
            "She adds a friend to her contacts",
            vec![asks("mi-contacts", FRIEND), noise::news(APP_2014), noise::images()],
        ),
        step("sms-sent", "She sends an SMS to the friend", vec![asks("mi-messaging", FRIEND), noise::chat()]),
        step(
            "sms-received",
            "An SMS comes from somebody else",
            vec![noise::weather(), asks("mi-messaging", PERSONA.sms_sender)],
        ),
        step(
            "mms-sent",
            "She sends an MMS to the friend",
            vec![asks("mi-messaging", FRIEND), noise::photos(APP_2014)],
        ),
        step(
            "mms-received",
            "An MMS comes from abroad",
            vec![asks("mi-messaging", PERSONA.mms_sender), noise::music(APP_2014, Over::Tls12)],
        ),
        step("call-made", "She calls the friend", vec![noise::shop(APP_2014), asks("mi-phone", FRIEND)]),
        step(
            "call-received",
            "Somebody calls her",
            vec![asks("mi-phone", PERSONA.caller), noise::network_check()],
        ),
    ]
}

fn written(variant: Variant, number: &str) -> String {
    match variant {
        Variant::AsReported => number.to_owned(),
        Variant::AsTheCodeDoes => miui_hash(number),
    }
}

fn account(program: &'static str, exchanges: Vec<Exchange>) -> Visit {
    Visit { program, host: ACCOUNT, over: Over::Http, exchanges }
}

fn get(target: String) -> Exchange {
    let answer = json(r#"&&&START&&&{"result":"ok","code":0,"description":"success","data":{}}"#);
    Exchange { request: MIUI_2014.get(ACCOUNT, &target), answer }
}

fn look_up(number: &str) -> Exchange {
    get(format!("/pass/user@id?type=MXPH&externalId={}", percent(number)))
}

/// The contacts go to the cloud as the text of a cipher in Base64, which nobody on the way can open.
fn contacts() -> Visit {
    let sealed = STANDARD.encode(Payload::new(5, 300).bytes(0, 300));
    let body = format!(
        "data={}&signature={}",
        percent(&sealed),
        percent(&STANDARD.encode(Payload::new(6, 20).bytes(0, 20)))
    );
    let request = MIUI_2014.send(
        "POST",
        CONTACTS,
        "/mic/contact/v3/user/contacts",
        "application/x-www-form-urlencoded",
        body.as_bytes(),
    );
    let answer = json(r#"{"result":"ok","code":0}"#);
    Visit {
        program: "mi-cloud",
        host: CONTACTS,
        over: Over::Http,
        exchanges: vec![Exchange { request, answer }],
    }
}

fn protected(program: &'static str, target: &str, said: &str) -> Visit {
    let body = format!("data={}", percent(&STANDARD.encode(said)));
    let request =
        MIUI_2014.send("POST", ACCOUNT, target, "application/x-www-form-urlencoded", body.as_bytes());
    let answer = json(r#"&&&START&&&{"result":"ok","code":0,"description":"success","data":{}}"#);
    Visit { program, host: ACCOUNT, over: Over::Tls12, exchanges: vec![Exchange { request, answer }] }
}
