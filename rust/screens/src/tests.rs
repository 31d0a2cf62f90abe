//! The phone of 2014 in a database, and what its screens say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use telltale_model::{
    App, AppGroup, Application, Confidence, Coverage, Destination, DetailKind, DetailName, Ending, Envelope,
    Evidence, Facts, Finding, Flow, FlowKey, FlowNumber, Form, Gap, GapReason, Grade, Owner, Protocol, Role,
    Severity, Timestamp, Traffic, What,
};
use telltale_store::{Run, Store};
use telltale_watch::destinations::Around;

use crate::{LookedFor, Screens, Sought};

/// 24 November 2026, 00:00 in India, in seconds.
const MIDNIGHT: i64 = 1_795_458_600;
const ZONE: i64 = 19_800;
const MINUTE: i64 = 60 * 1_000_000;

/// A folder of one test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("telltale-screens-{test}-{}", std::process::id()));
        let _absent = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("telltale.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _kept = std::fs::remove_dir_all(&self.0);
    }
}

fn at(hour: i64, minute: i64) -> Timestamp {
    Timestamp((MIDNIGHT + hour * 3_600) * 1_000_000 + minute * MINUTE)
}

fn app(uid: u32, package: &str, name: &str, group: AppGroup) -> App {
    App {
        uid,
        packages: vec![package.into()],
        names: vec![name.into()],
        version: Some("2.14.3".into()),
        group,
        ..App::default()
    }
}

/// What an app sent to a host of a company.
fn sent(number: u64, app: &App, when: Timestamp, to: (&str, &str, Role), coverage: Coverage) -> Flow {
    let (company, host, role) = to;
    let content_sent = coverage.searched + coverage.found + coverage.encrypted + coverage.opaque;
    let application = (coverage.encrypted > 0).then_some(Application::Tls);
    let mut owner = Owner::from(app.clone());
    owner.app = Some(Arc::new(app.clone()));
    Flow {
        number: FlowNumber(number),
        key: FlowKey {
            protocol: Protocol::Tcp,
            app: "198.19.84.1:40000".parse().unwrap(),
            remote: "203.0.113.9:80".parse().unwrap(),
        },
        owner,
        name: Some(host.into()),
        other_names: Vec::new(),
        started: when,
        ended: Some(Timestamp(when.0 + 1_000_000)),
        ending: Some(Ending::Finished),
        traffic: Traffic { bytes_sent: content_sent, ..Traffic::default() },
        facts: Facts { application, content_sent, coverage, set: 7, ..Facts::default() },
        destination: Destination {
            company: Some(company.into()),
            name: Some(host.into()),
            role: Some(role),
            ..Destination::default()
        },
        findings: Vec::new(),
    }
}

fn with(mut flow: Flow, kind: DetailKind, form: Vec<Form>, severity: Severity) -> Flow {
    let detail = Some(DetailName { kind, number: 1, id: 5 });
    flow.findings.push(Finding {
        what: What::IdentifierSent { kind, detail, grade: Grade::Yours, form },
        program: flow.owner.program.clone(),
        uid: flow.owner.uid,
        destination: flow.destination.clone(),
        envelope: Envelope::None,
        severity,
        confidence: Confidence::Certain,
        evidence: Evidence {
            flow: flow.number,
            offset: Some(0),
            field: Some("query.externalId".into()),
            excerpt: Some(format!("GET /pass/user@id?type=****&externalId=<{} 1>", kind.name())),
        },
        times: 2,
        at: flow.started,
    });
    flow
}

fn clear(searched: u64, found: u64) -> Coverage {
    Coverage { handshake: 0, searched, found, ..Coverage::default() }
}

fn encrypted(bytes: u64) -> Coverage {
    Coverage { handshake: 517, encrypted: bytes, ..Coverage::default() }
}

