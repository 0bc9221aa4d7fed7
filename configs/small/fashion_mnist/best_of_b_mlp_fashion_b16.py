# Control for recommended_mlp_fashion_b16.py at the same compute: 16 copies of plain softmax in each
# epoch. The best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/best_of_b_mlp_fashion_b16.py 2
# Cost: that of recommended_mlp_fashion_b16.py.
# Expected: 56.92 +- 0.62 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = ['./best_of_b_mlp_fashion.py']
loss_search = dict(num_candidates=16)
