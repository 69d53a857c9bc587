//! `native-train bench`: measures communication and predicts scaling.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, bail};
use biggan::collective::{Group, Share};
use biggan::kernels::batch_norm_train;
use biggan::train::{Ranks, RoundTraffic, TrainConfig, TrainState};
use burn::tensor::{Device, Distribution, Tensor};

use crate::args::ScalingArgs;
use crate::environment::Environment;
use crate::error::Outcome;
use crate::research::scaling::{Cluster, Link, table};
use crate::run::plan_file;
use crate::training::dry_run;
use crate::training::job::Job;

/// Sizes in values of the timed sums.
const SIZES: [usize; 8] = [1, 256, 4096, 1 << 15, 1 << 18, 1 << 20, 1 << 22, 1 << 24];
/// Repeats of each, of which the median is taken.
const TIMES: usize = 9;
/// Channels, side and images of all ranks together of the timed batch norm.
const NORM: [usize; 3] = [96, 32, 32];

/// Runs the command.
///
/// # Errors
/// If the recipe is not valid, or ranks send another volume than the formula says.
pub fn run(args: &ScalingArgs, environment: &Environment) -> Result<Outcome> {
    let plan = plan_file::read(&args.config, &args.set)?;
    let job = Job::open(args.comm, environment)?;
    let benched = bench(args, plan.train(), &job);
    job.end(benched).map(|()| Outcome::Done)
}

fn bench(args: &ScalingArgs, config: &TrainConfig, job: &Job) -> Result<()> {
    let say = |line: String| {
        if job.leads() {
            say!("{line}");
        }
    };
    for &ranks in &args.gpus {
        let norm = config.techniques.bn_group.unwrap_or(ranks);
        let traffic = RoundTraffic::count(config, ranks, norm)?;
        let part = |lens: &[usize]| {
            let bytes = lens.iter().sum::<usize>() * size_of::<f32>();
            format!("{} of {:.2} MB", lens.len(), bytes as f64 / 1e6)
        };
        say(format!(
            "{ranks} ranks sum in a round: gradients {}, moments {}, their gradients {}, logits {}",
            part(&traffic.gradients),
            part(&traffic.moments),
            part(&traffic.norm_gradients),
            part(&traffic.logits),
        ));
    }
    if !job.is_alone() {
        measure(config, job, say)?;
    }
    let cluster = Cluster {
        gpus_a_machine: args.gpus_a_machine,
        flops: args.tflops * 1e12,
        inside: Link {
            latency: args.inside_latency_us * 1e-6,
            bandwidth: args.inside_gbytes * 1e9,
        },
        between: Link {
            latency: args.latency_us * 1e-6,
            bandwidth: f64::INFINITY, // the lines of the table set theirs
        },
    };
    say(format!(
        "\n{}",
        table(config, &cluster, &args.gpus, &args.gbits, args.line_share)?
    ));
    Ok(())
}

/// Times sums, a batch norm and rounds among the ranks that run.
fn measure(config: &TrainConfig, job: &Job, say: impl Fn(String)) -> Result<()> {
    let (group, world) = (job.group(), job.world());
    let mut measured = Vec::new();
    for len in SIZES {
        let mut values = vec![1.0f32; len];
        let secs = median(group, || group.all_reduce_sum(black_box(&mut values)));
        let bytes = (len * size_of::<f32>()) as f64;
        measured.push((bytes, secs));
    }
    let link = Link::fit(world, &measured);
    say(format!(
        "a sum over {world} ranks here: {:.1} us per message, {:.2} GB/s",
        1e6 * link.latency,
        link.bandwidth / 1e9
    ));
    for (bytes, secs) in measured {
        say(format!(
            "  {bytes:>10.0} bytes: {:>10.1} us, fitted {:>10.1} us",
            1e6 * secs,
            1e6 * link.sum(world, bytes)
        ));
    }

    let device = Device::flex();
    let [channels, side, images] = NORM;
    let own = (images / world).max(1);
    let x = Tensor::<4>::random([own, channels, side, side], Distribution::Default, &device);
    let share = Share::new(group.clone(), vec![own; world]);
    let step = |share: Option<&Share>| {
        let x = x.clone().autodiff().require_grad();
        let table = Tensor::<2>::ones([1, channels], &device).autodiff();
        let (y, _, _) = batch_norm_train(x, table.clone(), table, 1e-5, true, share);
        black_box(y.sum().backward());
    };
    let local = median(group, || step(None));
    let shared = median(group, || step(Some(&share)));
    say(format!(
        "batch norm of {own} images per rank, {channels} channels, {side}x{side}, forward and back: {:.2} ms alone, \
         {:.2} ms over the ranks",
        1e3 * local,
        1e3 * shared
    ));

    let ranks = job.ranks(config.techniques.bn_group)?;
    job.agree(ranks.check(config).map_err(Into::into))?;
    let mut state = TrainState::new(config, &device)?;
    state = dry_run::noise_round(state, config, &ranks, &device)?;
    let before = [group.traffic(), ranks.norm().traffic()];
    let (started, waited) = (Instant::now(), job.waited());
    dry_run::noise_round(state, config, &ranks, &device)?;
    let (secs, waited) = (started.elapsed(), job.waited() - waited);
    let sent = sent(&ranks, before);
    let formula = RoundTraffic::count(config, world, ranks.norm().world())?;
    let fitted: f64 = [
        &formula.gradients,
        &formula.moments,
        &formula.norm_gradients,
    ]
    .into_iter()
    .chain([&formula.logits, &formula.other])
    .flatten()
    .map(|&len| link.sum(world, (len * size_of::<f32>()) as f64))
    .sum();
    say(format!(
        "a round of this recipe here: {:.3} s, {:.4} s of it in sums (the model: {fitted:.4} s, and what ranks wait \
         for each other); {} sums of {} values, by the formula {} of {}",
        secs.as_secs_f64(),
        waited.as_secs_f64(),
        sent[0],
        sent[1],
        formula.total()[0],
        formula.total()[1],
    ));
    if sent != formula.total() {
        bail!("the formula of what a round sends is wrong for this recipe");
    }
    Ok(())
}

/// Sums and values since `before`, of all ranks and of the group of batch norm.
fn sent(ranks: &Ranks, before: [[u64; 2]; 2]) -> [u64; 2] {
    let since = |group: &Group, before: [u64; 2]| {
        let now = group.traffic();
        [now[0] - before[0], now[1] - before[1]]
    };
    let world = since(ranks.world(), before[0]);
    if ranks.norm().world() == ranks.world().world() {
        return world; // the same group
    }
    let norm = since(ranks.norm(), before[1]);
    [world[0] + norm[0], world[1] + norm[1]]
}

/// Median seconds of something that all ranks start together.
fn median(group: &Group, mut work: impl FnMut()) -> f64 {
    work();
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            group.all_reduce_sum(&mut [0.0]);
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TIMES / 2]
}