/// The phone of the mock's Today screen.
fn phone(folder: &Folder) {
    let mi = app(10_041, "com.xiaomi.account", "Mi Account", AppGroup::Maker);
    let chat = app(10_123, "com.whatsapp", "WhatsApp", AppGroup::Yours);
    let news = app(10_130, "com.morning.dispatch", "Morning Dispatch", AppGroup::Yours);
    let account = ("xiaomi", "api.account.xiaomi.com", Role::Account);
    let flows = [
        with(
            sent(1, &mi, at(8, 14), account, clear(40_000, 1_000)),
            DetailKind::Phone,
            Vec::new(),
            Severity::High,
        ),
        with(
            sent(2, &mi, at(8, 20), account, clear(0, 900)),
            DetailKind::Imei,
            vec![Form::Sha1],
            Severity::Medium,
        ),
        sent(3, &chat, at(9, 0), ("meta", "mmg.whatsapp.net", Role::Messaging), encrypted(9_400_000)),
        sent(4, &news, at(11, 0), ("adline", "ads.adline.example", Role::Advertising), encrypted(2_000_000)),
        sent(5, &news, at(11, 1), ("dispatch", "www.dispatch.example", Role::Content), clear(200_000, 0)),
    ];
    let flows = [&flows[..], &car()].concat();
    let run = Run { started: at(3, 40), command: "watch".into(), version: "0.1.0".into() };
    let mut store = Store::open(&folder.database(), run).unwrap().store;
    store.commit(at(12, 0), &flows).unwrap();
    store.note_gap(&Gap { from: at(2, 10), to: at(3, 40), why: GapReason::Ended }).unwrap();
}

/// An app for cars that reaches its maker, and not the car.
fn car() -> Vec<Flow> {
    let app = app(10_140, "com.example.car", "Drive", AppGroup::Came);
    let maker = ("motors", "api.motors.example", Role::Content);
    let tries = (0..6).map(|try_| {
        let mut flow = sent(10 + try_, &app, at(13, 30 + try_ as i64), maker, Coverage::default());
        flow.key.remote = "192.168.1.30:5277".parse().unwrap();
        (flow.name, flow.destination, flow.ending) = (None, Destination::default(), Some(Ending::TimedOut));
        flow
    });
    let mut answered = sent(20, &app, at(13, 33), maker, Coverage::default());
    answered.traffic.bytes_received = 400;
    let mut other = answered.clone();
    (other.number, other.owner.uid) = (FlowNumber(21), Some(10_130));
    let program = "com.morning.dispatch".to_owned();
    (other.owner.program, other.owner.app) = (Some(program), None);
    tries.chain([answered, other]).collect()
}

fn looked_for() -> LookedFor {
    let sought = |kind, masked: &str| Sought { kind, number: 1, id: 5, masked: masked.into() };
    LookedFor {
        own: vec![
            sought(DetailKind::Phone, "+91 98••• •••10"),
            sought(DetailKind::Imei, "4901 •••• •••7518"),
        ],
        contacts: 214,
    }
}

fn ask(database: &Path, question: Value) -> Value {
    ask_of(database, question, &looked_for())
}

