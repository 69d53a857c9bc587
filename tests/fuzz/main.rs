//! Hostile files: mutations of small whole ones, through every reader of weights.
//!
//! For each input: no panic, no more than [`MOST_SECS`], and no more memory than twice the input and
//! [`SLACK`]. The inputs follow from a seed, so that a finding can be repeated (docs/fuzzing.md).
//!
//! Not cargo-fuzz: coverage guidance would need the sanitiser's build of Burn with a nightly compiler,
//! and the bound on memory an allocator of its own anyway. Instead the mutations know the formats:
//! they change pickles inside of valid containers, and sizes more often than other bytes.

// a panic is how a test fails, in its helpers too
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

mod allocator;
mod mutate;
mod seeds;
/// What test programs share.
#[path = "../support"]
mod support {
    pub mod torch_writer;
}

use allocator::Counting;
use biggan::file::{ModelFile, Pack};
use biggan::import::torch::TorchFile;
use biggan::import::{self, Source};
use biggan_pictures::picture;
use mutate::Random;
use native_train::evaluation::npz;
use native_train::recipe::plan::Plan;
use native_train::run::checkpoint::Checkpoint;
use seeds::{Seed, Target};
use support::torch_writer;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Longest time of one input, in the fastest of a few attempts: other processes run too.
const MOST_SECS: u64 = 1;
/// Memory beyond twice the input.
const SLACK: usize = 64 << 20;
/// Pixels of a picture that is decoded.
const MOST_PIXELS: usize = 1 << 20;
/// Time of the smoke test.
const SMOKE: Duration = Duration::from_secs(60);

/// What came of the inputs.
#[derive(Debug, Default)]
struct Tally {
    inputs: u64,
    accepted: u64,
    slowest: Duration,
    peak: usize,
}

/// Reads an input with all that a user's command would, and says whether it was accepted.
fn read(target: Target, bytes: &[u8]) -> bool {
    match target {
        Target::Torch => {
            let Ok(file) = TorchFile::open(bytes) else {
                return false;
            };
            let root = file.root();
            let state_dict = root.get("state_dict").unwrap_or(root);
            let Ok(tensors) = state_dict.state_dict() else {
                return false;
            };
            tensors.iter().all(|(_, tensor)| tensor.to_f32().is_ok())
        }
        Target::Generator => {
            let config = Some(seeds::CONFIG);
            import::model(Source::BigganPytorch, bytes, config).is_ok()
        }
        Target::Model => ModelFile::decode(bytes).is_ok(),
        Target::Checkpoint => Checkpoint::decode(bytes).is_ok(),
        Target::Pack => Pack::open(bytes)
            .is_ok_and(|pack| (0..pack.blocks()).all(|block| pack.check_block(block).is_ok())),
        Target::Npz => npz::statistics(bytes).is_ok(),
        // the memory of pixels is by what the header claims: only of small claims
        Target::Picture => {
            let small = |sides: [usize; 2]| sides[0] * sides[1] <= MOST_PIXELS;
            picture::sides(bytes).is_ok_and(small) && picture::decode(bytes, [255; 3]).is_ok()
        }
        Target::Recipe => {
            std::str::from_utf8(bytes).is_ok_and(|text| Plan::parse(text, &[]).is_ok())
        }
        Target::ForeignConfig => std::str::from_utf8(bytes).is_ok_and(|text| {
            // refused for want of weights; the settings are read first
            import::model(Source::HfDeep, seeds::no_weights(), Some(text)).is_ok()
        }),
    }
}

fn check(target: Target, bytes: &[u8], tally: &mut Tally) -> Result<(), String> {
    let before = Counting::restart();
    let start = Instant::now();
    let accepted = catch_unwind(AssertUnwindSafe(|| read(target, bytes)));
    let mut elapsed = start.elapsed();
    let peak = Counting::peak().saturating_sub(before);
    tally.inputs += 1;
    tally.peak = tally.peak.max(peak);
    match accepted {
        Err(_) => return Err("it panics".into()),
        Ok(accepted) => tally.accepted += u64::from(accepted),
    }
    if elapsed > Duration::from_secs(MOST_SECS) {
        let again = || {
            let start = Instant::now();
            read(target, bytes);
            start.elapsed()
        };
        // the machine may have been busy, or asleep
        elapsed = (0..5).map(|_| again()).fold(elapsed, Duration::min);
        if elapsed > Duration::from_secs(MOST_SECS) {
            return Err(format!("it takes {elapsed:?}"));
        }
    }
    tally.slowest = tally.slowest.max(elapsed);
    let most = 2 * bytes.len() + SLACK;
    if peak > most {
        return Err(format!("it takes {peak} bytes, at most {most} are due"));
    }
    Ok(())
}

