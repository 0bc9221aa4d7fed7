# The search that we recommend where label noise does little harm: see
# baseline_resnet20_digits_shift.py.
#   tools/dist_train.sh configs/small/digits/recommended_resnet20_digits_shift.py 2
# Cost: 7 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_digits_shift.py', '../../_base_/search/recommended.py']
loss_search = dict(warmup_epochs=4)
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        search_space=dict(type='amlfs_mm.SearchSpace', searched='tau'),
    )
)
