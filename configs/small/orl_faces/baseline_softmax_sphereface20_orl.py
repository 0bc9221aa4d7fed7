# Plain softmax on the ORL faces.
#   DATA_ROOT=... python tools/train.py configs/small/orl_faces/baseline_softmax_sphereface20_orl.py
# Cost: 30 epochs of 5 iterations of batch 28, a minute on one CPU core.
# Expected: 82.44 +- 8.96 % rank-1, 5 seeds (docs/benchmarks.md).
_base_ = [
    '../../_base_/models/sphereface20_small.py',
    '../../_base_/datasets/orl_faces.py',
    '../../_base_/schedules/orl_30e.py',
    '../../_base_/default_runtime.py',
]
# The best on D_v of what was tried, of those that no seed diverges with (docs/benchmarks.md).
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=2e-2))
