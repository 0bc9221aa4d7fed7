# AM-LFS on drawn pedestrians: baseline_spherereid_synthetic.py with B = 8.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/amlfs_spherereid_synthetic.py 2
# Cost: 8 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_spherereid_synthetic.py', '../../_base_/search/amlfs_reid_small.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