fn ask_of(database: &Path, mut question: Value, looked_for: &LookedFor) -> Value {
    for (key, value) in [
        ("from", json!(MIDNIGHT * 1_000)),
        ("to", json!((MIDNIGHT + 86_400) * 1_000)),
        ("now", json!(at(14, 20).0 / 1_000)),
        ("zone_offset", json!(ZONE)),
        ("locale", json!("en")),
    ] {
        question.as_object_mut().unwrap().entry(key).or_insert(value);
    }
    let answer = Screens::new(database, None, Around::default(), None)
        .answer(&question.to_string(), looked_for)
        .unwrap();
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn today_leads_with_what_was_sent_and_lists_apps_by_how_much() {
    let folder = Folder::new("today");
    phone(&folder);
    let today = ask(&folder.database(), json!({"ask": "today"}));
    assert_eq!(today["state"], "findings");
    assert_eq!(
        today["lead"],
        "At least 2 of your details were sent. 1 could be read by anyone. 1 was disguised but not protected."
    );
    assert_eq!(today["apps_seen"], 3);
    let names: Vec<_> = today["apps"].as_array().unwrap().iter().map(|row| &row["app"]["name"]).collect();
    assert_eq!(names, ["WhatsApp", "Morning Dispatch", "Mi Account"]);
    assert_eq!(today["apps"][0]["to"], "To meta. Could not be read.");
    assert_eq!(today["apps"][1]["to"], "To 2 companies, 1 for ads.");
    assert_eq!(today["apps"][2]["to"], "To xiaomi. 2 of your details were in it.");
    assert_eq!(today["coverage"]["read_percent"], 2);
    assert_eq!(today["coverage"]["unread_percent"], 98);
    assert_eq!(today["gaps"][0]["sentence"], "Android ended Telltale. Not watched from 02:10 to 03:40.");
    assert_eq!(today["groups"][0]["name"], "Installed by you");
    let card = &today["findings"][0];
    assert_eq!(card["level"], "open");
    assert_eq!(
        card["sentence"],
        "Mi Account sent your phone number to xiaomi. Anyone on the network could read it."
    );
    assert_eq!(card["strong"], json!([[0, 10], [16, 33]]));
    assert_eq!(card["times_words"], "twice");
}

#[test]
fn apps_are_found_by_name_and_group_and_in_pages() {
    let folder = Folder::new("search");
    phone(&folder);
    let names = |question: Value| -> Vec<String> {
        let today = ask(&folder.database(), question);
        let rows = today["apps"].as_array().unwrap().clone();
        rows.iter().map(|row| row["app"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({"ask": "today", "search": "whats"})), ["WhatsApp"]);
    assert_eq!(names(json!({"ask": "today", "group": "maker"})), ["Mi Account"]);
    let page = ask(&folder.database(), json!({"ask": "today", "limit": 1, "offset": 1}));
    assert_eq!(
        (page["apps"][0]["app"]["name"].as_str(), page["more"].as_u64()),
        (Some("Morning Dispatch"), Some(1))
    );
}

#[test]
fn an_app_shows_where_it_sent_and_when() {
    let folder = Folder::new("app");
    phone(&folder);
    let today = ask(&folder.database(), json!({"ask": "today"}));
    let id = |row: usize| today["apps"][row]["app"]["id"].clone();
    let mi = ask(&folder.database(), json!({"ask": "app", "app": id(2)}));
    assert_eq!(mi["about"], "System app, by the phone's maker");
    let destination = &mi["destinations"][0];
    assert_eq!(
        (destination["mark"].as_str(), destination["role"].as_str()),
        (Some("eye"), Some("signs you in"))
    );
    assert_eq!(destination["verdict"], "Not encrypted. In it: your phone number.");
    assert_eq!(mi["timeline"]["bars"].as_array().unwrap().len(), 24);
    assert_eq!(mi["timeline"]["spoken"], "Most between 08:00 and 09:00.");
    assert_eq!(mi["timeline"]["bars"][2]["gap"], false, "only an hour that was off whole is drawn as a gap");
    assert_eq!(mi["facts"][0]["value"], "2.14.3");
    let chat = ask(&folder.database(), json!({"ask": "app", "app": id(0)}));
    assert_eq!(chat["lead"], "Sent 9.4 MB. None of it could be read.");
    assert_eq!(chat["destinations"][0]["verdict"], "Encrypted. Could not be read.");
}

#[test]
fn what_was_not_watched_is_not_said_to_have_been_in_clear() {
    let folder = Folder::new("watched");
    let mi = app(10_041, "com.xiaomi.account", "Mi Account", AppGroup::Maker);
    let with = |not_watched, opaque, coverage| Coverage { not_watched, opaque, ..coverage };
    let coverages = [
        with(1, 0, encrypted(9_000)),
        with(1, 2, encrypted(8_000)),
        Coverage { encrypted: 50, ..clear(6_000, 0) },
        with(0, 5, clear(5_000, 0)),
    ];
    let flows: Vec<Flow> = (0..)
        .zip(coverages)
        .map(|(number, coverage)| {
            let (company, host) = (format!("company{number}"), format!("{number}.example"));
            sent(number, &mi, at(8, 14), (&company, &host, Role::Account), coverage)
        })
        .collect();
    let run = Run { started: at(3, 40), command: "watch".into(), version: "0.1.0".into() };
    Store::open(&folder.database(), run).unwrap().store.commit(at(12, 0), &flows).unwrap();
    let today = ask(&folder.database(), json!({"ask": "today"}));
    let answer = ask(&folder.database(), json!({"ask": "app", "app": today["apps"][0]["app"]["id"]}));
    let verdicts: Vec<_> =
        answer["destinations"].as_array().unwrap().iter().map(|to| &to["verdict"]).collect();
    assert_eq!(
        verdicts,
        [
            "Encrypted, as far as it was watched. Could not be read.",
            "Encrypted in part.",
            "Encrypted in part.",
            "Not encrypted in part.",
        ]
    );
}

#[test]
fn many_findings_come_in_pages_and_all_of_them_count() {
    let folder = Folder::new("many");
    let mi = app(10_041, "com.xiaomi.account", "Mi Account", AppGroup::Maker);
    let flows: Vec<Flow> = (0..500)
        .map(|number| {
            let company = format!("company{number:03}");
            let flow = sent(number, &mi, at(8, 14), (&company, "h.example", Role::Account), clear(40, 10));
            with(flow, DetailKind::Phone, Vec::new(), Severity::High)
        })
        .collect();
    let run = Run { started: at(3, 40), command: "watch".into(), version: "0.1.0".into() };
    Store::open(&folder.database(), run).unwrap().store.commit(at(12, 0), &flows).unwrap();
    let today = ask(&folder.database(), json!({"ask": "today", "findings": 20}));
    let count = |answer: &Value| answer["findings"].as_array().unwrap().len();
    assert_eq!((count(&today), today["more_findings"].as_u64()), (20, Some(480)));
    let id = today["apps"][0]["app"]["id"].clone();
    let of_app = ask(&folder.database(), json!({"ask": "app", "app": id, "findings": 30}));
    assert_eq!((count(&of_app), of_app["more_findings"].as_u64()), (30, Some(470)));
    let all = ask(&folder.database(), json!({"ask": "today"}));
    assert_eq!((count(&all), all["more_findings"].as_u64()), (500, Some(0)));
    assert_eq!((&all["lead"], &all["coverage"]), (&today["lead"], &today["coverage"]));
}

#[test]
fn an_app_that_gets_no_answers_is_named_and_where_it_tried() {
    let folder = Folder::new("failing");
    assert_eq!(ask(&folder.database(), json!({"ask": "failing"})), json!({"failing": []}));
    phone(&folder);
    let found = ask(&folder.database(), json!({"ask": "failing"}));
    assert_eq!(found["failing"].as_array().map(Vec::len), Some(1));
    let failing = &found["failing"][0];
    assert_eq!(failing["app"]["packages"], json!(["com.example.car"]));
    assert_eq!(
        failing["sentence"],
        "Drive tried 6 times in the last hour to reach 192.168.1.30 and got no answer, while other apps got theirs."
    );
    let later = at(15, 0).0 / 1_000;
    assert_eq!(ask(&folder.database(), json!({"ask": "failing", "now": later})), json!({"failing": []}));
}

#[test]
fn a_server_that_answers_nobody_is_no_reason_to_leave_an_app_out() {
    let folder = Folder::new("dead-server");
    let mut dead = car();
    dead.iter_mut().for_each(|flow| flow.key.remote = "203.0.113.30:443".parse().unwrap());
    let run = Run { started: at(13, 0), command: "watch".into(), version: "0.1.0".into() };
    Store::open(&folder.database(), run).unwrap().store.commit(at(14, 0), &dead).unwrap();
    assert_eq!(ask(&folder.database(), json!({"ask": "failing"})), json!({"failing": []}));
}

#[test]
fn a_finding_shows_its_evidence_with_the_detail_masked() {
    let folder = Folder::new("finding");
    phone(&folder);
    let today = ask(&folder.database(), json!({"ask": "today"}));
    let finding = ask(&folder.database(), json!({"ask": "finding", "key": today["findings"][0]["key"]}));
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["text"], "GET /pass/user@id?type=****&externalId=+91 98••• •••10");
    assert_eq!(evidence["hits"], json!([{"range": [39, 54], "tag": "your phone number"}]));
    assert_eq!(finding["protection"], "None. Anyone on the network could read it.");
    let gone = Screens::new(&folder.database(), None, Around::default(), None)
        .answer(&json!({"ask": "finding", "key": "no"}).to_string(), &looked_for());
    assert!(gone.unwrap_err().to_string().contains("no such finding"));
}

#[test]
fn a_number_that_was_sent_with_its_plus_is_shown_with_one() {
    let folder = Folder::new("plus");
    let mi = app(10_041, "com.xiaomi.account", "Mi Account", AppGroup::Maker);
    let account = ("xiaomi", "api.account.xiaomi.com", Role::Account);
    let flow = sent(1, &mi, at(8, 14), account, clear(40_000, 1_000));
    let mut flow = with(flow, DetailKind::Phone, Vec::new(), Severity::High);
    flow.findings[0].evidence.excerpt = Some("externalId=+<phone 1>&to=%2B<contact 3>".into());
    let run = Run { started: at(3, 40), command: "watch".into(), version: "0.1.0".into() };
    Store::open(&folder.database(), run).unwrap().store.commit(at(12, 0), &[flow]).unwrap();
    let key = ask(&folder.database(), json!({"ask": "today"}))["findings"][0]["key"].clone();
    let finding = ask(&folder.database(), json!({"ask": "finding", "key": key}));
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["text"], "externalId=+91 98••• •••10&to=the number of contact 3");
    assert_eq!(evidence["hits"][0], json!({"range": [11, 26], "tag": "your phone number"}));
    assert_eq!(evidence["hits"][1], json!({"range": [30, 53], "tag": "the number of contact 3"}));
}

