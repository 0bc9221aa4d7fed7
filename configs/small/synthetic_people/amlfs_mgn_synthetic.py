# AM-LFS on drawn pedestrians: baseline_mgn_synthetic.py with B = 8.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/amlfs_mgn_synthetic.py 2
# Cost: 8 x the baseline's compute.
# Expected: 26.5 % mAP, 30.5 % rank-1, seed 0, at commit c62cb74 (docs/benchmarks.md).
_base_ = ['./baseline_mgn_synthetic.py', '../../_base_/search/amlfs_reid_small.py']
classifier = dict(type='amlfs_mm.AMLFSHead', num_intervals=6)
model = dict(head=dict(classifier=classifier))
