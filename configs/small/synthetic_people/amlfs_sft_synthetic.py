# AM-LFS on drawn pedestrians: baseline_sft_synthetic.py with B = 8.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/amlfs_sft_synthetic.py 2
# Cost: 8 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_sft_synthetic.py', '../../_base_/search/amlfs_reid_small.py']
classifier = dict(_delete_=True, type='amlfs_mm.AMLFSHead', scale=15.0, num_intervals=6)
model = dict(head=dict(classifier=classifier))
