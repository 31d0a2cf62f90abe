//! Walks the client's handshake messages (RFC 8446 4) in search of its hellos.

use telltale_model::Facts;

use super::flight::Flight;
use super::hello::{HelloReader, Transport};
use crate::reader::Reader;

/// The handshake messages of a client, one after the other and without records: what its TLS records or
/// QUIC's CRYPTO frames (RFC 9001 4.1.3) hold. After a HelloRetryRequest there are two hellos; all names
/// are remembered, and of the rest the first one's.
#[derive(Debug)]
pub(crate) struct Messages {
    transport: Transport,
    /// Type and length: the last `held` bytes of a shift register.
    head: u32,
    held: usize,
    /// What is to be passed over.
    left: usize,
    hello: Option<Box<HelloReader>>,
    flight: Flight,
    #[cfg(feature = "keys")]
    begun: Begun,
}

/// What keys depend on of the hellos that were whole.
#[cfg(feature = "keys")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Begun {
    /// The same in both hellos, if there are two (RFC 8446 4.1.2).
    pub(crate) random: Option<[u8; 32]>,
    /// Whether one of them says that early data comes.
    pub(crate) early_data: bool,
}

impl Messages {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            head: 0,
            held: 0,
            left: 0,
            hello: None,
            flight: Flight::None,
            #[cfg(feature = "keys")]
            begun: Begun::default(),
        }
    }

    /// Takes the next bytes, in pieces of any size.
    pub(crate) fn take(&mut self, bytes: &[u8], facts: &mut Facts) {
        let mut bytes = Reader::new(bytes);
        while !bytes.is_empty() {
            if let Some(hello) = &mut self.hello {
                let over = hello.take(&mut bytes);
                if over {
                    self.finish(facts);
                }
            } else if self.left > 0 {
                self.left -= bytes.take(self.left.min(bytes.len())).map_or(0, <[u8]>::len);
            } else {
                self.head(&mut bytes);
            }
        }
    }

    /// No more of the present message comes: what was read of a hello is told.
    pub(crate) fn cut(&mut self, facts: &mut Facts) {
        if let Some(hello) = self.hello.take() {
            hello.tell(facts);
        }
        *self = Self {
            #[cfg(feature = "keys")]
            begun: self.begun,
            ..Self::new(self.transport)
        };
    }

    /// What keys depend on.
    #[cfg(feature = "keys")]
    pub(crate) fn begun(&self) -> Begun {
        self.begun
    }

    /// Messages end where keys change (RFC 8446 5.1). What follows may be encrypted, or be a second hello (D.4).
    pub(super) fn change_cipher(&mut self) {
        (self.held, self.left) = (0, 0);
    }

    /// See [`Flight::is_settled`].
    pub(super) fn is_settled(&self) -> bool {
        self.flight.is_settled()
    }

    /// What the client's next record of application data is.
    pub(super) fn flight(&mut self) -> &mut Flight {
        &mut self.flight
    }

    /// Bytes of memory that are held beyond the session itself.
    pub(crate) fn held(&self) -> usize {
        self.hello.as_ref().map_or(0, |hello| hello.held())
    }

    fn head(&mut self, bytes: &mut Reader<'_>) {
        while let Some(byte) = bytes.u8() {
            self.head = self.head << 8 | u32::from(byte);
            self.held += 1;
            if self.held == 4 {
                self.held = 0;
                return self.begin();
            }
        }
    }

    fn begin(&mut self) {
        const CLIENT_HELLO: u8 = 1;
        let [kind, high, middle, low] = self.head.to_be_bytes();
        let len = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.flight = Flight::None;
        if kind == CLIENT_HELLO && len > 0 {
            self.hello = Some(Box::new(HelloReader::new(self.transport, len)));
        } else {
            self.left = len;
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        let Some(hello) = self.hello.take() else { return };
        self.left = hello.rest();
        #[cfg(feature = "keys")]
        if hello.is_whole() {
            let early_data = self.begun.early_data || hello.early_data();
            self.begun = Begun { random: Some(hello.random()), early_data };
        }
        self.flight = if hello.is_whole() { Flight::after_hello(hello.early_data()) } else { Flight::None };
        hello.tell(facts);
    }
}