/// Runs inputs `first..` of a seed until the count or the time is over.
fn run(seed: u64, count: u64, time: Duration) -> Tally {
    let seeds = seeds::all();
    for Seed {
        name,
        target,
        bytes,
    } in &seeds
    {
        assert!(
            bytes.len() <= 9 << 10,
            "seed {name} has {} bytes",
            bytes.len()
        );
        // settings are refused for want of their weights
        let settings = *target == Target::ForeignConfig;
        assert!(settings || read(*target, bytes), "seed {name} is refused");
    }
    let mut tally = Tally::default();
    let start = Instant::now();
    for number in 0..count {
        if number % 256 == 0 && start.elapsed() > time {
            break;
        }
        let mut random = Random::new(seed, number);
        let input = seeds::input(&seeds, &mut random);
        if let Err(problem) = check(input.target, &input.bytes, &mut tally) {
            panic!(
                "seed {seed}, input {number} (from {}): {problem}; {} bytes: {:02x?}",
                input.name,
                input.bytes.len(),
                &input.bytes
            );
        }
    }
    tally
}

/// Long files of the opcodes that cost most memory a byte.
fn costly() -> Vec<Vec<u8>> {
    let repeated = |start: &[u8], part: &dyn Fn(u32) -> Vec<u8>, opcodes: usize| {
        let mut pickle = b"\x80\x02".to_vec();
        pickle.extend(start);
        for number in 0..(500_000 / opcodes) as u32 {
            pickle.extend(part(number));
        }
        pickle.push(b'.');
        pickle
    };
    let remember = |number: u32| {
        let mut part = b"r".to_vec();
        part.extend(number.to_le_bytes());
        part
    };
    let tensor = b"h\0(h\x01K\0)NtR";
    let storage =
        b"ctorch._utils\n_rebuild_tensor_v2\nq\0(X\x07\0\0\0storagectorch\nFloatStorage\n\
                    X\x01\0\0\x000X\x03\0\0\0cpuK\x01tQq\x01";
    let pickles = [
        repeated(b"", &|_| b"N".to_vec(), 1),
        repeated(b"", &|_| b"N\x85".to_vec(), 2),
        repeated(b"", &|_| b"]Na".to_vec(), 3),
        repeated(b"", &|_| b"}NNs".to_vec(), 4),
        repeated(b"", &|_| b"(".to_vec(), 1),
        repeated(b"N", &remember, 1),
        repeated(b"]", &|_| b"Na".to_vec(), 2),
        repeated(b"", &|_| b"ccollections\nOrderedDict\n)R".to_vec(), 3),
        repeated(storage, &|_| tensor.to_vec(), 8),
        repeated(
            storage,
            &|_| b"h\0(h\x01K\0(K\x01K\x01K\x01tq\x02h\x02NtR".to_vec(),
            14,
        ),
    ];
    let mut writer = torch_writer::TorchWriter::default();
    writer.f32(&[1], &[0.0]);
    pickles
        .iter()
        .map(|pickle| writer.zip_of_pickle(pickle, torch_writer::ZipOptions::default()))
        .collect()
}

/// `FUZZ_SEED` and `FUZZ_INPUTS` make a long run of it.
#[test]
fn fuzz() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let mut long = Tally::default();
    for (index, bytes) in costly().iter().enumerate() {
        let checked = check(Target::Torch, bytes, &mut long);
        assert_eq!(checked, Ok(()), "costly pickle {index}");
    }
    println!("long pickles: {long:?}");
    let seed = number("FUZZ_SEED").unwrap_or(1);
    let tally = match number("FUZZ_INPUTS") {
        Some(count) => run(seed, count, Duration::MAX),
        None => run(seed, u64::MAX, SMOKE),
    };
    println!("seed {seed}: {tally:?}");
    assert!(tally.inputs > 1000 && tally.accepted > 0);
}
