//! Reads one connection of a protocol that is known, without a flow around it: for fuzzing.

use telltale_model::{Direction, Facts};

use crate::mail::Mail;
use crate::page::Page;
use crate::session::Step;
use crate::tls::{Dtls, Tls};

/// What the bytes of a TLS connection say, in pieces of any size.
pub fn read_tls<'a>(pieces: impl IntoIterator<Item = (Direction, &'a [u8])>) -> Facts {
    let (mut session, mut page) = (Tls::new(), Page::default());
    for (direction, bytes) in pieces {
        session.take(direction, bytes, &mut page);
    }
    session.end(&mut page);
    page.facts
}

/// What the datagrams of a DTLS association say.
pub fn read_dtls<'a>(datagrams: impl IntoIterator<Item = (Direction, &'a [u8])>) -> Facts {
    let (mut session, mut page) = (Dtls::new(), Page::default());
    for (direction, bytes) in datagrams {
        session.take(direction, bytes, &mut page);
    }
    session.end(&mut page);
    page.facts
}

/// What the bytes of a connection say that begins with lines of text, as mail does, and may go over to TLS.
pub fn read_mail<'a>(pieces: impl IntoIterator<Item = (Direction, &'a [u8])>) -> Facts {
    let (mut mail, mut page) = (Mail::new(), Page::default());
    let mut tls = None;
    for (direction, bytes) in pieces {
        match &mut tls {
            None => tls = tls_after(mail.take(direction, bytes, &mut page), &mut page),
            Some(tls) => {
                tls.take(direction, bytes, &mut page);
            }
        }
    }
    match &mut tls {
        None => mail.end(&mut page),
        Some(tls) => tls.end(&mut page),
    }
    page.facts
}

fn tls_after(step: Step, page: &mut Page) -> Option<Tls> {
    let Step::Switch { sent, received, .. } = step else { return None };
    let mut tls = Tls::new();
    tls.take(Direction::Sent, &sent, page);
    tls.take(Direction::Received, &received, page);
    Some(tls)
}
