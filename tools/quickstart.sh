#!/usr/bin/env bash
# From nothing to a finished search, in minutes on 2 cores: tools/quickstart.sh [digits | fashion]
#
# Makes .venv, trains a baseline, controls and a search, tests all of them, and prints a table. Needs
# Python 3.10+ and git.
# digits:  ResNet-20 on scikit-learn's digits, 20 % of the training labels wrong. Nothing to download.
# fashion: an MLP on 3,000 images of Fashion-MNIST, 40 % of the training labels wrong. DATA_ROOT is the
#          folder with the four unpacked files (train-images-idx3-ubyte ...).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
EXAMPLE=${1:-digits}
OPTIONS=()
case $EXAMPLE in
    digits)
        CONFIGS=(configs/small/digits/{baseline,best_of_b,amlfs}_resnet20_digits.py)
        ;;
    fashion)
        export LABEL_NOISE=${LABEL_NOISE:-0.4}
        CONFIGS=(configs/small/fashion_mnist/{baseline,best_of_b,recommended}_mlp_fashion.py)
        OPTIONS=(--best-epoch)
        if [ ! -f "${DATA_ROOT:-data/fashion_mnist}/train-images-idx3-ubyte" ]; then
            echo "There is no ${DATA_ROOT:-data/fashion_mnist}/train-images-idx3-ubyte: set DATA_ROOT to" \
                "the folder with Fashion-MNIST's four unpacked files (Debian: dataset-fashion-mnist)" >&2
            exit 2
        fi
        ;;
    *)
        echo "usage: $0 [digits | fashion]" >&2
        exit 2
        ;;
esac
bash tools/make_env.sh

WORK_DIR=${WORK_DIR:-work_dirs/quickstart}
# Two runs at a time, each on one core. A search on two processes gives the same result.
.venv/bin/python tools/analysis/benchmark.py "${CONFIGS[@]}" "${OPTIONS[@]}" \
    --processes 1 --jobs 2 --work-dir "$WORK_DIR"
echo
echo "Best-of-B is the search's machinery and compute with plain softmax: candidates differ by data order."
echo "One seed is an anecdote; docs/benchmarks.md has more. The search's plots:"
SEARCH=$(basename "${CONFIGS[-1]}" .py)
ls "$WORK_DIR/${SEARCH}_seed0"/*.png
