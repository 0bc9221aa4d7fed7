# Control for amlfs_resnet8_fashion.py: the paper's section 4.6. Losses are sampled from the initial
# distribution, which is never updated.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/frozen_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_fashion.py']
loss_search = dict(policy=dict(lr=0.0))
