# One model with the losses that amlfs_resnet20_digits.py found: the same weights, without a search.
#   python tools/train.py configs/small/digits/replay_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py, after the search has written its schedule.
_base_ = ['./baseline_resnet20_digits.py', '../../_base_/search/replay.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].schedule = 'work_dirs/amlfs_resnet20_digits/loss_schedule.json'
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
