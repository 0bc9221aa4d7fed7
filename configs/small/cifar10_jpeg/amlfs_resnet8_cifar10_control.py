# Ablation of amlfs_resnet8_cifar10_ceiling.py: one of the 4 candidates is a run without a search.
# The better one of both on D_v is kept.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/amlfs_resnet8_cifar10_control.py 2
# Cost: that of amlfs_resnet8_cifar10.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_cifar10_ceiling.py']
loss_search = dict(control=True)
