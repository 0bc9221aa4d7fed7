# AM-softmax, m = 0.35, s = 30, on the ORL faces.
#   DATA_ROOT=... \
#       python tools/train.py configs/small/orl_faces/baseline_amsoftmax_sphereface20_orl.py
# Cost: that of baseline_softmax_sphereface20_orl.py.
# Expected: 89.78 +- 6.43 % rank-1, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_softmax_sphereface20_orl.py']
model = dict(head=dict(scale=30.0, margin=0.35))
# Tuned like plain softmax.
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=5e-2))