#[test]
fn a_detail_has_one_name_wherever_it_is_named_and_that_stands_out() {
    let folder = Folder::new("which");
    let example = |of: Value| ask(&folder.database(), json!({"ask": "example", "of": of}));
    let today = example(json!({"ask": "today", "locale": "en"}));
    let mut contacts = 0;
    for card in today["findings"].as_array().unwrap() {
        let sentence = card["sentence"].as_str().unwrap();
        let Some(from) = sentence.find("the number of contact ") else {
            assert!(!sentence.contains("a contact's number"), "{sentence}");
            continue;
        };
        contacts += 1;
        let named = &sentence[from..from + "the number of contact 1".len()];
        assert_eq!(card["strong"][1], json!([from, from + named.len()]), "{sentence}");
        let finding = example(json!({"ask": "finding", "key": card["key"], "locale": "en"}));
        for hit in finding["evidence"][0]["hits"].as_array().unwrap() {
            assert!(hit["tag"].as_str().unwrap().starts_with("the number of contact "), "{hit}");
        }
    }
    assert_eq!(contacts, 6);
}

#[test]
fn details_tell_what_became_of_each_and_what_is_missing() {
    let folder = Folder::new("details");
    phone(&folder);
    let details = ask(&folder.database(), json!({"ask": "details"}));
    assert_eq!(details["looking"][0]["said"], "Sent by 1 app.");
    assert_eq!(details["looking"][0]["mark"], "open");
    assert_eq!(details["looking"][1]["said"], "Sent by 1 app, disguised.");
    assert_eq!(
        details["contacts"],
        json!({"count": 214, "said": "Not seen in what could be read.", "mark": "none"})
    );
    assert_eq!(details["missing"][0]["name"], "IMEI, SIM 2");
}

