//! What a mistake in the watcher can print of what it watches holds no detail, in clear or as a digest.
#![cfg(test)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use telltale_model::{
    Detail, DetailKind, DetailName, Details, Direction, FlowKey, FlowNumber, Observation, Protocol, Timestamp,
};
use telltale_watch::{Config, Watcher};

#[test]
fn what_a_mistake_can_print_holds_no_detail() {
    let values = [
        (DetailKind::Imei, "490154203237518"),
        (DetailKind::Phone, "+91 98765 43210"),
        (DetailKind::Email, "zephyr.quill@example.com"),
        (DetailKind::Mac, "02:00:5e:10:20:30"),
        (DetailKind::Name, "Zephyr Quill"),
    ];
    let detail = |(id, (kind, value)): (u64, (DetailKind, &str))| Detail {
        name: DetailName { kind, number: 1, id },
        value: String::from(value).into(),
    };
    let list: Vec<Detail> = (1..).zip(values).map(detail).collect();
    let mut watcher = Watcher::new(Config::default());
    watcher.set_details(&Details { set: 5, list: list.clone(), ..Details::default() });
    let (app, remote) = ("198.19.84.1:4000".parse().unwrap(), "192.0.2.7:80".parse().unwrap());
    let (key, at, flow) = (FlowKey { protocol: Protocol::Tcp, app, remote }, Timestamp(1), FlowNumber(1));
    watcher.observe(Observation::Opened { flow, key, at });
    let sha1 = &forms(&list[0])[1];
    let request = format!(
        "POST /490154203237518/{sha1}?n=%2B919876543210 HTTP/1.1\r\nHost: 490154203237518.example\r\n\
         Cookie: mac=02:00:5e:10:20:30\r\nContent-Length: 400\r\n\r\n\
         {{\"mail\":\"zephyr.quill@example.com\",\"name\":\"Zephyr Quill\"}}"
    );
    let payload = request.into_bytes().into();
    watcher.observe(Observation::Bytes { flow, direction: Direction::Sent, payload, at });
    let mistake = catch_unwind(AssertUnwindSafe(|| panic!("a mistake in {watcher:?}")));
    let mut said = *mistake.unwrap_err().downcast::<String>().unwrap();
    said.push_str(&format!("{:?} {list:?}", watcher.take_changed()));
    assert!(said.contains("<imei 1>"), "the flow is there");
    for form in list.iter().flat_map(forms) {
        assert!(!said.contains(&form), "{form}");
    }
}

/// In clear, and the beginnings of digests: 64 bits in digits and letters.
fn forms(detail: &Detail) -> Vec<String> {
    use sha2::Digest;
    let mut forms = Vec::new();
    for form in telltale_watch::details::forms(detail) {
        let text = form.text.as_str();
        let digests = [
            md5::Md5::digest(text).to_vec(),
            sha1::Sha1::digest(text).to_vec(),
            sha2::Sha256::digest(text).to_vec(),
        ];
        forms.extend(digests.map(|digest| digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()));
        forms.push(text.to_owned());
    }
    forms
}
