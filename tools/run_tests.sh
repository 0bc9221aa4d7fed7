#!/usr/bin/env bash
# Run the tests, making .venv first if need be:
#   tools/run_tests.sh [--slow | --faults | --gpu | --slurm] [pytest's options]
# --faults: all fault injections, with a report; the default run has a few of them.
# --gpu: those on a real GPU; all others run on the CPU, also where there is a GPU.
# --slurm: those on a Slurm cluster that they start here; installs Slurm on Debian, as root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install_slurm() {
    if type munged slurmctld slurmd srun &> /dev/null; then
        return
    fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
        echo "Slurm is not installed. As root on Debian: apt-get install slurm-wlm munge" >&2
        exit 2
    fi
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends slurm-wlm munge
}

MARKERS='not slow and not slurm and not faults and not gpu'
# Two to four tests at a time; those that break runs on purpose watch the clock, one at a time.
PARALLEL=(--numprocesses auto --maxprocesses 4 --dist worksteal)
case ${1:-} in
    --slow)
        MARKERS='not slurm and not faults and not gpu'
        shift
        ;;
    --faults)
        MARKERS=''
        PARALLEL=()
        set -- tests/test_faults "${@:2}"
        ;;
    --gpu)
        MARKERS='gpu'
        PARALLEL=()
        # This file alone: others add a device to torch, which it would take for its accelerator.
        set -- tests/test_device/test_gpu.py "${@:2}"
        ;;
    --slurm)
        export PATH="$PATH:/usr/sbin" # Debian's place for daemons
        install_slurm
        MARKERS='slurm'
        PARALLEL=()
        shift
        ;;
esac
bash tools/make_env.sh
export OMP_NUM_THREADS=1
if [ "$MARKERS" != gpu ]; then
    export CUDA_VISIBLE_DEVICES='' # the same bits on every machine
fi
exec .venv/bin/python -m pytest -m "$MARKERS" "${PARALLEL[@]}" "$@"
