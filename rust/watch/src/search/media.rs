//! What a body is said to be.

/// Types whose contents say nothing of what is in them.
pub(super) const MEDIA: [&[u8]; 4] = [b"image/", b"audio/", b"video/", b"font/"];

pub(super) fn is_media(media: &[u8], kind: &[u8]) -> bool {
    media.trim_ascii().get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind))
}

pub(super) fn is_multipart(bytes: &[u8], media: Option<&[u8]>) -> bool {
    media.is_some_and(|media| is_media(media, b"multipart/"))
        || bytes.starts_with(b"--")
            && memchr::memmem::find(bytes.get(..512).unwrap_or(bytes), b"ontent-").is_some()
}
