//! Several processes of MPI train as one, and what becomes of them when one fails.
//!
//! Each rank has one thread: the tests run on two cores.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use native_train::records::log_record::LogRecord;
use native_train::run::checkpoint::Checkpoint;

use crate::support::models::{CLASSIFIER, write_test_images};
use crate::support::processes::{PATIENCE, kill, wait_until};
use crate::support::runs::{NERVOUS, assert_same_bits};
use crate::support::setting::{Setting, checkpoints, stderr};

/// Longest time from a fault to the end of the job, beside what the fault itself says.
const END: Duration = Duration::from_secs(60);

/// The paper's rates, and Adam's epsilon of its scripts: a smaller one turns the rounding of a vanishing gradient into
/// a step.
const EXACT: [&str; 16] = [
    "--config",
    "tiny.toml",
    "--comm",
    "mpi",
    "--set",
    "train.adam_g.eps=1e-6",
    "--set",
    "train.adam_d.eps=1e-6",
    "--set",
    "train.adam_g.lr=5e-5",
    "--set",
    "train.adam_d.lr=2e-4",
    "--set",
    "run.log_every_steps=1",
    "--set",
    "run.collapse.enabled=false",
];

/// `mpirun` with the program in the directory of a setting.
fn job(setting: &Setting, ranks: usize, args: &[&str]) -> Command {
    let program = setting.command(&[]);
    let program = program.get_program().to_string_lossy().into_owned();
    let words = std::iter::once(program.as_str()).chain(args.iter().copied());
    launch(setting, ranks, &words.collect::<Vec<_>>())
}

