# Paper: Table 4, "MGN", on Market-1501.
#   tools/dist_train.sh configs/baseline_mgn_market.py 1
# Cost: 80 epochs of about 180 iterations of batch 64.
# Expected: 86.9 % mAP, 95.7 % rank-1; 94.2 and 96.6 re-ranked (RK) (paper's numbers, which have all
# training identities: held_out=0).
# RK: tools/test.py ... --cfg-options test_evaluator.rerank=True
_base_ = [
    './_base_/models/mgn_r50.py',
    './_base_/datasets/market1501_mgn.py',
    './_base_/schedules/mgn_80e.py',
    './_base_/default_runtime.py',
]
