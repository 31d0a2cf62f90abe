//! Brotli, RFC 7932.

use brotli_decompressor::reader::{Allocator, BrotliDecompressStream, StandardAlloc};
use brotli_decompressor::{BrotliResult, BrotliState};

use super::Unpacked;

/// The window that a stream may come to need, and what the decoder keeps beside it. Nearly all streams declare
/// 4 MiB; only as much is taken as their text is long.
const WINDOW: usize = (128 << 10) + 1_024;

pub(super) fn unpack(bytes: &[u8], most: usize, to: &mut Vec<u8>) -> Unpacked {
    let mut state = BrotliState::new_strict(Bounded, StandardAlloc::default(), StandardAlloc::default());
    let (mut left, mut at, mut written) = (bytes.len(), 0, 0);
    loop {
        let have = to.len();
        let room = (most - have.min(most)).min(have.max(bytes.len() * 4).max(1_024));
        to.resize(have + room, 0);
        let (mut free, mut end) = (room, have);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            bytes,
            &mut free,
            &mut end,
            to.as_mut_slice(),
            &mut written,
            &mut state,
        );
        to.truncate(end);
        match result {
            BrotliResult::ResultSuccess if left == 0 => return Unpacked::Whole,
            BrotliResult::NeedsMoreOutput if to.len() < most => {}
            BrotliResult::ResultSuccess
            | BrotliResult::NeedsMoreOutput
            | BrotliResult::NeedsMoreInput
            | BrotliResult::ResultFailure => return Unpacked::Part,
        }
    }
}

/// Gives no larger window: the decoder then stops with an error.
struct Bounded;

impl Allocator<u8> for Bounded {
    type AllocatedMemory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, len: usize) -> Self::AllocatedMemory {
        if len > WINDOW { Self::AllocatedMemory::default() } else { StandardAlloc::default().alloc_cell(len) }
    }

    fn free_cell(&mut self, _memory: Self::AllocatedMemory) {}
}
