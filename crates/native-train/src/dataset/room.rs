//! Room in memory for decoders: however many threads decode, together they take no more than a limit.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes that may be taken at once.
#[derive(Debug)]
pub struct Room {
    limit: usize,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// Bytes that are taken until this is dropped.
#[derive(Debug)]
pub struct Taken<'a> {
    room: &'a Room,
    bytes: usize,
}

impl Room {
    /// Room for this many bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits until there is room. More than the limit is taken alone: it may fit after all.
    pub fn take(&self, bytes: usize) -> Taken<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && taken.saturating_add(bytes) > self.limit {
            let freed = self.freed.wait(taken);
            taken = freed.unwrap_or_else(PoisonError::into_inner);
        }
        *taken = taken.saturating_add(bytes);
        Taken { room: self, bytes }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let taken = self.room.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.bytes);
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_is_taken_together_stays_below_the_limit() {
        let room = Room::new(10);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (room, now, most) = (&room, &now, &most);
                scope.spawn(move || {
                    for turn in 0..50 {
                        let bytes = 1 + (thread + turn) % 6;
                        let taken = room.take(bytes);
                        let together = now.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(together, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(bytes, Ordering::SeqCst);
                        drop(taken);
                    }
                });
            }
        });
        assert!((6..=10).contains(&most.into_inner()));
        drop(room.take(1000)); // more than there is, alone
        assert_eq!(*room.taken.lock().unwrap(), 0);
    }
}
