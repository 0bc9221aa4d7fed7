# A schedule of losses that searches found, in one training of baseline_mlp_fashion.py. The
# environment variable SCHEDULE names another schedule: zoo:NAME, or a path.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/replay_mlp_fashion.py
# Cost: that of baseline_mlp_fashion.py.
# Expected: 79.58 +- 0.46 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_mlp_fashion.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
custom_hooks = [
    dict(
        type='amlfs_mm.LossReplayHook',
        schedule='{{$SCHEDULE:zoo:fashion_mnist_noise40}}',
        transfer='stretch',
    )
]