/// `mpirun` with any words.
fn launch(setting: &Setting, ranks: usize, words: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    let ranks = ranks.to_string();
    command.args(["--oversubscribe", "-np", &ranks]).args(words);
    command
        .current_dir(setting.path(""))
        .env("XDG_DATA_HOME", setting.path("data-home"))
        .env("RAYON_NUM_THREADS", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        // ranks that wait must not take the cores of those that work
        .env("OMPI_MCA_mpi_yield_when_idle", "1");
    command
}

/// A job that runs.
struct Running {
    child: Child,
    /// Reads what it says: a full pipe would hold it up.
    said: JoinHandle<Vec<u8>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("mpirun runs; install Open MPI, see docs/clusters.md");
        let mut pipe = child.stderr.take().unwrap();
        let read = move || {
            let mut said = Vec::new();
            pipe.read_to_end(&mut said).unwrap();
            said
        };
        Self {
            child,
            said: std::thread::spawn(read),
        }
    }

    /// Processes by rank.
    fn ranks(&self) -> BTreeMap<usize, u32> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let rank = |entry: std::fs::DirEntry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let (_, rest) = status.rsplit_once(") ")?;
            let parent: u32 = rest.split(' ').nth(1)?.parse().ok()?;
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            let environment = String::from_utf8_lossy(&environment).into_owned();
            let mut variables = environment.split('\0');
            let rank = variables.find_map(|v| v.strip_prefix("OMPI_COMM_WORLD_RANK="))?;
            (parent == self.child.id()).then_some((rank.parse().ok()?, pid))
        };
        processes.filter_map(rank).collect()
    }

    /// The end, which must come in time; no process is left.
    fn end(mut self, within: Duration) -> Output {
        let ranks = self.ranks();
        let asked = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if asked.elapsed() > within {
                self.child.kill().unwrap();
                for pid in ranks.values() {
                    kill("KILL", *pid);
                }
                let said = self.said.join().unwrap();
                panic!(
                    "no end within {within:?}: {}",
                    String::from_utf8_lossy(&said)
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let took = asked.elapsed();
        let output = Output {
            status: self.child.wait().unwrap(),
            stdout: Vec::new(),
            stderr: self.said.join().unwrap(),
        };
        eprintln!("ended after {took:?}, {:?}", output.status);
        for pid in ranks.values() {
            wait_until("the end of all processes", || !is_running(*pid));
        }
        output
    }
}

/// Whether a process runs; what is dead and waits to be noticed does not.
fn is_running(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let state = status
        .ok()
        .and_then(|text| text.rsplit_once(") ")?.1.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// Runs a job that must succeed.
fn ok(setting: &Setting, ranks: usize, args: &[&str]) -> String {
    let output = Running::start(job(setting, ranks, args)).end(PATIENCE);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stderr(&output)
}

fn train(setting: &Setting, ranks: usize, out: &str, steps: &str, more: &[&str]) -> String {
    let own = ["--out", out, "--steps", steps];
    ok(setting, ranks, &[&EXACT[..], &own, more].concat())
}

fn newest(setting: &Setting, out: &str) -> Checkpoint {
    let bytes = std::fs::read(setting.newest_checkpoint(out)).unwrap();
    Checkpoint::decode(&bytes).unwrap()
}

fn log(setting: &Setting, out: &str) -> Vec<LogRecord> {
    let text = std::fs::read_to_string(setting.path(out).join("log.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Whether the first step's losses, gradients (their norms) and running statistics are within 1e-5 + 1e-4 max|ref|
/// of another run's.
fn first_step_agrees(setting: &Setting, found: &str, expected: &str) -> bool {
    let close = |a: f64, b: f64, largest: f64| (a - b).abs() <= 1e-5 + 1e-4 * largest;
    let [found_log, expected_log] = [found, expected].map(|run| log(setting, run).swap_remove(0));
    let values = |record: &LogRecord| {
        let norms = [
            record.gradient_norm_d.unwrap(),
            record.gradient_norm_g.unwrap(),
        ];
        [
            record.loss_d,
            record.loss_g,
            record.d_real,
            record.d_fake,
            norms[0],
            norms[1],
        ]
    };
    let logged = values(&found_log).into_iter().zip(values(&expected_log));
    let logged = logged.into_iter().all(|(a, b)| close(a, b, b.abs()));
    let [found, expected] = [found, expected].map(|run| newest(setting, run).tensors.0);
    let mut statistics = expected
        .iter()
        .filter(|(name, _)| name.ends_with(".mean") || name.ends_with(".variance"));
    logged
        && statistics.all(|(name, tensor)| {
            let largest = tensor
                .values
                .iter()
                .fold(0.0f32, |most, v| most.max(v.abs()));
            let mut pairs = tensor.values.iter().zip(&found[name].values);
            pairs.all(|(a, b)| close(f64::from(*a), f64::from(*b), f64::from(largest)))
        })
}

/// Share of weights and averages that are within 1e-4 of another run's.
fn weights_that_agree(setting: &Setting, found: &str, expected: &str) -> f64 {
    let [found, expected] = [found, expected].map(|run| newest(setting, run).tensors.0);
    let (mut all, mut close) = (0u32, 0u32);
    for (name, tensor) in &expected {
        if name.starts_with("adam") || name.starts_with("controls") {
            continue;
        }
        for (a, b) in tensor.values.iter().zip(&found[name].values) {
            all += 1;
            close += u32::from((a - b).abs() <= 1e-4);
        }
    }
    f64::from(close) / f64::from(all)
}

#[test]
fn mpi_ranks_train_as_one_process() {
    let setting = Setting::new();
    // even, uneven, and an empty part of the batch
    for (batch, ranks) in [("6", [2, 3]), ("4", [2, 3]), ("2", [2, 3])] {
        let batch_size = format!("train.batch_size={batch}");
        let set = ["--set", &batch_size];
        for steps in ["1", "3"] {
            let one = format!("one-{batch}-{steps}");
            train(&setting, 1, &one, steps, &set);
            for ranks in ranks {
                let run = format!("{ranks}-{batch}-{steps}");
                let said = train(&setting, ranks, &run, steps, &set);
                assert!(said.contains(&format!("by {ranks} ranks")), "{said}");
                if steps == "1" {
                    assert!(first_step_agrees(&setting, &run, &one), "{run}");
                    continue;
                }
                let share = weights_that_agree(&setting, &run, &one);
                eprintln!(
                    "{ranks} ranks, {batch} images: {:.3} % agree",
                    share * 100.0
                );
                assert!(share >= 0.995, "{run}: {share}");
                let speeds = log(&setting, &run)[2].images_per_sec_of_ranks.clone();
                assert_eq!(speeds.unwrap().len(), ranks);
            }
        }
    }
    // the control: statistics of each rank alone
    let local = [
        "--set",
        "train.batch_size=6",
        "--set",
        "train.techniques.bn_group=1",
    ];
    train(&setting, 2, "local", "1", &local);
    assert!(!first_step_agrees(&setting, "local", "one-6-1"));
}

#[test]
fn a_process_alone_trains_the_same_with_and_without_mpi() {
    let setting = Setting::new();
    train(&setting, 1, "mpi", "4", &[]);
    let mut args: Vec<&str> = EXACT.to_vec();
    args.retain(|arg| *arg != "--comm" && *arg != "mpi");
    setting.ok(&[&args[..], &["--out", "plain", "--steps", "4"]].concat());
    assert_same_bits(
        &setting.newest_checkpoint("plain"),
        &setting.newest_checkpoint("mpi"),
    );
}

#[test]
fn ranks_must_train_the_same() {
    let setting = Setting::new();
    let program = setting
        .command(&[])
        .get_program()
        .to_string_lossy()
        .into_owned();
    let differ = |set: &str| {
        let line = format!("exec {program} {} --out run --set {set}", EXACT.join(" "));
        Running::start(launch(&setting, 2, &["sh", "-c", &line])).end(END)
    };
    let output = differ("train.seed=$OMPI_COMM_WORLD_RANK");
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("differs from that of rank 0") && text.contains("train.seed"),
        "{text}"
    );

    let output = differ("run.sample_every_images=10$OMPI_COMM_WORLD_RANK");
    assert!(
        stderr(&output).contains("its section [run]"),
        "{}",
        stderr(&output)
    );

    std::fs::create_dir(setting.path("data0")).unwrap();
    for file in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        std::fs::copy(
            setting.path("data").join(file),
            setting.path("data0").join(file),
        )
        .unwrap();
    }
    std::fs::rename(setting.path("data"), setting.path("data1")).unwrap();
    let labels = setting.path("data1/train-labels-idx1-ubyte");
    let mut bytes = std::fs::read(&labels).unwrap();
    bytes[8] = (bytes[8] + 1) % 3;
    std::fs::write(&labels, bytes).unwrap();
    let output = differ("data.path=data$OMPI_COMM_WORLD_RANK");
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("data differ from those of rank 0"), "{text}");
    assert!(checkpoints(&setting.path("run")).is_empty());

    // an error that every rank has is told once
    let output = differ("data.path=nowhere");
    assert_eq!(
        stderr(&output).matches("error: ").count(),
        1,
        "{}",
        stderr(&output)
    );
    let groups = ["--set", "train.techniques.bn_group=2"];
    let args = [&EXACT[..], &["--out", "run"], &groups].concat();
    let output = Running::start(job(&setting, 3, &args)).end(END);
    let text = stderr(&output);
    assert!(
        text.contains("bn_group is 2, expected a divisor of the 3 ranks"),
        "{text}"
    );
}

/// What a fault does to a job, and what must follow.
struct Fault {
    name: &'static str,
    code: Option<i32>,
    says: &'static str,
}

const FAULTS: [Fault; 6] = [
    Fault {
        name: "panic",
        code: Some(101),
        says: "asks for it",
    },
    Fault {
        name: "error",
        code: Some(1),
        says: "rank 1 of 3",
    },
    Fault {
        name: "drift",
        code: Some(1),
        says: "the weights of rank 1 differ",
    },
    Fault {
        name: "exit",
        code: None,
        says: "",
    },
    Fault {
        name: "hang",
        code: Some(75),
        says: "no step ended in 15 s",
    },
    Fault {
        name: "kill",
        code: None,
        says: "",
    },
];

#[test]
fn a_rank_that_fails_ends_the_job_and_loses_nothing() {
    let setting = Setting::new();
    let often = [
        "--set",
        "run.checkpoint_every_images=8",
        "--step-timeout",
        "15",
    ];
    let whole = [&often[..], &["--set", "run.keep_checkpoints=20"]].concat();
    train(&setting, 3, "whole", "8", &whole);
    for fault in FAULTS {
        let out = ["--out", fault.name, "--steps", "8"];
        let args = [&EXACT[..], &out, &often].concat();
        let mut command = job(&setting, 3, &args);
        if fault.name != "kill" {
            command.env("BIGGAN_FAULT", format!("1:5:{}", fault.name));
        }
        let running = Running::start(command);
        if fault.name == "kill" {
            wait_until("a checkpoint", || {
                !checkpoints(&setting.path("kill")).is_empty()
            });
            kill("KILL", running.ranks()[&1]);
        }
        let output = running.end(END);
        let text = stderr(&output);
        assert!(!output.status.success(), "{}: {text}", fault.name);
        if fault.code.is_some() {
            assert_eq!(output.status.code(), fault.code, "{}: {text}", fault.name);
        }
        assert!(text.contains(fault.says), "{}: {text}", fault.name);
        let kept = newest(&setting, fault.name).counters.g_step;
        assert!((1..=5).contains(&kept), "{}: {kept}", fault.name);
        let rest = (8 - kept).to_string();
        train(
            &setting,
            3,
            fault.name,
            &rest,
            &[&often[..], &["--resume"]].concat(),
        );
        let [whole, resumed] = ["whole", fault.name].map(|run| setting.newest_checkpoint(run));
        assert_same_bits(&whole, &resumed);
    }
}

#[test]
fn a_full_disk_on_rank_0_ends_the_job() {
    let setting = Setting::new();
    let program = setting
        .command(&[])
        .get_program()
        .to_string_lossy()
        .into_owned();
    // a limit on the size of files is a full disk that needs no disk
    let line = format!(
        "trap '' XFSZ; [ $OMPI_COMM_WORLD_RANK = 0 ] && ulimit -f 8; exec {program} {} --out run",
        EXACT.join(" ")
    );
    let output = Running::start(launch(&setting, 3, &["bash", "-c", &line])).end(PATIENCE);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("error: rank 0 of 3") && text.contains("could not be written"),
        "{text}"
    );
    assert!(checkpoints(&setting.path("run")).is_empty());
}

#[test]
fn a_request_to_terminate_is_agreed_on_and_ends_with_a_checkpoint() {
    let setting = Setting::new();
    // to one rank, which is not the one with the files; to all, as srun does
    for (out, all) in [("one", false), ("all", true)] {
        let args = [&EXACT[..], &["--out", out]].concat();
        let running = Running::start(job(&setting, 3, &args));
        let log = setting.path(out).join("log.jsonl");
        wait_until("a line of the log", || {
            std::fs::metadata(&log).is_ok_and(|file| file.len() > 0)
        });
        for (rank, pid) in running.ranks() {
            if all || rank == 2 {
                kill("TERM", pid);
            }
        }
        let output = running.end(END);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("interrupted after"), "{text}");
        let steps = newest(&setting, out).counters.g_step;
        // and it goes on, with fewer ranks or more
        for ranks in [2, 3] {
            train(&setting, ranks, out, "1", &["--resume"]);
        }
        assert_eq!(newest(&setting, out).counters.g_step, steps + 2);
    }
}

#[test]
fn another_number_of_ranks_goes_on_within_rounding() {
    let setting = Setting::new();
    train(&setting, 3, "whole", "4", &[]);
    train(&setting, 3, "moved", "2", &[]);
    for (ranks, steps) in [(2, "1"), (1, "1")] {
        train(&setting, ranks, "moved", steps, &["--resume"]);
    }
    let share = weights_that_agree(&setting, "moved", "whole");
    assert!(share >= 0.995, "{share}");
    let [moved, whole] = ["moved", "whole"].map(|run| log(&setting, run));
    assert_eq!(moved.len(), 4);
    for (a, b) in moved.iter().zip(&whole) {
        assert!(
            (a.loss_d - b.loss_d).abs() < 1e-3,
            "{} and {}",
            a.loss_d,
            b.loss_d
        );
    }
}

#[test]
fn scores_of_ranks_are_those_of_one_process() {
    let setting = Setting::new();
    write_test_images(&setting);
    setting.ok(&CLASSIFIER);
    let scored = [
        "--set",
        "run.score.every_images=16",
        "--set",
        "run.score.classifier=tiny.safetensors",
        "--set",
        "run.score.samples=250",
    ];
    for (ranks, out) in [(1, "one"), (3, "three")] {
        train(&setting, ranks, out, "6", &scored);
    }
    let scores =
        |run: &str| std::fs::read_to_string(setting.path(run).join("scores.jsonl")).unwrap();
    let value = |run: &str| {
        let scores = scores(run);
        let last = scores.trim().lines().last().unwrap();
        let line: serde_json::Value = serde_json::from_str(last).unwrap();
        (
            line["frechet"].as_f64().unwrap(),
            line["recognised"].as_f64().unwrap(),
        )
    };
    let (one, three) = (value("one"), value("three"));
    assert!(
        (one.0 / three.0 - 1.0).abs() < 1e-3,
        "{one:?} and {three:?}"
    );

    setting.ok(&[
        "export",
        "one",
        "--passes",
        "1",
        "--out",
        "model.safetensors",
    ]);
    let evaluate = [
        "evaluate",
        "model.safetensors",
        "--classifier",
        "tiny.safetensors",
        "--dataset",
        "idx",
        "--data",
        "data",
        "--count",
        "250",
        "--recognised",
        "120",
    ];
    let alone = setting.ok(&evaluate);
    let mut together = job(&setting, 3, &[&evaluate[..], &["--comm", "mpi"]].concat());
    let together = together.output().unwrap();
    assert!(together.status.success(), "{}", stderr(&together));
    assert_eq!(String::from_utf8(together.stdout).unwrap(), alone);
}

#[test]
fn a_collapse_is_answered_on_all_ranks() {
    let setting = Setting::new();
    let args = ["--config", "tiny.toml", "--comm", "mpi", "--steps", "60"];
    let nervous = [&args[..], &NERVOUS].concat();
    let stops = [&nervous[..], &["--out", "stops"]].concat();
    let output = Running::start(job(&setting, 2, &stops)).end(PATIENCE);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert_eq!(text.matches("error: ").count(), 1, "{text}");

    let lower = [
        "--out",
        "goes-on",
        "--set",
        "run.collapse.action.kind=lower_rates",
        "--set",
        "run.collapse.max_rollbacks=2",
    ];
    // it collapses again, whatever the rate of G; after each way back the ranks hold the same weights, or they
    // would say so
    let args = [&nervous[..], &lower].concat();
    let output = Running::start(job(&setting, 2, &args)).end(PATIENCE);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert_eq!(text.matches("; back to ").count(), 2, "{text}");
    assert!(!text.contains("differ from those of rank 0"), "{text}");
}
