# A schedule of losses that recommended_resnet8_characters.py found, in one training. The
# environment variable SCHEDULE is its path, or zoo:NAME of the same search space.
#   DATA_ROOT=... SCHEDULE=... \
#       python tools/train.py configs/small/characters/replay_resnet8_characters.py
# Cost: that of baseline_resnet8_characters.py.
# Expected: 78.92 +- 2.31 % mAP, 5 draws of the characters (docs/benchmarks.md).
_base_ = ['./baseline_resnet8_characters.py', '../../_base_/search/replay_zoo.py']
ceiling = dict(type='amlfs_mm.SearchSpace', ceiling=True)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', search_space=ceiling))