#[test]
fn a_detail_that_takes_the_number_of_another_inherits_nothing_of_it() {
    let folder = Folder::new("another");
    phone(&folder);
    let mut now = looked_for();
    now.own[0] = Sought { id: 6, masked: "+91 87••• •••21".into(), ..now.own[0].clone() };
    let details = ask_of(&folder.database(), json!({"ask": "details"}), &now);
    assert_eq!(details["looking"][0]["said"], "Not seen in what could be read.");
    assert_eq!(details["looking"][1]["mark"], "disguised", "the other is the same as before");
    let key = ask(&folder.database(), json!({"ask": "today"}))["findings"][0]["key"].clone();
    let shown = |looked_for: &LookedFor| {
        let finding = ask_of(&folder.database(), json!({"ask": "finding", "key": key}), looked_for);
        finding["evidence"][0]["text"].as_str().unwrap().to_owned()
    };
    assert!(shown(&looked_for()).contains("98•••"));
    assert!(!shown(&now).contains("87•••"), "what was sent then is not what is given now");
}

#[test]
fn an_expected_finding_is_silent_and_still_counts() {
    let folder = Folder::new("mute");
    phone(&folder);
    let key = ask(&folder.database(), json!({"ask": "today"}))["findings"][0]["key"].clone();
    let alerts = |folder: &Folder| ask(&folder.database(), json!({"ask": "alerts"}));
    assert_eq!(alerts(&folder)["alerts"][0]["lock"], "One of your details was sent in the open.");
    ask(&folder.database(), json!({"do": "alerted", "key": key, "at": at(14, 20).0 / 1_000}));
    assert_eq!(alerts(&folder)["alerts"], json!([]), "once is enough");
    ask(&folder.database(), json!({"do": "mute", "key": key, "on": true}));
    let today = ask(&folder.database(), json!({"ask": "today"}));
    assert!(today["findings"].as_array().unwrap().iter().all(|card| card["expected"] == true));
    assert_eq!(today["coverage"]["details"], 2);
}

