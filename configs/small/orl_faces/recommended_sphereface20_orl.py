# The search that we recommend, on the ORL faces, s = 30, B = 8 with a control.
#   DATA_ROOT=... tools/dist_train.sh configs/small/orl_faces/recommended_sphereface20_orl.py 2
# Cost: 8 x a baseline's compute.
# Expected: 82.22 +- 15.37 % rank-1, 3 seeds (docs/benchmarks.md).
_base_ = ['./baseline_softmax_sphereface20_orl.py', '../../_base_/search/recommended.py']
loss_search = dict(reward='face/rank1')
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        scale=30.0,
        search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True),
    )
)
