# A schedule of losses that recommended_sphereface20_orl.py found, in one training. The
# environment variable SCHEDULE is its path, or zoo:NAME of the same search space.
#   DATA_ROOT=... SCHEDULE=... \
#       python tools/train.py configs/small/orl_faces/replay_sphereface20_orl.py
# Cost: that of baseline_softmax_sphereface20_orl.py.
# Expected: 72.00 +- 9.58 % rank-1, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_softmax_sphereface20_orl.py', '../../_base_/search/replay_zoo.py']
ceiling = dict(type='amlfs_mm.SearchSpace', ceiling=True)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', scale=30.0, search_space=ceiling))
