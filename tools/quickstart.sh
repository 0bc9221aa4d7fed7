#!/usr/bin/env bash
# From nothing to a finished search: makes .venv, trains ResNet-20 on scikit-learn's digits with 20 %
# label noise (plain softmax, the best-of-B control, the search on 2 processes), tests all three, and
# says where the plots are. Needs Python 3.10+ and git.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/make_env.sh

WORK_DIR=${WORK_DIR:-work_dirs/quickstart}
.venv/bin/python tools/analysis/benchmark.py \
    configs/small/digits/baseline_resnet20_digits.py \
    configs/small/digits/best_of_b_resnet20_digits.py \
    configs/small/digits/amlfs_resnet20_digits.py \
    --processes 2 --work-dir "$WORK_DIR"
echo
echo "Best-of-B is the search's machinery and compute with plain softmax: candidates differ by data order."
echo "One seed is an anecdote; docs/benchmarks.md has four. The search's plots:"
ls "$WORK_DIR"/amlfs_resnet20_digits_seed0/*.png
