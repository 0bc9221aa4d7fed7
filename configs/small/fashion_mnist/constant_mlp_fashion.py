# One searched loss for the whole training of baseline_mlp_fashion.py. The environment variable LOSS
# names another one: zoo:NAME, or a path.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/constant_mlp_fashion.py
# Cost: that of baseline_mlp_fashion.py.
# Expected: 78.68 +- 0.40 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_mlp_fashion.py']
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        theta='{{$LOSS:zoo:fashion_mnist_noise40_constant}}',
    )
)
