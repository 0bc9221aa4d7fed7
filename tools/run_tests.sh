#!/usr/bin/env bash
# Run the tests, making .venv first if need be: tools/run_tests.sh [--slow] [pytest's options]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/make_env.sh
MARKERS='not slow'
if [ "${1:-}" = --slow ]; then
    MARKERS=''
    shift
fi
export OMP_NUM_THREADS=1
exec .venv/bin/python -m pytest -m "$MARKERS" "$@"
