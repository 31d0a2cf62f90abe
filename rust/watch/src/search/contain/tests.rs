use super::*;

fn path_in_json(text: &str, value: &str) -> String {
    let mut path = String::new();
    json::Walk::default().path(text.as_bytes(), text.find(value).unwrap(), &mut path);
    path
}

#[test]
fn places_in_json_are_called_by_their_keys_and_numbers() {
    let text = r#"{"a":{"b":[1,{"c":"x\"y","d":[[],"here"]}]},"e":"there"}"#;
    assert_eq!(path_in_json(text, "here"), ".a.b[2].d[2]");
    assert_eq!(path_in_json(text, "there"), ".e");
    assert_eq!(path_in_json("{\"a\":[{\"b\":\"cut off here", "here"), ".a[1].b");
    let deep = "[".repeat(100) + "7";
    assert_eq!(path_in_json(&deep, "7"), "[1]".repeat(DEEPEST));
}

#[test]
fn places_in_xml_are_called_by_their_elements() {
    let text = "<?xml?><a><b x='1'/><c d=\"no\" e=\"here\"><f>there</f></c></a>";
    let path = |value: &str| {
        let mut path = String::new();
        xml::Walk::default().path(text.as_bytes(), text.find(value).unwrap(), &mut path);
        path
    };
    assert_eq!(path("here\""), ".a.c.e");
    assert_eq!(path("there"), ".a.c.f");
}

#[test]
fn parts_of_a_form_are_told_apart() {
    let body = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; \
        name=\"f\"; filename=\"x.bin\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n";
    let boundary = multipart::boundary(body).unwrap();
    let sections: Vec<_> = multipart::sections(body, boundary).collect();
    assert_eq!(sections.len(), 2);
    assert_eq!((sections[0].name, sections[0].body), (&b"a"[..], &b"1"[..]));
    assert_eq!((sections[1].media, sections[1].file_name), (Some(&b"image/png"[..]), Some(&b"x.bin"[..])));
    assert!(sections[1].ends);
}

#[test]
fn messages_are_told_from_other_bytes() {
    let message = b"\x08\x96\x01\x1a\x05\x0a\x03abc";
    let mut fields = Vec::new();
    protobuf::walk(message, &mut |path, field| fields.push((path.to_vec(), format!("{field:?}"))));
    assert_eq!(fields[0], (vec![1], "Number(150)".to_owned()));
    assert_eq!(fields[1], (vec![3, 1], format!("{:?}", protobuf::Field::Bytes(b"abc"))));
    for other in [
        &b""[..],
        b"\x00\x01",
        b"\x0a\x09abc",
        b"\x0b\x00",
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ] {
        assert!(!protobuf::looks_like(other), "{other:?}");
    }
}
