# Ablation of amlfs_resnet20_cifar5k.py: normalised logits, 16 cos, where no norm can grow to make
# up for a loss.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/ablations/amlfs_resnet20_cifar5k_cosine.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_cifar5k.py']
model = dict(head=dict(scale=16.0))
