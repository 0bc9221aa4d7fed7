# Ablation of amlfs_resnet20_cifar5k.py: candidates a quarter as far from mu, sigma = 0.05.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/ablations/amlfs_resnet20_cifar5k_small_sigma.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_cifar5k.py']
loss_search = dict(policy=dict(sigma=0.05))
