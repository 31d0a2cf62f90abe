//! Requests and answers of HTTP/1.1 as whole texts.

/// One request, and what the server says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// All bytes of the request.
    pub request: Vec<u8>,
    /// All bytes of the answer.
    pub answer: Vec<u8>,
}

/// Who asks, in the words of its `User-Agent`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agent(pub(crate) &'static str);

/// MIUI of the Redmi 1S: model, then the build.
pub(crate) const MIUI_2014: Agent = Agent("HM 1SW; MIUI/JHCMIBD23.0");
/// Any app on the same phone.
pub(crate) const APP_2014: Agent = Agent("Dalvik/1.6.0 (Linux; U; Android 4.3; HM 1SW MIUI/JHCMIBD23.0)");
/// A modern phone.
pub(crate) const APP_2021: Agent = Agent("Dalvik/2.1.0 (Linux; U; Android 11; M2101K7BG MIUI/V12.5.4.0)");

impl Agent {
    /// A GET, as Android's `HttpURLConnection` writes it.
    pub(crate) fn get(self, host: &str, target: &str) -> Vec<u8> {
        self.head("GET", host, target, "").into_bytes()
    }

    /// A request with a body.
    pub(crate) fn send(
        self,
        method: &str,
        host: &str,
        target: &str,
        content_type: &str,
        body: &[u8],
    ) -> Vec<u8> {
        let fields = format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
        [self.head(method, host, target, &fields).as_bytes(), body].concat()
    }

    /// The head, with more `fields` than all have.
    pub(crate) fn head(self, method: &str, host: &str, target: &str, fields: &str) -> String {
        format!(
            "{method} {target} HTTP/1.1\r\n{fields}User-Agent: {}\r\nHost: {host}\r\nConnection: Keep-Alive\r\n\
             Accept-Encoding: gzip\r\n\r\n",
            self.0
        )
    }
}

/// An answer with a body.
pub(crate) fn ok(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: Tengine\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Connection: keep-alive\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// An answer in JSON.
pub(crate) fn json(body: &str) -> Vec<u8> {
    ok("application/json;charset=UTF-8", body.as_bytes())
}

/// The answer to who asks whether there is an internet.
pub(crate) fn no_content() -> Vec<u8> {
    b"HTTP/1.1 204 No Content\r\nServer: Tengine\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
        .to_vec()
}

/// The answer to what nobody here knows.
pub(crate) fn not_found() -> Vec<u8> {
    b"HTTP/1.1 404 Not Found\r\nServer: Tengine\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
        .to_vec()
}

/// A value of a query or a form: RFC 3986 2.1, all but the unreserved characters.
pub(crate) fn percent(value: &str) -> String {
    let written = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(written).collect()
}

/// How long a head and its body are, once all of them are there.
pub(crate) fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length = head.checked_add(body.unwrap_or(0))?;
    (length <= bytes.len()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_when_its_body_is_there() {
        let request = APP_2014.send("POST", "host", "/", "text/plain", b"12345");
        assert_eq!(whole(&request), Some(request.len()));
        assert_eq!(whole(&request[..request.len() - 1]), None);
        assert_eq!(whole(&[&request[..], b"GET"].concat()), Some(request.len()));
        assert_eq!(whole(b"GET / HTTP/1.1\r\nHost: host\r\n"), None);
        let longest = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", usize::MAX);
        assert_eq!(whole(longest.as_bytes()), None);
    }

    #[test]
    fn values_are_percent_encoded() {
        assert_eq!(percent("+44 7_A"), "%2B44%207_A");
    }
}
