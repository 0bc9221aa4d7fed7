# A schedule of losses that searches found, in one training of baseline_mlp_fashion.py. The
# environment variable SCHEDULE names another schedule: zoo:NAME, or a path.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/replay_mlp_fashion.py
# Cost: that of baseline_mlp_fashion.py.
# Expected: 79.58 +- 0.46 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_mlp_fashion.py', '../../_base_/search/replay_zoo.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
