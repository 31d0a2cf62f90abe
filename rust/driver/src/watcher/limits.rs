//! Every bound of what is on its way to the watcher, each with its reason.
//!
//! The engine's counter of payload memory does not cover it, on purpose. What waits here is mostly payload that
//! the relay holds too, so that it would be counted twice; and a watcher that stands still would use up
//! what windows are made of, and so slow down the apps. With a bound of its own the watcher alone loses.

use std::time::Duration;

use telltale_engine::limits::PAYLOAD_MEMORY;

/// Payload of less is copied: to look at each small piece of a stream costs more than to join them.
pub(super) const SMALL: usize = 4 << 10;

/// Bytes of a buffer that copies go into, and of the longest piece that is joined.
pub(super) const BUFFER: usize = 64 << 10;

/// Observations that are enough for one batch, and bytes of memory behind them: two buffers of a tun with long
/// packets, small enough to be still in the processor's cache when the watcher gets it.
pub(super) const BATCH: (usize, usize) = (512, 264 << 10);

/// Observations that wait for the watcher, and bytes of memory behind their payload, before there is no
/// room for the next batch: 10 ms at 3 Gbit/s, as long as a watcher without work leaves the relay alone.
pub(super) const ROOM: (usize, usize) = (4_096, 4 << 20);

/// Batches that wait for the watcher: more than hold [`ROOM`] where each has a few observations.
pub(super) const BATCHES: usize = 1_024;

/// So much wakes a watcher that pauses: buffers that come back soon are still in the processor's cache.
pub(super) const PRESSING: (usize, usize) = (ROOM.0 / 4, 256 << 10);

/// Beginnings and ends of flows that wait at a handle while there is no room, about 1 MB: as many flows as may
/// live at once can begin or end.
pub(super) const BACKLOG: usize = 16_384;

/// Empty lists that come back to each handle to be filled again, and how long they may be for that.
pub(super) const SPENT: (usize, usize) = (16, 1_024);

/// How often the relay tries to hand over its backlog when it ends.
pub(super) const LAST_TRIES: u32 = 20;

/// How long to wait for room in the queue, where waiting is allowed at all.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// How long a picture of the ledger may take.
pub(super) const PICTURE: Duration = Duration::from_millis(500);

// The relay tells from one handle: what waits, and the batch that found room last or is being gathered.
const _: () = assert!(ROOM.1 + 2 * (BATCH.1 + BUFFER) <= PAYLOAD_MEMORY / 8);
