# Control for recommended_mlp_fashion.py at the same compute: 8 copies of the best static loss that
# we know here, -log(p + 0.5), in each epoch. The best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/best_of_b_robust_mlp_fashion.py 2
# Cost: that of amlfs_mlp_fashion.py.
# Expected: 76.65 +- 0.16 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds (docs/benchmarks.md).
_base_ = ['./best_of_b_mlp_fashion.py']
loss_search = dict(mu_0=dict(name='robust', b=0.5))
