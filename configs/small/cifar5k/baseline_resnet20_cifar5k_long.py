# Control for amlfs_resnet20_cifar5k.py at its compute: plain softmax for 4 times the epochs, in
# place of 4 candidates.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       python tools/train.py configs/small/cifar5k/baseline_resnet20_cifar5k_long.py
# Cost: 4 x the baseline's.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_cifar5k.py']
param_scheduler = dict(milestones=[24, 36])
train_cfg = dict(max_epochs=40, val_interval=40)
