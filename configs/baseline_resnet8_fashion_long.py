# Control for amlfs_resnet8_fashion.py at its compute: plain softmax, 4 times the epochs in place of
# 4 candidates.
#   python tools/train.py configs/baseline_resnet8_fashion_long.py
# Cost: 4 x the baseline's.
_base_ = ['./baseline_resnet8_fashion.py']
param_scheduler = dict(milestones=[24, 36])
train_cfg = dict(max_epochs=40, val_interval=40)
