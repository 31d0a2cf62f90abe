//! Values at small dense indices that are used again, told apart by a generation.

/// A slab: what was inserted is found by `(index, generation)` until it is removed.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Puts a value into a free place, made from that place.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Place) -> T) -> Place {
        let index = self.free.pop().unwrap_or_else(|| self.grow());
        let Some(slot) = self.slots.get_mut(index as usize) else { unreachable!("free places exist") };
        let place = Place { index, generation: slot.generation };
        slot.value = Some(make(place));
        place
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?;
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(index);
        Some(value)
    }

    /// The value at an index, whatever its generation.
    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_ref()
    }

    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The indices in use, in order.
    pub(crate) fn indices(&self) -> Vec<u32> {
        let used = |(index, slot): (u32, &Slot<T>)| slot.value.is_some().then_some(index);
        (0..).zip(&self.slots).filter_map(used).collect()
    }

    fn grow(&mut self) -> u32 {
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, value: None });
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_used_again_is_another_place() {
        let mut slots = Slots::default();
        let first = slots.insert_with(|_| "first");
        slots.remove(first.index);
        let second = slots.insert_with(|_| "second");
        assert_eq!(first.index, second.index);
        assert_ne!(first.generation, second.generation);
        assert_eq!(slots.at(second.index), Some(&"second"));
        assert_eq!(slots.len(), 1);
    }
}
