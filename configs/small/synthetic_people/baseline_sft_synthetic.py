# A small SFT on drawn pedestrians.
#   DATA_ROOT=data/synthetic \
#       python tools/train.py configs/small/synthetic_people/baseline_sft_synthetic.py
# Cost: 12 epochs of about 30 iterations of batch 32, about a minute on one CPU core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/sft_small.py',
    '../../_base_/datasets/synthetic_people.py',
    '../../_base_/schedules/synthetic_12e.py',
    '../../_base_/default_runtime.py',
]
