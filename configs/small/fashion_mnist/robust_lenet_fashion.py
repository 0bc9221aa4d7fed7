# Control for replay_lenet_fashion.py: -log(p + 0.5), a loss that stays the same and that forgives
# wrong labels.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/robust_lenet_fashion.py
# Cost: that of baseline_lenet_fashion.py.
# Expected: 79.10 +- 0.34 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_lenet_fashion.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='robust', b=0.5)))
