# A search of t and tau, started at -log(p + 0.5). Its control trains this loss. Of recommended_*.py
# it has the control, B and sigma. A t that is never above the identity, and going back at once,
# were the best of what was tried from this start on D_v.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/from_robust_mlp_fashion.py 2
# Cost: that of recommended_mlp_fashion.py.
# Expected: 79.85 +- 0.45 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds (docs/benchmarks.md).
_base_ = ['./recommended_mlp_fashion.py']
model = dict(head=dict(search_space=dict(searched='both', ceiling=True)))
loss_search = dict(mu_0=dict(name='robust', b=0.5), go_back=True)
