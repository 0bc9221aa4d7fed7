# One searched loss for the whole training of baseline_mlp_fashion.py. The environment variable LOSS
# names another one: zoo:NAME, or a path.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/constant_mlp_fashion.py
# Cost: that of baseline_mlp_fashion.py.
# Expected: no number yet.
_base_ = ['./baseline_mlp_fashion.py']
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        theta='{{$LOSS:zoo:fashion_mnist_noise40_constant}}',
    )
)
