# One model with the losses that amlfs_spherereid_synthetic.py found, without a search.
#   DATA_ROOT=data/synthetic \
#       python tools/train.py configs/small/synthetic_people/replay_spherereid_synthetic.py
# Cost: that of baseline_spherereid_synthetic.py, after the search has written its schedule.
_base_ = ['./baseline_spherereid_synthetic.py', '../../_base_/search/replay.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].schedule = 'work_dirs/amlfs_spherereid_synthetic/loss_schedule.json'
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
