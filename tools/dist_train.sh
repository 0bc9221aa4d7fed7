#!/usr/bin/env bash
# Train on several processes (one per GPU): tools/dist_train.sh CONFIG PROCESSES [train.py's options]
#
# PROCESSES is the number of processes on this node. For several nodes, run the script on each node
# and set NNODES, NODE_RANK, MASTER_ADDR and PORT. PYTHON is the Python interpreter to use.
#
# MAX_RESTARTS=n: if a process dies, all processes start again and resume, at most n times.
# SIGTERM or SIGUSR1 stops a search after the current iteration. The search saves its state and the
# exit code is 75. Run the same command with --resume to go on.
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    exit 2
fi
CONFIG=$1
PROCESSES=$2
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$HERE/..:${PYTHONPATH:-}"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# torchrun sends the signal on to its processes, but its own exit code is then always 1.
STOPPED=0
trap 'STOPPED=1; kill -TERM "$JOB"' TERM USR1
trap 'kill -INT "$JOB"' INT
"${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    --max_restarts="${MAX_RESTARTS:-0}" \
    "$HERE/train.py" "$CONFIG" --launcher pytorch "${@:3}" &
JOB=$!
CODE=0
while kill -0 "$JOB" 2>/dev/null; do # a trapped signal interrupts `wait`
    CODE=0
    wait "$JOB" || CODE=$?
done
if [ "$STOPPED" = 1 ] && [ "$CODE" != 0 ]; then
    exit 75
fi
exit "$CODE"
