//! HTTP connections by themselves, as their fuzz targets and tests read them.

use telltale_model::{Class, Direction, Facts};

use super::Http;
use crate::http2::Http2;
use crate::page::Page;
use crate::session::{Next, Step};
use crate::websocket::WebSocket;

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
pub enum HttpEvent<'a> {
    /// Bytes go.
    Bytes(Direction, &'a [u8]),
    /// Bytes are missing, 0 where nobody knows how many.
    Missed(Direction, u64),
}

/// What an HTTP/1.x connection says. What follows an upgrade to another protocol than HTTP/2 and WebSocket
/// is counted as unknown.
pub fn read_http(events: &[HttpEvent<'_>]) -> Facts {
    read(Spoken::Http(Http::new()), events)
}

/// What an HTTP/2 connection in clear says.
pub fn read_http2(events: &[HttpEvent<'_>]) -> Facts {
    read(Spoken::Http2(Http2::new(false)), events)
}

enum Spoken {
    Http(Http),
    Http2(Http2),
    WebSocket(WebSocket),
    Other,
}

fn read(mut spoken: Spoken, events: &[HttpEvent<'_>]) -> Facts {
    let mut page = Page::default();
    for event in events {
        match *event {
            HttpEvent::Bytes(direction, bytes) => spoken.take(direction, bytes, &mut page),
            HttpEvent::Missed(direction, bytes) => spoken.miss(direction, bytes, &mut page),
        }
    }
    spoken.end(&mut page);
    page.facts
}

impl Spoken {
    fn take(&mut self, direction: Direction, bytes: &[u8], page: &mut Page) {
        let step = match self {
            Self::Http(http) => http.take(direction, bytes, page),
            Self::Http2(http2) => http2.take(direction, bytes, page),
            Self::WebSocket(socket) => socket.take(direction, bytes, page),
            Self::Other => {
                if direction == Direction::Sent {
                    page.facts.count_content(Class::Unknown, bytes.len());
                }
                Step::On
            }
        };
        if let Step::Switch { to, sent, received } = step {
            *self = match to {
                Next::Http2 => Self::Http2(Http2::new(true)),
                Next::WebSocket => Self::WebSocket(WebSocket::new()),
                Next::Tls | Next::WithinTls(_) | Next::Anything => Self::Other,
            };
            for (direction, bytes) in [(Direction::Sent, sent), (Direction::Received, received)] {
                if !bytes.is_empty() {
                    self.take(direction, &bytes, page);
                }
            }
        }
    }

    fn miss(&mut self, direction: Direction, bytes: u64, page: &mut Page) {
        match self {
            Self::Http(http) => http.miss(direction, bytes, page),
            Self::Http2(http2) => http2.miss(direction, bytes, page),
            Self::WebSocket(socket) => socket.miss(direction, bytes, page),
            Self::Other => {}
        }
    }

    fn end(&mut self, page: &mut Page) {
        match self {
            Self::Http(http) => http.end(page),
            Self::Http2(http2) => http2.end(page),
            Self::WebSocket(socket) => socket.end(page),
            Self::Other => {}
        }
    }
}
