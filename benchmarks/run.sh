#!/usr/bin/env bash
# Measure everything that has a goal, us and the peers side by side: under 20 minutes on 2 cores.
#   bash benchmarks/run.sh
# Needs `pip install -r requirements/bench.txt -c requirements/constraints.txt`; PYTHON names the
# interpreter. Exits non-zero if a goal is missed by more than a tenth, or a script fails. Each script
# also runs alone, with its own options.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON=${PYTHON:-python}
export PYTHONPATH="$PWD:$PWD/benchmarks:${PYTHONPATH:-}"
THREADS=$(nproc)

"$PYTHON" -W ignore -c "from measuring import require
require('mmpretrain.models', 'pytorch_metric_learning.losses', 'torchreid.reid.metrics')" || exit 2

FAILED=()
# measure THREADS SCRIPT [options]
measure() {
    echo
    echo "## OMP_NUM_THREADS=$1 python benchmarks/${*:2}"
    OMP_NUM_THREADS=$1 "$PYTHON" -W ignore "benchmarks/$2" "${@:3}" || FAILED+=("$2")
}

measure 1 start_up.py
measure "$THREADS" head.py
measure 1 search_overhead.py
measure 1 bare_loop.py
measure 1 scaling.py
measure 1 input_pipeline.py
measure "$THREADS" reid_evaluation.py --repeats 1 --tasks ranking re-ranking
measure "$THREADS" face_identification.py --repeats 1

echo
echo "$((SECONDS / 60)) min $((SECONDS % 60)) s"
if [ ${#FAILED[@]} -gt 0 ]; then
    echo "missed a goal by more than 10 %, or failed: ${FAILED[*]}"
    exit 1
fi
echo "all goals within 10 %"
