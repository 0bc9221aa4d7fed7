# One model, trained with the losses that amlfs_spherereid_synthetic.py found. Its weights are those
# of the search, without a search.
#   DATA_ROOT=data/synthetic \
#       python tools/train.py configs/small/synthetic_people/replay_spherereid_synthetic.py
# Cost: that of baseline_spherereid_synthetic.py, after the search has written its schedule.
# Expected: the test results of the search that it replays.
_base_ = ['./baseline_spherereid_synthetic.py', '../../_base_/search/replay.py']
custom_hooks = [
    dict(
        type='amlfs_mm.LossReplayHook',
        schedule='work_dirs/amlfs_spherereid_synthetic/loss_schedule.json',
    )
]
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