#[test]
fn nothing_is_an_answer_too_and_what_was_forgotten_is_gone() {
    let folder = Folder::new("nothing");
    let empty = ask(&folder.database(), json!({"ask": "today"}));
    assert_eq!((empty["state"].as_str(), empty["apps"].as_array().unwrap().len()), (Some("empty"), 0));
    phone(&folder);
    ask(&folder.database(), json!({"do": "forget", "from": at(9, 0).0 / 1_000}));
    let today = ask(&folder.database(), json!({"ask": "today"}));
    assert_eq!(
        (today["apps_seen"].as_u64(), today["apps"][0]["app"]["name"].as_str()),
        (Some(1), Some("Mi Account"))
    );
    ask(&folder.database(), json!({"do": "delete"}));
    assert_eq!(ask(&folder.database(), json!({"ask": "today"}))["state"], "empty");
}

#[test]
fn reports_are_written_without_values() {
    let folder = Folder::new("export");
    phone(&folder);
    let file = folder.0.join("report");
    let export = |shape: &str| {
        let (from, to) = (MIDNIGHT * 1_000, (MIDNIGHT + 86_400) * 1_000);
        ask(
            &folder.database(),
            json!({"do": "export", "path": file, "as": shape, "from": from, "to": to, "zone": "Asia/Kolkata"}),
        );
        std::fs::read_to_string(&file).unwrap()
    };
    let report = export("report");
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines[0], "What apps sent from 2026-11-24 to 2026-11-24, as Telltale saw it.");
    assert_eq!(lines[1], "Times are those of Asia/Kolkata (UTC+05:30).");
    assert!(lines[3].starts_with("Not in it: calls, SMS"));
    assert_eq!(lines[6], "2026-11-24: Android ended Telltale. Not watched from 02:10 to 03:40.");
    assert_eq!(
        lines[8],
        "2026-11-24 08:14: Mi Account sent your phone number to xiaomi. Anyone on the network could read it. (twice)"
    );
    assert!(!report.contains("98••• •••10"));
    let table = export("table");
    assert!(
        table.starts_with("app,company,role,host,content_sent,times,protection\r\nWhatsApp,meta,messaging,")
    );
}

