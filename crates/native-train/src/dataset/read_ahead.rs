//! Batches of picture files, decoded by separate threads before training needs them.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use biggan::train::{BatchRows, Order};
use rayon::ThreadPoolBuilder;

use super::picture_files::PictureFiles;

/// Length of the queue, in units of what is decoded at once.
const WAITING: usize = 2;
/// Least pictures per thread that are decoded at once: with fewer, threads would wait for the slowest.
const PICTURES_A_THREAD: usize = 2;

/// Images of a batch, `[3, resolution, resolution]` each.
type Batch = Vec<Vec<u8>>;

/// Decodes the batches of a run from some image on, in order. The queue is bounded: decoding waits if
/// training is slower, and training waits if decoding is.
#[derive(Debug)]
pub struct ReadAhead {
    batches: Receiver<Result<Batch>>,
    thread: JoinHandle<()>,
    /// Images of the run before the next batch.
    images_seen: u64,
    rows: BatchRows,
}

impl ReadAhead {
    /// Starts after `images_seen` images, with `threads` threads.
    ///
    /// # Errors
    /// If the system cannot start threads.
    ///
    /// # Panics
    /// If a batch has no image.
    pub fn start(
        files: Arc<PictureFiles>,
        mut order: Order,
        images_seen: u64,
        rows: BatchRows,
        threads: usize,
    ) -> Result<Self> {
        let images = rows.count();
        assert!(images > 0, "a batch without images");
        let failed = "no threads to decode pictures";
        // a separate pool: in the kernels' pool, their parts would queue behind whole pictures
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("decode {number}"))
            .build()
            .context(failed)?;
        let at_once = (PICTURES_A_THREAD * threads).div_ceil(images);
        let (queue, batches) = sync_channel(WAITING * at_once);
        let mut first = images_seen;
        let read = rows.clone();
        let work = move || {
            loop {
                let batch = read.batch_size as u64;
                let batches = (0..at_once as u64).map(|number| first + number * batch);
                let numbers = batches.flat_map(|first| read.numbers(first));
                let indices = order.indices(numbers);
                first += at_once as u64 * batch;
                let decoded = pool.install(|| files.images(&indices));
                let mut decoded = decoded.into_iter();
                for _ in 0..at_once {
                    let batch: Result<Batch> = decoded.by_ref().take(images).collect();
                    let ends = batch.is_err();
                    if queue.send(batch).is_err() || ends {
                        return; // the receiver is gone, or there was an error
                    }
                }
            }
        };
        let thread = Builder::new().name("read ahead".to_owned()).spawn(work);
        Ok(Self {
            batches,
            thread: thread.context(failed)?,
            images_seen,
            rows,
        })
    }

    /// Whether the next batch is this one.
    pub fn is_at(&self, images_seen: u64, rows: &BatchRows) -> bool {
        (self.images_seen, &self.rows) == (images_seen, rows)
    }

    /// Waits for the next batch; also returns the reader of the following ones.
    ///
    /// # Errors
    /// If a picture of it cannot be read.
    pub fn next(mut self) -> Result<(Batch, Self)> {
        match self.batches.recv() {
            Ok(batch) => {
                self.images_seen += self.rows.batch_size as u64;
                Ok((batch?, self))
            }
            // it ends early only by a panic, which is resumed here
            Err(_) => match self.thread.join() {
                Ok(()) => unreachable!("the reader ended before its last batch was taken"),
                Err(panic) => resume_unwind(panic),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use biggan::train::Reals;
    use burn::tensor::Device;
    use tempfile::TempDir;

    use super::*;
    use crate::dataset::test_pictures::{RESOLUTION, load, picture, stream};
    use crate::dataset::{Loader, Split};

    /// Two classes with 13 pictures of different grey.
    fn pictures() -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..13u8 {
            let class = if number % 3 == 0 { "a" } else { "b" };
            let path = directory.path().join(format!("{class}/{number:02}.png"));
            picture(&path, 3 + u32::from(number), number * 19);
        }
        directory
    }

    fn values(loader: &mut Loader, images_seen: u64, batch_size: usize) -> [Vec<f32>; 2] {
        let batch = loader.batch(images_seen, &BatchRows::all(batch_size), &Device::flex());
        let batch = batch.unwrap();
        [batch.images.into_data(), batch.class_weights.into_data()]
            .map(|data| data.try_to_vec::<f32>().unwrap())
    }

    #[test]
    fn batches_are_those_from_memory() {
        let directory = pictures();
        let set = load(directory.path(), Split::Train, 2, false).unwrap();
        let mut expected = Loader::new(set, 5, RESOLUTION).with_flips(true);
        for threads in [1, 2, 5] {
            let set = stream(directory.path(), false).unwrap();
            let loader = Loader::new(set, 5, RESOLUTION).with_flips(true);
            let mut loader = loader.with_threads(threads);
            // from the middle of an epoch over two ends, a rollback, other sizes
            let batches = (0..10).map(|batch| (7 + batch * 4, 4));
            for (seen, size) in batches.chain([(11, 4), (15, 1), (16, 30), (46, 30)]) {
                let both = [&mut loader, &mut expected].map(|l| values(l, seen, size));
                assert_eq!(both[0], both[1], "{threads} threads, {size} after {seen}");
            }
        }
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init)]
    fn a_rank_reads_its_rows_ahead() {
        let directory = pictures();
        let own = vec![1..3, 5..6];
        let rows = BatchRows { batch_size: 7, own };
        let set = load(directory.path(), Split::Train, 2, false).unwrap();
        let mut expected = Loader::new(set, 5, RESOLUTION);
        let mut ahead = Loader::new(stream(directory.path(), false).unwrap(), 5, RESOLUTION);
        for seen in [0, 7, 14, 21] {
            let [found, expected] = [&mut ahead, &mut expected].map(|loader| {
                let batch = loader.batch(seen, &rows, &Device::flex()).unwrap();
                batch.images.into_data().try_to_vec::<f32>().unwrap()
            });
            assert_eq!(found, expected, "{seen}");
        }
    }

    fn files(directory: &TempDir) -> (Arc<PictureFiles>, Order) {
        let set = stream(directory.path(), false).unwrap();
        let files = set.images_u8.files().unwrap().clone();
        (files, Order::new(5, set.len()))
    }

    #[test]
    fn batches_wait_for_training_but_only_a_few() {
        let waiting_after = |pause: u64| {
            let directory = pictures();
            let (files, order) = files(&directory);
            let ahead = ReadAhead::start(files, order, 0, BatchRows::all(2), 1).unwrap();
            let (_, mut ahead) = ahead.next().unwrap();
            std::thread::sleep(Duration::from_millis(pause));
            directory.close().unwrap();
            let mut waiting = 0;
            let error = loop {
                match ahead.next() {
                    Ok((_, next)) => ahead = next,
                    Err(error) => break error,
                }
                waiting += 1;
            };
            assert!(error.to_string().contains("No such file"), "{error}");
            waiting
        };
        // decoding takes milliseconds, on a busy machine seconds
        let mut waiting = [100, 1_000, 10_000].into_iter().map(waiting_after);
        let waiting = waiting.find(|&batches| batches > 0).unwrap_or(0);
        // the batches in the queue, and the batch waiting for room there
        assert!((1..=WAITING + 1).contains(&waiting), "{waiting}");
    }

    #[test]
    fn batches_before_a_broken_picture_are_whole() {
        let directory = pictures();
        let (files, mut order) = files(&directory);
        let broken = order.indices(0..13)[7];
        let set = load(directory.path(), Split::Train, 2, false).unwrap();
        let grey = set.read(&[broken]).unwrap()[0][0] / 19;
        let class = set.labels[broken];
        let path = format!("{}/{grey:02}.png", ["a", "b"][usize::from(class)]);
        std::fs::write(directory.path().join(&path), "").unwrap();
        let mut ahead = ReadAhead::start(files, order, 0, BatchRows::all(2), 3).unwrap();
        for _ in 0..3 {
            ahead = ahead.next().unwrap().1;
        }
        let error = ahead.next().unwrap_err().to_string();
        assert!(error.contains(&path), "{error}");
    }
}
