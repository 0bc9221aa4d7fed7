# The search of recommended_mlp_fashion.py with B = 16.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/recommended_mlp_fashion_b16.py 2
# Cost: 16 x the baseline's compute.
# Expected: 79.21 +- 0.70 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = ['./recommended_mlp_fashion.py']
loss_search = dict(num_candidates=16)
