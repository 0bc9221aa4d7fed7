# The search that we recommend, on 200 characters in 16 fonts, s = 16, B = 8 with a control.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/recommended_resnet8_characters.py 2
# Cost: 8 x the baseline's compute.
# Expected: 79.77 +- 6.85 % mAP, 3 draws of the characters (docs/benchmarks.md).
_base_ = ['./baseline_resnet8_characters.py', '../../_base_/search/recommended.py']
loss_search = dict(reward='reid/mAP')
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True),
    )
)
