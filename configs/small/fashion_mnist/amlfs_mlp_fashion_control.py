# Ablation of amlfs_mlp_fashion_ceiling.py: one of the 8 candidates is a run without a search. The
# better one of both on D_v is kept.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/amlfs_mlp_fashion_control.py 2
# Cost: that of amlfs_mlp_fashion.py.
# Expected: no number yet.
_base_ = ['./amlfs_mlp_fashion_ceiling.py']
loss_search = dict(control=True)
