//! Lists that a thread keeps, so that a call finds the memory of the calls before it.

use core::cell::RefCell;
use core::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use super::grid::DenseRow;

/// Values of which a thread keeps lists.
pub trait Keep: Sized + 'static {
    /// The lists that nobody uses now.
    fn idle() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
}

macro_rules! keep {
    ($($kind:ty),*) => {$(
        impl Keep for $kind {
            fn idle() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
                thread_local! {
                    static IDLE: RefCell<Vec<Vec<$kind>>> = const { RefCell::new(Vec::new()) };
                }
                &IDLE
            }
        }
    )*};
}

keep!(f32, usize, DenseRow);

/// A list, kept by the thread that drops it.
pub struct Kept<T: Keep>(Vec<T>);

impl<T: Keep> Kept<T> {
    /// An empty list: the smallest idle one with room for `len` values, else the largest.
    pub fn with_room(len: usize) -> Self {
        let mut list = T::idle().with_borrow_mut(|idle| {
            let best = (0..idle.len()).min_by_key(|&i| match idle[i].capacity() {
                room if room >= len => (false, room),
                room => (true, usize::MAX - room),
            });
            best.map_or(Vec::new(), |best| idle.swap_remove(best))
        });
        list.clear();
        list.reserve(len);
        Self(list)
    }
}

impl Kept<f32> {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let mut list = Self::with_room(len);
        list.resize(len, 0.0);
        list
    }
}

impl<T: Keep> FromIterator<T> for Kept<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let values = values.into_iter();
        let (least, most) = values.size_hint();
        let mut list = Self::with_room(most.unwrap_or(least));
        list.extend(values);
        list
    }
}

impl<T: Keep> Drop for Kept<T> {
    fn drop(&mut self) {
        let list = core::mem::take(&mut self.0);
        // a thread that ends no longer keeps anything
        let _ = T::idle().try_with(|idle| idle.borrow_mut().push(list));
    }
}

impl<T: Keep> Deref for Kept<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Keep> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_dropped_lists_is_found_again() {
        let places = || {
            let two: [Kept<usize>; 2] = [(0..10).collect(), (0..100).collect()];
            two.map(|list| (list.as_ptr(), list.to_vec()))
        };
        let before = places();
        assert_eq!(before[0].1, (0..10).collect::<Vec<_>>());
        assert_eq!(places(), before);
        drop((0..3).map(|i| i as f32).collect::<Kept<f32>>());
        assert_eq!(*Kept::zeros(3), [0.0; 3]);
    }
}
