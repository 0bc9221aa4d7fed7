# One model, trained with the losses that amlfs_resnet20_digits.py found. Its weights are those of
# the search, without a search.
#   python tools/train.py configs/small/digits/replay_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py, after the search has written its schedule.
# Expected: the test accuracy of the search that it replays.
_base_ = ['./baseline_resnet20_digits.py', '../../_base_/search/replay.py']
custom_hooks = [
    dict(
        type='amlfs_mm.LossReplayHook',
        schedule='work_dirs/amlfs_resnet20_digits/loss_schedule.json',
    )
]
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
