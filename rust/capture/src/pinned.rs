use bytes::Bytes;

/// A part of a buffer of that many bytes, in memory of its own where it would keep much more than itself:
/// what waits is counted by its own length.
pub(crate) fn unpinned(part: Bytes, buffer: usize) -> Bytes {
    const SPARE: usize = 256;
    if buffer > 2 * part.len() + SPARE { Bytes::copy_from_slice(&part) } else { part }
}