#[test]
fn what_is_no_question_is_told_without_repeating_it() {
    let folder = Folder::new("wrong");
    let screens = Screens::new(&folder.database(), None, Around::default(), None);
    for wrong in ["{", "[]", r#"{"ask":"490154203237518"}"#, r#"{"ask":"today"}"#, r#"{"do":"fly"}"#] {
        let error = screens.answer(wrong, &LookedFor::default()).unwrap_err().to_string();
        assert!(!error.contains("490154203237518") && !error.is_empty(), "{error}");
    }
}

#[test]
fn the_example_is_the_phone_of_2014_and_needs_no_database() {
    let folder = Folder::new("example");
    let example = |of: Value| ask(&folder.database(), json!({"ask": "example", "of": of}));
    let today = example(json!({"ask": "today", "locale": "en"}));
    assert_eq!(today["state"], "findings");
    let sentences: Vec<&str> =
        today["findings"].as_array().unwrap().iter().filter_map(|card| card["sentence"].as_str()).collect();
    assert!(
        sentences.iter().any(|said| said.starts_with("Mi Account sent your phone number")),
        "{sentences:?}"
    );
    let finding = example(json!({"ask": "finding", "key": today["findings"][0]["key"], "locale": "en"}));
    assert_eq!(finding["card"]["level"], "open");
    let app = example(json!({"ask": "app", "app": today["apps"][0]["app"]["id"], "locale": "en"}));
    assert!(!app["destinations"].as_array().unwrap().is_empty());
    assert!(!folder.database().exists(), "it is kept nowhere");
}

/// What stands in a file of `golden`; to write it anew: `GOLDEN=write`.
fn is_golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.json"));
    if std::env::var("GOLDEN").is_ok_and(|golden| golden == "write") {
        std::fs::write(&file, text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), text, "{}", file.display());
}

fn pretty(answer: &Value) -> String {
    serde_json::to_string_pretty(answer).unwrap() + "\n"
}

/// Every question and command of the app, of which its tests say that it asks just these, has its answer in a file that
/// they read.
#[test]
fn the_answers_are_those_that_the_app_reads() {
    let folder = Folder::new("golden");
    phone(&folder);
    let nothing = Folder::new("golden-nothing");
    is_golden("today-empty", &pretty(&ask(&nothing.database(), json!({"ask": "today"}))));
    let asked: Vec<Value> = serde_json::from_str(include_str!("../golden/questions.json")).unwrap();
    for one in asked {
        let (name, mut question) = (one["name"].as_str().unwrap(), one["question"].clone());
        if name == "export" {
            question["path"] = json!(folder.0.join("report"));
        }
        let screens = Screens::new(&folder.database(), None, Around::default(), None);
        let answer = screens.answer(&question.to_string(), &looked_for());
        let answer: Value =
            serde_json::from_str(&answer.unwrap_or_else(|why| panic!("{name}: {why}"))).unwrap();
        if question.get("do").is_some() {
            assert_eq!(answer, json!({"done": true}), "{name}");
        } else {
            is_golden(name, &pretty(&answer));
        }
    }
}

#[test]
fn what_cannot_be_answered_has_its_sentence() {
    let folder = Folder::new("errors");
    phone(&folder);
    let mut wrong: Value = serde_json::from_str(include_str!("../golden/errors.json")).unwrap();
    for one in wrong.as_array_mut().unwrap() {
        let screens = Screens::new(&folder.database(), None, Around::default(), None);
        let why = screens.answer(one["question"].as_str().unwrap(), &looked_for()).unwrap_err();
        assert!(matches!(why, crate::Unanswered::Question(_)), "{why:?}");
        one["error"] = json!(why.to_string());
    }
    is_golden("errors", &pretty(&wrong));
}
