//! The asset as it is shipped: Zstandard frames, RFC 8878, one after the other.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

use super::Unusable;
use super::layout::MAX_LENGTH;

/// Unpacks the asset into the file that [`Destinations::open`](super::Destinations::open) takes.
///
/// # Errors
/// Where it is damaged, or would be larger than any such file.
pub fn unpack(mut asset: &[u8]) -> Result<Vec<u8>, Unusable> {
    const DAMAGED: Unusable = Unusable("the packed asset is damaged");
    let mut file = Vec::new();
    while !asset.is_empty() {
        let room = u64::try_from(MAX_LENGTH - file.len()).unwrap_or(0);
        let mut frame = StreamingDecoder::new(&mut asset).map_err(|_| DAMAGED)?.take(room + 1);
        frame.read_to_end(&mut file).map_err(|_| DAMAGED)?;
        if file.len() > MAX_LENGTH {
            return Err(Unusable("the packed asset is too large"));
        }
    }
    Ok(file)
}
