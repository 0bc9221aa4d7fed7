# AM-LFS on drawn pedestrians: baseline_mgn_synthetic.py with B = 8.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/amlfs_mgn_synthetic.py 2
# Cost: 8 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_mgn_synthetic.py', '../../_base_/search/amlfs_reid_small.py']
classifier = dict(type='amlfs_mm.AMLFSHead', num_intervals=6)
model = dict(head=dict(classifier=classifier))
