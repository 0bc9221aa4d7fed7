#!/usr/bin/env bash
# Train on several processes (one per GPU): tools/dist_train.sh CONFIG PROCESSES [train.py's options]
# PROCESSES are those of this node. Several nodes: run it on each with NNODES, NODE_RANK, MASTER_ADDR
# and PORT set. MAX_RESTARTS=n: start again, and resume, up to n times when a process dies. SIGTERM and
# SIGUSR1 stop a search after the iteration; the exit code is then 75: run again with --resume. PYTHON
# names the interpreter.
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

# torchrun passes signals on to its processes but ends with 1 in any case.
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
while kill -0 "$JOB" 2>/dev/null; do # a trapped signal ends a wait
    CODE=0
    wait "$JOB" || CODE=$?
done
if [ "$STOPPED" = 1 ] && [ "$CODE" != 0 ]; then
    exit 75
fi
exit "$CODE"
