# Ablation of amlfs_resnet8_cifar10_shift.py: t is bounded by the identity, so that no sample pulls
# the norm of its logits up for nothing.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/amlfs_resnet8_cifar10_shift_ceiling.py 2
# Cost: that of amlfs_resnet8_cifar10_shift.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_cifar10_shift.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)))
