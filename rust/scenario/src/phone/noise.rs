//! Programs that send nothing of the person: what they send only looks as if.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::act::{Over, Visit};
use super::http::{APP_2014, APP_2021, Agent, Exchange, json, no_content, ok, percent};
use crate::payload::Payload;

/// Asks whether there is an internet at all.
pub(super) fn network_check() -> Visit {
    let host = "connect.rom.miui.com";
    let request = APP_2014.get(host, "/generate_204");
    visit("network-check", host, Over::Http, vec![Exchange { request, answer: no_content() }])
}

/// The same on a modern phone.
pub(super) fn modern_network_check() -> Visit {
    let host = "connectivitycheck.gstatic.com";
    let request = APP_2021.get(host, "/generate_204");
    visit("network-check", host, Over::Http, vec![Exchange { request, answer: no_content() }])
}

/// Sets the clock: SNTP, RFC 4330 4. Such a client sends a version, a mode, and nothing else.
pub(super) fn clock() -> Visit {
    let mut request = [0; 48];
    request[0] = 0b00_011_011;
    let mut answer = [0; 48];
    // Stratum 2; sent at noon on 7 August 2014, in seconds since 1900.
    answer[..2].copy_from_slice(&[0b00_011_100, 2]);
    answer[40..44].copy_from_slice(&3_616_381_800_u32.to_be_bytes());
    let said = Exchange { request: request.to_vec(), answer: answer.to_vec() };
    visit("clock", "2.android.pool.ntp.org", Over::Datagram, vec![said])
}

/// The weather of a region: one decimal is ten kilometres.
pub(super) fn weather() -> Visit {
    let host = "api.weather.example.org";
    let request = APP_2014.get(host, "/v1/now?lat=28.6&lon=77.2&units=metric&t=1407393012345");
    let answer = json(r#"{"now":{"temperature":34,"sky":"haze"},"station":"42182"}"#);
    visit("weather", host, Over::Http, vec![Exchange { request, answer }])
}

/// News: numbers of articles that would pass as an IMEI, times, ids of a session, and an image that comes.
pub(super) fn news(agent: Agent) -> Visit {
    let host = "feeds.news.example.net";
    let front = agent.get(host, "/v2/front?edition=in&since=1407389400&page=0");
    let read = r#"{"session":"5b0e7d3c-2f64-4a19-9c8e-71d2a0b6f385","read":[{"article":"352099001761481","at":1407393061220,"seconds":48},{"article":"980002154407316","at":1407393109517,"seconds":7}],"build":8640310198}"#;
    let read = agent.send("POST", host, "/v2/read", "application/json", read.as_bytes());
    let articles = json(
        r#"{"articles":[{"id":"352099001761481","title":"Monsoon reaches the north"},{"id":"980002154407316","title":"Trains to run on time"}]}"#,
    );
    let said = [(front, articles), (read, json(r#"{"ok":true}"#))];
    visit("news", host, Over::Http, said.map(|(request, answer)| Exchange { request, answer }).into())
}

/// The pictures of the news: what is sent is an address of an image.
pub(super) fn images() -> Visit {
    let host = "images.news.example.net";
    let request = APP_2014.get(host, "/2014/08/07/d41d8cd98f00b204e9800998ecf8427e_640x360.jpg");
    visit("news", host, Over::Http, vec![Exchange { request, answer: ok("image/jpeg", &jpeg(1, 900)) }])
}

/// A photo goes to an album.
pub(super) fn photos(agent: Agent) -> Visit {
    let host = "photos.example.com";
    let request = agent.send("PUT", host, "/album/31/IMG_0731.jpg", "image/jpeg", &jpeg(2, 1_200));
    visit("photos", host, Over::Http, vec![Exchange { request, answer: json(r#"{"stored":1}"#) }])
}

/// A shop: cookies, and a small picture as Base64 in a form.
pub(super) fn shop(agent: Agent) -> Visit {
    let host = "shop.example.com";
    let body = format!(
        "item=8906002480562&quantity=1&token=e3b0c44298fc1c149afbf4c8996fb924&icon={}",
        percent(&STANDARD.encode(png(3, 180)))
    );
    let fields = format!(
        "Cookie: visit=1407393122.38.1.1407393122; basket=9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
        body.len()
    );
    let request = [agent.head("POST", host, "/basket", &fields).as_bytes(), body.as_bytes()].concat();
    visit(
        "shop",
        host,
        Over::Http,
        vec![Exchange { request, answer: json(r#"{"items":1,"total":"249.00"}"#) }],
    )
}

/// A messenger that encrypts.
pub(super) fn chat() -> Visit {
    let host = "chat.example.com";
    let body = br#"{"room":18,"nonce":"c2FsdA","text":"see you at eight"}"#;
    let request = APP_2014.send("POST", host, "/rooms/18", "application/json", body);
    visit("chat", host, Over::Tls12, vec![Exchange { request, answer: json(r#"{"sent":true}"#) }])
}

/// Music, encrypted, and more of it comes than goes.
pub(super) fn music(agent: Agent, over: Over) -> Visit {
    let host = "music.example.net";
    let request = agent.get(host, "/stream/7731?rate=64&from=1048576");
    let answer = ok("audio/mpeg", Payload::new(4, 3_000).bytes(0, 3_000));
    visit("music", host, over, vec![Exchange { request, answer }])
}

/// Asks for a new version of the system, encrypted.
pub(super) fn update() -> Visit {
    let host = "update.miui.com";
    let request = APP_2014.get(host, "/updates/v1/check?device=armani&version=JHCMIBD23.0&branch=stable");
    visit("mi-updater", host, Over::Tls12, vec![Exchange { request, answer: json(r#"{"update":false}"#) }])
}

fn visit(program: &'static str, host: &'static str, over: Over, exchanges: Vec<Exchange>) -> Visit {
    Visit { program, host, over, exchanges }
}

/// What begins as a JPEG does, and goes on as compressed pixels do.
fn jpeg(seed: u64, length: usize) -> Vec<u8> {
    let head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00";
    [head, Payload::new(seed, length).bytes(0, length), b"\xff\xd9"].concat()
}

/// The same of a PNG.
fn png(seed: u64, length: usize) -> Vec<u8> {
    let head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x06\x00\x00\x00\x1f\xf3\xff\x61";
    [head, Payload::new(seed, length).bytes(0, length)].concat()
}
