#!/bin/bash
# BigGAN-128 on 8 machines with 8 GPUs each, resumed until it is done: sbatch docs/clusters/slurm.sh
#SBATCH --job-name=biggan128
#SBATCH --nodes=8
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
# five minutes before the time limit: a checkpoint, then back into the queue
#SBATCH --signal=B:TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

set -uo pipefail
export RAYON_NUM_THREADS="$SLURM_CPUS_PER_TASK"

# --kill-on-bad-exit: a rank that fails takes the others with it
srun --mpi=pmix --kill-on-bad-exit=1 \
    native-train --config configs/biggan128.toml --out runs/biggan128 --resume \
    --comm mpi --device wgpu --step-timeout 900 &
job=$!
requeue=0
# Slurm tells this script; srun passes the signal on to every rank
trap 'requeue=1; kill -TERM "$job"' TERM
wait "$job"; code=$?
# wait returns when the signal comes: the ranks are writing their checkpoint
if [ "$requeue" = 1 ]; then wait "$job"; code=$?; fi

case "$code" in
    0) [ "$requeue" = 1 ] && scontrol requeue "$SLURM_JOB_ID" ;; # done, or stopped with a checkpoint
    3 | 2) echo "collapsed or not runnable: not started again" ;;
    *) scontrol requeue "$SLURM_JOB_ID" ;; # a machine or a rank failed: continue from the last checkpoint
esac
exit "$code"
