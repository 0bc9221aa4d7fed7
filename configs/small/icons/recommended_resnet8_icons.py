# The search that we recommend, on 300 identities of icons, s = 16, B = 8 with a control.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/recommended_resnet8_icons.py 2
# Cost: 8 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_icons.py', '../../_base_/search/recommended.py']
loss_search = dict(reward='reid/mAP')
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True),
    )
)
