# AM-LFS on the first 3,000 images of Fashion-MNIST, B = 8.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/amlfs_mlp_fashion.py 2
# Cost: 8 x the baseline's compute.
# Expected: 78.64 +- 1.31 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds
# (docs/benchmarks.md).
_base_ = ['./baseline_mlp_fashion.py', '../../_base_/search/literal.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
