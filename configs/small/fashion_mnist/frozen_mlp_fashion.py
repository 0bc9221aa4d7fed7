# Control for amlfs_mlp_fashion.py: the paper's section 4.6. Losses are sampled from the initial
# distribution, which is never updated.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/frozen_mlp_fashion.py 2
# Cost: that of amlfs_mlp_fashion.py.
# Expected: 78.04 +- 0.85 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds (docs/benchmarks.md).
_base_ = ['./amlfs_mlp_fashion.py']
loss_search = dict(policy=dict(lr=0.0))
