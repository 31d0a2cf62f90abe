//! What `telltale replay` finds in the captures of the acts is what the truth says, no more and no less.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use telltale_scenario::phone::{Act, PERSONA, Variant, film};

use crate::scenes;
use crate::truth::{Left, Truth};

/// A step, a host, and what was found there or why nothing was looked for.
type Told = BTreeSet<(String, String, String)>;

#[test]
#[ignore = "needs the built telltale: scripts/test real"]
fn findings_are_the_truth_without_the_keys() {
    for (act, variant) in scenes() {
        let truth = Truth::of(act, variant);
        let flows = replay(act, variant, false);
        assert_eq!(found(act, variant, &flows), left(&truth, false), "{act} {variant}");
        assert_eq!(
            not_searched(act, variant, &flows),
            unsearched(&truth, &["encrypted", "opaque"]),
            "{act} {variant}"
        );
    }
}

#[test]
#[ignore = "needs the built telltale: scripts/test real"]
fn findings_are_the_truth_with_the_keys() {
    for (act, variant) in scenes() {
        let truth = Truth::of(act, variant);
        let flows = replay(act, variant, true);
        assert_eq!(found(act, variant, &flows), left(&truth, true), "{act} {variant}");
        assert_eq!(not_searched(act, variant, &flows), unsearched(&truth, &["opaque"]), "{act} {variant}");
    }
}

fn left(truth: &Truth, keys: bool) -> Told {
    let steps = truth.step.iter();
    let all = steps.flat_map(|step| step.left.iter().map(move |left| (step.name.clone(), left)));
    let seen = all.filter(|(_, left)| keys || left.protection == "none");
    seen.map(|(step, left)| (step, left.host.clone(), of_truth(left))).collect()
}

fn of_truth(left: &Left) -> String {
    let Left { identifier, field, form, grade, protection, .. } = left;
    match (left.number, left.count) {
        (Some(number), _) => format!("<{identifier} {number}> {grade} {form:?} {field} {protection}"),
        (None, count) => format!(
            "{} {} {field} {protection}",
            left.rule.as_deref().unwrap_or_default(),
            count.unwrap_or_default()
        ),
    }
}

fn unsearched(truth: &Truth, reasons: &[&str]) -> Told {
    let mut told = Told::new();
    for (step, why) in truth.step.iter().flat_map(|step| reasons.iter().map(move |why| (step, why))) {
        told.extend(
            step.unsearched(why)
                .into_iter()
                .map(|(_, host)| (step.name.clone(), host.to_owned(), (*why).to_owned())),
        );
    }
    told
}

/// The flows of the act without its questions for names, in the order of its visits.
fn replay(act: Act, variant: Variant, keys: bool) -> Vec<Value> {
    let scratch = Scratch::new(&format!("{act}-{variant}-{keys}"));
    let [capture, secrets, identifiers] =
        ["act.pcap", "act.keys", "identifiers"].map(|name| scratch.0.join(name));
    let film = film(act, variant).unwrap();
    std::fs::write(&capture, film.capture).unwrap();
    std::fs::write(&secrets, film.keys).unwrap();
    std::fs::write(&identifiers, PERSONA.identifiers()).unwrap();
    let mut command = Command::new(telltale());
    command.args(["replay", "--format", "jsonl", "--identifiers"]).arg(identifiers);
    if keys {
        command.arg("--keys").arg(secrets);
    }
    let output = command.arg(capture).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let flows = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let mut flows: Vec<_> = flows.filter(|flow| flow["application"] != "dns").collect();
    // The phone uses a port for each connection, counting up.
    flows.sort_by_key(|flow| {
        flow["source"].as_str().unwrap().rsplit(':').next().unwrap().parse::<u16>().unwrap()
    });
    flows
}

/// The step and the host of each flow.
fn places(act: Act, variant: Variant) -> Vec<(String, String)> {
    let place = |step: &'static str, host: &'static str| (step.to_owned(), host.to_owned());
    let steps = act.steps(variant).into_iter();
    steps.flat_map(|step| step.visits.into_iter().map(move |visit| place(step.name, visit.host))).collect()
}

fn found(act: Act, variant: Variant, flows: &[Value]) -> Told {
    let places = places(act, variant);
    assert_eq!(places.len(), flows.len());
    let mut told = Told::new();
    for ((step, host), flow) in places.into_iter().zip(flows) {
        let findings = flow["findings"].as_array().unwrap().iter().filter_map(of_finding);
        told.extend(findings.map(|finding| (step.clone(), host.clone(), finding)));
    }
    told
}

/// Of rules about details alone: others tell of things that the truth is not about.
fn of_finding(finding: &Value) -> Option<String> {
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let (field, protection) = (text("field"), text("protection"));
    match finding["rule"].as_str()? {
        "identifier-sent" => {
            let form = finding["form"].as_array()?.iter().map(|step| step.as_str().unwrap_or_default());
            // Without a detail only its shape was there.
            let detail = finding["detail"].as_str().map_or_else(|| text("identifier"), str::to_owned);
            Some(format!("{detail} {} {:?} {field} {protection}", text("grade"), form.collect::<Vec<_>>()))
        }
        "apps-sent" => Some(format!("apps-sent {} {field} {protection}", finding["count"])),
        _ => None,
    }
}

fn not_searched(act: Act, variant: Variant, flows: &[Value]) -> Told {
    let mut told = Told::new();
    for ((step, host), flow) in places(act, variant).into_iter().zip(flows) {
        let bytes = |class: &str| flow["coverage_bytes"][class].as_u64().unwrap();
        let classes = ["encrypted", "opaque", "unknown", "not_watched"];
        told.extend(
            classes
                .into_iter()
                .filter(|class| bytes(class) > 0)
                .map(|class| (step.clone(), host.clone(), class.to_owned())),
        );
    }
    told
}

/// The program under test: `$TELLTALE`, or the release build, which is near this one.
pub(crate) fn telltale() -> PathBuf {
    let near = || {
        Path::new(env!("CARGO_BIN_EXE_telltale-scenario"))
            .ancestors()
            .nth(2)
            .unwrap()
            .join("release/telltale")
    };
    std::env::var_os("TELLTALE").map_or_else(near, PathBuf::from)
}

pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("telltale-acts-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
