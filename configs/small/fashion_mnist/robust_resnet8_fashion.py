# Control for amlfs_resnet8_fashion.py: -log(p + 0.5), a loss that stays the same and that forgives
# wrong labels.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/robust_resnet8_fashion.py
# Cost: that of baseline_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_fashion.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='robust', b=0.5)))
