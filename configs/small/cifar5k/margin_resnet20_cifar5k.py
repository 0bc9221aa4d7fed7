# Control for amlfs_resnet20_cifar5k.py: AM-softmax's margin of 0.35 on the cosine of unnormalised
# logits, as L-softmax has its margin. A loss that stays the same.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       python tools/train.py configs/small/cifar5k/margin_resnet20_cifar5k.py
# Cost: that of baseline_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_cifar5k.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=theta))
