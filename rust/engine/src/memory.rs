//! The one counter of payload memory: bytes of buffer kept alive, and bytes of window promised.

use crate::limits::{FLOW_RESERVE, MEMORY_SHARE, PAYLOAD_MEMORY};

/// What all flows together hold and have promised to take.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    used: usize,
    full: u64,
}

impl Memory {
    pub(crate) fn take(&mut self, bytes: usize) {
        self.used += bytes;
    }

    pub(crate) fn give_back(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.used, "memory given back twice");
        self.used = self.used.saturating_sub(bytes);
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// How many bytes more a flow may take that holds `held` already, in one direction, and may have `most`.
    pub(crate) fn share(&mut self, held: usize, most: usize) -> usize {
        let pool = PAYLOAD_MEMORY / 2;
        let share = ((pool.saturating_sub(self.used) + held) / MEMORY_SHARE).min(most);
        self.full += u64::from(share < FLOW_RESERVE);
        share.max(FLOW_RESERVE).saturating_sub(held)
    }

    /// How often the pool, not the flow's own bound, left no more than what is set aside.
    pub(crate) fn times_full(&self) -> u64 {
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{FLOW_MEMORY, TCP_FLOWS};

    #[test]
    fn one_flow_gets_its_own_bound_and_no_more() {
        let mut memory = Memory::default();
        assert_eq!(memory.share(0, FLOW_MEMORY), FLOW_MEMORY);
        memory.take(FLOW_MEMORY);
        assert_eq!(memory.share(FLOW_MEMORY, FLOW_MEMORY), 0);
        assert_eq!(memory.times_full(), 0);
    }

    #[test]
    fn however_many_stall_the_next_gets_what_is_set_aside() {
        let mut memory = Memory::default();
        for _ in 0..2 * TCP_FLOWS {
            let share = memory.share(0, FLOW_MEMORY);
            assert!(share >= FLOW_RESERVE);
            memory.take(share);
        }
        assert!(memory.used() <= PAYLOAD_MEMORY, "{} bytes", memory.used());
        assert!(memory.times_full() > 0);
    }
}
