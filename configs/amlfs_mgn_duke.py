# Paper: Table 5, "MGN+ours", on DukeMTMC-reID.
#   tools/dist_train.sh configs/amlfs_mgn_duke.py 64
# Cost: 32 x the baseline's compute.
# Expected: 80.0 % mAP, 89.9 % rank-1; 90.1 and 92.4 re-ranked (RK) (paper's numbers).
# RK: tools/test.py ... --cfg-options test_evaluator.rerank=True
_base_ = ['./baseline_mgn_duke.py', './_base_/search/amlfs_reid.py']
classifier = dict(type='amlfs_mm.AMLFSHead', num_intervals=6)
model = dict(head=dict(classifier=classifier))
