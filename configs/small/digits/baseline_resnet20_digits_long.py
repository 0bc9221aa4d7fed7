# Control for amlfs_resnet20_digits.py at its compute: plain softmax for 8 times the epochs, in
# place of 8 candidates.
#   python tools/train.py configs/small/digits/baseline_resnet20_digits_long.py
# Cost: 8 x the baseline's.
# Expected: 81.17 +- 16.94 % top-1 accuracy, 2 seeds (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits.py']
param_scheduler = dict(milestones=[96, 136])
train_cfg = dict(max_epochs=160, val_interval=160)
