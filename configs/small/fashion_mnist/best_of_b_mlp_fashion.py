# Control for amlfs_mlp_fashion.py at the same compute: 8 copies of plain softmax in each epoch.
# They differ in their data order alone. The best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/best_of_b_mlp_fashion.py 2
# Cost: that of amlfs_mlp_fashion.py.
# Expected: 56.79 +- 0.25 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds (docs/benchmarks.md).
_base_ = ['./amlfs_mlp_fashion.py']
loss_search = dict(policy=dict(sigma=0.0))
