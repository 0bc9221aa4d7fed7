# Control for ablations/amlfs_resnet20_cifar5k_cosine.py: softmax of normalised logits, 16 cos.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       python tools/train.py configs/small/cifar5k/baseline_resnet20_cifar5k_cosine.py
# Cost: that of baseline_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_cifar5k.py']
model = dict(head=dict(type='amlfs_mm.SoftmaxHead', scale=16.0))
