# Paper: Table 5, "MGN", on DukeMTMC-reID.
#   tools/dist_train.sh configs/baseline_mgn_duke.py 1
# Cost: 80 epochs of about 230 iterations of batch 64.
# Expected: 78.4 % mAP, 88.7 % rank-1; 88.6 and 90.9 re-ranked (RK) (paper's numbers, which have all
# training identities: held_out=0).
# RK: tools/test.py ... --cfg-options test_evaluator.rerank=True
_base_ = ['./baseline_mgn_market.py']
model = dict(head=dict(num_classes=632))  # 702 less 10 %
train_dataloader = dict(dataset=dict(source='dukemtmcreid'))
val_dataloader = dict(dataset=dict(source='dukemtmcreid'))
test_dataloader = dict(dataset=dict(source='dukemtmcreid'))
