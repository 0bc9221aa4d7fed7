# A schedule of losses that searches found, in one training of baseline_resnet8_fashion.py. The
# environment variable SCHEDULE names another schedule: zoo:NAME, or a path.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/replay_resnet8_fashion.py
# Cost: that of baseline_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/replay_zoo.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
