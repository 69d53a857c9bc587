#!/bin/bash
# Up to 20 tries, each from the last checkpoint: docs/clusters/mpirun.sh HOSTFILE RANKS
set -u
hosts=$1 ranks=$2
for try in $(seq 20); do
    mpirun --hostfile "$hosts" -np "$ranks" \
        native-train --config configs/biggan128.toml --out runs/biggan128 --resume --comm mpi --device wgpu
    code=$?
    case "$code" in
        0) exit 0 ;;
        2 | 3) exit "$code" ;; # not runnable; collapsed
    esac
    echo "try $try ended with $code; continuing from the last checkpoint" >&2
    sleep 10
done
exit 1
