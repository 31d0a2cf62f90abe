use telltale_model::Timestamp;

/// A piece of what was sent, as its protocol divides it.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// The beginning of an HTTP request.
    Head {
        /// The method; empty in trailers and answers.
        method: &'a [u8],
        /// The request target as it stood in the line: path and query, or a whole URL.
        target: &'a [u8],
        /// Header fields: names in any case, values as they stood.
        fields: &'a [(&'a [u8], &'a [u8])],
    },
    /// The body of an HTTP request, its chunks joined.
    Body {
        /// The value of Content-Type.
        media: Option<&'a [u8]>,
        /// The value of Content-Encoding.
        coding: Option<&'a [u8]>,
        /// The bytes as they were sent, the coding not undone.
        bytes: &'a [u8],
    },
    /// A message of a protocol that carries text or records: WebSocket, MQTT, a datagram.
    Message(&'a [u8]),
    /// A name that was asked for, in dotted form.
    Question(&'a [u8]),
    /// Bytes of a stream of which nothing is known.
    Raw(&'a [u8]),
}

/// A part, and what is known of its place.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// What was sent.
    pub part: Part<'a>,
    /// Whether the part's first byte is there: where it is not, tokens of Base64 are tried at all alignments.
    pub begins: bool,
    /// Whether its last byte is there: where it is not, the piece is never understood as a whole.
    pub ends: bool,
    /// The bytes that the flow had sent before it.
    pub offset: u64,
    /// When it was sent: numbers that are times of these years are none of a person's numbers.
    pub at: Timestamp,
}
