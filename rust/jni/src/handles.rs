//! Handles: the numbers under which the app knows cores. A number that was stopped stands for nothing ever after,
//! also where its place was given to another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Core, Wrong};

/// The only state that the library has outside of what it gave out.
static CORES: Mutex<Handles<Core>> = Mutex::new(Handles { places: Vec::new() });

/// Gives a core a handle.
pub(crate) fn add(core: Arc<Core>) -> i64 {
    locked().add(core)
}

/// The core of a handle.
pub(crate) fn get(handle: i64) -> Result<Arc<Core>, Wrong> {
    locked().get(handle).ok_or(Wrong::Stale)
}

/// The core of a handle, which is stale from now on.
pub(crate) fn take(handle: i64) -> Result<Arc<Core>, Wrong> {
    locked().take(handle).ok_or(Wrong::Stale)
}

/// The table is whole at any moment, so a panic elsewhere cannot break it.
fn locked() -> MutexGuard<'static, Handles<Core>> {
    CORES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place is used again under the next generation. It never grows past the most that lived at one time.
struct Handles<T> {
    places: Vec<Place<T>>,
}

struct Place<T> {
    generation: u32,
    content: Option<Arc<T>>,
}

impl<T> Handles<T> {
    fn add(&mut self, content: Arc<T>) -> i64 {
        let free = self.places.iter().position(|place| place.content.is_none());
        let index = free.unwrap_or_else(|| {
            self.places.push(Place { generation: 0, content: None });
            self.places.len() - 1
        });
        let Some(place) = self.places.get_mut(index) else { return 0 };
        // From 1 on, so that no handle is 0; 31 bits, so that none is negative.
        place.generation = place.generation % (u32::MAX >> 1) + 1;
        place.content = Some(content);
        handle(index, place.generation)
    }

    fn get(&self, handle: i64) -> Option<Arc<T>> {
        let place = self.places.get(index(handle))?;
        place.content.clone().filter(|_| generation(handle) == Some(place.generation))
    }

    fn take(&mut self, handle: i64) -> Option<Arc<T>> {
        let place = self.places.get_mut(index(handle))?;
        place.content.take_if(|_| generation(handle) == Some(place.generation))
    }
}

fn handle(index: usize, generation: u32) -> i64 {
    i64::from(generation) << 32 | i64::from(u32::try_from(index).unwrap_or(u32::MAX))
}

fn index(handle: i64) -> usize {
    usize::try_from(handle & i64::from(u32::MAX)).unwrap_or(usize::MAX)
}

fn generation(handle: i64) -> Option<u32> {
    u32::try_from(handle >> 32).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_that_was_stopped_stands_for_nothing_though_its_place_is_used_again() {
        let mut handles = Handles { places: Vec::new() };
        let (one, two) = (handles.add(Arc::new(1)), handles.add(Arc::new(2)));
        assert_eq!((handles.get(one).as_deref(), handles.get(two).as_deref()), (Some(&1), Some(&2)));
        assert_eq!(handles.take(one).as_deref(), Some(&1));
        assert_eq!((handles.get(one), handles.take(one)), (None, None));
        let three = handles.add(Arc::new(3));
        assert_eq!(three & 0xffff_ffff, one & 0xffff_ffff);
        assert_eq!((handles.get(one), handles.get(three).as_deref()), (None, Some(&3)));
        for nonsense in [0, -1, i64::MAX, i64::MIN, 7] {
            assert_eq!((handles.get(nonsense), handles.take(nonsense)), (None, None), "{nonsense}");
        }
    }

    #[test]
    fn no_handle_is_0_or_negative_however_often_a_place_is_used() {
        let mut handles = Handles { places: vec![Place { generation: u32::MAX >> 1, content: None }] };
        let handle = handles.add(Arc::new(()));
        assert!(handle > 0 && handles.get(handle).is_some());
    }
}
