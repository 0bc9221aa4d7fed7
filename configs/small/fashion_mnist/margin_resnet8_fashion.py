# Control for amlfs_resnet8_fashion.py: AM-softmax's margin of 0.35 on the cosine of unnormalised
# logits, as L-softmax has its margin. A loss that stays the same.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/margin_resnet8_fashion.py
# Cost: that of baseline_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_fashion.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=theta))
