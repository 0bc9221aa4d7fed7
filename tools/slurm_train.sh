#!/usr/bin/env bash
# Train on a Slurm cluster:
#   GPUS=64 GPUS_PER_NODE=8 tools/slurm_train.sh PARTITION JOB_NAME CONFIG [train.py's options]
# GPUS_PER_NODE=0: train on CPUs. SRUN_ARGS are more options for srun. PYTHON is the Python
# interpreter to use.
#
# A long search can run as a batch job. The job then outlives its time limit, preemption, and the
# failure of a node:
#   GPUS=64 GPUS_PER_NODE=8 sbatch --requeue --signal=USR1@300 -p PARTITION --ntasks=64 \
#       --ntasks-per-node=8 --gres=gpu:8 --cpus-per-task=4 --time=24:00:00 --open-mode=append \
#       --wrap 'tools/slurm_train.sh PARTITION JOB_NAME CONFIG --work-dir DIR'
# At least 300 seconds before the time limit, Slurm sends USR1. The search finishes its iteration,
# saves its state and exits with code 75. This script then puts the job back into the queue. When
# Slurm starts the job again, it resumes. `scancel --signal=USR1 JOBID` does the same at any time.
# `scancel JOBID` stops the job for good.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: [GPUS=8] [GPUS_PER_NODE=8] $0 PARTITION JOB_NAME CONFIG [options of train.py]" >&2
    exit 2
fi
PARTITION=$1
JOB_NAME=$2
CONFIG=$3
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$HERE/..:${PYTHONPATH:-}"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

PLACEMENT=()
if [ "$GPUS_PER_NODE" -gt 0 ]; then
    PLACEMENT=(--gres="gpu:$GPUS_PER_NODE" --ntasks-per-node="$GPUS_PER_NODE")
fi
RESUME=()
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    RESUME=(--resume)
fi
# When one process ends, srun gives the others two minutes. --kill-on-bad-exit=1 would be wrong here:
# srun would send SIGTERM to the others, and they would exit with 75. srun reports the highest exit
# code, so 75 would hide the failure of the first process.
# shellcheck disable=SC2206
COMMAND=(srun -p "$PARTITION" --job-name="$JOB_NAME" --ntasks="$GPUS"
    --cpus-per-task="${CPUS_PER_TASK:-4}" --kill-on-bad-exit=0 --wait=120 "${PLACEMENT[@]}"
    ${SRUN_ARGS:-}
    "${PYTHON:-python}" -u "$HERE/train.py" "$CONFIG" --launcher slurm "${@:4}" "${RESUME[@]}")

if [ "${ENVIRONMENT:-}" != BATCH ]; then
    exec "${COMMAND[@]}"
fi
CODE=0
"${COMMAND[@]}" || CODE=$?
if [ "$CODE" -eq 75 ]; then
    # With `Incomplete`, a job that is being cancelled stays cancelled.
    scontrol requeue Incomplete "$SLURM_JOB_ID" || true
fi
exit "$CODE"
