# Control for amlfs_mlp_fashion.py: -log(p + 0.5), a loss that stays the same and that forgives
# wrong labels.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/robust_mlp_fashion.py
# Cost: that of baseline_mlp_fashion.py.
# Expected: 76.22 +- 0.46 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds (docs/benchmarks.md).
_base_ = ['./baseline_mlp_fashion.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='robust', b=0.5)))
